"""What the desk shows: page, list, rows, one case, its regions; and to whom."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from careline.cases.actions.assigning import assign_agent
from careline.cases.actions.closing import close_case
from careline.cases.actions.replying import write_reply
from careline.cases.models import Case
from careline.conftest import DM, LETTER, Air, hear, make_case, make_identity, make_thread, say
from careline.events.recording import last_number, unit_of_work
from careline.kit import clock
from careline.people.models import Person
from careline.screens.conftest import Desk
from careline.screens.inbox.case_views import SHOWN_MESSAGES
from careline.threads.models import Message
from careline.workspaces.sight import Viewer


def test_the_inbox_lists_the_teams_cases_with_score_public_and_clock(air: Air, marta_case: Case) -> None:
    page = Desk(air.ana).page("inbox?view=team")
    row = re.search(rf'<li class="row.*?id="case-{marta_case.id}".*?</li>', page, re.S)
    assert row is not None
    assert (
        "PUBLIC" in row[0] and "data-due=" in row[0] and 'class="score"' in row[0] and "Where are my miles?" in row[0]
    )
    assert f'href="/w/air/cases/{marta_case.number}"' in row[0]


def test_the_page_says_from_which_number_its_stream_misses_nothing(air: Air, marta_case: Case) -> None:
    page = Desk(air.ana).page("inbox?view=team")
    listed = json.loads(Desk(air.ana).get("list?view=team").content)
    assert f'data-n="{listed["n"]}"' in page


def test_what_happens_while_the_page_of_a_case_is_drawn_comes_by_its_stream(air: Air, marta_case: Case) -> None:
    happened: list[str] = []

    def interrupt(execute: Any, sql: str, *more: Any) -> Any:
        """Something is said right after the case's messages were read."""
        found = execute(sql, *more)
        if not happened and sql.startswith("SELECT") and "threads_message" in sql:
            happened.append(sql)
            with unit_of_work() as work:
                work.record_event(air.workspace.id, "case.changed", case_id=marta_case.id, facts={"what": "tagged"})
        return found

    with connection.execute_wrapper(interrupt):
        page = Desk(air.ana).page(f"cases/{marta_case.number}")
    shown = re.search(r'data-n="(\d+)"', page)
    assert happened and shown is not None
    assert int(shown[1]) < last_number(air.workspace.id)


def test_a_row_is_the_same_for_everyone_who_may_see_it(air: Air, marta_case: Case) -> None:
    assign_agent(air.ben, marta_case.number, air.ana.agent_id)
    pages = [Desk(viewer).page("inbox?view=all") for viewer in (air.ana, air.ben, air.owner)]
    rows = {re.search(rf'<li class="row[^>]*id="case-{marta_case.id}".*?</li>', page, re.S)[0] for page in pages}  # type: ignore[index]
    assert len(rows) == 1


def test_the_list_takes_the_same_number_of_statements_for_one_case_and_for_fifty(
    air: Air, marta_case: Case, django_assert_max_num_queries: object
) -> None:
    desk = Desk(air.ana)
    desk.get("list?view=team")
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        desk.get("list?view=team")
    for _ in range(60):
        make_case(air.channel, air.marta_identity)
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        page = json.loads(desk.get("list?view=team").content)
    assert page["rows"].count("<li ") == 50 and page["next"]


def test_pages_of_the_list_follow_each_other_without_gap_or_repeat(air: Air) -> None:
    for number in range(60):
        make_case(air.channel, air.marta_identity, f"Number {number}")
    desk = Desk(air.ana)
    first = json.loads(desk.get("list?view=team").content)
    second = json.loads(desk.get(f"list?view=team&cursor={first['next']}").content)
    numbers = re.findall(r'data-number="(\d+)"', first["rows"] + second["rows"])
    assert len(numbers) == len(set(numbers)) == 60 and second["next"] == ""


