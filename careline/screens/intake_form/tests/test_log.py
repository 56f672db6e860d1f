"""Writing down a call: two fields, one note, the person's timeline; and a partner's link that opens nothing else."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client

from careline.cases.models import Case
from careline.channels.models import Channel, Connection
from careline.conftest import Air
from careline.intake.digest import digest_pending
from careline.intake.models import JournalRow
from careline.kit import clock
from careline.people.models import Identity, PersonKey
from careline.threads.models import Message
from careline.workspaces.models import Account, Audit, Brand
from careline.workspaces.sight import Viewer

NOTE = {"id": "note-000000001", "who": "Marta Ruiz 600 111 222", "text": "Her bag did not arrive.", "kind": "phone"}


@pytest.fixture
def desk(air: Air) -> Channel:
    connection = Connection.objects.create(workspace=air.workspace, network="intake_form", name="Phone")
    brand, _ = Brand.objects.get_or_create(workspace=air.workspace, name="Air")
    return Channel.objects.create(
        workspace=air.workspace, connection=connection, network="intake_form", account_key="desk", name="Phone", brand=brand,
        team=air.care, settings={"region": "ES"},
    )  # fmt: skip


def signed_in(viewer: Viewer) -> Client:
    client = Client()
    client.force_login(Account.objects.get(id=viewer.account_id))
    return client


def log(viewer: Viewer, **fields: str) -> tuple[int, str]:
    answer = signed_in(viewer).post("/w/air/log", {**NOTE, **fields}, follow=True)
    return answer.status_code, unescape(answer.content.decode())


def test_two_fields_put_a_call_into_the_persons_timeline_and_the_queue(air: Air, desk: Channel) -> None:
    status, page = log(air.ana)
    assert status == 200 and "Kept." in page
    digest_pending()
    message, case = Message.objects.get(), Case.objects.get()
    assert (message.text, message.author_name, message.facts["logged_by"]) == (NOTE["text"], "Marta Ruiz", "Ana")
    assert case.state == "open" and case.team_id == air.care.id and message.case_id == case.id
    page = signed_in(air.ana).get("/w/air/log?kept=note:note-000000001").content.decode()
    assert f"/w/air/cases/{case.number}" in page


def test_the_same_form_sent_twice_is_one_note(air: Air, desk: Channel) -> None:
    log(air.ana)
    log(air.ana, text="the same click again")
    digest_pending()
    assert JournalRow.objects.count() == 1 and Message.objects.get().text == NOTE["text"]


def test_a_verified_number_belongs_to_the_person_who_has_it(air: Air, desk: Channel) -> None:
    PersonKey.objects.create(workspace_id=air.workspace.id, kind="phone", value="+34600111222", person=air.marta)
    log(air.ana, is_verified="on")
    digest_pending()
    assert Identity.objects.get(key="phone:+34600111222").person_id == air.marta.id


def test_an_unverified_number_links_nothing_until_a_later_call_verifies_it_and_then_it_is_suggested(
    air: Air, desk: Channel
) -> None:
    PersonKey.objects.create(workspace_id=air.workspace.id, kind="phone", value="+34600111222", person=air.marta)
    log(air.ana, id="note-000000002", who="600 111 222")
    digest_pending()
    identity = Identity.objects.get(key="phone:+34600111222")
    assert identity.person_id != air.marta.id and not identity.links.filter(is_suggestion=True).exists()
    log(air.ana, is_verified="on")
    digest_pending()
    assert identity.links.get(is_suggestion=True).person_id == air.marta.id


def test_every_wrong_field_is_named_and_what_was_typed_stays(air: Air, desk: Channel) -> None:
    status, page = log(air.ana, who="999999999999", text="", call_back_at="2001-01-01T10:00", booking_reference="AB<1>")
    assert status == 422 and not JournalRow.objects.exists()
    for words in ("This phone number cannot be dialled", "Write down what the customer said.", "This has passed."):
        assert words in page
    assert 'value="999999999999"' in page and 'value="AB<1>"' in page and 'value="note-000000001"' in page
    assert 'aria-describedby="problem-who hint-who"' in page


def test_script_typed_into_the_form_comes_back_as_words(air: Air, desk: Channel) -> None:
    answer = signed_in(air.ana).post("/w/air/log", {**NOTE, "who": '"><script>alert(1)</script>', "text": ""})
    assert b"<script>alert(1)" not in answer.content and answer.status_code == 422


def test_a_booking_reference_stands_in_the_cases_fields(air: Air, desk: Channel) -> None:
    log(air.ana, booking_reference="ABC123")
    digest_pending()
    assert Case.objects.get().fields["booking_reference"] == "ABC123"


def test_only_teams_that_hold_the_desk_may_log_to_it(air: Air, desk: Channel) -> None:
    assert "Nowhere to log to yet" in signed_in(air.dora).get("/w/air/log").content.decode()
    assert log(air.dora)[0] == 404
    assert log(air.ben)[0] == 200
    assert signed_in(air.iris).get("/w/air/log").status_code == 403
    assert JournalRow.objects.count() == 1


def test_cleo_can_neither_open_the_page_nor_log_to_a_desk_of_air(air: Air, desk: Channel, cleo: Viewer) -> None:
    client = signed_in(cleo)
    assert client.get("/w/air/log").status_code == 404
    assert client.post("/w/air/log", NOTE).status_code == 404
    assert client.post("/w/sea/log", {**NOTE, "desk": str(desk.id)}).status_code == 404
    assert (
        client.post("/w/sea/log/partner-links", {"desk": str(desk.id), "partner": "x", "days": "9"}).status_code == 404
    )
    assert not JournalRow.objects.exists()


# ---- partners


def make_link(air: Air, desk: Channel, **fields: str) -> str:
    posted = {"desk": str(desk.id), "partner": "Gate 4", "days": "30", **fields}
    page = signed_in(air.owner).post("/w/air/log/partner-links", posted).content.decode()
    found = re.search(r"(/partner/\d+/[\w.-]+)</code>", page)
    return found.group(1) if found else page


def test_a_partner_logs_through_a_link_without_an_account(air: Air, desk: Channel) -> None:
    link = make_link(air, desk)
    client = Client(enforce_csrf_checks=True)
    page = client.get(link)
    text = page.content.decode()
    assert page.status_code == 200 and "Gate 4" in text and "/w/air" not in text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text).group(1)  # type: ignore[union-attr]
    posted = {**NOTE, "kind": "phone", "is_verified": "on", "csrfmiddlewaretoken": token}
    assert "It has arrived" in client.post(link, posted, follow=True).content.decode()
    digest_pending()
    message = Message.objects.get()
    assert (message.surface, message.facts["logged_by"]) == ("partner", "Gate 4")
    assert not PersonKey.objects.filter(kind="phone").exists()


def test_a_partners_mistake_is_named_and_kept(air: Air, desk: Channel) -> None:
    answer = Client().post(make_link(air, desk), {**NOTE, "who": ""})
    assert answer.status_code == 422 and NOTE["text"] in answer.content.decode()


def test_a_link_that_is_forged_over_ended_or_of_another_desk_opens_nothing(air: Air, desk: Channel) -> None:
    link = make_link(air, desk)
    other = Channel.objects.create(
        workspace=air.workspace, connection=desk.connection, network="intake_form", account_key="2", name="Two", brand=desk.brand
    )  # fmt: skip
    forged = link.rpartition(".")
    assert Client().get(f"{forged[0]}.{'A' if forged[2][0] != 'A' else 'B'}{forged[2][1:]}").status_code == 401
    assert Client().get(link.replace(f"/{desk.id}/", f"/{other.id}/")).status_code == 401
    assert Client().get("/partner/1/x").status_code == 404
    with clock.travel(timedelta(days=31)):
        assert Client().get(link).status_code == 401
    make_link(air, desk, end="1")
    assert Client().get(link).status_code == 401
    assert Client().get(make_link(air, desk)).status_code == 200
    Channel.objects.filter(id=desk.id).update(state="off")
    assert Client().get(link).status_code == 404
    assert list(Audit.objects.order_by("id").values_list("verb", flat=True)) == [
        "partner_link_made",
        "partner_links_ended",
        "partner_link_made",
    ]


def test_only_who_manages_channels_makes_links(air: Air, desk: Channel) -> None:
    posted = {"desk": str(desk.id), "partner": "Gate 4", "days": "30"}
    assert "Links for partners" not in signed_in(air.ana).get("/w/air/log").content.decode()
    assert signed_in(air.ana).post("/w/air/log/partner-links", posted).status_code == 403
    assert "Enter between 1 and 400 days." in make_link(air, desk, days="0")
    assert "Enter the partner" in make_link(air, desk, partner=" ")
