"""Settings from the environment and from files named by it; what is wrong is said in one line that names the setting."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.servers.installations import KEY, cluster, fresh, program
from tests.servers.processes import Careline


@pytest.mark.postgres
def test_a_secret_may_stand_in_a_file_and_the_file_wins(tmp_path: Path) -> None:
    url, key = tmp_path / "url", tmp_path / "key"
    url.write_text(f"{cluster().database()}\n")
    key.write_text(f"  {KEY}\n")
    (tmp_path / "data").mkdir()
    careline = Careline(tmp_path / "data", environment={
        "CARELINE_DATABASE_URL_FILE": str(url), "CARELINE_SECRET_KEY_FILE": str(key), "CARELINE_SECRET_KEY": "not this one",
    })  # fmt: skip
    assert "Applied" in careline.run("migrate")
    said = program(
        careline,
        "from django.conf import settings; from django.db import connection; print(connection.vendor, settings.SECRET_KEY)",
    )
    assert said.strip() == f"postgresql {KEY}"
    assert not (careline.data / "secret.key").exists() and not (careline.data / "careline.sqlite3").exists()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CARELINE_SECRET_KEY_FILE", "/nowhere/key", "CARELINE_SECRET_KEY_FILE names /nowhere/key"),
        ("CARELINE_JOURNAL_MARK", "many", "CARELINE_JOURNAL_MARK must be a whole number"),
        ("CARELINE_DATABASE_URL", "mysql://x", "CARELINE_DATABASE_URL must begin with postgresql://"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(name: str, value: str, said: str, tmp_path: Path) -> None:
    careline = fresh(tmp_path)
    careline.environment[name] = value
    with pytest.raises(AssertionError, match=f"ended with 1: careline: {said}") as refused:
        careline.run("doctor")
    assert "Traceback" not in str(refused.value)


@pytest.mark.postgres
def test_migrating_postgresql_dumps_it_first_and_older_code_refuses_a_newer_schema(tmp_path: Path) -> None:
    careline = fresh(tmp_path, "postgresql")
    program(careline, """
        from django.db import connection
        with connection.cursor() as cursor:
            cursor.execute("DROP INDEX journal_waits")
            cursor.execute("DELETE FROM django_migrations WHERE app = 'intake' AND name = '0002_waiting_changes'")
    """)  # fmt: skip
    said = careline.run("migrate")
    [copied] = list((careline.data / "backups").glob("before-migrate-*.sql"))
    assert str(copied) in said and "Applied 1 migrations" in said
    assert "CREATE TABLE" in copied.read_text() and stat.S_IMODE(copied.stat().st_mode) & 0o077 == 0
    program(careline, """
        from django.db import connection
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('cases', '9999_from_tomorrow', now())")
    """)  # fmt: skip
    with pytest.raises(AssertionError, match="newer Careline"):
        careline.run("migrate")
