"""E-mail: a mailbox read by IMAP (or pushed by HTTP) and answered by SMTP; README.md says what it does and what it asks
of the core.
"""

from careline.channels.email.network import NETWORK

__all__ = ["NETWORK"]