def test_filters_narrow_and_the_page_says_so(air: Air, marta_case: Case) -> None:
    make_case(air.channel, air.marta_identity, "privately", surface=DM)
    page = Desk(air.ana).page("inbox?view=team&public=0")
    assert "privately" in page and "Where are my miles?" not in page and "narrowed" in page


def test_an_unknown_view_is_not_found_in_words(air: Air) -> None:
    answer = Desk(air.ana).get("inbox?view=nonsense")
    assert answer.status_code == 404 and "There is no such view." in answer.content.decode()


def test_an_empty_view_says_what_to_do_next(air: Air) -> None:
    page = Desk(air.ana).page("inbox?view=mine")
    assert "Nothing waits for you" in page and "Open the team view" in page


def test_rows_gives_what_may_be_seen_and_names_what_is_gone(air: Air, marta_case: Case) -> None:
    secret = make_case(air.channel, air.marta_identity, "for loyalty only", team=air.loyalty)
    found = json.loads(Desk(air.ana).get(f"rows?ids={marta_case.id},{secret.id},12,x").content)
    assert list(found["rows"]) == [str(marta_case.id)] and set(found["gone"]) == {str(secret.id), "12"}


def test_a_case_shows_its_words_its_person_and_who_reads_an_answer(air: Air, marta_case: Case) -> None:
    page = Desk(air.ana).page(f"cases/{marta_case.number}?view=team")
    assert "Where are my miles?" in page and "@martarg" in page
    facts = json.loads(re.search(r"data-facts>(.*?)</script>", page, re.S)[1])  # type: ignore[index]
    assert [choice["mode"] for choice in facts["choices"]] == ["public", "private"]
    assert facts["choices"][0]["unit"] == "graphemes" and facts["choices"][0]["limit"] == 280
    assert facts["id"] == str(marta_case.id) and facts["version"] >= 1


def test_the_facts_say_whether_the_customer_has_our_answer(air: Air) -> None:
    thread = make_thread(air.channel, DM)
    case = make_case(air.channel, air.marta_identity, surface=DM, thread=thread)
    assert '"is_answered":false' in Desk(air.ana).page(f"cases/{case.number}")
    write_reply(air.ana, case.number, thread_id=thread.id, text="Here they are", mode="private")
    assert '"is_answered":true' in Desk(air.ana).page(f"cases/{case.number}")


def test_a_fragment_holds_the_regions_and_never_the_composer(air: Air, marta_case: Case) -> None:
    fragment = Desk(air.ana).fragment(f"cases/{marta_case.number}")
    assert re.findall(r'<template data-for="(\w+)">', fragment) == ["head", "timeline", "person", "facts"]
    assert "data-composer" not in fragment and "<html" not in fragment


@pytest.mark.parametrize("path", ["cases/{number}", "messages/{message}/html", "persons/{person}"])
def test_cleo_and_agents_of_other_teams_find_nothing(air: Air, cleo: Viewer, path: str) -> None:
    case = make_case(air.channel, air.marta_identity, "Not for Dora", team=air.care)
    message = Message.objects.get(case_id=case.id)
    place = path.format(number=case.number, message=message.id, person=air.marta.id)
    assert Desk(air.ana).get(place).status_code == 200
    assert Desk(air.dora).get(place).status_code == 404
    assert Desk(cleo, "air").get(place).status_code == 404
    assert Desk(cleo).get(place).status_code == 404


def test_a_bystander_is_folded_and_the_customers_words_are_not(air: Air, marta_case: Case) -> None:
    thread = Message.objects.get(case_id=marta_case.id).thread
    assert thread is not None
    other = make_identity(
        Person.objects.create(workspace_id=air.workspace.id, name="Otro"), "otro", handle="@otro", name="Otro"
    )
    say(thread, other, "Me too")
    fragment = Desk(air.ana).fragment(f"cases/{marta_case.number}")
    fold = re.search(r"<details class=\"fold\".*?</details>", fragment, re.S)
    assert fold is not None and "Me too" in fold[0] and "Where are my miles?" not in fold[0]


