"""Settings as people use them: what is typed stays, refusals name their field, and everything done can be seen."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail

from careline.cases.clocks import policies_of
from careline.cases.models import Case, CaseField, Tag
from careline.channels.models import Channel
from careline.conftest import make_case, make_identity
from careline.intake.models import JournalRow
from careline.kit import clock
from careline.knowledge.models import Snippet
from careline.people.models import Person
from careline.screens.settings.forms import write_duration
from careline.screens.settings.tests.conftest import SignIn, make_channel
from careline.workspaces.models import Agent, Audit, Brand, Calendar, Installation, Invitation, Workspace
from careline.workspaces.tests.cast import Cast


def test_a_refused_form_names_its_field_and_keeps_every_word(cast: Cast, sign_in: SignIn) -> None:
    words = {"name": "Shop", "zone": "Europe/Madrid", "hours_0": "9-14", "hours_3": "14-9", "closed_days": "2027-12-24"}
    answer = sign_in(cast.olga).post("/w/air/settings/calendars/new", words)
    page = answer.content.decode()
    assert answer.status_code == 422 and not Calendar.objects.filter(name="Shop").exists()
    assert 'value="Shop"' in page and 'value="9-14"' in page and 'value="14-9"' in page and "2027-12-24" in page
    assert re.search(r'id="id_hours_3_error"><p class="problem"', page) and page.count('class="problem"') == 1


def test_the_same_refusal_speaks_spanish(cast: Cast, sign_in: SignIn) -> None:
    cast.olga.account.locale = "es"
    cast.olga.account.save()
    answer = sign_in(cast.olga).post("/w/air/settings/teams/new", {"name": ""})
    assert 'lang="es"' in answer.content.decode() and "Este campo es obligatorio" in answer.content.decode()


def test_entries_are_added_changed_and_removed(cast: Cast, sign_in: SignIn) -> None:
    olga = sign_in(cast.olga)
    assert olga.post("/w/air/settings/tags/new", {"name": "Miles", "color": "late"}).status_code == 302
    tag = Tag.objects.get()
    assert (tag.name, tag.color) == ("miles", "late")
    olga.post(f"/w/air/settings/tags/{tag.id}", {"name": "points", "color": ""})
    assert Tag.objects.get().name == "points"
    page = olga.post(f"/w/air/settings/tags/{tag.id}/removal", follow=True).content.decode()
    assert not Tag.objects.exists() and "Removed." in page and "Nothing here yet" in page


def test_a_renamed_tag_is_renamed_on_cases_that_carry_it(cast: Cast, channel: Channel, sign_in: SignIn) -> None:
    person = Person.objects.create(workspace_id=cast.workspace.id, name="Marta")
    case = make_case(channel, make_identity(person, "m"), tags=["niños", "other"])
    foreign = Case.objects.create(workspace_id=cast.elsewhere.id, number=1, person=person, channel_id=1, tags=["niños"])
    tag = Tag.objects.create(workspace_id=cast.workspace.id, name="niños")
    sign_in(cast.olga).post(f"/w/air/settings/tags/{tag.id}", {"name": "families", "color": ""})
    assert Case.objects.get(id=case.id).tags == ["families", "other"]
    assert Case.objects.get(id=foreign.id).tags == ["niños"]


def test_what_is_still_used_stays_and_says_why(cast: Cast, channel: Channel, sign_in: SignIn) -> None:
    page = sign_in(cast.olga).post(f"/w/air/settings/brands/{cast.brand.id}/removal", follow=True).content.decode()
    assert "A channel still speaks with this brand" in page and Brand.objects.filter(id=cast.brand.id).exists()


@pytest.mark.parametrize("pattern", ["[", "(a+)+", "x" * 201])
def test_a_dangerous_or_broken_pattern_is_refused(cast: Cast, sign_in: SignIn, pattern: str) -> None:
    answer = sign_in(cast.olga).post("/w/air/settings/fields/new", {"label": "Booking", "pattern": pattern})
    assert answer.status_code == 422 and not CaseField.objects.exists()


def test_a_snippet_knows_its_variables(cast: Cast, sign_in: SignIn) -> None:
    olga = sign_in(cast.olga)
    words = {
        "shortcut": "/Hello",
        "name": "Hello",
        "text_es": "Hola {{person.first_name}}",
        "text_en": "{{person.age}}",
    }
    answer = olga.post("/w/air/settings/snippets/new", words)
    assert answer.status_code == 422 and "person.age" in answer.content.decode()
    assert olga.post("/w/air/settings/snippets/new", {**words, "text_en": ""}).status_code == 302
    kept = Snippet.objects.get()
    assert (kept.shortcut, kept.texts) == ("hello", {"es": "Hola {{person.first_name}}"})


def test_clocks_are_typed_in_words_and_a_default_leaves_no_row(cast: Cast, sign_in: SignIn) -> None:
    olga = sign_in(cast.olga)
    words = {
        f"{name}_{column}": write_duration(getattr(policy, column))
        for name, policy in policies_of(cast.workspace.id).items()
        for column in ("first_target_s", "first_breach_s", "next_s")
    }
    assert olga.post("/w/air/settings/clocks", {**words, "email_first_target_s": "90 min"}).status_code == 302
    assert policies_of(cast.workspace.id)["email"].first_target_s == 5400
    assert policies_of(cast.elsewhere.id)["email"].first_target_s == 3600
    late = olga.post("/w/air/settings/clocks", {**words, "email_first_target_s": "2 d"})
    assert late.status_code == 422 and "The breach lies after the target" in late.content.decode()
    odd = olga.post("/w/air/settings/clocks", {**words, "public_next_s": "soon"})
    assert odd.status_code == 422 and 'value="soon"' in odd.content.decode()


def test_the_workspace_and_its_retention_are_two_forms_on_one_page(cast: Cast, sign_in: SignIn) -> None:
    olga = sign_in(cast.olga)
    olga.post("/w/air/settings/workspace", {"part": "workspace", "name": "Air Iberia", "locale": "es", "zone": "UTC"})
    days = {"keep_raw_days": 10, "keep_events_days": 5, "keep_sending_logs_days": 20, "keep_messages_days": ""}
    olga.post("/w/air/settings/workspace", {"part": "retention", **days})
    row = Workspace.objects.get(id=cast.workspace.id)
    assert (row.name, row.locale, row.keep_raw_days, row.keep_messages_days) == ("Air Iberia", "es", 10, None)
    refused = olga.post("/w/air/settings/workspace", {"part": "retention", **days, "keep_raw_days": 0})
    assert refused.status_code == 422 and 'value="Air Iberia"' in refused.content.decode()


def test_an_invitation_link_is_shown_once_and_mailed_when_mail_is_set_up(
    cast: Cast, sign_in: SignIn, settings: object
) -> None:
    olga = sign_in(cast.olga)
    page = olga.post("/w/air/settings/agents", {"email": "nora@air.test", "role": "agent"}).content.decode()
    link = re.search(r"http[^\"]+/join/[\w-]+", page)
    assert link is not None and "hand over this link yourself" in page and not mail.outbox
    assert link[0] not in olga.get("/w/air/settings/agents").content.decode()
    settings.MAIL_URL = "smtp://127.0.0.1:9"  # type: ignore[attr-defined]
    olga.post("/w/air/settings/agents", {"email": "nils@air.test", "role": "lead", "team_ids": [cast.team.id]})
    assert mail.outbox[0].to == ["nils@air.test"] and "/join/" in mail.outbox[0].body
    assert Invitation.objects.get(email="nils@air.test").team_ids == [cast.team.id]


def test_an_admin_is_not_offered_the_role_of_owner(cast: Cast, sign_in: SignIn) -> None:
    adam = sign_in(cast.adam)
    assert 'value="owner"' not in adam.get("/w/air/settings/agents").content.decode()
    assert adam.post("/w/air/settings/agents", {"email": "n@air.test", "role": "owner"}).status_code == 422
    assert adam.post(f"/w/air/settings/agents/{cast.ana.id}", {"role": "owner"}).status_code == 422
    assert Agent.objects.get(id=cast.ana.id).role == "agent"


def test_the_last_owner_reads_why_they_must_stay(cast: Cast, sign_in: SignIn) -> None:
    olga = sign_in(cast.olga)
    answer = olga.post(f"/w/air/settings/agents/{cast.olga.id}", {"role": "agent"})
    assert answer.status_code == 422 and "This is the last owner" in answer.content.decode()
    page = olga.post(f"/w/air/settings/agents/{cast.olga.id}/end", follow=True).content.decode()
    assert "This is the last owner" in page and Agent.objects.get(id=cast.olga.id).is_active


def test_names_are_shown_as_text_never_as_markup(cast: Cast, sign_in: SignIn, channel: Channel) -> None:
    evil = '"><script>alert(1)</script>'
    Agent.objects.filter(id=cast.ana.id).update(name=evil)
    Channel.objects.filter(id=channel.id).update(name=evil, last_error=evil, state="failing", alerted_at=clock.now())
    olga = sign_in(cast.olga)
    for page in (
        "settings/agents",
        "channels/",
        f"channels/{channel.id}/",
        "settings/teams/new",
        f"settings/agents/{cast.ana.id}",
    ):
        body = olga.get(f"/w/air/{page}").content.decode()
        assert "<script>alert" not in body and "&lt;script&gt;" in body, page


def test_a_profile_and_being_away_are_ones_own_affair(cast: Cast, sign_in: SignIn) -> None:
    ana = sign_in(cast.ana)
    words = {"name": "Ana G", "locale": "es", "zone": "", "languages": "es en", "signature": "A", "compact_rows": "on"}
    assert ana.post("/w/air/settings/profile", words).status_code == 302
    ana.post("/w/air/settings/availability", {"away": "on"})
    row = Agent.objects.get(id=cast.ana.id)
    assert (row.name, row.languages, row.compact_rows, row.shortcuts_on, row.is_away) == (
        "Ana G",
        ["es", "en"],
        True,
        False,
        True,
    )


def test_the_audit_log_can_be_narrowed_and_exported(cast: Cast, sign_in: SignIn) -> None:
    olga = sign_in(cast.olga)
    Agent.objects.filter(id=cast.olga.id).update(name="=cmd()")
    olga.post(f"/w/air/settings/agents/{cast.ana.id}", {"role": "lead"})
    page = olga.get("/w/air/settings/audit?verb=role_changed").content.decode()
    assert "changed the role of" in page and "Ana" in page
    assert "Nothing matches" in olga.get("/w/air/settings/audit?verb=agent_joined&before=x&agent=9e9").content.decode()
    csv = olga.get("/w/air/settings/audit.csv").content.decode()
    assert "role_changed" in csv and "'=cmd()" in csv and ",=cmd()" not in csv
    assert Audit.objects.filter(verb="audit_exported").count() == 1
    assert "role_changed" not in sign_in(cast.cleo).get("/w/rail/settings/audit.csv").content.decode()


def test_the_banner_names_a_troubled_channel_to_those_who_may_see_channels(
    cast: Cast, channel: Channel, sign_in: SignIn
) -> None:
    Channel.objects.filter(id=channel.id).update(state="unauthorised", alerted_at=clock.now())
    page = sign_in(cast.olga).get("/w/air/settings/profile").content.decode()
    assert "has lost its access" in page and "CARELINE_MAIL_URL" in page
    assert "has lost its access" not in sign_in(cast.ana).get("/w/air/settings/profile").content.decode()


def test_a_restored_copy_says_that_everything_is_held(cast: Cast, sign_in: SignIn) -> None:
    Installation.objects.update_or_create(id=1, defaults={"is_held": True})
    assert "careline resume" in sign_in(cast.olga).get("/w/air/channels/").content.decode()
    assert "careline resume" not in sign_in(cast.ana).get("/w/air/settings/profile").content.decode()


def test_the_channels_page_costs_the_same_for_one_and_for_many(
    cast: Cast, sign_in: SignIn, django_assert_max_num_queries: object
) -> None:
    for number in range(12):
        make_channel(cast.workspace, cast.brand, f"@air{number}")
    olga = sign_in(cast.olga)
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        page = olga.get("/w/air/channels/").content.decode()
    assert page.count('class="card channel-card') == 12


def test_a_channel_of_a_network_no_longer_installed_still_has_its_card(
    cast: Cast, channel: Channel, sign_in: SignIn
) -> None:
    Channel.objects.filter(id=channel.id).update(network="myspace")
    olga = sign_in(cast.olga)
    assert "no longer installed" in olga.get("/w/air/channels/").content.decode()
    assert olga.get(f"/w/air/channels/{channel.id}/").status_code == 200


def bury(cast: Cast, channel: Channel, key: str, ago: timedelta = timedelta(0)) -> JournalRow:
    return JournalRow.objects.create(
        workspace_id=cast.workspace.id, channel_id=channel.id, event_key=key, order_key="t", partition=1,
        raw=b"<script>raw</script>", state=2, reason="crashed", detail="normalise", received_at=clock.now() - ago,
    )  # fmt: skip


def test_a_raw_letter_is_a_download_that_no_browser_renders(cast: Cast, channel: Channel, sign_in: SignIn) -> None:
    letter = bury(cast, channel, "a")
    answer = sign_in(cast.adam).get(f"/w/air/dead-letters/{letter.id}")
    assert answer.content == b"<script>raw</script>" and answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and "no-store" in answer.headers["Cache-Control"]
    assert Audit.objects.filter(verb="dead_letter_revealed", agent_id=cast.adam.id).count() == 1


def test_letters_are_replayed_by_choice_and_by_range(cast: Cast, channel: Channel, sign_in: SignIn) -> None:
    chosen, old, new = bury(cast, channel, "a"), bury(cast, channel, "b", timedelta(days=2)), bury(cast, channel, "c")
    olga, path = sign_in(cast.olga), f"/w/air/channels/{channel.id}/replay"
    olga.post(path, {"letter": [chosen.id]})
    assert JournalRow.objects.get(id=chosen.id).state == JournalRow.NEW
    until = (clock.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    olga.post(path, {"last_at": until})
    assert JournalRow.objects.get(id=old.id).state == JournalRow.NEW
    assert JournalRow.objects.get(id=new.id).state == JournalRow.DEAD
    backwards = olga.post(path, {"first_at": "2027-01-02T00:00", "last_at": "2027-01-01T00:00"})
    assert backwards.status_code == 422 and "The end lies before the beginning" in backwards.content.decode()


def test_a_trace_can_be_asked_by_ids_with_slashes(cast: Cast, channel: Channel, sign_in: SignIn) -> None:
    bury(cast, channel, "evt/1?x=2")
    olga = sign_in(cast.olga)
    assert "crashed: normalise" in olga.get("/w/air/trace/", {"id": "evt/1?x=2"}).content.decode()
    answer = olga.get("/w/air/trace/", {"id": "unknown<b>"})
    assert (
        answer.status_code == 404
        and "Nothing in this workspace" in answer.content.decode()
        and "<b>" not in answer.content.decode().split("<main")[1].split("page-head")[0]
    )
