"""Retention of messages: when their days have passed no word is left in any byte of the database or the files, and the case, its figures and its events stand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from careline.cases.actions.closing import close_case
from careline.cases.actions.drafting import save_draft
from careline.cases.actions.fields import set_title
from careline.cases.actions.noting import write_note
from careline.cases.actions.replying import write_reply
from careline.cases.models import Case, RollupHour
from careline.channels.base import Edited, InboundFile, ThreadFacts
from careline.conftest import Air
from careline.events.models import Event
from careline.intake import digest, housekeeping
from careline.intake.housekeeping import keep_house
from careline.intake.tests.conftest import Mouth
from careline.kit import clock
from careline.outbox.models import Delivery
from careline.threads import search
from careline.threads.models import Message
from careline.workspaces.models import Workspace

pytestmark = pytest.mark.django_db
WORD = "ocarina"
KEPT_DAYS = 30


@pytest.fixture(autouse=True)
def rested(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """Files in a folder of their own, and no round made before."""
    settings.DATA_DIR = tmp_path
    yield
    housekeeping._walked = housekeeping._Walk()
    housekeeping._quiet_until_s.clear()


def _a_told_story(air: Air, mouth: Mouth, author: str, word: str) -> Case:
    """A letter with everything that can hold words, edited, answered, noted, and a draft that was never sent."""
    said = mouth.prepare(
        f"the {word} is broken",
        author=author,
        thread=f"letter-{author}",
        surface="email",
        html=f"<p>the {word}</p>",
        quoted_text=f"> your {word}",
        facts={"order": word},
        files=(InboundFile(f"{word}.png", content=b"\x89PNG\r\n\x1a\n" + word.encode() * 3, alt_text=f"a {word}"),),
    )
    mouth.happen(_under(said, word))
    mouth.happen(Edited(platform_id=said.platform_id, text=f"both {word}s are broken", at=clock.now()))
    digest.digest_pending()
    message = Message.objects.get(platform_id=said.platform_id)
    case = Case.objects.get(id=message.case_id)
    write_note(air.ana, case.number, text=f"never seen a {word}")
    write_reply(
        air.ana, case.number, thread_id=message.thread_id or 0, text=f"Send the {word}", mode="private", subject=f"Re: {word}"
    )  # fmt: skip
    set_title(air.ana, case.number, f"Broken {word}")
    save_draft(air.ana, case.number, mode="private", text=f"and your {word} case?")
    Delivery.objects.filter(case_id=case.id).update(state="sent", platform_id=f"sent-{case.id}")
    return case


def _under(said: Any, word: str) -> Any:
    thread = ThreadFacts(subject=f"My {word}", parent_author="@band", parent_text=f"Who plays the {word}?")
    return msgspec.structs.replace(said, thread=thread)


def _bytes_with(word: str) -> list[str]:
    """Every table with a row that holds the word, indexes and journals of search included, and every file."""
    found = []
    for table in connection.introspection.table_names(include_views=False):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            if any(word in _text(value) for row in cursor.fetchall() for value in row):
                found.append(table)
    return found


def _stored(folder: Path) -> list[Path]:
    return [path for path in (folder / "files").rglob("*") if path.is_file()]


def _text(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


def _figures(case: Case) -> dict[str, object]:
    row = Case.objects.filter(id=case.id).values().get()
    names = ("number", "person_id", "channel_id", "state", "outcome", "opened_at", "done_at", "first_answered_at", "first_answer_s",
             "first_answer_in_time", "assignee_id", "last_agent_id", "tags", "message_count", "last_at", "reopen_count")  # fmt: skip
    return {name: row[name] for name in names}


def test_words_files_search_and_raw_go_after_their_days_and_case_figures_and_events_stay(
    air: Air, mouth: Mouth, tmp_path: Path
) -> None:
    Workspace.objects.filter(id=air.workspace.id).update(
        keep_messages_days=KEPT_DAYS, keep_raw_days=400, keep_events_days=400
    )
    done = _a_told_story(air, mouth, "marta", WORD)
    open_one = _a_told_story(air, mouth, "otto", "theremin")
    close_case(air.ana, done.number, "solved", why=f"a new {WORD} was sent")
    figures, rollups = _figures(done), list(RollupHour.objects.order_by("id").values())
    events = list(Event.objects.order_by("n").values_list("n", "kind"))
    assert {"threads_message", "journal", "threads_attachment", "cases_draft", "threads_revision"} <= set(
        _bytes_with(WORD)
    )
    stored = _stored(tmp_path)
    with clock.travel(timedelta(days=KEPT_DAYS - 1)):
        keep_house()
    assert search.find_case_ids(air.workspace.id, WORD, 9) and Message.objects.filter(text__contains=WORD).exists()
    housekeeping._quiet_until_s.clear()
    with clock.travel(timedelta(days=KEPT_DAYS, hours=1)):
        keep_house()
    with clock.travel(timedelta(days=KEPT_DAYS + 2)):
        keep_house()
    assert _bytes_with(WORD) == []
    assert not search.find_case_ids(air.workspace.id, WORD, 9)
    assert _figures(done) == figures
    assert list(RollupHour.objects.order_by("id").values()) == rollups
    assert list(Event.objects.order_by("n").values_list("n", "kind"))[: len(events)] == events
    said = Message.objects.filter(case_id=done.id).order_by("at")
    assert [(one.text, one.deleted_at is not None) for one in said] == [("", True)] * 3
    assert all(one.author_name or one.author_agent_id for one in said), "who and when stay"
    # What is still open is still needed, whatever its age.
    assert "both theremins are broken" in set(
        Message.objects.filter(case_id=open_one.id).values_list("text", flat=True)
    )
    assert search.find_case_ids(air.workspace.id, "theremin", 9)
    assert (len(stored), len(_stored(tmp_path))) == (2, 1)
