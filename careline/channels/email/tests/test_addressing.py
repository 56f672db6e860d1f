"""Our signed names: what we made is believed through every change mail systems make, what anybody else made never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careline.channels.email import addressing
from careline.channels.email.tests.building import KEY, OWN, mail, said

NUMBERS = st.integers(1, (1 << 63) - 1)
OTHER_KEY = b"o" * 32


@given(NUMBERS, NUMBERS)
def test_what_we_signed_is_read_back_whatever_its_case(delivery_id: int, thread_id: int) -> None:
    identifier = addressing.message_id(delivery_id, thread_id, "aurora.example", KEY)
    expected = addressing.OurId(delivery_id, thread_id)
    assert addressing.read_message_id(identifier, KEY) == expected
    assert addressing.read_message_id(identifier.upper(), KEY) == expected
    assert addressing.read_message_id(identifier.replace("aurora.example", "relay.example"), KEY) == expected
    address = addressing.reply_address(OWN, thread_id, KEY)
    assert addressing.thread_of_address(address, OWN, KEY) == thread_id
    assert addressing.thread_of_address(address.upper(), OWN, KEY) == thread_id


@given(NUMBERS)
def test_a_foreign_key_a_changed_letter_or_a_moved_name_is_not_believed(thread_id: int) -> None:
    address = addressing.reply_address(OWN, thread_id, KEY)
    identifier = addressing.message_id(5, thread_id, "aurora.example", KEY)
    assert addressing.thread_of_address(address, OWN, OTHER_KEY) == 0
    assert addressing.read_message_id(identifier, OTHER_KEY) is None
    for at in range(address.index("+") + 1, address.index("@")):
        changed = address[:at] + ("b" if address[at] == "a" else "a") + address[at + 1 :]
        assert addressing.thread_of_address(changed, OWN, KEY) == 0
    assert addressing.thread_of_address(address, "other@aurora.example", KEY) == 0
    assert addressing.thread_of_address(address, "help@other.example", KEY) == 0


def test_a_tag_made_for_one_place_does_not_fit_another() -> None:
    """The purposes are part of what is signed: a leaked Message-ID cannot be turned into an address."""
    name = addressing.encode_number(77)
    tag = addressing.message_id(77, 77, "x", KEY).split(".")[3].partition("@")[0]
    assert addressing.thread_of_address(f"help+{name}.{tag}@aurora.example", OWN, KEY) == 0


@pytest.mark.parametrize("key", [b"", OTHER_KEY])
def test_without_the_right_key_nothing_is_ours(key: bytes) -> None:
    assert addressing.read_message_id(addressing.message_id(1, 2, "x", KEY), key) is None
    assert addressing.read_key_header(addressing.key_header("k", KEY), key) == ""


def test_an_address_that_would_grow_too_long_stays_plain() -> None:
    long = "a" * 40 + "@aurora.example"
    assert addressing.reply_address(long, 1 << 60, KEY) == long
    assert addressing.reply_address(OWN, 0, KEY) == OWN


def test_a_thread_is_proven_by_address_before_message_id() -> None:
    to = addressing.reply_address(OWN, 11, KEY)
    message = said(mail(To=to, In_Reply_To=addressing.message_id(1, 22, "x", KEY)))
    assert message.continues == 11
    assert message.recipients == (OWN,)


def test_the_nearest_of_our_message_ids_proves_the_thread() -> None:
    older, newer = (addressing.message_id(number, number, "x", KEY) for number in (1, 2))
    assert said(mail(References=f"{older} <a@b> {newer} <c@d>")).continues == 2


def test_a_stranger_who_guesses_a_message_id_shares_no_key_with_its_thread() -> None:
    """The key of a vouched-for author's chain holds the author; nobody else's claim leads there."""
    passed = "mx.aurora.example; dmarc=pass header.from=cliente.example"
    first = said(mail(Authentication_Results=passed))
    again = said(
        mail(
            "otra", Authentication_Results=passed, Message_ID="<m2@cliente.example>", References="<m1@cliente.example>"
        )
    )
    assert first.thread_key == again.thread_key
    spoofed = said(mail("dame", Message_ID="<m3@cliente.example>", References="<m1@cliente.example>"))
    stranger = said(
        mail(
            "dame",
            From="mala@mala.example",
            Message_ID="<m4@mala.example>",
            References="<m1@cliente.example>",
            Authentication_Results="mx.aurora.example; dmarc=pass header.from=mala.example",
        )
    )
    assert len({first.thread_key, spoofed.thread_key, stranger.thread_key}) == 3
    assert {one.facts["thread_claim"] for one in (again, spoofed, stranger)} == {"unproven"}
    assert "thread_claim" not in first.facts and all(one.continues == 0 for one in (again, spoofed, stranger))
