"""What authors deleted stays deleted after a restore of an older backup: the list beside the database, and what obeys it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from careline.cases.models import Case
from careline.conftest import Air, make_case
from careline.errors import InputRefused
from careline.intake.graves import NAME, Graves, obey_graves, read_graves
from careline.kit import clock
from careline.people.actions.erasing import erase_person
from careline.people.models import Person
from careline.threads import editing
from careline.threads.models import Message, Tombstone

pytestmark = pytest.mark.django_db


def _said(air: Air, text: str, platform_id: str) -> tuple[Case, Message]:
    case = make_case(air.channel, air.marta_identity, text)
    Message.objects.filter(case_id=case.id).update(platform_id=platform_id)
    return case, Message.objects.get(case_id=case.id)


def _bury(air: Air, *platform_ids: str) -> None:
    editing.bury(air.workspace.id, [(air.channel.id, one) for one in platform_ids], "author")


def _listed(folder: Path) -> list[str]:
    return [str(line.get("platform_id", line.get("person"))) for line in read_graves(folder / NAME)]


def test_a_list_follows_the_tombstones_once_each_also_after_a_new_start(air: Air, tmp_path: Path) -> None:
    graves = Graves(tmp_path)
    assert graves.follow() == 0 and not (tmp_path / NAME).exists()
    _bury(air, "m1", "m2")
    assert (graves.follow(), graves.follow()) == (2, 0)
    _bury(air, "m3")
    assert (Graves(tmp_path).follow(), Graves(tmp_path).follow()) == (1, 0)
    assert _listed(tmp_path) == ["m1", "m2", "m3"]


def test_one_that_was_committed_late_is_not_missed(air: Air, tmp_path: Path) -> None:
    graves = Graves(tmp_path)
    with clock.travel(timedelta(minutes=5)):
        _bury(air, "new")
        graves.follow()
    _bury(air, "late")
    assert graves.follow() == 1 and _listed(tmp_path) == ["new", "late"]


def test_a_lost_list_is_written_anew(air: Air, tmp_path: Path) -> None:
    graves = Graves(tmp_path)
    _bury(air, "m1")
    graves.follow()
    (tmp_path / NAME).unlink()
    assert graves.follow() == 1 and _listed(tmp_path) == ["m1"]


def test_a_line_cut_short_by_a_crash_is_written_again_whole(air: Air, tmp_path: Path) -> None:
    _bury(air, "m1", "m2")
    Graves(tmp_path).follow()
    path = tmp_path / NAME
    path.write_bytes(path.read_bytes()[:-20])
    _bury(air, "m3")
    assert Graves(tmp_path).follow() == 2 and _listed(tmp_path) == ["m1", "m2", "m3"]


def test_the_list_is_its_owners_alone_and_holds_no_word(air: Air, tmp_path: Path) -> None:
    _said(air, "a secret word", "m1")
    _bury(air, "m1")
    Graves(tmp_path).follow()
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0
    assert "secret" not in (tmp_path / NAME).read_text() and "Marta" not in (tmp_path / NAME).read_text()


def test_a_restore_takes_the_words_everywhere_and_lets_the_others_stand(air: Air) -> None:
    (gone_case, gone), (_, stays) = _said(air, "take this back", "m1"), _said(air, "this stays", "m2")
    line = {"id": 1, "channel": air.channel.id, "platform_id": "m1", "at": clock.now().isoformat()}
    assert (obey_graves([line]), obey_graves([line])) == (1, 0)
    gone.refresh_from_db()
    stays.refresh_from_db()
    gone_case.refresh_from_db()
    assert (gone.text, stays.text, gone_case.last_text) == ("", "this stays", "")
    assert Tombstone.objects.filter(platform_id="m1", channel_id=air.channel.id).exists()


def test_tombstones_in_the_backup_itself_are_obeyed(air: Air) -> None:
    _, gone = _said(air, "take this back", "m1")
    _bury(air, "m1")
    assert obey_graves([]) == 1
    gone.refresh_from_db()
    assert gone.text == ""


def test_somebody_erased_after_the_backup_is_erased_again(air: Air, tmp_path: Path) -> None:
    _, message = _said(air, "forget me", "m1")
    person_id = air.marta_identity.person_id
    erase_person(air.owner, person_id)
    Graves(tmp_path).follow()
    assert str(person_id) in _listed(tmp_path)
    # As the older backup has her.
    Person.objects.filter(id=person_id).update(erased_at=None, name="Marta")
    obey_graves(read_graves(tmp_path / NAME))
    again = Person.objects.get(id=person_id)
    assert again.name == "" and again.erased_at is not None
    message.refresh_from_db()
    assert message.text == ""


def test_what_names_nothing_here_changes_nothing(air: Air) -> None:
    _, message = _said(air, "this stays", "m1")
    lines = [
        {"id": 1, "channel": 5, "platform_id": "m1", "at": clock.now().isoformat()},
        {"person": 7, "at": clock.now().isoformat()},
    ]
    assert obey_graves(lines) == 0
    message.refresh_from_db()
    assert message.text == "this stays"


def test_a_line_cut_short_by_a_crash_is_left_out_and_another_file_refused(tmp_path: Path) -> None:
    path = tmp_path / NAME
    whole = b'{"id":1,"channel":2,"platform_id":"m","at":"2026-11-22T10:00:00+00:00"}\n'
    path.write_bytes(whole + b'{"id":2,"chan')
    assert [line["id"] for line in read_graves(path)] == [1]
    path.write_bytes(b"not ours\n" + whole)
    with pytest.raises(InputRefused, match="line 1"):
        list(read_graves(path))
