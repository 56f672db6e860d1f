"""The generic API channel: any program that can sign a request may speak and be answered; README.md is its documentation."""

from careline.channels.generic.network import NETWORK

__all__ = ["NETWORK"]
