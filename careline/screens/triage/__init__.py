"""The triage page of the settings, and the pages of topics."""
