"""X: its own counting of characters, and the story through the screens against a double held to its own description."""
