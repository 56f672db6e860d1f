"""A person over all channels: timeline, identities with their evidence, join, split, export, erase."""