def _long_case(air: Air, case: Case, count: int) -> list[Message]:
    """`count` more messages, a second apart."""
    first = Message.objects.get(case_id=case.id)
    assert first.thread is not None
    return [
        say(first.thread, air.marta_identity, f"word {number}.", case=case, at=first.at + timedelta(seconds=1 + number))
        for number in range(count)
    ]


def _words(html: str) -> list[int]:
    return [int(found) for found in re.findall(r">word (\d+)\.<", html)]


def test_a_case_opens_with_its_newest_messages_and_offers_the_earlier_ones(air: Air, marta_case: Case) -> None:
    said = _long_case(air, marta_case, SHOWN_MESSAGES + 30)
    desk, address = Desk(air.ana), f"cases/{marta_case.number}"
    assert _words(desk.page(address)) == list(range(30, SHOWN_MESSAGES + 30))
    fragment = desk.fragment(address)
    assert _words(fragment) == list(range(30, SHOWN_MESSAGES + 30)) and 'data-do="earlier"' in fragment
    earlier = desk.get(f"{address}?before={said[30].id}", **{"X-Fragment": "earlier"}).content.decode()
    assert _words(earlier) == list(range(30)) and "Where are my miles?" in earlier.split("word 0.")[0]
    assert 'data-do="earlier"' not in earlier and "data-for=" not in earlier


def test_a_case_is_drawn_anew_as_far_back_as_it_is_on_screen(air: Air, marta_case: Case) -> None:
    said = _long_case(air, marta_case, SHOWN_MESSAGES + 30)
    fragment = Desk(air.ana).fragment(f"cases/{marta_case.number}?from={said[10].id}")
    assert _words(fragment) == list(range(10, SHOWN_MESSAGES + 30)) and 'data-do="earlier"' in fragment
    assert _words(Desk(air.ana).fragment(f"cases/{marta_case.number}?from=nothing"))[0] == 30


def test_earlier_messages_of_a_foreign_case_are_not_found(air: Air, cleo: Viewer, marta_case: Case) -> None:
    said = _long_case(air, marta_case, 3)
    answer = Desk(cleo).get(f"cases/{marta_case.number}?before={said[2].id}", **{"X-Fragment": "earlier"})
    assert answer.status_code == 404 and b"word" not in answer.content


def test_earlier_contacts_that_were_never_helped_stand_above_everything(air: Air) -> None:
    first = make_case(
        air.channel,
        air.marta_identity,
        "Called you on Tuesday",
        at=clock.now() - timedelta(days=2),
        title="Call on Tuesday",
    )
    solved = make_case(
        air.channel, air.marta_identity, "Solved long ago", at=clock.now() - timedelta(days=3), title="Old and solved"
    )
    close_case(air.ana, solved.number, "solved")
    now = make_case(air.channel, air.marta_identity, "Third time!")
    head = re.search(
        r'<template data-for="head">(.*?)</template>', Desk(air.ana).fragment(f"cases/{now.number}"), re.S
    )[1]  # type: ignore[index]
    assert "was not helped" in head and f"case {first.number}" in head and f"case {solved.number}" not in head


def test_what_strangers_write_is_shown_and_never_run(air: Air) -> None:
    case = make_case(
        air.channel, air.marta_identity, "<script>alert(1)</script> javascript:alert(1)", title="</script><b>x"
    )
    page = Desk(air.ana).page(f"cases/{case.number}")
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    facts = re.search(r"data-facts>(.*?)</script>", page, re.S)[1]  # type: ignore[index]
    assert "<" not in facts


