"""The simulated network's adapter against the simulated platform, over real HTTP on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
import pytest

from careline.channels.base import ChannelView, Fetched, ModerationAct, Outgoing, OutgoingFile, Sent, Tools
from careline.channels.simulated import NETWORK
from careline.errors import ChannelError
from careline.kit.http import guarded_client
from careline.simulator import running
from careline.simulator.behaviour import Behaviour, Fault, Kind
from careline.simulator.tests.conftest import TOKEN

T = TypeVar("T")


def channel(world: running.Running, **settings: object) -> ChannelView:
    values = {"api": f"{world.address}/api", "gap_check_s": 0.05} | settings
    return ChannelView(7, 1, "simulated", "aurora", "Aurora", "@aurora", values, {"token": TOKEN})


def outgoing(world: running.Running, text: str = "Hola Marta", **more: object) -> Outgoing:
    thread = world.simulator.platform.post("aurora", "u_marta", "Otra vez sin puntos")
    values = {
        "surface": "post",
        "thread_key": thread.thread,
        "reply_to": thread.id,
        "recipient": "u_marta",
        "attempt": 1,
    }
    return Outgoing(
        delivery_id=1, idempotency_key="key-1", thread_id=1, text=text, author_kind="human", **(values | more)
    )  # type: ignore[arg-type]


def do(act: Callable[[Tools], Awaitable[T]]) -> T:
    async def run() -> T:
        async with guarded_client(allow_private=True, timeout_s=5) as client:
            return await act(Tools(http=client))

    return asyncio.run(run())


def send(world: running.Running, one: Outgoing, **settings: object) -> Sent:
    return do(lambda tools: NETWORK.send(one, channel(world, **settings), tools))


def taken(world: running.Running) -> list[str]:
    return [one.text for one in world.simulator.ledger.messages(origin="api")]


def test_an_answer_in_public_stands_under_the_customers_post(world: running.Running) -> None:
    one = outgoing(world)
    sent = send(world, one)
    kept = world.simulator.ledger.message(sent.platform_id)
    assert kept is not None
    assert (kept.text, kept.reply_to, kept.thread, kept.client_key) == (
        "Hola Marta",
        one.reply_to,
        one.thread_key,
        "key-1",
    )


def test_a_text_too_long_for_one_post_is_refused_whole(world: running.Running) -> None:
    with pytest.raises(ChannelError) as refused:
        send(world, outgoing(world, "Lo sentimos mucho, Marta. " * 30))
    assert (refused.value.code, refused.value.permanent, taken(world)) == ("text_too_long", True, [])


def test_a_direct_message_that_is_too_long_is_refused_before_it_is_sent(world: running.Running) -> None:
    with pytest.raises(ChannelError) as refused:
        send(world, outgoing(world, "x" * 2001, surface="dm"))
    assert (refused.value.code, refused.value.permanent, taken(world)) == ("text_too_long", True, [])


def test_a_first_private_message_goes_to_the_person_and_names_its_thread(world: running.Running) -> None:
    said = world.simulator.platform.post("aurora", "u_marta", "¿Hola?")
    sent = send(world, outgoing(world, surface="dm", thread_key="", reply_to="", answers_comment=said.id))
    assert sent.thread_key == "dm_aurora_u_marta"


@pytest.mark.parametrize(
    ("kind", "retry_after", "code", "facts"),
    [
        ("rate_limit", "7", "rate_limited", (False, 7.0, False, False)),
        ("rate_limit", "", "rate_limited", (False, None, False, False)),
        ("rate_limit", "soon", "rate_limited", (False, None, False, False)),
        ("away", "", "platform_away", (False, None, False, False)),
        ("failing", "", "platform_failed", (False, None, True, False)),
        ("failing_after", "", "platform_failed", (False, None, True, False)),
        ("cut", "", "connection_cut", (False, None, True, False)),
        ("cut_after", "", "connection_cut", (False, None, True, False)),
        ("unreadable_after", "", "answer_unreadable", (False, None, True, False)),
        ("unauthorised", "", "unauthorised", (False, None, False, True)),
    ],
)
def test_every_refusal_is_said_in_the_outboxs_terms(
    world: running.Running, kind: Kind, retry_after: str, code: str, facts: tuple[object, ...]
) -> None:
    one = outgoing(world)
    world.simulator.temper.plan(Fault(kind, retry_after=retry_after))
    with pytest.raises(ChannelError) as refused:
        send(world, one)
    error = refused.value
    assert error.code == code
    assert (error.permanent, error.retry_after_s, error.outcome_unknown, error.unauthorised) == facts


def test_a_retry_after_date_is_seconds_from_now(world: running.Running) -> None:
    one = outgoing(world)
    world.simulator.temper.plan(Fault("rate_limit", retry_after="Wed, 21 Oct 2099 07:28:00 GMT"))
    with pytest.raises(ChannelError) as refused:
        send(world, one)
    assert (refused.value.retry_after_s or 0) > 24 * 3600


@pytest.mark.parametrize(("kind", "stands"), [("cut", False), ("cut_after", True)])
def test_an_unknown_outcome_can_be_looked_up(world: running.Running, kind: Kind, stands: bool) -> None:
    one = outgoing(world)
    world.simulator.temper.plan(Fault(kind))
    with pytest.raises(ChannelError):
        send(world, one)
    found = do(lambda tools: NETWORK.look_up(one, channel(world), tools))
    assert (found is not None) == stands
    assert len(taken(world)) == int(stands)


def test_an_account_that_cannot_be_asked_says_so(world: running.Running) -> None:
    one = outgoing(world)
    with pytest.raises(ChannelError) as refused:
        do(lambda tools: NETWORK.look_up(one, channel(world, sending="never_retry"), tools))
    assert refused.value.outcome_unknown


def test_files_travel_with_the_first_post(world: running.Running) -> None:
    async def content() -> bytes:
        return b"%PDF-1.7"

    file = OutgoingFile("resguardo á.pdf", "application/pdf", 8, content)
    sent = send(world, outgoing(world, files=(file,)))
    kept = world.simulator.ledger.message(sent.platform_id)
    assert kept is not None
    assert [one.name for one in kept.files] == ["resguardo á.pdf"]
    assert world.simulator.ledger.file(kept.files[0].id) == ("resguardo á.pdf", "application/pdf", b"%PDF-1.7")


def test_our_messages_can_be_edited_and_deleted(world: running.Running) -> None:
    one = outgoing(world)
    sent = send(world, one)
    do(
        lambda tools: NETWORK.edit(
            sent.platform_id, msgspec.structs.replace(one, text="Mejor así"), channel(world), tools
        )
    )
    assert taken(world) == ["Mejor así"]
    for _ in range(2):
        act = ModerationAct("delete", sent.platform_id, one.surface, one.thread_key, "key-2")
        do(lambda tools: NETWORK.moderate(act, channel(world), tools))  # noqa: B023 - run at once
    assert taken(world) == [""]


def test_gaps_are_found_by_cursor_and_read_on_from_it(world: running.Running) -> None:
    world.simulator.temper.set(Behaviour(pushes=False))
    ids = [world.simulator.platform.dm("aurora", "u_marta", str(number)).id for number in range(3)]
    world.simulator.platform.dm("aurora_help", "u_marta", "not ours")
    first = do(lambda tools: anext(NETWORK.listen(channel(world), {}, tools)))
    assert isinstance(first, Fetched)
    assert [NETWORK.normalise(part, channel(world))[0].platform_id for part in first.parts] == ids  # type: ignore[union-attr]
    late = world.simulator.platform.dm("aurora", "u_marta", "late").id
    second = do(lambda tools: anext(NETWORK.listen(channel(world), first.cursor, tools)))
    assert [NETWORK.normalise(part, channel(world))[0].platform_id for part in second.parts] == [late]  # type: ignore[union-attr]


def test_no_gap_is_looked_for_where_the_setting_says_so(world: running.Running) -> None:
    assert NETWORK.listens(channel(world))
    assert not NETWORK.listens(channel(world, gap_check_s=0))


def test_the_live_check_names_what_is_wrong(world: running.Running) -> None:
    assert do(lambda tools: NETWORK.check(channel(world), tools)).ok
    foreign = msgspec.structs.replace(channel(world), account_key="someone")
    assert do(lambda tools: NETWORK.check(foreign, tools)).code == "account_not_served"
    world.simulator.platform.revoke("app")
    assert do(lambda tools: NETWORK.check(channel(world), tools)).code == "unauthorised"


def test_typing_is_shown_and_never_fails(world: running.Running) -> None:
    world.simulator.platform.dm("aurora", "u_marta", "hola")
    for thread in ("dm_aurora_u_marta", "nowhere"):
        do(lambda tools, thread=thread: NETWORK.show_typing(thread, channel(world), tools))  # type: ignore[misc]
    assert [one.outcome for one in world.simulator.ledger.requests()] == ["typing"]
