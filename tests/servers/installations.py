"""Fresh, migrated installations for tests: each database is migrated once a test run and copied for every test that wants its own."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.servers.postgres import Cluster
from tests.servers.processes import Careline

BOTH = [pytest.param("sqlite", id="sqlite"), pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgres)]
_SETUP = """
import json, os, sys, threading, time
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
import django
django.setup()
"""
KEY = "the key of these tests, forty characters long or so"


def fresh(folder: Path, kind: str = "sqlite", **environment: str) -> Careline:
    """An empty installation at the newest schema, not started. All share one key, given by environment."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    given = {"CARELINE_SECRET_KEY": KEY, **environment}
    if kind == "sqlite":
        shutil.copy(_sqlite_template(), data / "careline.sqlite3")
        return Careline(data, environment=given)
    _postgres_template()
    return Careline(data, database_url=cluster().database(template=_TEMPLATE), environment=given)


def program(careline: Careline, code: str, *arguments: str, timeout_s: float = 120.0) -> str:
    """Run Python in that installation, with Django ready. What it printed."""
    return careline.run(*arguments, code=_SETUP + textwrap.dedent(code), timeout_s=timeout_s)


@cache
def cluster() -> Cluster:
    """One private PostgreSQL for this test run."""
    started = Cluster().start()
    _at_end_of_this_process(started.stop)
    return started


@cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="careline-template-"))
    _at_end_of_this_process(lambda: shutil.rmtree(folder, ignore_errors=True))
    Careline(folder, environment={"CARELINE_SECRET_KEY": KEY}).run("migrate")
    return folder / "careline.sqlite3"


_TEMPLATE = "careline_template"


@cache
def _postgres_template() -> None:
    folder = Path(tempfile.mkdtemp(prefix="careline-template-"))
    _at_end_of_this_process(lambda: shutil.rmtree(folder, ignore_errors=True))
    url = cluster().database(name=_TEMPLATE)
    Careline(folder, database_url=url, environment={"CARELINE_SECRET_KEY": KEY}).run("migrate")


def _at_end_of_this_process(work: Any) -> None:
    made_by = os.getpid()
    atexit.register(lambda: work() if os.getpid() == made_by else None)
