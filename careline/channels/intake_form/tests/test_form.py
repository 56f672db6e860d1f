"""The intake form: what was typed becomes one note, and every wrong field is named."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careline.channels.base import ChannelError, ChannelView, ForeignPayload, Outgoing, Part, Said, Tools
from careline.channels.intake_form import NETWORK
from careline.channels.intake_form.forms import FormInput, FormRefused, check_form, form_input, part_from_form
from careline.channels.intake_form.who import Who, parse_who
from careline.kit import clock
from careline.kit.http import guarded_client

CHANNEL = ChannelView(3, 7, "intake_form", "desk", "Phone", "", {"region": "ES"}, {})


def form(**changes: object) -> FormInput:
    typed = {"id": "note-0001", "who": "600 111 222", "text": "Asks where her bag is."}
    return FormInput(**{**typed, **changes})


def said(typed: FormInput) -> Said:
    note = check_form(typed, region="ES", zone="Europe/Madrid", logged_by="Ana", agent_id=9)
    (happening,) = NETWORK.normalise(part_from_form(note, "desk"), CHANNEL)
    assert isinstance(happening, Said)
    return happening


def problems(typed: FormInput) -> dict[str, str]:
    with pytest.raises(FormRefused) as refused:
        check_form(typed, region="ES", zone="Europe/Madrid", logged_by="Ana")
    assert refused.value.field == refused.value.problems[0].field
    return {one.field: one.code for one in refused.value.problems}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("600 111 222", Who(phone="+34600111222")),
        ("0044 20 7946 0958", Who(phone="+442079460958")),
        ("+1 (650) 253-0000", Who(phone="+16502530000")),
        ("Marta@Example.com", Who(email="marta@example.com")),
        ("@martarg", Who(handle="@martarg")),
        ("Marta Ruiz", Who(name="Marta Ruiz")),
        (
            "Marta Ruiz, 600-111-222 <marta@example.com> @martarg",
            Who("Marta Ruiz", "+34600111222", "marta@example.com", "@martarg"),
        ),
        ("José Ángel Núñez-García", Who(name="José Ángel Núñez-García")),
        ("12345", Who(name="12345")),
        ("999999999999", Who(problem="phone_invalid")),
    ],
)
def test_one_field_tells_number_address_handle_and_name_apart(typed: str, found: Who) -> None:
    assert parse_who(typed, "ES") == found


def test_without_a_region_only_international_numbers_are_taken() -> None:
    assert parse_who("600 111 222", "").problem == "phone_invalid"
    assert parse_who("+34 600 111 222", "").phone == "+34600111222"


def test_two_fields_make_a_note_said_on_the_customers_behalf() -> None:
    one = said(form())
    assert one.on_behalf and one.surface == "call" and one.text == "Asks where her bag is."
    assert one.author.key == "phone:+34600111222"
    assert one.facts["logged_by"] == "Ana"


def test_a_number_proves_who_it_is_only_when_the_agent_verified_it() -> None:
    assert said(form()).author.proven_keys == ()
    assert said(form(is_verified=True)).author.proven_keys == (("phone", "+34600111222"),)
    assert said(form(who="Marta Ruiz", is_verified=True)).author.proven_keys == ()


def test_two_people_of_one_name_are_two_identities_and_one_number_is_one() -> None:
    assert said(form(who="Marta Ruiz")).author.key != said(form(who="Marta Ruiz", id="note-0002")).author.key
    assert said(form()).author.key == said(form(who="Marta +34 600111222", id="note-0002")).author.key


def test_the_same_note_sent_twice_is_one_event() -> None:
    note = check_form(form(), region="ES", zone="UTC", logged_by="Ana")
    with clock.travel(timedelta(seconds=30)):
        again = check_form(form(), region="ES", zone="UTC", logged_by="Ana")
    assert part_from_form(note, "desk").platform_event_id == part_from_form(again, "desk").platform_event_id


def test_optional_fields_are_kept_and_times_are_read_in_the_writers_zone() -> None:
    local = (clock.now() - timedelta(hours=30)).replace(hour=9, minute=30, second=0, microsecond=0, tzinfo=None)
    one = said(
        form(
            kind="counter",
            at=local.isoformat(timespec="minutes"),
            booking_reference="ABC123",
            call_back_at=(clock.now() + timedelta(hours=2)).isoformat(),
        )
    )
    assert one.surface == "counter" and one.facts["booking_reference"] == "ABC123"
    assert one.at.hour in {7, 8} and one.at.minute == 30
    assert clock.parse_iso(one.facts["call_back_at"]) > clock.now()


def test_every_wrong_field_is_named_at_once() -> None:
    wrong = form(
        id="x",
        who=" ",
        text="",
        kind="fax",
        at="yesterday",
        call_back_at="2001-01-01T10:00",
        booking_reference="x" * 81,
    )
    assert problems(wrong) == {
        "who": "missing",
        "at": "malformed",
        "call_back_at": "in_past",
        "kind": "unknown",
        "text": "missing",
        "booking_reference": "too_long",
        "id": "malformed",
    }


def test_times_from_the_future_or_long_gone_are_refused() -> None:
    far = clock.now() + timedelta(days=100)
    assert problems(form(at=far.isoformat(), call_back_at=far.isoformat())) == {
        "at": "in_future",
        "call_back_at": "too_far",
    }
    assert problems(form(at="1999-01-01T00:00")) == {"at": "too_old"}


def test_over_long_and_hostile_text_is_refused_or_kept_as_plain_words() -> None:
    assert problems(form(who="x" * 301, text="y" * 20_001)) == {"who": "too_long", "text": "too_long"}
    one = said(form(who="<script>alert(1)</script>", text="<img src=x onerror=alert(1)>\0"))
    assert one.author.name == "script>alert(1)</script"
    assert one.text == "<img src=x onerror=alert(1)>"


@given(st.text(max_size=120), st.text(max_size=120), st.text(max_size=30))
def test_whatever_is_typed_is_a_note_or_a_named_problem(who: str, text: str, at: str) -> None:
    try:
        note = check_form(form(who=who, text=text, at=at), region="ES", zone="Europe/Madrid", logged_by="Ana")
    except FormRefused as refused:
        assert {one.field for one in refused.problems} <= {"who", "text", "at"}
        return
    assert NETWORK.normalise(part_from_form(note, "desk"), CHANNEL)


def test_posted_fields_are_read_leniently() -> None:
    assert form_input({"who": "Marta", "is_verified": "on", "surprise": "x"}) == FormInput(
        who="Marta", is_verified=True
    )


def test_raw_bytes_of_something_else_are_foreign() -> None:
    with pytest.raises(ForeignPayload):
        NETWORK.normalise(Part("desk", "x", "x", b'{"id": 7}'), CHANNEL)


def test_a_call_cannot_be_answered_here() -> None:
    async def go() -> None:
        async with guarded_client() as client:
            with pytest.raises(ChannelError) as refused:
                await NETWORK.send(Outgoing(1, "k", 1, "call", 1, "note:x", "r", "hi", "human"), CHANNEL, Tools(client))
            assert refused.value.permanent and refused.value.code == "no_answer_here"

    asyncio.run(go())
    assert not any(surface.answer_here for surface in NETWORK.capabilities.surfaces)
    assert {surface.clock for surface in NETWORK.capabilities.surfaces} == {"log"}
