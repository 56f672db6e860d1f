"""Encryption at rest: named keys for secrets, and a fresh key per file wrapped by the installation's key.

The installation key lives beside the database (`secret.key`) or in CARELINE_SECRET_KEY; losing it loses every secret and file.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from careline.errors import CarelineError


def derive(master: str, purpose: str) -> bytes:
    """32 bytes bound to a purpose, from the installation key."""
    return hashlib.blake2b(purpose.encode(), key=hashlib.sha256(master.encode()).digest(), digest_size=32).digest()


class Box:
    """Encrypts small secrets. The first key writes, all keys read, so that a key can be replaced without a stop."""

    def __init__(self, *masters: str) -> None:
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(derive(master, "secrets"))) for master in masters])

    def close(self, plain: bytes) -> bytes:
        """Encrypt and authenticate."""
        return self._fernet.encrypt(plain)

    def open(self, sealed: bytes) -> bytes:
        """Decrypt. Raises CarelineError('secret_unreadable') when the key does not fit."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as refused:
            raise CarelineError(
                "secret_unreadable", "A secret cannot be read with this installation's key."
            ) from refused


def new_file_key() -> bytes:
    """A key for one file: dropping it erases the file wherever its bytes were copied."""
    return Fernet.generate_key()


def encrypt_file(key: bytes, plain: bytes) -> bytes:
    """The bytes that go to disk."""
    return Fernet(key).encrypt(plain)


def decrypt_file(key: bytes, sealed: bytes) -> bytes:
    """Raises CarelineError('file_unreadable') for damaged or foreign bytes."""
    try:
        return Fernet(key).decrypt(sealed)
    except InvalidToken as refused:
        raise CarelineError("file_unreadable", "This file cannot be read with its key.") from refused
