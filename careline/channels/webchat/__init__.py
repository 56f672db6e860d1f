"""Web chat: a visitor of a site talks through the widget. The widget's HTTP lives in careline.edge.widget."""

from careline.channels.webchat.network import NETWORK

__all__ = ["NETWORK"]
