"""Which indexes messages have: the wrong one costs a reader a whole workspace."""

from __future__ import annotations

import pytest
from django.db import connection

from careline.conftest import DM, Air, make_thread, say
from careline.threads.models import Message

pytestmark = pytest.mark.django_db


def test_the_messages_of_a_case_are_found_by_the_case_and_not_through_the_workspace(air: Air) -> None:
    """SQLite without statistics takes any index whose first column is compared; at a million messages the workspace's took 0.4 s."""
    first = [index.fields[0] for index in Message._meta.indexes]
    assert "case_id" in first and not {"workspace", "workspace_id"} & set(first)
    say(make_thread(air.channel, DM), air.marta_identity, "hello")
    of_case = Message.objects.filter(workspace_id=air.workspace.id, case_id=1).order_by("at", "id")
    assert connection.vendor != "sqlite" or "message_case_time" in of_case.explain()
