"""What a platform hears: kept, refused, unknown, too large, full; and invariant 1, raw first, under the worst moment."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable

import pytest

from careline.kit import clock
from tests.edge.asking import ask, raw, signed, spoken
from tests.edge.conftest import HOOK_LIMIT, Door

JOURNAL = """
from careline.intake.models import JournalRow
print(json.dumps([[row.state, row.reason, row.detail, bytes(row.raw).decode("latin-1")] for row in JournalRow.objects.order_by("id")]))
"""


def journal(door: Door) -> list[list[object]]:
    """Every row: state, reason, detail, raw."""
    found = json.loads(door.look(JOURNAL))
    assert isinstance(found, list)
    return found


def test_a_genuine_delivery_is_kept_and_says_how_many_events(door: Door) -> None:
    answer = door.deliver(spoken("hello", "again"))
    assert (answer.status, answer.json) == (200, {"kept": 2})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda headers: {**headers, "webhook-signature": "v1,AAAA"}, "signature_wrong"),
        (
            lambda headers: {key: value for key, value in headers.items() if key != "webhook-signature"},
            "signature_wrong",
        ),
        (lambda headers: {**headers, "webhook-id": "another"}, "signature_wrong"),
        (lambda headers: {"content-type": "application/json"}, "signature_missing"),
        (lambda headers: {**headers, "webhook-timestamp": "yesterday"}, "signature_missing"),
    ],
)
def test_a_wrong_signature_is_401(door: Door, spoil: Callable[[dict[str, str]], dict[str, str]], code: str) -> None:
    body = spoken("never heard")
    answer = ask(door.port, "POST", door.hook(), body, spoil(signed(body)))
    assert (answer.status, answer.code) == (401, code)


def test_another_channels_secret_a_flipped_bit_and_an_old_delivery_are_401(door: Door) -> None:
    body = spoken("never heard")
    flipped = bytes([body[0] ^ 1]) + body[1:]
    for content, headers in (
        (body, signed(body, secret="whsec_YW5vdGhlcg==")),
        (flipped, signed(body)),
        (body, signed(body, at_s=int(clock.epoch_s()) - 400)),
        (body, signed(body, at_s=int(clock.epoch_s()) + 400)),
    ):
        assert ask(door.port, "POST", door.hook(), content, headers).status == 401
    assert "never heard" not in json.dumps(journal(door))


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\0",
        b"",
        b"[]",
        b'{"delivery": 1}',
        b'{"order": {"id": 7}}',
        b'{"delivery": "d", "events": [{"id": 1}]}',
        b"[" * 10_000,
        b'"' + b"x" * 9000,
    ],
)
def test_a_foreign_payload_is_400_and_kept_as_a_dead_letter_with_its_reason(door: Door, body: bytes) -> None:
    answer = door.deliver(body)
    assert (answer.status, answer.code) == (400, "foreign_payload")
    assert door.deliver(body).status == 400
    kept = [row for row in journal(door) if row[3] == body.decode("latin-1")]
    assert [row[:2] for row in kept] == [[2, "foreign_payload"]]
    assert kept[0][2]


def test_events_of_an_account_that_is_not_ours_are_400(door: Door) -> None:
    answer = door.deliver(spoken("for somebody else", account="another"))
    assert (answer.status, answer.code) == (400, "foreign_payload")


def test_a_foreign_payload_is_shown_to_the_administrator_of_its_workspace_alone(door: Door) -> None:
    door.deliver(b'{"shown": true}')
    shown = """
