"""Fixtures of the organisation's tests."""

from __future__ import annotations

import pytest

from careline.workspaces.tests.cast import Cast, make_cast


@pytest.fixture
def cast(db: None) -> Cast:
    """The standing cast."""
    return make_cast()
