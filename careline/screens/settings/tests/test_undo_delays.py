"""The undo delay is each channel's own: some seconds where answers are letters or posts, none in a chat."""

from __future__ import annotations

import re

import pytest

from careline.channels.models import Channel
from careline.screens.settings.tests.conftest import SignIn
from careline.workspaces.tests.cast import Cast


def _proposed(page: str) -> str:
    field = re.search(r'<input[^>]*name="undo_s"[^>]*>', page)
    assert field is not None
    value = re.search(r'value="(\d+)"', field[0])
    return value[1] if value else ""


@pytest.mark.parametrize(
    ("network", "seconds"), [("webchat", "0"), ("email", "8"), ("generic", "8"), ("simulated", "8")]
)
def test_a_chat_is_proposed_without_an_undo_delay_and_everything_else_with_one(
    cast: Cast, sign_in: SignIn, network: str, seconds: str
) -> None:
    assert _proposed(sign_in(cast.olga).get(f"/w/air/channels/new/{network}").content.decode()) == seconds


def test_a_chat_connected_as_proposed_sends_at_once_and_the_delay_can_be_changed(cast: Cast, sign_in: SignIn) -> None:
    olga = sign_in(cast.olga)
    page = olga.get("/w/air/channels/new/webchat").content.decode()
    said = {
        "name": "Chat",
        "brand": str(cast.brand.id),
        "team": str(cast.team.id),
        "calendar": "",
        "undo_s": _proposed(page),
        "act": "connect",
        "set_origins": "https://shop.example",
        "set_side": "end",
        "set_mail_after_min": "5",
    }
    made = olga.post("/w/air/channels/new/webchat", said)
    assert made.status_code == 302, re.findall(r'class="problem"[^>]*>([^<]+)', made.content.decode())
    chat = Channel.objects.get(network="webchat")
    assert chat.undo_s == 0
    olga.post(f"/w/air/channels/{chat.id}/change", {**said, "undo_s": "4"})
    chat.refresh_from_db()
    assert chat.undo_s == 4
