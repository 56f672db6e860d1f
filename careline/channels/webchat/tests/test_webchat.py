"""Web chat as a network: what the door journals comes out typed, and an answer is sent once however often it is tried."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from careline.channels.base import ForeignPayload, Outgoing, Part, ReceiptSeen, Said, Tools
from careline.channels.webchat import NETWORK, inbound, setup, typing_board
from careline.channels.webchat.tests.building import SITE, channel
from careline.channels.webchat.visitors import Visitor
from careline.channels.webchat.wire import Arrived, Spoken, SpokenFile
from careline.kit import clock
from careline.kit.http import guarded_client

MARTA = Visitor("v1", SITE, "c-4", "Marta Ruiz", (("customer", "c-4"),))


def spoken(**changes: object) -> Spoken:
    facts = {
        "visitor": "v1",
        "client_id": "client-0001",
        "text": "¿Dónde está mi maleta?",
        "at": clock.now(),
        "name": MARTA.name,
    }
    return Spoken(**{**facts, "proven": MARTA.proven, **changes})


def test_a_visitors_words_come_out_of_the_journal_as_they_went_in() -> None:
    one = spoken(email="marta@example.com", page=f"{SITE}/bags", files=(SpokenFile("a.txt", b"hola"),))
    (said,) = NETWORK.normalise(inbound.part_of_spoken(one, channel(), MARTA), channel())
    assert isinstance(said, Said)
    assert (said.thread_key, said.surface, said.text) == ("visitor:v1", "chat", "¿Dónde está mi maleta?")
    assert said.author.proven_keys == (("customer", "c-4"),) and said.author.name == "Marta Ruiz"
    assert said.facts == {"page": f"{SITE}/bags", "stated_email": "marta@example.com"}
    assert [(file.name, file.content) for file in said.files] == [("a.txt", b"hola")]


def test_a_stated_address_links_nothing() -> None:
    (said,) = NETWORK.normalise(
        inbound.part_of_spoken(spoken(proven=(), email="ana@air.example"), channel(), MARTA), channel()
    )
    assert isinstance(said, Said) and said.author.proven_keys == ()


def test_the_same_message_sent_twice_is_one_event_and_two_visitors_never_share_one() -> None:
    first = inbound.part_of_spoken(spoken(), channel(), MARTA)
    with clock.travel(timedelta(seconds=9)):
        again = inbound.part_of_spoken(spoken(), channel(), MARTA)
    other = inbound.part_of_spoken(spoken(visitor="v2"), channel(), Visitor("v2", SITE))
    assert first.platform_event_id == again.platform_event_id != other.platform_event_id
    assert first.order_key == "visitor:v1" and other.order_key == "visitor:v2"


def test_a_receipt_names_the_answer() -> None:
    part = inbound.part_of_arrival(Arrived("v1", "answer:k", "read", clock.now()), channel(), MARTA)
    (receipt,) = NETWORK.normalise(part, channel())
    assert isinstance(receipt, ReceiptSeen) and (receipt.platform_id, receipt.state) == ("answer:k", "read")
    assert inbound.receipt_tag(channel(), "visitor:v1", "answer:k") != inbound.receipt_tag(
        channel(), "visitor:v2", "answer:k"
    )


@pytest.mark.parametrize("raw", [b"", b"[]", b"\xff", b"[" * 100_000, json.dumps({"type": "spoken"}).encode()])
def test_bytes_that_are_not_the_doors_are_foreign(raw: bytes) -> None:
    with pytest.raises(ForeignPayload):
        NETWORK.normalise(Part("chat", "x", "x", raw), channel())


def test_sending_twice_gives_the_same_id() -> None:
    async def go() -> None:
        async with guarded_client() as client:
            out = [Outgoing(1, "key-1", attempt, "chat", 1, "visitor:v1", "v1", "Hola", "human") for attempt in (1, 2)]
            first, second = [await NETWORK.send(one, channel(), Tools(client)) for one in out]
            assert first.platform_id == second.platform_id == "answer:key-1"

    asyncio.run(go())
    assert NETWORK.capabilities.outbound.unknown_outcome == "safe_retry"


def test_typing_rings_at_the_thread_it_is_for_and_nowhere_else() -> None:
    rung: list[str] = []
    leave = [typing_board.subscribe(5, f"visitor:{name}", lambda name=name: rung.append(name)) for name in ("v1", "v2")]

    async def go() -> None:
        async with guarded_client() as client:
            await NETWORK.show_typing("visitor:v1", channel(), Tools(client))
            leave[0]()
            await NETWORK.show_typing("visitor:v1", channel(), Tools(client))

    asyncio.run(go())
    leave[1]()
    assert rung == ["v1"]


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://www.air.example", True),
        ("https://WWW.air.example", True),
        ("https://shop.sea.example", True),
        ("https://a.b.sea.example", True),
        ("https://sea.example", False),
        ("http://shop.sea.example", False),
        ("https://evilsea.example", False),
        ("https://shop.sea.example.evil.example", False),
        ("https://www.air.example:8443", False),
        ("https://www.air.example/", False),
        ("null", False),
        ("", False),
        ("https://x;script-src *.sea.example", False),
    ],
)
def test_only_listed_sites_may_show_the_chat(origin: str, allowed: bool) -> None:
    listed = setup.allowed_origins(
        channel(origins="https://www.air.example/, https://*.sea.example\nhttps://x; script-src * javascript:alert(1)")
    )
    assert listed == ("https://www.air.example", "https://*.sea.example", "https://x")
    assert setup.is_allowed(origin, listed) is allowed


def test_without_sites_the_chat_is_shown_nowhere() -> None:
    assert not setup.is_allowed(SITE, setup.allowed_origins(channel(origins="")))


@pytest.mark.parametrize(
    ("background", "ink"),
    [("#0b6b63", "#ffffff"), ("#ffffff", "#000000"), ("#ffd400", "#000000"), ("#000000", "#ffffff")],
)
def test_words_on_the_brands_colour_can_be_read(background: str, ink: str) -> None:
    assert setup.ink_on(background) == ink
    assert setup.color(channel(color="red;}*{display:none")) == setup.DEFAULT_COLOR


@pytest.mark.parametrize(("typed", "minutes"), [("", 5), ("0", 0), ("15", 15), ("-1", 5), ("x", 5), ("99999", 1440)])
def test_the_minutes_until_an_answer_goes_by_mail_are_read_leniently(typed: str, minutes: int) -> None:
    assert setup.mail_after_min(channel(mail_after_min=typed)) == minutes
