"""Encryption at rest: keys that can be replaced, and errors instead of garbage for everything else."""

from __future__ import annotations

import pytest

from careline.errors import CarelineError
from careline.kit import crypto


def test_a_secret_written_with_the_old_key_is_read_while_the_new_one_writes() -> None:
    old = crypto.Box("old").close(b"token")
    both = crypto.Box("new", "old")
    assert both.open(old) == b"token"
    assert crypto.Box("new").open(both.close(b"token")) == b"token"


def test_a_secret_does_not_open_with_another_key_or_with_a_byte_changed() -> None:
    sealed = crypto.Box("one").close(b"token")
    assert b"token" not in sealed
    for box, content in (
        (crypto.Box("two"), sealed),
        (crypto.Box("one"), sealed[:-1] + b"A"),
        (crypto.Box("one"), b""),
    ):
        with pytest.raises(CarelineError) as refused:
            box.open(content)
        assert refused.value.code == "secret_unreadable"


def test_each_file_has_a_key_of_its_own() -> None:
    first, second = crypto.new_file_key(), crypto.new_file_key()
    sealed = crypto.encrypt_file(first, b"a passport")
    assert crypto.decrypt_file(first, sealed) == b"a passport"
    assert b"passport" not in sealed
    with pytest.raises(CarelineError) as refused:
        crypto.decrypt_file(second, sealed)
    assert refused.value.code == "file_unreadable"


def test_keys_of_different_purposes_have_nothing_in_common() -> None:
    made = {crypto.derive(master, purpose) for master in ("a", "b") for purpose in ("secrets", "tickets", "channel:7")}
    assert len(made) == 6
    assert all(len(key) == 32 for key in made)
