"""Spikes: the banner of what is said more than usual now, and the page of what was."""
