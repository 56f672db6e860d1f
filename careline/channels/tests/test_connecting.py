"""Connecting, changing, holding and checking channels."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from careline.channels import registry
from careline.channels.access import open_secrets
from careline.channels.actions import checking
from careline.channels.actions.checking import check_channel, check_values
from careline.channels.actions.connecting import Arrangement, change_channel, connect_channel, keep_introduction
from careline.channels.actions.holding import hold_channel, resume_channel, switch_off, switch_on
from careline.channels.alerting import SILENCE_CLOCK
from careline.channels.base import ChannelView, Health, Introduced, SettingField, Tools
from careline.channels.models import Channel
from careline.clocks.models import Clock
from careline.conftest import Air, TestNetwork
from careline.errors import ChannelError, Conflict, Forbidden, InputRefused, NotFound
from careline.events.models import Event
from careline.kit import clock
from careline.workspaces.models import Audit, Brand
from careline.workspaces.sight import Viewer

VALUES = {"address": "Service@Air.test", "password": "hunter2-long", "port": "993", "mode": "push", "deep": "on"}


class Mailbox(TestNetwork):
    """A network with a field of each kind, whose check says what it was given."""

    slug = "mailbox"
    name = "Mailbox"
    seen: ChannelView | None = None
    fields = (
        SettingField("address", "Address", "address"),
        SettingField("password", "Password", "secret"),
        SettingField("port", "Port", "number", required=False),
        SettingField("mode", "Mode", "choice", choices=(("push", "Push"), ("poll", "Poll"))),
        SettingField("deep", "Deep", "flag"),
    )

    async def check(self, channel: ChannelView, tools: Tools) -> Health:
        type(self).seen = channel
        if channel.secrets.get("password") == "slow":
            await asyncio.sleep(5)
        return Health(ok=channel.secrets.get("password") == VALUES["password"], code="login_refused")


@pytest.fixture(autouse=True)
def _mailbox() -> None:
    registry.add_for_tests(Mailbox())


def arrangement(air: Air, **changes: object) -> Arrangement:
    brand = Brand.objects.get(workspace=air.workspace)
    return replace(Arrangement("Service", brand.id, air.care.id, None, 8), **changes)  # type: ignore[arg-type]


def connect(air: Air, viewer: Viewer | None = None, **changes: str) -> Channel:
    made = connect_channel(
        viewer or air.owner, network_slug="mailbox", arrangement=arrangement(air), values={**VALUES, **changes}
    )
    return Channel.objects.select_related("connection").get(id=made.channel_id)


def test_a_connected_channel_knows_its_account_and_seals_its_secrets(air: Air) -> None:
    row = connect(air)
    assert (row.account_key, row.handle, row.team_id) == ("service@air.test", "Service@Air.test", air.care.id)
    assert row.settings == {"address": "Service@Air.test", "port": 993, "mode": "push", "deep": True}
    sealed = bytes(row.connection.sealed_secrets)
    assert b"hunter2" not in sealed and open_secrets(sealed) == {"password": "hunter2-long"}
    assert not row.is_simulated and abs(row.history_before - clock.now()) < timedelta(seconds=5)
    assert "hunter2" not in str(list(Audit.objects.values())) + str(list(Event.objects.values()))
    assert Audit.objects.get(verb="channel_connected").subject == f"channel:{row.id}"


def test_work_may_begin_earlier_than_now(air: Air) -> None:
    start = clock.now() - timedelta(days=3)
    made = connect_channel(
        air.owner, network_slug="mailbox", arrangement=arrangement(air), values=VALUES, import_from=start
    )
    assert Channel.objects.get(id=made.channel_id).history_before == start


def test_the_same_account_is_connected_once(air: Air) -> None:
    first = connect(air)
    with pytest.raises(Conflict):
        connect(air, address="service@air.test")
    switch_off(air.owner, first.id)
    assert connect(air).id != first.id


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"address": ""}, "set_address"),
        ({"address": "not@@an-address"}, "set_address"),
        ({"address": "ftp://x"}, "set_address"),
        ({"password": ""}, "set_password"),
        ({"port": "many"}, "set_port"),
        ({"port": "٣"}, "set_port"),
        ({"mode": "magic"}, "set_mode"),
        ({"address": "a" * 5000}, "set_address"),
    ],
)
def test_a_refused_value_names_its_field(air: Air, values: dict[str, str], field: str) -> None:
    with pytest.raises(InputRefused) as refused:
        connect(air, **values)
    assert refused.value.field == field
    assert Channel.objects.filter(network="mailbox").count() == 0


def test_rows_of_another_workspace_cannot_be_chosen(air: Air, cleo: Viewer) -> None:
    with pytest.raises(InputRefused) as refused:
        connect(air, viewer=cleo)
    assert refused.value.field == "brand"


@pytest.mark.parametrize("who", ["ben", "ana", "tom", "iris", "carl"])
def test_only_owners_and_admins_touch_channels(air: Air, who: str) -> None:
    viewer = getattr(air, who)
    for act in (
        lambda: connect(air, viewer=viewer),
        lambda: hold_channel(viewer, air.channel.id),
        lambda: switch_off(viewer, air.channel.id),
        lambda: check_channel(viewer, air.channel.id),
    ):
        with pytest.raises(Forbidden):
            act()


def test_foreign_channels_are_not_found(air: Air, cleo: Viewer) -> None:
    for act in (
        lambda: hold_channel(cleo, air.channel.id),
        lambda: resume_channel(cleo, air.channel.id),
        lambda: switch_off(cleo, air.channel.id),
        lambda: switch_on(cleo, air.channel.id),
        lambda: check_channel(cleo, air.channel.id),
        lambda: change_channel(cleo, air.channel.id, arrangement=arrangement(air), values={}),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_change_keeps_the_secret_that_was_left_empty(air: Air) -> None:
    row = connect(air)
    change_channel(
        air.owner, row.id, arrangement=arrangement(air, name="Renamed"), values={**VALUES, "password": "", "port": ""}
    )
    changed = Channel.objects.select_related("connection").get(id=row.id)
    assert changed.name == "Renamed" and changed.settings["port"] == ""
    assert open_secrets(bytes(changed.connection.sealed_secrets)) == {"password": "hunter2-long"}
    assert not Audit.objects.filter(verb="channel_secret_changed").exists()
    change_channel(air.owner, row.id, arrangement=arrangement(air), values={**VALUES, "password": "new-one"})
    again = Channel.objects.select_related("connection").get(id=row.id)
    assert open_secrets(bytes(again.connection.sealed_secrets)) == {"password": "new-one"}
    assert Audit.objects.filter(verb="channel_secret_changed").count() == 1


def test_the_live_check_sees_typed_values_and_stored_secrets(air: Air) -> None:
    assert check_values(air.owner, "mailbox", VALUES).ok
    assert Mailbox.seen is not None and Mailbox.seen.account_key == "service@air.test"
    assert check_values(air.owner, "mailbox", {**VALUES, "password": "wrong"}).code == "login_refused"
    row = connect(air)
    assert check_values(air.owner, "mailbox", {**VALUES, "password": ""}, channel_id=row.id).ok
    assert check_channel(air.owner, row.id).ok


def test_a_check_that_hangs_ends_in_words(air: Air, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "CHECK_TIMEOUT_S", 1.2)
    found = check_values(air.owner, "mailbox", {**VALUES, "password": "slow"})
    assert (found.ok, found.code) == (False, "timeout")


def test_silence_is_watched_from_the_first_moment_and_not_while_held(air: Air) -> None:
    Channel.objects.filter(id=air.channel.id).update(settings={"silent_after_s": 600})
    armed = Clock.objects.filter(kind=SILENCE_CLOCK, subject_id=air.channel.id, fired_at__isnull=True)
    hold_channel(air.owner, air.channel.id)
    assert not armed.exists()
    resume_channel(air.owner, air.channel.id)
    assert armed.count() == 1
    switch_off(air.owner, air.channel.id)
    assert not armed.exists()
    switch_on(air.owner, air.channel.id)
    assert armed.count() == 1


def test_holding_and_resuming_are_told_once(air: Air) -> None:
    hold_channel(air.owner, air.channel.id, " maintenance ")
    hold_channel(air.owner, air.channel.id, "again")
    row = Channel.objects.get(id=air.channel.id)
    assert row.held_at is not None and row.held_reason == "maintenance"
    resume_channel(air.owner, air.channel.id)
    assert Channel.objects.get(id=air.channel.id).held_at is None
    whats = [event.facts["what"] for event in Event.objects.filter(kind="channel.changed").order_by("n")]
    assert whats == ["held", "resumed"]
    assert list(Audit.objects.order_by("id").values_list("verb", flat=True)) == ["channel_held", "channel_resumed"]


class Introducing(Mailbox):
    """A platform that says who the account is and takes a hook address."""

    slug = "introducing"
    hooks: list[str] = []

    async def introduce(self, channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
        if channel.secrets["password"] == "wrong":
            raise ChannelError("login_refused", "No such password.", unauthorised=True)
        self.hooks.append(hook_url)
        who = "9" if channel.secrets["password"] == "another" else "7"
        return Introduced(account_key=who, handle="@air", settings={"limit": 500}, secrets={"hook_secret": "made"})


def test_the_platform_says_who_the_account_is_and_its_word_is_kept(air: Air) -> None:
    registry.add_for_tests(Introducing())
    introduced = checking.introduce_values(air.owner, "introducing", VALUES, hook_token="tok")
    made = connect_channel(
        air.owner, network_slug="introducing", arrangement=arrangement(air), values=VALUES,
        introduced=introduced, hook_token="tok",
    )  # fmt: skip
    row = Channel.objects.get(id=made.channel_id)
    assert (row.account_key, row.handle, row.settings["limit"]) == ("7", "@air", 500)
    assert open_secrets(row.connection.sealed_secrets) == {"password": VALUES["password"], "hook_secret": "made"}
    assert made.hook_path == "/hooks/introducing/tok" and Introducing.hooks[-1].endswith("/hooks/introducing/tok")
    again = checking.introduce_channel(air.owner, row.id)
    keep_introduction(air.owner, row.id, again)
    assert Introducing.hooks[-1].endswith("/hooks/introducing/tok")


def test_secrets_of_another_account_are_no_change_of_this_one(air: Air) -> None:
    registry.add_for_tests(Introducing())
    introduced = checking.introduce_values(air.owner, "introducing", VALUES, hook_token="tok")
    made = connect_channel(
        air.owner, network_slug="introducing", arrangement=arrangement(air), values=VALUES, introduced=introduced
    )
    with pytest.raises(Conflict):
        keep_introduction(air.owner, made.channel_id, Introduced(account_key="9"))


def test_a_refused_introduction_raises_what_the_platform_said_and_needs_the_right_to_manage(air: Air) -> None:
    registry.add_for_tests(Introducing())
    with pytest.raises(ChannelError):
        checking.introduce_values(air.owner, "introducing", {**VALUES, "password": "wrong"}, hook_token="tok")
    with pytest.raises(Forbidden):
        checking.introduce_values(air.ana, "introducing", VALUES, hook_token="tok")
