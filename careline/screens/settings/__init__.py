"""Settings and channels: what administrators arrange and what each agent decides for themselves."""
