"""The platform tells apps what happened, at least once, and keeps its own account of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from careline.channels.simulated import wire
from careline.simulator import running
from careline.simulator.behaviour import Behaviour
from careline.simulator.ledger import Ledger
from careline.simulator.platform import DAY_S, Refused
from careline.simulator.records import Persona
from careline.simulator.tests.conftest import TOKEN
from careline.simulator.tests.hooks import Hook


def new(text: str = "Hola Marta", **more: object) -> wire.NewMessage:
    return wire.NewMessage(**({"account": "aurora", "place": "reply", "text": text, "client_key": "k1"} | more))  # type: ignore[arg-type]


def test_a_post_arrives_signed_at_the_hook_and_is_acknowledged(world: running.Running, listener: Hook) -> None:
    said = world.simulator.platform.post("aurora", "u_marta", "Otra vez sin puntos", views=4100)
    (event,) = listener.wait_for(1)
    assert event["message"]["id"] == said.id  # type: ignore[index]
    wait_until_acked(world)
    assert world.simulator.ledger.events()[0].acked_at is not None


def test_a_delivery_is_repeated_until_a_2xx(world: running.Running, listener: Hook) -> None:
    listener.refuse_next = 3
    world.simulator.platform.post("aurora", "u_marta", "hola")
    listener.wait_for(1)
    wait_until_acked(world)
    assert world.simulator.ledger.events()[0].tries == 3


def test_one_delivery_can_hold_events_of_several_accounts(world: running.Running, listener: Hook) -> None:
    world.simulator.temper.set(Behaviour(pushes=False))
    for account in ("aurora", "aurora_help", "aurora"):
        world.simulator.platform.dm(account, "u_marta", "hola")
    world.simulator.temper.set(Behaviour(receipts="none"))
    listener.wait_for(3)
    assert {event["account"] for event in listener.deliveries[0]} == {"aurora", "aurora_help"}


def test_duplicates_on_request_deliver_the_same_event_again(world: running.Running, listener: Hook) -> None:
    world.simulator.temper.set(Behaviour(duplicates=1.0))
    world.simulator.platform.post("aurora", "u_marta", "hola")
    first, second = listener.wait_for(2)
    assert first["id"] == second["id"]


def test_disorder_on_request_changes_the_order_but_loses_nothing(world: running.Running, listener: Hook) -> None:
    world.simulator.temper.set(Behaviour(disorder=0.5, disorder_s=0.05, batch=1))
    sent = [world.simulator.platform.dm("aurora", "u_marta", str(number)).id for number in range(20)]
    arrived = [event["message"]["id"] for event in listener.wait_for(20)]  # type: ignore[index]
    assert sorted(arrived) == sorted(sent)
    assert arrived != sent


def test_an_answer_is_kept_once_each_time_it_is_posted(world: running.Running) -> None:
    platform = world.simulator.platform
    thread = platform.post("aurora", "u_marta", "hola").thread
    app = platform.access_app(TOKEN)
    for _ in range(2):
        platform.accept(app, new(thread=thread))
    assert len(world.simulator.ledger.messages_by_key("aurora", "k1")) == 2


def test_an_account_with_safe_retry_recognises_the_key(world: running.Running) -> None:
    platform = world.simulator.platform
    account = world.simulator.ledger.accounts("app")[0]
    world.simulator.ledger.save_app(
        platform.access_app(TOKEN), [type(account)("aurora", "app", "A", "@aurora", "safe_retry")]
    )
    thread = platform.post("aurora", "u_marta", "hola").thread
    first, is_first_new = platform.accept(platform.access_app(TOKEN), new(thread=thread))
    second, is_second_new = platform.accept(platform.access_app(TOKEN), new(thread=thread))
    assert (first.id, is_first_new, is_second_new) == (second.id, True, False)


@pytest.mark.parametrize(
    ("more", "status", "error"),
    [
        ({"text": "x" * 281}, 422, "text_too_long"),
        ({"text": "  "}, 422, "text_missing"),
        ({"thread": "th_nowhere"}, 404, "thread_gone"),
        ({"account": "someone"}, 403, "account_not_served"),
        ({"place": "dm", "thread": "", "to": "u_nobody"}, 404, "recipient_gone"),
        ({"files": ("f_none",)}, 422, "file_unknown"),
    ],
)
def test_what_breaks_a_rule_is_refused(
    world: running.Running, more: dict[str, object], status: int, error: str
) -> None:
    platform = world.simulator.platform
    thread = platform.post("aurora", "u_marta", "hola").thread
    with pytest.raises(Refused) as refused:
        platform.accept(platform.access_app(TOKEN), new(**({"thread": thread} | more)))
    assert (refused.value.status, refused.value.error) == (status, error)


def test_an_emoji_of_many_code_points_counts_as_one_grapheme(world: running.Running) -> None:
    platform = world.simulator.platform
    thread = platform.post("aurora", "u_marta", "hola").thread
    row, _ = platform.accept(platform.access_app(TOKEN), new("👩‍👩‍👧‍👦" * 280, thread=thread))
    assert row.text.startswith("👩‍👩‍👧‍👦")


@pytest.mark.parametrize(
    ("age_s", "writer", "is_open"),
    [
        (DAY_S - 60, "machine", True),
        (DAY_S + 60, "machine", False),
        (DAY_S + 60, "human", True),
        (8 * DAY_S, "human", False),
    ],
)
def test_the_private_window_closes_after_a_day_and_for_humans_after_seven(
    world: running.Running, age_s: float, writer: str, is_open: bool
) -> None:
    platform = world.simulator.platform
    said = platform.dm("aurora", "u_marta", "hola", at=now_s() - age_s)
    platform.ledger.add_message(replace(said, id="m_ours", author_id="aurora", origin="elsewhere"), [])
    call = new(place="dm", thread=said.thread, written_by=writer)
    if is_open:
        assert platform.accept(platform.access_app(TOKEN), call)[0].thread == said.thread
    else:
        with pytest.raises(Refused, match="window_closed"):
            platform.accept(platform.access_app(TOKEN), call)


def test_each_public_word_is_answered_in_private_once(world: running.Running) -> None:
    platform = world.simulator.platform
    first, second = (platform.post("aurora", "u_marta", text) for text in ("hola", "¿hay alguien?"))
    app = platform.access_app(TOKEN)
    with pytest.raises(Refused, match="window_closed"):
        platform.accept(app, new(place="dm", to="u_marta"))
    for comment in (first, second):
        taken = new(place="dm", to="u_marta", comment=comment.id, client_key=comment.id)
        assert platform.accept(app, taken)[0].thread == "dm_aurora_u_marta"
        with pytest.raises(Refused, match="comment_answered"):
            platform.accept(app, new(place="dm", to="u_marta", comment=comment.id, client_key="other"))


def test_a_strangers_word_opens_no_private_conversation(world: running.Running) -> None:
    platform = world.simulator.platform
    platform.join(Persona("u_otro", "@otro", "Otro"))
    said = platform.post("aurora", "u_otro", "hola")
    with pytest.raises(Refused, match="window_closed"):
        platform.accept(platform.access_app(TOKEN), new(place="dm", to="u_marta", comment=said.id))


def test_only_others_comments_under_our_posts_are_hidden_and_shown_again(world: running.Running) -> None:
    platform = world.simulator.platform
    ours = platform.own_post("aurora", "Vuelos a Lima")
    comment = platform.reply(ours.thread, "u_marta", "Vaya precios")
    for hidden in (True, True, False):
        platform.hide(comment.id, hidden=hidden)
        kept = platform.ledger.message(comment.id)
        assert kept is not None and (kept.hidden_at is not None) == hidden
    for other in (ours, platform.post("aurora", "u_marta", "hola")):
        with pytest.raises(Refused, match="not_hideable"):
            platform.hide(other.id, hidden=True)


def test_a_revoked_token_is_refused_and_the_app_is_told(world: running.Running, listener: Hook) -> None:
    world.simulator.platform.revoke("app")
    with pytest.raises(Refused) as refused:
        world.simulator.platform.access_app(TOKEN)
    assert refused.value.status == 401
    assert {event["kind"] for event in listener.wait_for(2)} == {"access.revoked"}


def test_a_deleted_message_loses_its_words(world: running.Running) -> None:
    said = world.simulator.platform.post("aurora", "u_marta", "mi DNI es 12345678Z")
    world.simulator.platform.delete(said.id)
    kept = world.simulator.ledger.message(said.id)
    assert kept is not None
    assert (kept.text, kept.deleted_at is not None) == ("", True)


def test_the_ledger_outlives_its_process(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    first = Ledger(path)
    first.note_request("aurora", "k1", "taken")
    second = Ledger(path)
    assert [one.client_key for one in second.requests()] == ["k1"]
    first.close()
    second.close()
    with pytest.raises(sqlite3.ProgrammingError):
        first.requests()


def now_s() -> float:
    from careline.kit import clock

    return clock.epoch_s()


def replace(row: object, **changes: object) -> object:
    import msgspec

    return msgspec.structs.replace(row, **changes)


def wait_until_acked(world: running.Running, *, timeout_s: float = 5.0) -> None:
    import time

    end_s = time.monotonic() + timeout_s
    while world.simulator.ledger.unacked() and time.monotonic() < end_s:
        time.sleep(0.01)
    assert world.simulator.ledger.unacked() == 0
