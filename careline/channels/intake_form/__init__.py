"""The intake form: what a customer said on the phone, at the counter or to a partner."""

from careline.channels.intake_form.network import NETWORK

__all__ = ["NETWORK"]
