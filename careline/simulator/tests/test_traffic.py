"""Whoever is answered answers back, in their own language, and the stories are told in their order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from careline.channels.simulated import wire
from careline.simulator import running
from careline.simulator.demo.marta import MARTA
from careline.simulator.records import MessageRow
from careline.simulator.scripts import scripts
from careline.simulator.tests.conftest import TOKEN
from careline.simulator.traffic import STRIKE_COUNT, Traffic


class Hurried(Traffic):
    """The same customers, a hundred times as fast."""

    def later(self, after_s: float, act: Callable[[], object]) -> None:
        super().later(after_s / 100, act)


@pytest.fixture
def traffic(world: running.Running) -> Iterator[Hurried]:
    one = Hurried(world.simulator.platform)
    yield one
    one.stop()


def answer(world: running.Running, to: MessageRow, text: str = "Hola, soy Ana. ^Ana", *, place: str = "") -> None:
    platform = world.simulator.platform
    chosen = place or ("dm" if to.thread.startswith("dm_") else "reply")
    thread = to.thread if chosen == "reply" or to.thread.startswith("dm_") else ""
    comment = to.id if chosen == "dm" and not to.thread.startswith("dm_") else ""
    reply_to = "" if chosen == "dm" else to.id
    new = wire.NewMessage(
        "aurora", chosen, text, "k", thread=thread, to=to.author_id, reply_to=reply_to, comment=comment
    )  # type: ignore[arg-type]
    platform.accept(platform.access_app(TOKEN), new)


def wait_for(world: running.Running, wanted: Callable[[MessageRow], bool], *, timeout_s: float = 8.0) -> MessageRow:
    end_s = time.monotonic() + timeout_s
    while time.monotonic() < end_s:
        found = next((row for row in world.simulator.ledger.messages() if wanted(row)), None)
        if found is not None:
            return found
        time.sleep(0.02)
    raise AssertionError("nobody said it")


def test_marta_answers_in_spanish_within_seconds(world: running.Running, traffic: Hurried) -> None:
    world.simulator.platform.join(MARTA)
    said = world.simulator.platform.post("aurora", MARTA.id, "Tercera vez que escribo")
    traffic.listen_only()
    answer(world, said)
    row = wait_for(world, lambda row: row.author_id == MARTA.id and row.seq > said.seq)
    assert row.text == scripts()["marta"].on_public[0][0].text
    assert row.thread == said.thread


def test_in_private_she_answers_in_private(world: running.Running, traffic: Hurried) -> None:
    world.simulator.platform.join(MARTA)
    said = world.simulator.platform.post("aurora", MARTA.id, "Tercera vez que escribo")
    traffic.listen_only()
    answer(world, said, place="dm")
    row = wait_for(world, lambda row: row.author_id == MARTA.id and row.thread.startswith("dm_"))
    assert "AUR 204" in row.text


def test_the_four_messages_are_told_to_their_end(world: running.Running, traffic: Hurried) -> None:
    traffic.begin("four_messages")
    traffic.listen_only()
    elena = scripts()["four_messages"]
    last = wait_for(world, lambda row: row.author_id == elena.person.id)
    for step in elena.on_private[:3]:
        answer(world, last)
        last = wait_for(world, lambda row, last=last: row.author_id == elena.person.id and row.seq > last.seq)  # type: ignore[misc]
        assert last.text == step[0].text
    assert last.text == "¡gracias!"


def test_the_passport_comes_as_a_picture(world: running.Running, traffic: Hurried) -> None:
    traffic.begin("four_messages")
    traffic.listen_only()
    elena = scripts()["four_messages"].person.id
    answer(world, wait_for(world, lambda row: row.author_id == elena))
    row = wait_for(world, lambda row: bool(row.files))
    found = world.simulator.ledger.file(row.files[0].id)
    assert found is not None
    assert found[2].startswith(b"\x89PNG")


def test_the_song_rises_and_is_heard_by_others(world: running.Running, traffic: Hurried) -> None:
    traffic.begin("song")
    traffic.listen_only()
    song = wait_for(world, lambda row: "guitar" in row.text)
    wait_for(world, lambda row: row.thread == song.thread and row.author_id != song.author_id)
    end_s = time.monotonic() + 5
    while time.monotonic() < end_s:
        thread = world.simulator.ledger.thread(song.thread)
        if thread is not None and thread.views >= 4100:
            break
        time.sleep(0.02)
    assert thread is not None
    assert thread.views >= 4100


def test_the_strike_brings_1284_messages(world: running.Running, traffic: Hurried) -> None:
    traffic.begin("strike")
    assert len(traffic._due) == STRIKE_COUNT == 1284


def test_a_story_nobody_wrote_is_said_to_be_unknown(traffic: Hurried) -> None:
    with pytest.raises(KeyError):
        traffic.begin("romance")


def test_somebody_new_keeps_coming(world: running.Running, traffic: Hurried) -> None:
    traffic.start()
    wait_for(world, lambda row: row.seq >= 4)
    assert len({row.author_id for row in world.simulator.ledger.messages()}) >= 3


def test_a_stranger_who_is_answered_reacts_in_most_cases(world: running.Running, traffic: Hurried) -> None:
    said = [world.simulator.platform.dm("aurora", "u_marta" if n == 0 else "u_otro", f"hola {n}") for n in range(2)]
    traffic.listen_only()
    answer(world, said[1])
    wait_for(world, lambda row: (row.seq > said[1].seq + 1 and row.author_id == "u_otro") or bool(row.reactions))
