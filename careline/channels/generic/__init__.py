"""The generic API channel: any program that can sign a request may speak and be answered. See README.md."""

from careline.channels.generic.network import NETWORK

__all__ = ["NETWORK"]
