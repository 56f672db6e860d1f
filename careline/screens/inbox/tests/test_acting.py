"""What the desk does: each resource changes the case, says so, gives the way back, and refuses whom it must."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from careline.cases.models import Case, CaseField, Draft
from careline.conftest import DM, Air, hear, make_case, make_identity
from careline.files.storing import prepare_file, save_files
from careline.kit import clock
from careline.outbox.models import Delivery
from careline.people.models import Person
from careline.screens.conftest import Desk
from careline.threads.models import Attachment, Message
from careline.workspaces.sight import Viewer


def thread_of(case: Case) -> str:
    return str(Message.objects.filter(case_id=case.id, thread__isnull=False).order_by("id")[0].thread_id)


def reply(case: Case, text: str = "Here they are", **more: object) -> dict[str, object]:
    return {"thread": thread_of(case), "text": text, "mode": "public", **more}


def test_a_reply_is_held_for_its_seconds_and_comes_back_whole(air: Air, marta_case: Case) -> None:
    desk = Desk(air.ana)
    done = desk.do(f"cases/{marta_case.number}/replies", reply(marta_case))
    assert 0 < done["undo_s"] <= 8
    back = desk.do(f"deliveries/{done['delivery']}", method="DELETE")
    assert back["text"] == "Here they are"
    assert Delivery.objects.get().state == "cancelled"


def test_the_same_click_twice_is_one_message(air: Air, marta_case: Case) -> None:
    desk = Desk(air.ana)
    first, second = (
        desk.do(f"cases/{marta_case.number}/replies", reply(marta_case, client_key="k1")) for _ in range(2)
    )
    assert first["message"] == second["message"] and Delivery.objects.count() == 1


def test_a_reply_over_something_new_is_stopped_and_sent_when_meant(air: Air, marta_case: Case) -> None:
    desk = Desk(air.ana)
    marta_case.refresh_from_db()
    seen = marta_case.version
    hear(marta_case, air.channel, air.marta_identity, "Never mind!")
    refused = desk.ask("POST", f"cases/{marta_case.number}/replies", reply(marta_case, seen=seen))
    assert (refused.status_code, json.loads(refused.content)["code"]) == (409, "changed_since_seen")
    desk.do(f"cases/{marta_case.number}/replies", reply(marta_case, seen=seen, override=True))
    assert Delivery.objects.count() == 1


def test_a_refusal_names_its_field(air: Air, marta_case: Case) -> None:
    refused = json.loads(
        Desk(air.ana).ask("POST", f"cases/{marta_case.number}/replies", reply(marta_case, "x" * 300)).content
    )
    assert refused["code"] == "text_too_long" and refused["field"] == "text" and "20" in refused["message"]


def test_a_body_that_is_not_what_the_page_sends_is_refused_in_words(air: Air, marta_case: Case) -> None:
    desk = Desk(air.ana)
    wrong = desk.ask("POST", f"cases/{marta_case.number}/replies", {"thread": 7, "text": "x", "mode": "loud"})
    assert wrong.status_code == 422 and json.loads(wrong.content)["field"]
    broken = desk.client.post(
        desk.base + f"cases/{marta_case.number}/tags", "{", "application/json", headers={"Accept": "application/json"}
    )
    assert broken.status_code == 400


def test_a_trainee_may_answer_privately_but_not_in_public(air: Air, marta_case: Case) -> None:
    desk = Desk(air.tom)
    assert desk.ask("POST", f"cases/{marta_case.number}/replies", reply(marta_case)).status_code == 403
    desk.do(f"cases/{marta_case.number}/replies", reply(marta_case, mode="private"))


def test_a_file_goes_out_under_its_own_name(air: Air, marta_case: Case, settings: object, tmp_path: object) -> None:
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    prepared = prepare_file(air.workspace.id, b"\x89PNG\r\n\x1a\n" + b"0" * 40, "plane.png")
    file_id = next(iter(save_files([prepared]).values()))
    Desk(air.ana).do(
        f"cases/{marta_case.number}/notes",
        {"text": "see", "files": [str(file_id)], "names": ["../../plane\u202egnp.png"]},
    )
    assert Attachment.objects.get().name == "planegnp.png"


def test_a_note_names_a_colleague_who_is_told(air: Air, marta_case: Case) -> None:
    Desk(air.ana).do(f"cases/{marta_case.number}/notes", {"text": "Please look, @Ben"})
    ben = Desk(air.ben)
    seen = json.loads(ben.get("notices", Accept="application/json").content)
    assert seen["unseen"] == 1 and "Ana asks you in case" in seen["newest"][0]["words"]
    assert "Ana asks you in case" in ben.page("notices")
    assert ben.do("notices/seen", {"number": marta_case.number})["unseen"] == 0


def test_closing_and_its_delete_and_its_undo(air: Air, marta_case: Case) -> None:
    desk = Desk(air.ana)
    desk.do(f"cases/{marta_case.number}/closing", {"outcome": "heard"})
    marta_case.refresh_from_db()
    assert (marta_case.state, marta_case.outcome) == ("done", "heard")
    opened = desk.do(f"cases/{marta_case.number}/closing", method="DELETE")
    marta_case.refresh_from_db()
    assert marta_case.state == "open"
    assert desk.do(f"acts/{opened['act']}/undo")["cases"] == [marta_case.number]
    marta_case.refresh_from_db()
    assert marta_case.state == "done"


def test_taking_giving_and_moving(air: Air, marta_case: Case) -> None:
    desk = Desk(air.ana)
    path = f"cases/{marta_case.number}/assignment"
    desk.do(path, {"take": True})
    marta_case.refresh_from_db()
    assert marta_case.assignee_id == air.ana.agent_id
    desk.do(path, {"agent": str(air.ben.agent_id)})
    desk.do(path, {"team": str(air.loyalty.id)})
    marta_case.refresh_from_db()
    assert (marta_case.team_id, marta_case.assignee_id) == (air.loyalty.id, None)
    assert desk.ask("POST", path, {}).status_code in {404, 422}


def test_snoozing_until_a_time_and_waiting_for_the_customer(air: Air, marta_case: Case) -> None:
    desk = Desk(air.ana)
    until = clock.now() + timedelta(hours=3)
    desk.do(f"cases/{marta_case.number}/snooze", {"until": until.isoformat()})
    marta_case.refresh_from_db()
    assert (marta_case.state, marta_case.snoozed_until) == ("waiting", until)
    desk.do(f"cases/{marta_case.number}/snooze", {"reason": "customer"})
    marta_case.refresh_from_db()
    assert marta_case.waiting_reason == "customer"
    assert desk.ask("POST", f"cases/{marta_case.number}/snooze", {"until": "2020-01-01T00:00"}).status_code == 422


def test_tags_fields_title_and_harm(air: Air, marta_case: Case) -> None:
    CaseField.objects.create(workspace_id=air.workspace.id, key="booking", label="Booking", pattern="[A-Z]{3}")
    desk = Desk(air.ana)
    desk.do(f"cases/{marta_case.number}/tags", {"add": ["Points", "gold"]})
    desk.do(f"cases/{marta_case.number}/tags", {"remove": ["gold"]})
    desk.do(f"cases/{marta_case.number}/fields", {"values": {"booking": "ABC"}, "title": "Miles", "is_harm": True})
    marta_case.refresh_from_db()
    assert marta_case.tags == ["points"] and marta_case.fields == {"booking": "ABC"}
    assert marta_case.title == "Miles" and marta_case.is_harm
    refused = desk.ask("POST", f"cases/{marta_case.number}/fields", {"values": {"booking": "1"}})
    assert (refused.status_code, json.loads(refused.content)["field"]) == (422, "booking")


def test_merging_joining_splitting_and_the_way_back(air: Air, marta_case: Case) -> None:
    desk = Desk(air.ana)
    second = make_case(air.channel, air.marta_identity, "and another thing")
    joined = desk.do(f"cases/{second.number}/join", {"other": marta_case.number})
    assert joined["number"] == marta_case.number
    assert "and another thing" in desk.fragment(f"cases/{marta_case.number}")
    desk.do(f"acts/{joined['act']}/undo")
    assert "and another thing" not in desk.fragment(f"cases/{marta_case.number}")
    hear(second, air.channel, air.marta_identity, "a third one")
    third = Message.objects.get(text="a third one")
    split = desk.ask("POST", f"cases/{second.number}/split", {"messages": [str(third.id)], "title": "Third"})
    assert split.status_code == 201 and "a third one" in desk.fragment(f"cases/{json.loads(split.content)['number']}")


def test_spam_closes_and_blocks_and_can_be_undone(air: Air, marta_case: Case) -> None:
    desk = Desk(air.ana)
    done = desk.do(f"cases/{marta_case.number}/block", {})
    assert Person.objects.get(id=air.marta.id).blocked_at is not None
    desk.do(f"acts/{done['act']}/undo")
    assert Person.objects.get(id=air.marta.id).blocked_at is None


def test_many_at_once_and_one_undo(air: Air) -> None:
    numbers = [make_case(air.channel, air.marta_identity, f"n{at}").number for at in range(3)]
    desk = Desk(air.ana)
    done = desk.do("bulk", {"verb": "close", "numbers": numbers, "outcome": "spam"})
    assert Case.objects.filter(state="done", outcome="spam").count() == 3 and "3" in done["words"]
    desk.do(f"acts/{done['act']}/undo")
    assert Case.objects.filter(state="open").count() == 3
    assert desk.ask("POST", "bulk", {"verb": "explode", "numbers": numbers}).status_code == 422


def test_a_draft_comes_back_with_the_case_and_only_to_its_writer(air: Air, marta_case: Case) -> None:
    assert (
        Desk(air.ana).ask("POST", f"cases/{marta_case.number}/drafts", {"mode": "public", "text": "Half"}).status_code
        == 204
    )
    assert '"drafts":{"public":"Half"}' in Desk(air.ana).fragment(f"cases/{marta_case.number}")
    assert "Half" not in Desk(air.ben).fragment(f"cases/{marta_case.number}")
    Desk(air.ana).ask("POST", f"cases/{marta_case.number}/drafts", {"mode": "public", "text": ""})
    assert not Draft.objects.exists()


def test_a_failed_one_is_tried_again_and_an_unknown_one_is_settled(air: Air, marta_case: Case) -> None:
    desk = Desk(air.ana)
    desk.do(f"cases/{marta_case.number}/replies", reply(marta_case))
    delivery = Delivery.objects.get()
    Delivery.objects.update(state="failed")
    desk.do(f"deliveries/{delivery.id}/attempts")
    assert Delivery.objects.get().state == "queued"
    Delivery.objects.update(state="unknown")
    desk.do(f"deliveries/{delivery.id}/outcome", {"was_sent": True})
    assert Delivery.objects.get().state == "sent"


def test_a_letter_begins_a_case_of_its_writer(air: Air) -> None:
    desk = Desk(air.ana)
    body = {"channel": str(air.channel.id), "to": ["new@example.org"], "subject": "Hello", "text": "We found your bag"}
    answer = desk.ask("POST", "letters", body)
    assert answer.status_code == 201
    assert Case.objects.get().assignee_id == air.ana.agent_id
    refused = desk.ask("POST", "letters", {**body, "to": ["nowhere"]})
    assert (refused.status_code, json.loads(refused.content)["code"]) == (422, "address_wrong")


def test_snippets_speak_the_customers_language_and_fill_in_what_is_known(air: Air, marta_case: Case) -> None:
    from careline.knowledge.actions.snippets import add_snippet

    Case.objects.filter(id=marta_case.id).update(language="es")
    add_snippet(
        air.ben,
        shortcut="hi",
        name="Hi",
        texts={
            "en": "Hello {{person.first_name}}",
            "es": "Hola {{ person.first_name }}, soy {{agent.first_name}} de {{brand.name}}",
        },
    )
    found = json.loads(Desk(air.ana).get(f"snippets?case={marta_case.number}").content)
    assert found[0]["text"] == "Hola Marta, soy Ana de Air" and found[0]["missing"] == []
    without = json.loads(Desk(air.ana).get("snippets").content)
    assert without[0]["missing"] == ["person.first_name"]


WRITES = [
    ("POST", "cases/{n}/replies", {"thread": "1", "text": "x", "mode": "private"}),
    ("POST", "cases/{n}/notes", {"text": "x"}),
    ("POST", "cases/{n}/drafts", {"mode": "note", "text": "x"}),
    ("POST", "cases/{n}/closing", {}),
    ("DELETE", "cases/{n}/closing", {}),
    ("POST", "cases/{n}/assignment", {"take": True}),
    ("POST", "cases/{n}/snooze", {"reason": "customer"}),
    ("POST", "cases/{n}/tags", {"add": ["x"]}),
    ("POST", "cases/{n}/merge", {"into": 99}),
    ("POST", "cases/{n}/join", {"other": 99}),
    ("POST", "cases/{n}/split", {"messages": ["1"]}),
    ("POST", "cases/{n}/block", {}),
    ("POST", "cases/{n}/fields", {"title": "x"}),
    ("POST", "acts/{act}/undo", {}),
    ("DELETE", "deliveries/{delivery}", {}),
    ("POST", "deliveries/{delivery}/attempts", {}),
    ("POST", "deliveries/{delivery}/outcome", {"was_sent": True}),
    ("POST", "bulk", {"verb": "close", "numbers": "{n}"}),
    ("POST", "persons/{person}/name", {"name": "x"}),
    ("POST", "persons/{person}/join", {"other": "1"}),
    ("POST", "persons/{person}/block", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_cleo_changes_nothing_and_learns_nothing(
    air: Air, cleo: Viewer, marta_case: Case, method: str, path: str, body: dict[str, object]
) -> None:
    mine = Desk(air.ana)
    act = mine.do(f"cases/{marta_case.number}/tags", {"add": ["a"]})["act"]
    delivery = mine.do(f"cases/{marta_case.number}/replies", reply(marta_case))["delivery"]
    marta_case.refresh_from_db()
    place = path.format(n=marta_case.number, act=act, delivery=delivery, person=air.marta.id)
    sent = {key: [marta_case.number] if value == "{n}" else value for key, value in body.items()}
    for desk in (Desk(cleo), Desk(cleo, "air"), Desk(air.dora)):
        answer = desk.ask(method, place, sent)
        assert answer.status_code == 404, (place, answer.content)
    after = Case.objects.get(id=marta_case.id)
    assert after.version == marta_case.version


@pytest.mark.parametrize("verb", ["closing", "assignment", "snooze", "tags", "merge", "block", "fields", "replies"])
def test_an_analyst_reads_and_changes_nothing(air: Air, marta_case: Case, verb: str) -> None:
    bodies = {
        "assignment": {"take": True},
        "snooze": {"reason": "customer"},
        "tags": {"add": ["x"]},
        "merge": {"into": 99},
        "fields": {"title": "x"},
        "replies": reply(marta_case),
    }
    desk = Desk(air.iris)
    assert "Where are my miles?" in desk.page(f"cases/{marta_case.number}")
    assert desk.ask("POST", f"cases/{marta_case.number}/{verb}", bodies.get(verb, {})).status_code in {403, 404}


def test_resources_refuse_other_methods_and_posts_without_a_token(air: Air, marta_case: Case) -> None:
    desk = Desk(air.ana)
    assert desk.get(f"cases/{marta_case.number}/tags").status_code == 405
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.cookies = desk.client.cookies
    answer = strict.post(f"/w/air/cases/{marta_case.number}/closing", "{}", "application/json")
    assert answer.status_code == 403


def test_a_private_answer_to_a_public_word_stays_in_the_same_case(air: Air, marta_case: Case) -> None:
    Desk(air.ana).do(f"cases/{marta_case.number}/replies", reply(marta_case, "privately", mode="private"))
    message = Message.objects.get(text="privately")
    assert not message.is_public and message.surface == DM.name and message.case_id == marta_case.id


def test_other_peoples_cases_are_not_offered_for_joining(air: Air, marta_case: Case) -> None:
    other = make_identity(Person.objects.create(workspace_id=air.workspace.id, name="Otro"), "o-2")
    stranger = make_case(air.channel, other, "mine")
    answer = Desk(air.ana).ask("POST", f"cases/{marta_case.number}/join", {"other": stranger.number})
    assert (answer.status_code, json.loads(answer.content)["code"]) == (422, "not_same_person")
