"""A real Synapse and the story on it."""
