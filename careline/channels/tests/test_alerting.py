"""A channel's health: three failures, silence, lost access; the owners are told once and told of the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core import mail
from pytest_django import DjangoCaptureOnCommitCallbacks

from careline.channels import alerting
from careline.channels.alerting import Alert, record_contact, record_failure, record_unauthorised
from careline.channels.models import Channel
from careline.clocks.firing import fire_due
from careline.clocks.models import Clock
from careline.conftest import Air
from careline.events.models import Event
from careline.events.recording import unit_of_work
from careline.kit import clock

Capture = DjangoCaptureOnCommitCallbacks


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Alert]]:
    """Alerts as they leave the house."""
    heard: list[Alert] = []
    monkeypatch.setattr(alerting, "_listeners", [heard.append])
    yield heard


def state(air: Air) -> str:
    return Channel.objects.get(id=air.channel.id).state


def changes() -> list[str]:
    return [event.facts["what"] for event in Event.objects.filter(kind="channel.changed").order_by("n")]


def test_one_failure_alarms_nobody(air: Air, told: list[Alert], django_capture_on_commit_callbacks: Capture) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        record_failure(air.channel.id, "unreachable")
    assert state(air) == "active" and told == [] and changes() == []
    assert Channel.objects.get(id=air.channel.id).last_error == "unreachable"


def test_the_third_failure_in_a_row_alerts_once(
    air: Air, told: list[Alert], django_capture_on_commit_callbacks: Capture
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(7):
            record_failure(air.channel.id, "unreachable", "ConnectError")
    assert state(air) == "failing"
    assert [(alert.trouble, alert.error_code) for alert in told] == [("failing", "unreachable")]
    assert changes() == ["failing"]


def test_a_contact_between_failures_starts_the_count_again(air: Air, told: list[Alert]) -> None:
    for _ in range(2):
        record_failure(air.channel.id, "unreachable")
        record_failure(air.channel.id, "unreachable")
        record_contact(air.channel.id)
    assert state(air) == "active"


def test_lost_access_alerts_at_once_and_stays_until_a_contact(
    air: Air, told: list[Alert], django_capture_on_commit_callbacks: Capture
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        record_unauthorised(air.channel.id, "login_refused")
        record_failure(air.channel.id, "unreachable")
        record_unauthorised(air.channel.id, "login_refused")
    assert state(air) == "unauthorised"
    assert [alert.trouble for alert in told] == ["unauthorised"]
    with django_capture_on_commit_callbacks(execute=True):
        record_contact(air.channel.id, received=True)
    row = Channel.objects.get(id=air.channel.id)
    assert (row.state, row.fail_count, row.last_error, row.alerted_at) == ("active", 0, "", None)
    assert [alert.trouble for alert in told] == ["unauthorised", "recovered"]
    assert changes() == ["unauthorised", "recovered"]


def test_a_second_incident_is_told_again(
    air: Air, told: list[Alert], django_capture_on_commit_callbacks: Capture
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        record_unauthorised(air.channel.id, "revoked")
        record_contact(air.channel.id)
        record_unauthorised(air.channel.id, "revoked")
    assert [alert.trouble for alert in told] == ["unauthorised", "recovered", "unauthorised"]


def test_a_recovery_nobody_was_told_to_expect_is_not_told(
    air: Air, told: list[Alert], django_capture_on_commit_callbacks: Capture
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        record_failure(air.channel.id, "unreachable")
        record_contact(air.channel.id)
    assert told == []


def test_a_held_or_switched_off_channel_alarms_nobody(
    air: Air, told: list[Alert], django_capture_on_commit_callbacks: Capture
) -> None:
    Channel.objects.filter(id=air.channel.id).update(held_at=clock.now())
    with django_capture_on_commit_callbacks(execute=True):
        record_unauthorised(air.channel.id, "revoked")
    Channel.objects.filter(id=air.channel.id).update(held_at=None, state="off")
    with django_capture_on_commit_callbacks(execute=True):
        record_unauthorised(air.channel.id, "revoked")
    assert told == [] and state(air) == "off"


def test_failures_inside_a_unit_of_work_are_part_of_it(air: Air, told: list[Alert]) -> None:
    with pytest.raises(RuntimeError), unit_of_work() as work:
        record_unauthorised(air.channel.id, "revoked", work=work)
        raise RuntimeError
    assert state(air) == "active" and told == []


def test_a_quiet_channel_costs_no_write_for_each_message(air: Air) -> None:
    record_contact(air.channel.id, received=True)
    first = Channel.objects.get(id=air.channel.id).last_in_at
    record_contact(air.channel.id, received=True)
    assert Channel.objects.get(id=air.channel.id).last_in_at == first
    with clock.travel(timedelta(seconds=16)):
        record_contact(air.channel.id, received=True)
    assert Channel.objects.get(id=air.channel.id).last_in_at != first


def test_silence_is_found_by_its_clock_and_ends_with_the_next_word(
    air: Air, told: list[Alert], django_capture_on_commit_callbacks: Capture
) -> None:
    Channel.objects.filter(id=air.channel.id).update(settings={"silent_after_s": 3600})
    record_contact(air.channel.id, received=True)
    with clock.travel(timedelta(minutes=59)), django_capture_on_commit_callbacks(execute=True):
        fire_due()
    assert state(air) == "active"
    with clock.travel(timedelta(minutes=61)), django_capture_on_commit_callbacks(execute=True):
        fire_due()
        assert state(air) == "silent"
        fire_due()
        record_contact(air.channel.id, received=True)
    assert state(air) == "active"
    assert [alert.trouble for alert in told] == ["silent", "recovered"]


def test_a_network_that_declares_no_silence_has_no_clock(air: Air) -> None:
    record_contact(air.channel.id, received=True)
    assert not Clock.objects.filter(kind=alerting.SILENCE_CLOCK).exists()


def test_owners_are_mailed_in_their_language_and_nobody_else(
    air: Air, settings: object, django_capture_on_commit_callbacks: Capture
) -> None:
    from careline.workspaces.models import Account

    settings.MAIL_URL = "smtp://127.0.0.1:9"  # type: ignore[attr-defined]
    Account.objects.filter(id=air.owner.account_id).update(locale="es")
    with django_capture_on_commit_callbacks(execute=True):
        record_unauthorised(air.channel.id, "login_refused", "secret-ish detail")
    owner = Account.objects.get(id=air.owner.account_id)
    assert [message.to for message in mail.outbox] == [[owner.email]]
    assert f"/w/air/channels/{air.channel.id}/" in mail.outbox[0].body
    assert "secret-ish" not in mail.outbox[0].body
