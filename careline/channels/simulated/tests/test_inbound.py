"""What the simulated platform says is told to Careline as it was meant."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from careline.channels.base import (
    AccessLost,
    ChannelView,
    ConnectionView,
    Counted,
    Deleted,
    Edited,
    HookRequest,
    Part,
    Reacted,
    ReceiptSeen,
    Said,
    Typed,
)
from careline.channels.simulated import NETWORK
from careline.errors import ForeignPayload, SignInRequired, UnknownEvent
from careline.kit import signing

SECRET = "whsec_" + "c2ltdWxhdGVkLXNlY3JldC1mb3ItdGVzdHM="
CONNECTION = ConnectionView(1, 1, "simulated", {"hook_secret": SECRET}, {"aurora": 7, "aurora_help": 8})
CHANNEL = ChannelView(7, 1, "simulated", "aurora", "Aurora", "@aurora", {"api": "http://127.0.0.1:1/api"}, {})
MARTA = {"id": "u_marta", "handle": "@martarg", "name": "Marta Ruiz"}
OTRO = {"id": "u_otro", "handle": "@otro", "name": "Otro"}


def event(kind: str, **more: object) -> dict[str, object]:
    base = {"id": "ev_1", "account": "aurora", "kind": kind, "at": "2026-11-20T08:26:00Z", "thread": "th_1"}
    return base | more


def utterance(author: dict[str, str], **more: object) -> dict[str, object]:
    conversation = {
        "place": "post",
        "author_id": "u_marta",
        "author_name": "Marta Ruiz",
        "root_id": "m_1",
        "text": "root",
        "views": 4100,
    }
    message = {"id": "m_1", "author": author, "text": "Otra vez sin puntos", "mentions": ["aurora"]}
    return event("message.created", conversation=conversation | more.pop("conversation", {}), message=message | more)  # type: ignore[operator]


def normalised(raw: dict[str, object]) -> list[object]:
    return list(NETWORK.normalise(Part("aurora", "ev_1", "th_1", msgspec.json.encode(raw)), CHANNEL))


def said(raw: dict[str, object]) -> Said:
    (one,) = normalised(raw)
    assert isinstance(one, Said)
    return one


def test_a_mention_is_said_on_the_surface_post_with_its_reach() -> None:
    one = said(utterance(MARTA))
    assert (one.surface, one.thread_key, one.platform_id, one.is_addressed) == ("post", "th_1", "m_1", True)
    assert (one.author.key, one.author.handle, one.thread.reach) == ("u_marta", "@martarg", 4100)
    assert one.thread.parent_text == ""


def test_a_bystanders_reply_is_not_addressed_to_us() -> None:
    one = said(utterance(OTRO, id="m_2", mentions=[], reply_to="m_1", reply_to_author="u_marta"))
    assert (one.surface, one.is_addressed, one.thread.parent_text) == ("reply", False, "root")


@pytest.mark.parametrize("more", [{"reply_to_author": "aurora"}, {"mentions": ["aurora"]}])
def test_whoever_answers_or_names_us_in_a_foreign_thread_is_addressed(more: dict[str, object]) -> None:
    assert said(utterance(OTRO, **({"id": "m_2", "mentions": []} | more))).is_addressed


def test_the_one_who_began_the_thread_always_speaks_to_us() -> None:
    assert said(utterance(MARTA, id="m_3", mentions=[], reply_to_author="u_otro")).is_addressed


def test_a_comment_under_our_post_is_addressed_unless_it_answers_another_commenter() -> None:
    ours = {"place": "comment", "author_id": "aurora", "author_name": "Aurora Air"}
    assert said(utterance(MARTA, conversation=ours, id="c_1", mentions=[])).is_addressed
    assert not said(utterance(OTRO, conversation=ours, id="c_2", mentions=[], reply_to_author="u_marta")).is_addressed


def test_a_direct_message_is_private_and_addressed() -> None:
    one = said(utterance(MARTA, conversation={"place": "dm"}, mentions=[]))
    assert (one.surface, one.is_addressed) == ("dm", True)
    assert not NETWORK.capabilities.surface(one.surface).is_public


def test_our_own_post_comes_back_as_ours_with_its_key() -> None:
    one = said(utterance({"id": "aurora", "handle": "@aurora"}, id="m_9", client_key="key-1"))
    assert (one.author.is_us, one.idempotency_key) == (True, "key-1")


def test_what_the_platform_vouches_for_becomes_proven_keys() -> None:
    one = said(utterance(MARTA | {"vouched": {"phone": "+34600000000", "email": "marta@example.org"}}))  # type: ignore[operator]
    assert one.author.proven_keys == (("email", "marta@example.org"), ("phone", "+34600000000"))


def test_files_come_as_addresses_to_fetch() -> None:
    one = said(utterance(MARTA, files=[{"name": "maleta.jpg", "url": "http://127.0.0.1:1/f/1", "alt": "broken"}]))
    assert [(file.name, file.url, file.alt_text) for file in one.files] == [
        ("maleta.jpg", "http://127.0.0.1:1/f/1", "broken")
    ]


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (event("message.edited", message_id="m_1", text="new"), Edited),
        (event("message.deleted", message_id="m_1"), Deleted),
        (event("receipt.changed", state="read", message_id="m_1"), ReceiptSeen),
        (event("reaction.changed", message_id="m_1", author=MARTA, emoji="❤️"), Reacted),
        (event("typing.shown", author=MARTA), Typed),
        (event("views.counted", views=5000), Counted),
        (event("access.revoked", reason="by_user"), AccessLost),
    ],
)
def test_every_kind_is_translated(raw: dict[str, object], kind: type) -> None:
    assert [type(one) for one in normalised(raw)] == [kind]


def test_a_failed_receipt_says_whether_it_is_final() -> None:
    (one,) = normalised(event("receipt.changed", state="failed", client_key="k", error="spam", is_final=False))
    assert isinstance(one, ReceiptSeen)
    assert (one.idempotency_key, one.error, one.is_permanent) == ("k", "spam", False)


def test_a_kind_of_a_later_version_is_an_unknown_event() -> None:
    with pytest.raises(UnknownEvent):
        normalised(event("poll.opened"))


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_be_refused(raw: bytes) -> None:
    with pytest.raises((ForeignPayload, UnknownEvent)):
        NETWORK.normalise(Part("aurora", "e", "t", raw), CHANNEL)
    with pytest.raises(ForeignPayload):
        NETWORK.split(HookRequest("POST", "/", {}, raw), CONNECTION)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ForeignPayload):
        normalised(event("message.deleted", message_id="m_1") | {"at": "2026-11-20T08:26:00"})


def test_a_delivery_is_cut_into_the_events_of_our_accounts() -> None:
    events = [
        event("views.counted", views=1),
        event("views.counted", views=2) | {"id": "ev_2", "account": "aurora_help"},
    ]
    foreign = event("views.counted", views=3) | {"id": "ev_3", "account": "someone"}
    parts = NETWORK.split(
        HookRequest("POST", "/", {}, msgspec.json.encode({"delivery": "d", "events": [*events, foreign]})), CONNECTION
    )
    assert [(part.account_key, part.platform_event_id, part.order_key) for part in parts] == [
        ("aurora", "ev_1", "th_1"),
        ("aurora_help", "ev_2", "th_1"),
    ]
    with pytest.raises(ForeignPayload):
        NETWORK.split(
            HookRequest("POST", "/", {}, msgspec.json.encode({"delivery": "d", "events": [foreign]})), CONNECTION
        )


def test_the_handshake_proves_the_secret_without_saying_it() -> None:
    answer = NETWORK.answer_challenge(HookRequest("GET", "/?challenge=abc", {}, b"", {"challenge": "abc"}), CONNECTION)
    assert answer is not None
    assert SECRET.encode() not in answer.body
    assert answer.body != b'{"response":""}'
    assert NETWORK.answer_challenge(HookRequest("POST", "/", {}, b"{}"), CONNECTION) is None


def test_a_connection_without_a_secret_trusts_nobody() -> None:
    bare = msgspec.structs.replace(CONNECTION, secrets={})
    body = b"{}"
    with pytest.raises(SignInRequired):
        NETWORK.verify(HookRequest("POST", "/", signing.webhook_headers("", "d", body), body), bare)


def test_the_account_setting_decides_what_follows_an_unknown_outcome() -> None:
    for style in ("lookup", "never_retry", "safe_retry"):
        channel = msgspec.structs.replace(CHANNEL, settings={"sending": style})
        assert NETWORK.effective(channel).outbound.unknown_outcome == style
    assert NETWORK.effective(CHANNEL).outbound.unknown_outcome == "lookup"


def test_text_that_a_database_cannot_keep_loses_only_its_nul() -> None:
    assert said(utterance(MARTA, text="a\0b")).text == "ab"


def test_json_nested_without_end_is_refused() -> None:
    with pytest.raises(ForeignPayload):
        NETWORK.split(HookRequest("POST", "/", {}, b'{"delivery":"d","events":' + b"[" * 100_000), CONNECTION)


def test_a_secret_that_is_no_base64_trusts_nobody() -> None:
    odd = msgspec.structs.replace(CONNECTION, secrets={"hook_secret": "whsec_x"})
    with pytest.raises(SignInRequired):
        NETWORK.verify(HookRequest("POST", "/", signing.webhook_headers("x", "d", b"{}"), b"{}"), odd)
