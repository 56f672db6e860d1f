"""Invariant 8, Edits and deletions of the author are honoured: revisions, tombstones, and no word left anywhere."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from careline.cases.models import Case
from careline.cases.queries.listing import list_page
from careline.cases.rows import ListFilters
from careline.conftest import hear
from careline.events.models import Event
from careline.events.recording import unit_of_work
from careline.files.models import StoredFile
from careline.files.storing import count_references, prepare_file, save_files
from careline.kit import clock
from careline.threads import search
from careline.threads.editing import Edit, apply_deletion, apply_deletions, apply_edit, apply_edits, apply_reaction
from careline.threads.models import Attachment, Message, MessageAlias, Revision, Tombstone

pytestmark = pytest.mark.django_db


def _message(case):
    return Message.objects.get(case_id=case.id, direction="inbound")


def _found(viewer, words):
    return [row.number for row in list_page(viewer, ListFilters(view="all", query=words)).rows]


def test_an_edit_keeps_what_was_said_before_and_is_searched_anew(air, marta_case):
    at = clock.now() + timedelta(minutes=1)
    with unit_of_work() as work:
        assert apply_edit(
            work, _message(marta_case), text="Where are my points?", at=at, html="<b>points</b><script>1</script>"
        )
    message = _message(marta_case)
    assert (message.text, message.edited_at, message.version, message.html) == (
        "Where are my points?",
        at,
        2,
        "<b>points</b>",
    )
    assert Revision.objects.get().text == "Where are my miles?"
    assert Case.objects.get(id=marta_case.id).last_text == "Where are my points?"
    assert _found(air.ana, "points") == [marta_case.number]
    assert _found(air.ana, "miles") == []
    assert Event.objects.filter(kind="message.edited", message_id=message.id).exists()


def test_edits_out_of_order_and_repeated_leave_the_newest_words(air, marta_case):
    now = clock.now()
    with unit_of_work() as work:
        message = _message(marta_case)
        apply_edits(
            work,
            [Edit(message, "third", now + timedelta(seconds=3)), Edit(message, "second", now + timedelta(seconds=2))],
        )
        assert not apply_edit(work, _message(marta_case), text="first", at=now + timedelta(seconds=1))
        assert not apply_edit(work, _message(marta_case), text="third", at=now + timedelta(seconds=3))
    assert _message(marta_case).text == "third"
    assert list(Revision.objects.order_by("id").values_list("text", flat=True)) == ["Where are my miles?", "second"]


def _attach(air, message, tmp_path, settings):
    settings.DATA_DIR = tmp_path
    prepared = prepare_file(air.workspace.id, b"a picture of the passport")
    file_id = save_files([prepared])[(air.workspace.id, prepared.sha256)]
    Attachment.objects.create(workspace_id=air.workspace.id, message=message, file_id=file_id, name="passport.png")
    count_references([file_id])
    return file_id


def test_a_deletion_takes_every_word_with_it(air, marta_case, tmp_path, settings):
    message = _message(marta_case)
    Message.objects.filter(id=message.id).update(
        html="<p>miles</p>", quoted_text="miles", facts={"to": "miles@x"}, reactions={"a": "miles"}
    )
    with unit_of_work() as work:
        file_id = _attach(air, message, tmp_path, settings)
        apply_edit(work, _message(marta_case), text="miles again", at=clock.now())
    Case.objects.filter(id=marta_case.id).update(title="Where are my miles?")
    with unit_of_work() as work:
        apply_deletions(work, air.workspace.id, air.channel.id, [message.platform_id, "never-heard"])
    row = Message.objects.filter(id=message.id).values().get()
    assert "miles" not in str(row)
    assert row["deleted_at"] is not None
    case = Case.objects.filter(id=marta_case.id).values().get()
    assert "miles" not in str(case)
    assert (case["unanswered_count"], case["due_at"]) == (0, None)  # nobody waits for an answer to nothing
    assert not Revision.objects.exists()
    assert not Attachment.objects.exists()
    assert StoredFile.objects.get(id=file_id).reference_count == 0
    assert set(Tombstone.objects.values_list("platform_id", flat=True)) == {message.platform_id, "never-heard"}
    assert _found(air.ana, "miles") == []
    assert "miles" not in str(list(Event.objects.values()))
    _check_index_holds_no("miles")


def _check_index_holds_no(word):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT count(*) FROM message_search WHERE words @@ to_tsquery('simple', %s)", [word])
            assert cursor.fetchone()[0] == 0
            return
        cursor.execute("SELECT block FROM message_search_data")
        assert not [True for (block,) in cursor.fetchall() if word.encode() in bytes(block)]
        cursor.execute("SELECT c0 FROM message_search_content")
        assert not [True for (text,) in cursor.fetchall() if word in str(text)]


def test_purged_words_are_gone_from_the_bytes_of_the_index(air):
    with unit_of_work():
        search.index_messages([(1, 1, 1, clock.now(), "xylophone solo"), (2, 1, 1, clock.now(), "trumpet solo")])
        search.unindex_messages([1])
    _check_index_holds_no("xylophone")
    assert search.find_case_ids(1, "solo", 5) == [(1, 2)]


def test_a_deletion_by_another_of_its_names_finds_the_message(air, marta_case):
    message = _message(marta_case)
    MessageAlias.objects.create(channel_id=air.channel.id, platform_id="other-name", message=message)
    with unit_of_work() as work:
        assert [one.id for one in apply_deletions(work, air.workspace.id, air.channel.id, ["other-name"])] == [
            message.id
        ]


def test_deleting_twice_changes_nothing_and_a_deleted_message_is_not_edited(air, marta_case):
    with unit_of_work() as work:
        apply_deletion(work, _message(marta_case), at=clock.now())
    version = _message(marta_case).version
    with unit_of_work() as work:
        apply_deletion(work, _message(marta_case), at=clock.now())
        assert not apply_edit(work, _message(marta_case), text="back", at=clock.now())
        apply_reaction(work, _message(marta_case), author_key="a", emoji="👍")
    assert (_message(marta_case).version, _message(marta_case).text) == (version, "")


def test_a_deletion_on_another_channel_touches_nothing(air, cleo, marta_case):
    with unit_of_work() as work:
        assert apply_deletions(work, air.workspace.id, air.channel.id + 1, [_message(marta_case).platform_id]) == []
        assert apply_deletions(work, cleo.workspace_id, air.channel.id, [_message(marta_case).platform_id]) == []
    assert _message(marta_case).text


def test_the_last_words_of_a_case_are_those_that_stand(air, marta_case):
    second = hear(marta_case, air.channel, air.marta_identity, "private thing said by mistake")
    with unit_of_work() as work:
        apply_deletions(work, air.workspace.id, air.channel.id, [second.platform_id])
    case = Case.objects.get(id=marta_case.id)
    assert (case.last_text, case.unanswered_count) == ("Where are my miles?", 1)


def test_reactions_are_one_per_author_and_taken_back(air, marta_case):
    with unit_of_work() as work:
        for author, emoji in (("a", "👍"), ("a", "❤️"), ("b", "👍"), ("b", "")):
            apply_reaction(work, _message(marta_case), author_key=author, emoji=emoji)
    assert _message(marta_case).reactions == {"a": "❤️"}
