"""Secrets that renew themselves: one task at a time, stored before use; owners hear a week before an end nobody else can mend."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks

from careline.channels import alerting
from careline.channels.access import open_secrets, seal_secrets, view_of
from careline.channels.alerting import Alert
from careline.channels.base import ChannelView, Renewed, renew_in_memory
from careline.channels.models import Connection
from careline.channels.renewing import END_CLOCK, keep_renewed, renew_and_keep
from careline.clocks import leases
from careline.clocks.firing import fire_due
from careline.clocks.models import Clock
from careline.conftest import Air
from careline.kit import clock

spent: list[str] = []


def sealed(air: Air, **secrets: str) -> ChannelView:
    Connection.objects.filter(channels=air.channel).update(sealed_secrets=seal_secrets(secrets))
    return view_of(air.channel.id)


async def rotate(present: ChannelView) -> Renewed:
    """A platform whose refresh tokens work once."""
    old = present.secrets["refresh"]
    assert old not in spent, "a refresh token was spent twice"
    spent.append(old)
    await asyncio.sleep(0.05)
    return Renewed({"refresh": f"{old}+", "access": f"for {old}"})


@pytest.fixture(autouse=True)
def fresh() -> None:
    spent.clear()


@pytest.mark.django_db(transaction=True)
def test_ten_tasks_that_find_the_token_over_renew_it_once_and_all_go_on_with_the_stored_one(air: Air) -> None:
    channel = sealed(air, refresh="r", password="p")

    async def all_at_once() -> list[ChannelView]:
        return await asyncio.gather(*(renew_and_keep(channel, rotate) for _ in range(10)))

    views = async_to_sync(all_at_once)()
    assert spent == ["r"]
    assert {view.secrets["access"] for view in views} == {"for r"}
    assert view_of(air.channel.id).secrets == {"refresh": "r+", "access": "for r", "password": "p"}


@pytest.mark.django_db(transaction=True)
def test_a_renewal_under_way_in_another_process_is_waited_for(air: Air) -> None:
    channel = sealed(air, refresh="r")
    leases.take([f"renewal:{air.channel.connection_id}"], lasts_s=0.4, owner="another")
    keep_renewed(air.channel.id, Renewed({"refresh": "theirs"}))
    assert async_to_sync(renew_and_keep)(channel, rotate).secrets == {"refresh": "theirs"}
    assert spent == []


@pytest.mark.django_db(transaction=True)
def test_a_failed_renewal_leaves_the_secrets_and_lets_the_next_one_try(air: Air) -> None:
    channel = sealed(air, refresh="r")

    async def refused(present: ChannelView) -> Renewed:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        async_to_sync(renew_and_keep)(channel, refused)
    assert async_to_sync(renew_and_keep)(channel, rotate).secrets["refresh"] == "r+"
    connection.close()


def test_an_account_not_yet_connected_renews_in_memory() -> None:
    channel = ChannelView(0, 1, "testnet", "k", "n", "h", {}, {"refresh": "r", "password": "p"})
    assert async_to_sync(renew_in_memory)(channel, rotate).secrets["access"] == "for r"
    assert async_to_sync(renew_and_keep)(channel, rotate_again).secrets["refresh"] == "r2"


async def rotate_again(present: ChannelView) -> Renewed:
    return Renewed({"refresh": "r2"})


@pytest.mark.django_db
def test_owners_hear_a_week_before_an_end_that_only_they_can_mend_and_once(
    air: Air, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    told: list[Alert] = []
    monkeypatch.setattr(alerting, "_listeners", [told.append])
    sealed(air, token="t")
    end_at = clock.now() + timedelta(days=60)
    keep_renewed(air.channel.id, Renewed({"token": "t2"}, end_at))
    row = Connection.objects.get(channels=air.channel)
    assert (row.secrets_end_at, open_secrets(row.sealed_secrets)) == (end_at, {"token": "t2"})
    with django_capture_on_commit_callbacks(execute=True), clock.travel(timedelta(days=52)):
        fire_due()
    assert told == []
    with django_capture_on_commit_callbacks(execute=True), clock.travel(timedelta(days=53, hours=1)):
        fire_due()
        fire_due()
    assert [(alert.trouble, alert.channel_id) for alert in told] == [("ending", air.channel.id)]


@pytest.mark.django_db
def test_a_renewal_that_mends_itself_stops_the_warning(air: Air) -> None:
    sealed(air, token="t")
    keep_renewed(air.channel.id, Renewed({"token": "t2"}, clock.now() + timedelta(days=60)))
    assert Clock.objects.filter(kind=END_CLOCK).exists()
    keep_renewed(air.channel.id, Renewed({"token": "t3"}))
    assert not Clock.objects.filter(kind=END_CLOCK).exists()
    assert Connection.objects.get(channels=air.channel).secrets_end_at is None
