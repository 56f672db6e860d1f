"""A platform that knocks at our address before it agrees finds somebody there: the account is introduced before it is connected, and again after."""

from __future__ import annotations

import pytest

from careline.channels import registry
from careline.channels.access import access_connection
from careline.channels.base import ChannelView, Introduced, Tools
from careline.channels.capabilities import Capabilities, Inbound
from careline.channels.models import Channel
from careline.conftest import DM
from careline.errors import ChannelError
from careline.kit.connections import refresh_connections
from careline.screens.settings.tests.conftest import SignIn
from careline.screens.settings.tests.test_connecting import Bridge, words
from careline.workspaces.tests.cast import Cast

ASKED: list[tuple[str, str]] = []


class Knocking(Bridge):
    """Keeps what it was introduced with; refuses an address where nobody stands."""

    slug = "knocking"
    capabilities = Capabilities(
        proof="C", surfaces=(DM,), inbound=Inbound(verify="standard_webhooks", handshake="hub_challenge")
    )

    async def introduce(self, channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
        ASKED.append((hook_url, channel.secrets.get("verify", "")))
        if hook_url and channel.setting("host") == "good" and channel.setting("note") == "deaf":
            raise ChannelError("hook_refused", "Nobody answered.", permanent=True)
        return Introduced(account_key="77", secrets={"verify": "made-once"})


@pytest.fixture(autouse=True)
def _knocking() -> None:
    registry.add_for_tests(Knocking())
    ASKED.clear()


def connect(cast: Cast, sign_in: SignIn, **changes: str) -> Channel:
    answer = sign_in(cast.olga).post("/w/air/channels/new/knocking", words(cast, **changes))
    assert answer.status_code == 302
    return Channel.objects.select_related("connection").get(network="knocking")


def test_the_address_is_given_when_the_connection_is_there_with_its_secret(cast: Cast, sign_in: SignIn) -> None:
    row = connect(cast, sign_in)
    (first, before), (second, after) = ASKED
    assert (first, before) == ("", "")
    assert (second.rpartition("/")[2], after) == (row.connection.hook_token, "made-once")
    refresh_connections()
    assert access_connection("knocking", row.connection.hook_token).secrets["verify"] == "made-once"


def test_a_refused_address_leaves_the_channel_connected(cast: Cast, sign_in: SignIn) -> None:
    """Its card says what the live check finds; saving it asks again."""
    row = connect(cast, sign_in, set_note="deaf")
    assert (row.account_key, len(ASKED)) == ("77", 2)