def test_mail_html_is_cleaned_again_framed_and_allowed_nothing(air: Air) -> None:
    case = make_case(air.channel, air.marta_identity, "letter", surface=LETTER)
    message = Message.objects.get(case_id=case.id)
    Message.objects.filter(id=message.id).update(
        html="<p style='position:fixed;color:red'>Hi<script>x()</script><img src=cid:logo><a href='javascript:x()'>l</a><form action=/x></form>"
    )
    answer = Desk(air.ana).get(f"messages/{message.id}/html")
    body = answer.content.decode()
    assert "Hi" in body and "color:red" in body.replace(" ", "")
    assert not re.search(r"<script|javascript:|<form|position|cid:", body)
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_a_deleted_message_is_a_tombstone_and_its_html_is_gone(air: Air, marta_case: Case) -> None:
    message = Message.objects.get(case_id=marta_case.id)
    Message.objects.filter(id=message.id).update(text="", html="", deleted_at=clock.now())
    desk = Desk(air.ana)
    assert "The author deleted this message." in desk.fragment(f"cases/{marta_case.number}")
    assert desk.get(f"messages/{message.id}/html").status_code == 404


def test_each_state_of_a_delivery_says_what_it_means_and_what_can_be_done(air: Air, marta_case: Case) -> None:
    from careline.outbox.models import Delivery

    thread = Message.objects.get(case_id=marta_case.id).thread
    assert thread is not None
    write_reply(air.ana, marta_case.number, thread_id=thread.id, text="Found them", mode="public")
    desk = Desk(air.ana)
    wanted = {
        "held": "goes out in",
        "queued": "waiting to be sent",
        "sent": "sent",
        "unknown": "No, send it again",
        "failed": "Try again",
        "cancelled": "taken back",
    }
    for state, words in wanted.items():
        Delivery.objects.update(state=state)
        assert words in desk.fragment(f"cases/{marta_case.number}"), state


def test_search_finds_words_names_and_shows_nothing_of_other_teams(air: Air, marta_case: Case) -> None:
    make_case(air.channel, air.marta_identity, "secret miles", team=air.loyalty)
    page = Desk(air.ana).page("search?q=miles")
    assert "Where are my" in page and "secret" not in page
    quick = json.loads(Desk(air.ana).get("search?q=miles", Accept="application/json").content)
    assert [one["number"] for one in quick["cases"]] == [marta_case.number]


def test_the_page_speaks_spanish_where_the_account_does(air: Air, marta_case: Case) -> None:
    from careline.workspaces.models import Account

    Account.objects.filter(id=air.ana.account_id).update(locale="es")
    assert '<html lang="es"' in Desk(air.ana).page("inbox")


def test_choices_name_only_agents_who_work_on_cases(air: Air, cleo: Viewer) -> None:
    found = json.loads(Desk(air.ana).get("choices").content)
    names = {one["name"] for one in found["agents"]}
    assert {"Ana", "Ben", "Dora", "Tom"} <= names and not names & {"Iris", "Carl", "Cleo"}


def test_a_stranger_gets_no_tickets(air: Air) -> None:
    assert Client().get("/w/air/tickets", headers={"Accept": "application/json"}).status_code == 401
    assert set(json.loads(Desk(air.ana).get("tickets").content)) == {"stream", "upload"}


def test_hearing_more_changes_only_what_changed(air: Air, marta_case: Case) -> None:
    desk = Desk(air.ana)
    before = dict(
        re.findall(r'data-key="(message-\d+)" data-version="(\d+)"', desk.fragment(f"cases/{marta_case.number}"))
    )
    hear(marta_case, air.channel, air.marta_identity, "Hello?")
    after = dict(
        re.findall(r'data-key="(message-\d+)" data-version="(\d+)"', desk.fragment(f"cases/{marta_case.number}"))
    )
    assert before and before.items() <= after.items() and len(after) == len(before) + 1


def test_a_thread_made_elsewhere_does_not_leak_into_the_case(air: Air, marta_case: Case) -> None:
    say(make_thread(air.channel, DM), air.marta_identity, "another talk")
    assert "another talk" not in Desk(air.ana).fragment(f"cases/{marta_case.number}")
