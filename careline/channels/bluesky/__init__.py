"""Bluesky, and any other server of its protocol: posts in public, messages in private. See README.md."""

from careline.channels.bluesky.network import NETWORK

__all__ = ["NETWORK"]
