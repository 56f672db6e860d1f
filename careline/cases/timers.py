"""Handlers of the clocks of cases."""
