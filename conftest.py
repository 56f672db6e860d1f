"""For all tests: each worker of a parallel run has a database of its own, in memory on SQLite."""

from __future__ import annotations

import pytest
from django.conf import settings


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
