"""One-time links: the token goes to its bearer, only its hash stays here."""

from __future__ import annotations

import hashlib
import hmac

from careline.kit import ids

TOKEN_BYTES = 32


def new_link_token() -> tuple[str, str]:
    """A fresh token and the hash to keep of it."""
    token = ids.new_token(TOKEN_BYTES)
    return token, hash_token(token)


def hash_token(token: str) -> str:
    """64 hex characters. The token has 256 random bits, so a plain hash cannot be turned back."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_same_hash(expected: str, found: str) -> bool:
    """Constant-time comparison; an empty hash fits nothing."""
    return bool(expected) and hmac.compare_digest(expected, found)
