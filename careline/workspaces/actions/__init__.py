"""Verbs of the organisation: founding, inviting, staffing, grouping, branding, opening hours, presenting, keeping."""
