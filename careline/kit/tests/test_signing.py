"""Signatures against somebody else's implementation of Standard Webhooks, and tickets against forgers."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from careline.errors import SignInRequired
from careline.kit import clock, signing

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ....").decode()
KEY = b"k" * 32
BODY = '{"text": "¿dónde está mi maleta?"}'.encode()


def test_what_we_sign_an_independent_library_accepts() -> None:
    headers = signing.webhook_headers(SECRET, "msg_1", BODY)
    assert Webhook(SECRET).verify(BODY, headers) == msgspec.json.decode(BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY + b" ", headers)


def test_what_an_independent_library_signs_we_accept() -> None:
    at = datetime.now(UTC)
    signature = Webhook(SECRET).sign("msg_1", at, BODY.decode())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
    signing.check_webhook(SECRET, headers, BODY)
    with pytest.raises(SignInRequired):
        signing.check_webhook(SECRET, {**headers, "webhook-id": "msg_2"}, BODY)


@given(st.integers(0, len(BODY) * 8 - 1))
def test_a_flipped_bit_of_the_body_is_refused(bit: int) -> None:
    flipped = bytearray(BODY)
    flipped[bit // 8] ^= 1 << (bit % 8)
    headers = signing.webhook_headers(SECRET, "msg_1", BODY)
    with pytest.raises(SignInRequired) as refused:
        signing.check_webhook(SECRET, headers, bytes(flipped))
    assert refused.value.code == "signature_wrong"


def test_one_fitting_signature_among_several_is_enough_while_a_secret_is_being_replaced() -> None:
    headers = signing.webhook_headers(SECRET, "msg_1", BODY)
    headers["webhook-signature"] = f"v1,AAAA v1a,xyz {headers['webhook-signature']}"
    signing.check_webhook(SECRET, headers, BODY)
    headers["webhook-signature"] = headers["webhook-signature"].replace("v1,", "v2,")
    with pytest.raises(SignInRequired):
        signing.check_webhook(SECRET, headers, BODY)


@pytest.mark.parametrize("away_s", [-301, 301, 86_400])
def test_a_timestamp_more_than_five_minutes_away_is_stale(away_s: int) -> None:
    headers = signing.webhook_headers(SECRET, "msg_1", BODY, at_s=int(clock.epoch_s()) + away_s)
    with pytest.raises(SignInRequired) as refused:
        signing.check_webhook(SECRET, headers, BODY)
    assert refused.value.code == "timestamp_stale"


@pytest.mark.parametrize("stamp", ["", "now", "12.5", "-5", "٣٤٥", "9" * 13, "1e9"])
def test_a_timestamp_that_is_none_is_refused(stamp: str) -> None:
    headers = {**signing.webhook_headers(SECRET, "msg_1", BODY), "webhook-timestamp": stamp}
    with pytest.raises(SignInRequired) as refused:
        signing.check_webhook(SECRET, headers, BODY)
    assert refused.value.code == "signature_missing"


@given(st.text(max_size=60))
def test_no_signature_header_is_an_error_of_ours(value: str) -> None:
    headers = {**signing.webhook_headers(SECRET, "msg_1", BODY), "webhook-signature": value}
    with pytest.raises(SignInRequired):
        signing.check_webhook(SECRET, headers, BODY)


def test_a_ticket_gives_its_claims_back_for_its_own_purpose_only() -> None:
    ticket = signing.seal(KEY, "file", {"ws": 7, "name": "a ñ"}, lasts_s=60)
    assert signing.unseal(KEY, "file", ticket) == {"ws": 7, "name": "a ñ"}
    for key, purpose in ((KEY, "stream"), (b"x" * 32, "file")):
        with pytest.raises(SignInRequired) as refused:
            signing.unseal(key, purpose, ticket)
        assert refused.value.code == "ticket_wrong"


def test_a_ticket_is_over_after_its_time() -> None:
    ticket = signing.seal(KEY, "file", {}, lasts_s=60)
    with clock.travel(timedelta(seconds=59)):
        assert signing.unseal(KEY, "file", ticket) == {}
    with clock.travel(timedelta(seconds=62)), pytest.raises(SignInRequired) as refused:
        signing.unseal(KEY, "file", ticket)
    assert refused.value.code == "ticket_over"


def test_every_changed_character_of_a_ticket_spoils_it() -> None:
    ticket = signing.seal(KEY, "file", {"ws": 7}, lasts_s=60)
    for place, letter in enumerate(ticket):
        for other in ("A", "b", "!", "é", ""):
            changed = ticket[:place] + other + ticket[place + 1 :]
            if other != letter:
                with pytest.raises(SignInRequired):
                    signing.unseal(KEY, "file", changed)


@given(st.text(max_size=80))
def test_no_text_is_taken_for_a_ticket(text: str) -> None:
    with pytest.raises(SignInRequired):
        signing.unseal(KEY, "file", text)


def test_a_ticket_whose_end_is_no_number_is_refused() -> None:
    body = msgspec.json.encode({"ws": 7, "_until": "for ever"})
    ticket = f"{signing._b64(body)}.{signing._b64(signing.sign(KEY, b'file|' + body))}"
    with pytest.raises(SignInRequired):
        signing.unseal(KEY, "file", ticket)


def test_a_short_tag_survives_mail_and_depends_on_key_purpose_and_content() -> None:
    tag = signing.short_tag(KEY, "mail", "17")
    assert tag == tag.lower() and tag.isalnum() and len(tag) == 16
    others = {
        signing.short_tag(*args) for args in ((b"x" * 32, "mail", "17"), (KEY, "reply", "17"), (KEY, "mail", "18"))
    }
    assert len(others) == 3 and tag not in others
