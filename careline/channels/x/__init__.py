"""X, formerly Twitter: posts in public, direct messages in private. See README.md."""

from careline.channels.x.network import NETWORK

__all__ = ["NETWORK"]
