"""Opening a stream: catching up page by page with rights that are checked as they change, or starting anew where that costs less."""

from __future__ import annotations

import asyncio

import pytest
from starlette.applications import Starlette

from careline.edge import stream as stream_module
from careline.edge.hub import RESET, Hub, Stream, encode
from careline.edge.stream import Beat, _catch_up, stream_routes
from careline.edge.tests.small_house import SmallHouse, call

AIR = 1


def catch_up(house: SmallHouse, since: int, *sight: str, agent_id: int = 1) -> tuple[list[bytes], int, Stream]:
    stream = Stream(AIR, "en", frozenset(sight), agent_id)

    async def main() -> tuple[list[bytes], int]:
        return await _catch_up(house, stream, since, await house.latest(AIR))

    chunks, n = asyncio.run(main())
    return chunks, n, stream


def test_catching_up_goes_through_as_many_pages_as_there_are() -> None:
    house = SmallHouse()
    frames = [house.happen(AIR) for _ in range(1203)]
    chunks, n, _ = catch_up(house, 2, "all")
    assert (chunks, n) == ([encode(frame) for frame in frames[2:]], 1203)


def test_a_stream_that_is_where_the_log_is_or_has_no_number_hears_nothing_old() -> None:
    house = SmallHouse()
    house.happen(AIR)
    assert catch_up(house, 1, "all")[:2] == ([], 1)
    assert catch_up(house, -1, "all")[:2] == ([], 1)


def test_who_is_ahead_too_far_behind_or_older_than_the_log_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    house = SmallHouse()
    for _ in range(50):
        house.happen(AIR)
    assert catch_up(house, 51, "all")[:2] == ([RESET], 50)
    monkeypatch.setattr(stream_module, "MOST_BEHIND", 30)
    assert catch_up(house, 19, "all")[:2] == ([RESET], 50)
    assert catch_up(house, 20, "all")[1] == 50 and catch_up(house, 20, "all")[0] != [RESET]
    house.oldest[AIR] = 40
    assert catch_up(house, 30, "all")[:2] == ([RESET], 50)


def test_rights_that_changed_while_nobody_listened_count_from_that_number_on() -> None:
    house = SmallHouse()
    house.rights = {1: ["team:9"]}
    house.happen(AIR, "team:2", said={"words": "before"})
    house.happen(AIR, kind="agent", said={"agent_id": "2"})
    house.happen(AIR, kind="agent", said={"agent_id": "1"})
    house.happen(AIR, "team:2", said={"words": "after"})
    house.happen(AIR, "team:9", said={"words": "mine now"})
    chunks, _, stream = catch_up(house, 0, "team:2")
    heard = b"".join(chunks)
    assert b"before" in heard and b"after" not in heard and b"mine now" in heard
    assert stream.sight == frozenset({"team:9"}) and house.asked_rights == [1]


def door_of(house: SmallHouse) -> Starlette:
    return Starlette(routes=stream_routes(house, Hub(house)))


@pytest.mark.parametrize(
    "claims", [{}, {"ws": "1", "agent": 1}, {"ws": 1}, {"ws": None, "agent": 1}, {"ws": 1, "agent": "1"}]
)
def test_a_ticket_without_workspace_or_agent_opens_nothing(claims: dict[str, object]) -> None:
    house = SmallHouse()
    house.rights = {1: ["all"]}
    assert call(door_of(house), "GET", "/w/air/stream", {"ticket": house.seal("stream", claims)}).status == 401


def test_an_agent_who_left_neither_listens_nor_is_shown() -> None:
    house = SmallHouse()
    ticket = house.seal("stream", {"ws": AIR, "agent": 1})
    assert call(door_of(house), "GET", "/w/air/stream", {"ticket": ticket}).status == 401
    assert call(door_of(house), "POST", "/w/air/presence", {"ticket": ticket}, b"{}").status == 401


def test_too_many_screens_are_asked_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "MOST_STREAMS", 0)
    house = SmallHouse()
    house.rights = {1: ["all"]}
    answer = call(door_of(house), "GET", "/w/air/stream", {"ticket": house.seal("stream", {"ws": AIR, "agent": 1})})
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")


def test_a_quiet_stream_gets_a_beat_and_one_that_has_something_waiting_gets_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_module, "BEAT_S", 0.01)

    async def main() -> None:
        quiet, busy = (Stream(AIR, "en", frozenset({"all"}), 1) for _ in range(2))
        busy.offer(b"data: {}\n\n")
        beats = [Beat(quiet), Beat(busy)]
        assert await quiet.waiting() == b": beat\n\n"
        assert await quiet.waiting() == b": beat\n\n"
        for beat in beats:
            beat.stop()
        await asyncio.sleep(0.03)
        assert quiet.queue.empty()
        assert busy.queue.qsize() == 1

    asyncio.run(main())


def test_what_waits_is_written_in_one_piece_and_the_end_comes_after_it() -> None:
    async def main() -> list[bytes | None]:
        stream = Stream(AIR, "en", frozenset({"all"}), 1)
        for number in (1, 2, 3):
            stream.offer(b"%d" % number)
        stream.close()
        return [await stream.waiting(), await stream.waiting()]

    assert asyncio.run(main()) == [b"123", None]
