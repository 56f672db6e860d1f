"""What a server loads beside its first requests."""

from __future__ import annotations

from django.template import engines

from careline.screens.inbox import pushing


def test_what_the_first_row_waits_for_can_be_loaded_before_anybody_asks() -> None:
    environment = engines["jinja"].env  # type: ignore[attr-defined] # the backend's environment is untyped
    environment.cache.clear()
    pushing.warm_up()
    assert {"inbox/row.html", "inbox/page.html", "inbox/case_fragment.html"} <= {name for _, name in environment.cache}