from careline.intake.deadletters import count_dead, list_dead
from careline.workspaces.models import Workspace
air, sea = (Workspace.objects.get(slug=slug).id for slug in ("air", "sea"))
channel = int(sys.argv[1])
print(json.dumps([[letter.reason for letter in list_dead(air, channel)], len(list_dead(sea, channel)), count_dead(sea)]))
"""
    reasons, of_sea, counted = json.loads(door.look(shown, str(door.seeded["channels"]["air.simulated"]["id"])))
    assert "foreign_payload" in reasons
    assert (of_sea, counted) == (0, {})


def test_an_unknown_event_is_accepted_and_counted(door: Door) -> None:
    count = (
        "from careline.channels.models import Channel\nprint(Channel.objects.get(id=int(sys.argv[1])).unknown_events)"
    )
    channel = str(door.seeded["channels"]["air.simulated"]["id"])
    before = int(door.look(count, channel))
    body = spoken("a dance", kind="dance.danced")
    assert door.deliver(body).status in {200, 202}
    _until(lambda: int(door.look(count, channel)) == before + 1)
    assert "unknown_event" in {row[1] for row in journal(door)}


def _until(holds: Callable[[], bool], timeout_s: float = 30) -> None:
    end_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end_s, "it did not happen in time"


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit_is_413_declared_or_not(door: Door, declared: bool) -> None:
    body = b"x" * (HOOK_LIMIT + 1)
    if declared:
        assert ask(door.port, "POST", door.hook(), body, signed(body)).status == 413
        return
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:15_000], body[15_000:])) + b"0\r\n\r\n"
    head = f"POST {door.hook()} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n".encode()
    assert raw(door.port, head + chunks).startswith(b"HTTP/1.1 413")


def test_a_body_at_the_limit_passes(door: Door) -> None:
    body = b"x" * HOOK_LIMIT
    assert door.deliver(body).status == 400


def test_an_unknown_address_is_404_before_its_body_is_read(door: Door) -> None:
    for path in (
        "/hooks/simulated/nobody",
        "/hooks/nothing/" + door.hook().rsplit("/", 1)[1],
        door.hook("air.generic").replace("generic", "simulated"),
        "/hooks/simulated/a%2F..%2Fb",
    ):
        assert ask(door.port, "POST", path, b"{}", signed(b"{}")).status == 404
    head = b"POST /hooks/simulated/nobody HTTP/1.1\r\nhost: x\r\ncontent-length: 900000000\r\n\r\n"
    with_no_body = raw(door.port, head + b"x", then=lambda link: _expect(link.recv(200), b"HTTP/1.1 404"))
    assert with_no_body == b""


def _expect(got: bytes, wanted: bytes) -> None:
    assert got.startswith(wanted), got


def test_the_platforms_handshake_is_answered_without_saying_the_secret(door: Door) -> None:
    answer = ask(door.port, "GET", f"{door.hook()}?challenge=abc")
    assert answer.status == 200 and len(answer.json["response"]) == 44
    assert ask(door.port, "GET", door.hook()).status == 401


def test_a_delivery_cut_midway_is_never_kept(door: Door) -> None:
    body = spoken("half a word")
    headers = "".join(f"{name}: {value}\r\n" for name, value in signed(body).items())
    head = f"POST {door.hook()} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode()
    raw(door.port, head + body[:-20], then=lambda link: link.close())
    door.deliver(spoken("a whole word"))
    assert "half a word" not in json.dumps(journal(door)) and "a whole word" in json.dumps(journal(door))


def test_a_queue_over_its_mark_is_503_with_a_time_to_come_back_and_drains(own_door: Callable[..., Door]) -> None:
    """A process without workers: what it takes in waits for others."""
    door = own_door(command=("serve", "--roles", "web"), CARELINE_JOURNAL_MARK="3")
    assert door.deliver(spoken("one", "two", "three")).status == 200
    _until(
        lambda: (
            (answer := door.deliver(spoken("four"))).status == 503
            and answer.code == "journal_full"
            and answer.headers["retry-after"] == "5"
        )
    )
    door.careline.stop()
    door.careline.command = ("serve",)
    door.careline.start().wait_ready()
    _until(lambda: door.deliver(spoken("five")).status == 200)
    said = door.look(
        "from careline.threads.models import Message\nprint(sorted(Message.objects.values_list('text', flat=True))[:1])"
    )
    assert "five" in said or "four" in said


@pytest.mark.parametrize(("point", "kept"), [("journal.before_commit", 0), ("journal.after_commit", 1)])
def test_invariant_1_raw_first_no_200_without_the_row_on_disk(
    own_door: Callable[..., Door], point: str, kept: int
) -> None:
    """Killed just before the commit nothing is kept and nothing was promised; just after it, the row is there although nobody was told."""
    door = own_door(command=("serve", "--roles", "web"), CARELINE_CRASH_AT=f"{point}:1")
    with pytest.raises((http.client.HTTPException, OSError)):
        door.deliver(spoken("at the worst moment"))
    assert door.careline.wait_ended() == -9
    assert len([row for row in journal(door) if "at the worst moment" in str(row[3])]) == kept


def test_invariant_1_raw_first_what_was_answered_200_survives_kill_9(own_door: Callable[..., Door]) -> None:
    door = own_door(command=("serve", "--roles", "web"))
    answers = [door.deliver(spoken(f"message {number}")).status for number in range(10)]
    door.careline.kill()
    assert answers == [200] * 10
    assert sum("message " in str(row[3]) for row in journal(door)) == 10
