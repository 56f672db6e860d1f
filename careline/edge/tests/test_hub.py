"""Fan-out: every stream hears every number once and in order, or ends and resumes; nobody hears what is not for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from careline.edge import hub as hub_module
from careline.edge.doors import Frame
from careline.edge.hub import BUFFER_FRAMES, Hub, Stream, chunk_for, encode, send, sight_of
from careline.edge.tests.small_house import SmallHouse

AIR, SEA = 1, 2


def run(work: Callable[[SmallHouse, Hub], Awaitable[None]]) -> None:
    async def main() -> None:
        house = SmallHouse()
        hub = Hub(house)
        hub.bind()
        try:
            await asyncio.wait_for(work(house, hub), 10)
        finally:
            hub.close()
            await asyncio.sleep(0)

    asyncio.run(main())


def stream_of(*sight: str, agent_id: int = 1, workspace_id: int = AIR, n: int = 0) -> Stream:
    stream = Stream(workspace_id, "en", frozenset(sight), agent_id)
    stream.n = n
    return stream


def numbers(chunks: list[bytes]) -> list[int]:
    return [int(line[4:]) for chunk in chunks for line in chunk.split(b"\n") if line.startswith(b"id: ")]


async def drain(stream: Stream, *, until: int = 0) -> list[bytes]:
    """Chunks until number `until`, or until the stream ends."""
    chunks: list[bytes] = []
    while True:
        chunk = await stream.queue.get()
        if chunk is None:
            return chunks
        chunks.append(chunk)
        if until and numbers([chunk])[-1:] == [until]:
            return chunks


def test_the_hub_loses_nothing_whatever_hints_come_or_do_not() -> None:
    async def work(house: SmallHouse, hub: Hub) -> None:
        first, late = stream_of("all"), stream_of("all")
        hub.join(first)
        for number in range(1, 1201):
            house.happen(AIR)
            if number % 3 == 0:
                hub.hint(AIR, number)
            if number == 900:
                late.n = 900
                hub.join(late)
            if number % 100 == 0:
                await asyncio.sleep(0.005)
                while not first.queue.empty() and number < 1200:
                    chunk = first.queue.get_nowait()
                    assert chunk is not None
                    heard.append(chunk)
        hub.hint(AIR, 1200)
        heard.extend(await drain(first, until=1200))
        assert numbers(heard) == list(range(1, 1201))
        assert numbers(await drain(late, until=1200)) == list(range(901, 1201))

    heard: list[bytes] = []
    run(work)


def test_a_lost_hint_costs_a_second_and_no_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "POLL_S", 0.05)

    async def work(house: SmallHouse, hub: Hub) -> None:
        stream = stream_of("all")
        hub.join(stream)
        await asyncio.sleep(0.01)
        house.happen(AIR)
        assert numbers(await drain(stream, until=1)) == [1]

    run(work)


def test_a_log_that_cannot_be_read_for_a_while_is_read_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "POLL_S", 0.01)

    async def work(house: SmallHouse, hub: Hub) -> None:
        house.away = 3
        house.happen(AIR)
        stream = stream_of("all")
        hub.join(stream)
        assert numbers(await drain(stream, until=1)) == [1]

    run(work)


def test_a_stream_whose_buffer_is_full_ends_without_a_hole_and_resumes() -> None:
    """What the reader got before the end is a beginning of the log: resuming after it, nothing is missing."""

    async def work(house: SmallHouse, hub: Hub) -> None:
        slow, brisk = stream_of("all"), stream_of("all", agent_id=2)
        hub.join(slow)
        hub.join(brisk)
        total = BUFFER_FRAMES + 300
        heard: list[bytes] = []
        for number in range(1, total + 1):
            house.happen(AIR)
            if number % 100 == 0:
                hub.hint(AIR, number)
                heard.extend(await drain(brisk, until=number))
        hub.hint(AIR, total)
        heard.extend(await drain(brisk, until=total))
        assert numbers(heard) == list(range(1, total + 1))
        assert not slow.is_open
        got = numbers(await drain(slow))
        assert got == list(range(1, len(got) + 1)) and len(got) < total
        again = stream_of("all", n=len(got))
        hub.join(again)
        assert numbers(await drain(again, until=total)) == list(range(len(got) + 1, total + 1))

    run(work)


@given(st.lists(st.booleans(), min_size=1, max_size=2 * BUFFER_FRAMES), st.booleans())
def test_whatever_is_read_between_offers_is_a_beginning_of_what_was_offered(reads: list[bool], closes: bool) -> None:
    async def main() -> None:
        stream = stream_of("all")
        got: list[bytes] = []
        for number, is_read in enumerate(reads, 1):
            stream.offer(b"id: %d\n" % number)
            if is_read and not stream.queue.empty() and (chunk := stream.queue.get_nowait()) is not None:
                got.append(chunk)
        if closes:
            stream.close()
            got.extend(await drain(stream))
            assert numbers(got) == list(range(1, len(got) + 1))
        assert numbers(got) == list(range(1, len(got) + 1))

    asyncio.run(main())


def test_each_hears_its_own_and_numbers_alone_of_the_rest() -> None:
    async def work(house: SmallHouse, hub: Hub) -> None:
        ana, dora = stream_of("agent:1", "team:2", "team:0"), stream_of("agent:3", "team:9", "team:0", agent_id=3)
        hub.join(ana)
        hub.join(dora)
        house.happen(AIR, "team:2", said={"words": "care"})
        house.happen(AIR, "only:agent:3", said={"words": "dora"})
        house.happen(
            AIR, "team:9", kind="case", said={"words": "row"}, aside_audience="team:2", aside_body=b'{"id":"7"}'
        )
        house.happen(SEA, said={"words": "sea"})
        hub.hint(AIR, 3)
        to_ana, to_dora = b"".join(await drain(ana, until=3)), b"".join(await drain(dora, until=3))
        assert (
            to_ana
            == b'id: 1\nevent: hint\ndata: {"words":"care"}\n\nid: 2\nevent: n\ndata: 2\n\nid: 3\nevent: gone\ndata: {"id":"7"}\n\n'
        )
        assert (
            to_dora
            == b'id: 1\nevent: n\ndata: 1\n\nid: 2\nevent: hint\ndata: {"words":"dora"}\n\nid: 3\nevent: case\ndata: {"words":"row"}\n\n'
        )

    run(work)


def test_only_the_agent_whose_rights_changed_is_asked_again() -> None:
    async def work(house: SmallHouse, hub: Hub) -> None:
        house.rights = {1: ["team:9"], 2: ["all"]}
        ana, ben = stream_of("team:2"), stream_of("all", agent_id=2)
        hub.join(ana)
        hub.join(ben)
        house.happen(AIR, "team:2", said={"words": "before"})
        house.happen(AIR, kind="agent", said={"agent_id": "1"})
        house.happen(AIR, "team:2", said={"words": "after"})
        hub.hint(AIR, 3)
        heard = b"".join(await drain(ana, until=3))
        assert b"before" in heard and b"after" not in heard
        assert house.asked_rights == [1]
        house.happen(AIR, kind="agent", said={})
        hub.hint(AIR, 4)
        await drain(ana, until=4)
        await asyncio.sleep(0.01)
        assert sorted(house.asked_rights) == [1, 1, 2]
        del house.rights[1]
        house.happen(AIR, kind="agent", said={"agent_id": "1"})
        hub.hint(AIR, 5)
        await drain(ana)
        assert (ana.is_open, ben.is_open) == (False, True)

    run(work)


def test_a_stream_older_than_the_log_is_reset_and_ends() -> None:
    async def work(house: SmallHouse, hub: Hub) -> None:
        for _ in range(9):
            house.happen(AIR)
        house.oldest[AIR] = 5
        stream = stream_of("all", n=2)
        hub.join(stream)
        assert await drain(stream) == [hub_module.RESET]

    run(work)


def test_frames_without_number_go_to_those_who_may_see_them_and_not_back_to_the_sender() -> None:
    async def work(house: SmallHouse, hub: Hub) -> None:
        ana, ben, cleo = (
            stream_of("agent:1", "team:2"),
            stream_of("all", agent_id=2),
            stream_of("all", workspace_id=SEA),
        )
        overheard: list[tuple[int, str]] = []
        hub.overhear(lambda workspace_id, frame: overheard.append((workspace_id, frame.type)))
        for stream in (ana, ben, cleo):
            hub.join(stream)
        hub.tell(AIR, Frame(0, "presence", "workspace", b"{}"), but=ben)
        hub.tell(AIR, Frame(0, "typing", "team:9", b"{}"))
        assert [stream.queue.qsize() for stream in (ana, ben, cleo)] == [1, 1, 0]
        assert ana.queue.get_nowait() == b"event: presence\ndata: {}\n\n"
        assert ben.queue.get_nowait() == b"event: typing\ndata: {}\n\n"
        assert overheard == [(AIR, "presence"), (AIR, "typing")]

    run(work)


def test_closing_ends_every_stream_and_whoever_joins_too_late() -> None:
    async def work(house: SmallHouse, hub: Hub) -> None:
        closed: list[bool] = []
        hub.also_close(lambda: closed.append(True))
        early, late = stream_of("all"), stream_of("all", workspace_id=SEA)
        hub.join(early)
        await asyncio.sleep(0.01)
        hub.close()
        assert await drain(early) == []
        hub.join(late)
        assert await drain(late) == []
        assert closed == [True]
        hub.leave(early)
        hub.leave(early)

    run(work)


def test_a_hint_from_a_thread_after_the_loop_has_ended_is_no_error() -> None:
    hub = Hub(SmallHouse())
    hub.hint(AIR, 1)

    async def main() -> None:
        hub.bind()

    asyncio.run(main())
    hub.hint(AIR, 2)
    assert hub.open_streams == 0


def test_a_stream_is_counted_while_it_is_open() -> None:
    async def work(house: SmallHouse, hub: Hub) -> None:
        streams = [stream_of("all", workspace_id=workspace) for workspace in (AIR, AIR, SEA)]
        for stream in streams:
            hub.join(stream)
        assert hub.open_streams == 3
        hub.leave(streams[0])
        assert hub.open_streams == 2

    run(work)


def test_what_one_stream_gets_of_a_frame_is_what_a_follower_gets() -> None:
    frame = Frame(7, "case", "team:2", b'{"row":"x"}', "team:9", b'{"id":"1"}')
    for sight in (frozenset({"team:2"}), frozenset({"team:9"}), frozenset({"all"}), frozenset({"team:5"})):
        stream = stream_of(*sight)
        send(frame, [stream])
        followed = stream.queue.get_nowait()
        caught_up = chunk_for(frame, sight)
        assert followed == (caught_up or b"id: 7\nevent: n\ndata: 7\n\n")


def test_a_sight_that_is_no_list_of_names_sees_nothing() -> None:
    assert sight_of({"sight": ["all"]}) == frozenset({"all"})
    for claims in ({}, {"sight": "all"}, {"sight": None}, {"sight": {"all": True}}):
        assert sight_of(claims) == frozenset()


def test_a_frame_is_one_event_of_the_wire() -> None:
    body = msgspec.json.encode({"text": "a\nb\r\n\ndata: c"})
    assert encode(Frame(3, "hint", "workspace", body)).count(b"\n") == 4
