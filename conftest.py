"""For all tests: each worker of a parallel run has a database of its own, in memory on SQLite; and nobody waits in a transaction or a request."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.conf import settings

from tests.guard import watching

_DATABASE_FIXTURES = {
    "db",
    "django_db_setup",
    "transactional_db",
    "django_db_serialized_rollback",
    "django_db_reset_sequences",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """CARELINE_TESTS=database: only tests that touch one. The others ran on the first database, and would see no difference on the second."""
    if os.environ.get("CARELINE_TESTS") != "database":
        return
    left_out = [item for item in items if not _touches_a_database(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if _touches_a_database(item)]


def _touches_a_database(item: pytest.Item) -> bool:
    return item.get_closest_marker("django_db") is not None or not _DATABASE_FIXTURES.isdisjoint(
        getattr(item, "fixturenames", ())
    )


@pytest.fixture(autouse=True, scope="session")
def watched() -> None:
    """Invariant 10: from here on a connection, a look-up or a sleep in a transaction is refused, and a sleep in a request."""
    watching.install()


@pytest.fixture(autouse=True)
def nobody_waited() -> Iterator[None]:
    """Invariant 10: a refusal that somebody swallowed is found all the same."""
    watching.found.clear()
    yield
    assert not watching.found, watching.found


@pytest.fixture(scope="session")
def django_db_modify_db_settings_xdist_suffix(request: pytest.FixtureRequest) -> None:
    """pytest-django knows Django's own SQLite engine by name, not ours."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "")
    if not worker:
        return
    default = settings.DATABASES["default"]
    test = default.setdefault("TEST", {})
    if str(default["ENGINE"]).endswith("sqlite"):
        test["NAME"] = f"file:memorydb_{worker}?mode=memory&cache=shared"
    else:
        test["NAME"] = f"test_{default['NAME']}_{worker}"
