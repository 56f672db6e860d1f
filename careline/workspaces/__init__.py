"""The organisation: brands, accounts, agents, teams, roles, calendars, audit."""
