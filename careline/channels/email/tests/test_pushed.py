"""The HTTP intake: signed mails in, one or several; anything else refused before it is read."""

from __future__ import annotations

import pytest

from careline.channels.base import ConnectionView, HookRequest, Said
from careline.channels.email import NETWORK
from careline.channels.email.tests.building import OWN, channel, mail
from careline.errors import ForeignPayload, SignInRequired
from careline.kit import clock
from careline.kit.signing import webhook_headers

SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtMTIzNDU2Nzg="


def connection(**accounts: int) -> ConnectionView:
    return ConnectionView(1, 1, "email", {"hook_secret": SECRET}, accounts or {OWN: 7})


def request(body: bytes, content_type: str = "message/rfc822", *, secret: str = SECRET, **query: str) -> HookRequest:
    headers = {**webhook_headers(secret, "d-1", body), "content-type": content_type}
    return HookRequest("POST", "/hooks/email/x", headers, body, query)


def test_a_signed_mail_becomes_a_message_received_now() -> None:
    given = request(mail("Por HTTP"))
    NETWORK.verify(given, connection())
    (part,) = NETWORK.split(given, connection())
    (said,) = NETWORK.normalise(part, channel())
    assert isinstance(said, Said) and said.text == "Por HTTP"
    assert abs((clock.now() - said.at).total_seconds()) < 60
    assert part.account_key == OWN


def test_a_wrong_secret_or_none_at_all_is_refused() -> None:
    with pytest.raises(SignInRequired):
        NETWORK.verify(request(mail(), secret="whsec_eHh4eA=="), connection())
    with pytest.raises(SignInRequired):
        NETWORK.verify(request(mail()), ConnectionView(1, 1, "email", {}, {OWN: 7}))


def test_pushed_and_fetched_mail_is_one_event() -> None:
    from careline.channels.email.naming import make_part
    from careline.channels.email.wire import Envelope

    (pushed,) = NETWORK.split(request(mail()), connection())
    fetched = make_part(OWN, Envelope(via="imap", uid=4), mail())
    again = make_part(OWN, Envelope(), b"Received: by another.example\r\n" + mail().replace(b"\r\n", b"\n"))
    assert pushed.platform_event_id == fetched.platform_event_id == again.platform_event_id
    assert pushed.order_key == fetched.order_key


def test_several_mails_in_one_delivery_are_cut_apart() -> None:
    pieces = [mail("uno", Message_ID="<1@x.example>"), mail("dos", Message_ID="<2@x.example>")]
    body = b"".join(b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + one + b"\r\n" for one in pieces) + b"--b--\r\n"
    parts = NETWORK.split(request(body, "multipart/mixed; boundary=b"), connection())
    alone = [NETWORK.split(request(one), connection())[0] for one in pieces]
    assert [part.platform_event_id for part in parts] == [part.platform_event_id for part in alone]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"a": 1}', "application/json"),
        (mail(), "text/plain"),
        (b'{"a": 1}', "message/rfc822"),
        (b"", "message/rfc822"),
        (b"\x00\xff", "message/rfc822"),
        (b"", "multipart/mixed; boundary=b"),
        (b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--", "multipart/mixed; boundary=b"),
        (mail(), "multipart/mixed"),
    ],
)
def test_what_is_no_mail_is_foreign(body: bytes, content_type: str) -> None:
    with pytest.raises(ForeignPayload):
        NETWORK.split(request(body, content_type), connection())


def test_with_several_mailboxes_the_address_or_the_caller_says_which() -> None:
    two = connection(**{"a@aurora.example": 1, "b@aurora.example": 2})
    to_b = mail(To="x@y.example", Delivered_To="b+tag@aurora.example")
    assert NETWORK.split(request(to_b), two)[0].account_key == "b@aurora.example"
    assert NETWORK.split(request(mail(), account="a@aurora.example"), two)[0].account_key == "a@aurora.example"
    with pytest.raises(ForeignPayload):
        NETWORK.split(request(mail()), two)
