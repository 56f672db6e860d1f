"""Bytes by content, each under its own key: counted, swept, never lost to a race, never another workspace's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import override_settings

from careline.errors import NotFound, TooLarge
from careline.files import storing
from careline.files.models import StoredFile
from careline.files.storing import (
    count_references,
    prepare_file,
    read_file,
    save_files,
    sweep_strays,
    sweep_unreferenced,
)
from careline.kit import clock

pytestmark = pytest.mark.django_db
AIR, SEA = 11, 7
PASSPORT = b"the passport of Marta Ruiz"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    with override_settings(DATA_DIR=tmp_path):
        yield tmp_path / "files"


def keep(content: bytes = PASSPORT, workspace_id: int = AIR, references: int = 1) -> int:
    prepared = prepare_file(workspace_id, content, "passport.txt")
    file_id = save_files([prepared])[(workspace_id, prepared.sha256)]
    count_references([file_id] * references)
    return file_id


def on_disk(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_what_was_put_in_comes_out_and_is_unreadable_on_disk(folder: Path) -> None:
    file_id = keep()
    row, content = read_file(AIR, file_id)
    assert (content, row.content_type, row.size_bytes, row.reference_count) == (
        PASSPORT,
        "text/plain",
        len(PASSPORT),
        1,
    )
    (path,) = on_disk(folder)
    assert PASSPORT not in path.read_bytes() and path.parent.name == row.sha256[:2]


def test_the_same_content_is_kept_once_in_a_workspace_and_apart_in_another(folder: Path) -> None:
    first, again, theirs = keep(), keep(), keep(workspace_id=SEA)
    assert first == again != theirs
    assert StoredFile.objects.get(id=first).reference_count == 2
    assert len(on_disk(folder)) == 2
    assert bytes(StoredFile.objects.get(id=first).wrapped_key) != bytes(StoredFile.objects.get(id=theirs).wrapped_key)


def test_a_file_of_another_workspace_does_not_exist() -> None:
    file_id = keep()
    with pytest.raises(NotFound):
        read_file(SEA, file_id)


def test_two_who_put_the_same_content_in_at_once_leave_a_readable_file(folder: Path) -> None:
    """Each wrote bytes under a key of its own before the other's row was there."""
    ana, ben = prepare_file(AIR, PASSPORT), prepare_file(AIR, PASSPORT)
    assert ana.wrapped_key != ben.wrapped_key
    for last in (ana, ben, ana):
        save_files([last])
        assert read_file(AIR, StoredFile.objects.get().id)[1] == PASSPORT
    assert StoredFile.objects.count() == 1 and len(on_disk(folder)) == 2


def test_a_file_nobody_refers_to_is_erased_after_a_day_key_and_bytes(folder: Path) -> None:
    kept, dropped = keep(), keep(b"never sent", references=0)
    assert sweep_unreferenced() == 0
    with clock.travel(timedelta(hours=25)):
        assert sweep_unreferenced() == 1
        assert sweep_unreferenced() == 0
    row = StoredFile.objects.get(id=dropped)
    assert (bytes(row.wrapped_key), row.erased_at is not None) == (b"", True)
    assert len(on_disk(folder)) == 1
    with pytest.raises(NotFound):
        read_file(AIR, dropped)
    assert read_file(AIR, kept)[1] == PASSPORT


def test_the_last_reference_taken_away_lets_the_file_go() -> None:
    file_id = keep(references=2)
    count_references([file_id], by=-1)
    with clock.travel(timedelta(hours=25)):
        assert sweep_unreferenced() == 0
        count_references([file_id], by=-1)
        assert sweep_unreferenced() == 1


def test_content_erased_last_week_and_put_in_again_is_young_and_readable(folder: Path) -> None:
    file_id = keep(references=0)
    with clock.travel(timedelta(days=7)):
        assert sweep_unreferenced() == 1
        assert keep(references=0) == file_id
        assert sweep_unreferenced() == 0
        assert read_file(AIR, file_id)[1] == PASSPORT


def test_a_sweep_between_preparing_and_saving_takes_nothing_that_is_needed(folder: Path) -> None:
    keep(references=0)
    with clock.travel(timedelta(hours=25)):
        os.utime(on_disk(folder)[0], (clock.epoch_s() - 90_000,) * 2)
        prepared = prepare_file(AIR, PASSPORT)
        os.utime(on_disk(folder)[0], (clock.epoch_s(),) * 2)  # the real clock did not travel
        assert sweep_unreferenced() == 1
        save_files([prepared])
    assert read_file(AIR, StoredFile.objects.get().id)[1] == PASSPORT


def test_a_file_referred_to_while_the_sweep_looks_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    file_id = keep(references=0)
    plain = storing._path

    def refer_meanwhile(*arguments: object) -> Path:
        count_references([file_id])
        return plain(*arguments)  # type: ignore[arg-type]

    with clock.travel(timedelta(hours=25)):
        monkeypatch.setattr(storing, "_path", refer_meanwhile)
        assert sweep_unreferenced() == 0
    monkeypatch.undo()
    assert StoredFile.objects.get(id=file_id).erased_at is None


def test_bytes_without_a_row_go_after_a_day_and_others_stay(folder: Path) -> None:
    file_id = keep()
    prefix = StoredFile.objects.get(id=file_id).sha256[:2]
    living = on_disk(folder)[0]
    stray = prepare_file(AIR, PASSPORT + b"!")
    partial = living.with_name(f"{living.name}{storing.PARTIAL}abc")
    partial.write_bytes(b"half")
    assert sweep_strays(prefix) == sweep_strays(stray.sha256[:2]) == 0
    with clock.travel(timedelta(hours=25)):
        assert {one: sweep_strays(one) for one in {prefix, stray.sha256[:2]}} == {
            prefix: 1,
            stray.sha256[:2]: 1,
        } or prefix == stray.sha256[:2]
    assert on_disk(folder) == [living]
    assert read_file(AIR, file_id)[1] == PASSPORT


def test_bytes_that_are_gone_from_disk_are_not_found_and_can_be_put_in_again(folder: Path) -> None:
    file_id = keep()
    on_disk(folder)[0].unlink()
    with pytest.raises(NotFound) as missing:
        read_file(AIR, file_id)
    assert missing.value.code == "file_missing"
    assert keep() == file_id
    assert read_file(AIR, file_id)[1] == PASSPORT


def test_a_file_over_the_limit_is_refused_before_it_is_written(folder: Path) -> None:
    with override_settings(UPLOAD_LIMIT_BYTES=100), pytest.raises(TooLarge):
        prepare_file(AIR, b"x" * 101)
    assert not folder.exists()


def test_saving_many_files_takes_few_statements(django_assert_max_num_queries: object) -> None:
    prepared = [prepare_file(AIR, f"{number}".encode()) for number in range(20)]
    with django_assert_max_num_queries(3):  # type: ignore[operator]
        found = save_files([*prepared, prepared[0]])
    assert len(found) == 20
    with django_assert_max_num_queries(2):  # type: ignore[operator]
        count_references([*found.values(), found[(AIR, prepared[0].sha256)]])
    assert StoredFile.objects.get(sha256=prepared[0].sha256).reference_count == 2
    assert save_files([]) == {}
