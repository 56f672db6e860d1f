"""How a mail server is reached safely: one TLS context for the process, plain text only on this machine."""

from __future__ import annotations

import re
import ssl
from functools import lru_cache
from typing import Literal

from careline.errors import ChannelError

Security = Literal["tls", "starttls", "none"]


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """One context for all mailboxes of the process: each of its own costs most of a megabyte."""
    return ssl.create_default_context()


def check_security(security: str, host: str) -> None:
    """Refuse plain text to anything but this machine. Raises ChannelError."""
    if security not in {"tls", "starttls", "none"}:
        raise ChannelError("security_unknown", "Choose TLS or STARTTLS.", permanent=True)
    if security == "none" and not (host in {"localhost", "::1"} or re.fullmatch(r"127(\.\d{1,3}){3}", host)):
        raise ChannelError(
            "plaintext_refused", "Without encryption only a server on this machine may be used.", permanent=True
        )


def tls_failure(refused: ssl.SSLError) -> ChannelError:
    """What a failed handshake means to whoever set the server up."""
    if isinstance(refused, ssl.SSLCertVerificationError):
        return ChannelError("certificate_wrong", f"The server's certificate is not valid: {refused.verify_message}")
    return ChannelError("tls_failed", "TLS failed; is this the right port and encryption?")
