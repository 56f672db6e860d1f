"""Connecting a channel through the guided page: live check first, secrets once, nothing lost when it fails."""

from __future__ import annotations

import pytest

from careline.channels import registry
from careline.channels.access import open_secrets
from careline.channels.base import ChannelView, Health, SettingField, Tools
from careline.channels.capabilities import Capabilities, Inbound
from careline.channels.models import Channel
from careline.conftest import DM, TestNetwork
from careline.screens.settings.tests.conftest import SignIn
from careline.workspaces.models import Audit
from careline.workspaces.tests.cast import Cast

PAGE = "/w/air/channels/new/bridge"


class Bridge(TestNetwork):
    """A network whose live check passes only for the host `good`."""

    slug = "bridge"
    name = "Bridge"
    fields = (
        SettingField("host", "Host", "address"),
        SettingField("secret", "Shared secret", "secret"),
        SettingField("note", "Note", required=False),
    )
    capabilities = Capabilities(proof="C", surfaces=(DM,), inbound=Inbound(verify="standard_webhooks"))

    async def check(self, channel: ChannelView, tools: Tools) -> Health:
        good = channel.setting("host") == "good"
        return Health(ok=True) if good else Health(ok=False, code="unreachable", detail="port 443")


@pytest.fixture(autouse=True)
def _bridge() -> None:
    registry.add_for_tests(Bridge())


def words(cast: Cast, **changes: str) -> dict[str, str]:
    base = {
        "name": "Our bridge",
        "brand": str(cast.brand.id),
        "team": str(cast.team.id),
        "calendar": "",
        "undo_s": "5",
        "set_host": "good",
        "set_secret": "whsec_c2hhcmVkLXNlY3JldA==",
        "act": "connect",
    }
    return {**base, **changes}


def test_the_page_proposes_a_secret_and_says_what_the_network_can(cast: Cast, sign_in: SignIn) -> None:
    page = sign_in(cast.olga).get(PAGE).content.decode()
    assert 'value="whsec_' in page and "proven against the specification" in page
    assert (
        "dm (private): 24 hours after the customer&#39;s last message" in page or "24 hours after the customer" in page
    )


def test_a_passing_check_connects_and_shows_address_and_secret_once(cast: Cast, sign_in: SignIn) -> None:
    olga = sign_in(cast.olga)
    answer = olga.post(PAGE, words(cast))
    row = Channel.objects.select_related("connection").get(network="bridge")
    assert answer.headers["Location"] == f"/w/air/channels/{row.id}/"
    assert (row.name, row.undo_s, row.team_id, row.calendar_id) == ("Our bridge", 5, cast.team.id, None)
    assert open_secrets(bytes(row.connection.sealed_secrets)) == {"secret": "whsec_c2hhcmVkLXNlY3JldA=="}
    first = olga.get(answer.headers["Location"]).content.decode()
    assert "whsec_c2hhcmVkLXNlY3JldA==" in first and f"/hooks/bridge/{row.connection.hook_token}" in first
    assert "whsec_" not in olga.get(answer.headers["Location"]).content.decode()
    assert "whsec_" not in sign_in(cast.adam).get(answer.headers["Location"]).content.decode()


def test_a_lead_sees_the_card_but_no_address(cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.olga).post(PAGE, words(cast))
    row = Channel.objects.select_related("connection").get(network="bridge")
    page = sign_in(cast.ben).get(f"/w/air/channels/{row.id}/").content.decode()
    assert "Our bridge" in page and row.connection.hook_token not in page and "Switch off" not in page


def test_a_failing_check_says_so_keeps_the_words_and_connects_nothing(cast: Cast, sign_in: SignIn) -> None:
    answer = sign_in(cast.olga).post(PAGE, words(cast, set_host="bad"))
    page = answer.content.decode()
    assert not Channel.objects.filter(network="bridge").exists()
    assert "could not be reached" in page and "port 443" in page and 'value="Our bridge"' in page
    assert 'value="whsec_c2hhcmVkLXNlY3JldA=="' in page and "Connect although the live check fails" in page


def test_it_can_be_connected_anyway(cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.olga).post(PAGE, words(cast, set_host="bad", anyway="on"))
    assert Channel.objects.filter(network="bridge").count() == 1


def test_only_checking_connects_nothing(cast: Cast, sign_in: SignIn) -> None:
    page = sign_in(cast.olga).post(PAGE, words(cast, act="check")).content.decode()
    assert "The live check passed" in page and not Channel.objects.filter(network="bridge").exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"set_host": ""}, "set_host"),
        ({"name": ""}, "name"),
        ({"undo_s": "900"}, "undo_s"),
        ({"import_from": "soon"}, "import_from"),
    ],
)
def test_a_refused_value_is_named_beside_its_field(
    cast: Cast, sign_in: SignIn, changes: dict[str, str], field: str
) -> None:
    answer = sign_in(cast.olga).post(PAGE, words(cast, **changes))
    assert answer.status_code == 422 and f'id="id_{field}_error"' in answer.content.decode()


def test_the_same_account_twice_is_refused_in_words(cast: Cast, sign_in: SignIn) -> None:
    olga = sign_in(cast.olga)
    olga.post(PAGE, words(cast, account_key="acc-1"))
    answer = olga.post(PAGE, words(cast, account_key="acc-1"))
    assert answer.status_code == 422 and "already connected" in answer.content.decode()


def test_changing_keeps_the_secret_and_never_shows_it(cast: Cast, sign_in: SignIn) -> None:
    olga = sign_in(cast.olga)
    olga.post(PAGE, words(cast))
    row = Channel.objects.get(network="bridge")
    olga.get(f"/w/air/channels/{row.id}/")
    path = f"/w/air/channels/{row.id}/change"
    assert "c2hhcmVk" not in olga.get(path).content.decode()
    assert olga.post(path, words(cast, set_secret="", name="Renamed", act="save")).status_code == 302
    changed = Channel.objects.select_related("connection").get(id=row.id)
    assert changed.name == "Renamed"
    assert open_secrets(bytes(changed.connection.sealed_secrets)) == {"secret": "whsec_c2hhcmVkLXNlY3JldA=="}


def test_acts_on_a_channel_are_said_and_audited(cast: Cast, sign_in: SignIn) -> None:
    olga = sign_in(cast.olga)
    olga.post(PAGE, words(cast))
    row = Channel.objects.get(network="bridge")
    for act, said in (("hold", "Held."), ("resume", "Resumed."), ("off", "Switched off."), ("on", "Switched on.")):
        assert said in olga.post(f"/w/air/channels/{row.id}/{act}", follow=True).content.decode()
    assert "The live check passed" in olga.post(f"/w/air/channels/{row.id}/check", follow=True).content.decode()
    assert olga.post(f"/w/air/channels/{row.id}/explode").status_code == 404
    verbs = list(Audit.objects.order_by("id").values_list("verb", flat=True))
    assert verbs == [
        "channel_connected",
        "channel_held",
        "channel_resumed",
        "channel_switched_off",
        "channel_switched_on",
    ]


def test_an_unknown_network_is_not_found(cast: Cast, sign_in: SignIn) -> None:
    assert sign_in(cast.olga).get("/w/air/channels/new/nowhere").status_code == 404
