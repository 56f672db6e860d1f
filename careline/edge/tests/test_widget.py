"""The widget's door from outside, over HTTP: what a visitor may do, and what nobody may."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from careline.channels.webchat import inbound
from careline.channels.webchat.tests.building import SITE, channel, jwt
from careline.edge.doors import Frame
from careline.edge.hub import Hub
from careline.edge.tests.widget_house import KEY, House, MemoryDoor, NoDoors, journalled, running
from careline.edge.widget_limits import Limits, Pace
from careline.edge.widget_pages import FOLDER, asset, choose_language
from careline.errors import RateLimited
from careline.kit import clock

LOADER_LIMIT_BYTES, CHAT_LIMIT_BYTES = 5 * 1024, 40 * 1024
API = f"/widget/api/{KEY}"


@pytest.fixture
def house() -> Iterator[House]:
    with running(MemoryDoor()) as one:
        yield one


# ---- what the browser loads


def test_loader_and_chat_stay_within_their_budgets() -> None:
    with running(MemoryDoor()) as house:
        loader = house.call("GET", f"/widget/{KEY}.js", accept_encoding="gzip")
        page = house.call("GET", f"/widget/{KEY}/chat?host={SITE}")
    assert loader.headers["content-encoding"] == "gzip"
    assert b"public-key" in gzip.decompress(loader.body)
    assert len(loader.body) <= LOADER_LIMIT_BYTES
    chat = sum(
        len(asset(path.name).packed) for path in FOLDER.glob("*.*") if path.name not in {"loader.js", "chat.html"}
    )
    assert chat + len(gzip.compress(page.body)) <= CHAT_LIMIT_BYTES


def test_the_page_may_be_framed_by_the_listed_sites_only_and_runs_nothing_of_others(house: House) -> None:
    policy = house.call("GET", f"/widget/{KEY}/chat?host={SITE}").headers["content-security-policy"]
    assert f"frame-ancestors {SITE}" in policy and "default-src 'none'" in policy and "unsafe" not in policy


@pytest.mark.parametrize(
    ("host", "referer"),
    [
        ("https://evil.example", ""),
        ("", ""),
        (SITE, "https://evil.example/"),
        ("https://www.air.example.evil.example", ""),
        ("null", ""),
    ],
)
def test_the_page_is_refused_to_a_site_that_is_not_listed(house: House, host: str, referer: str) -> None:
    answer = house.call("GET", f"/widget/{KEY}/chat?host={host}", referer=referer)
    assert answer.status == 403 and answer.code == "origin_refused"


def test_unknown_keys_and_files_are_not_found(house: House) -> None:
    for path in (
        "/widget/nobody.js",
        f"/widget/nobody/chat?host={SITE}",
        "/widget/static/1/loader.js",
        "/widget/static/1/..%2fwidget.py",
    ):
        assert house.call("GET", path).status == 404


def test_the_page_names_no_other_host_and_every_file_it_names_exists(house: House) -> None:
    page = house.call("GET", f"/widget/{KEY}/chat?host={SITE}").body.decode()
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(named) > 10 and all(one.startswith("/widget/static/") for one in named)
    assert all(house.call("GET", one).status == 200 for one in named)
    sources = "".join(path.read_text() for path in FOLDER.glob("*.js"))
    assert set(re.findall(r"https?://[a-z][a-z0-9.]+", sources)) <= {"http://www.w3.org"}


def test_hostile_settings_stay_words_on_page_and_loader(house: House) -> None:
    hostile = '</script><script>alert(1)</script>"\u2028'
    house.door.channels[KEY] = channel(title=hostile, greeting_en=hostile, color="red}", side='"><x')
    page = house.call("GET", f"/widget/{KEY}/chat?host={SITE}").body.decode()
    loader = house.call("GET", f"/widget/{KEY}.js").body.decode()
    assert "<script>alert" not in page
    assert json.loads(re.search(r"const values = (\{.*?\});\n", loader).group(1))["side"] == "end"
    assert "\u2028" not in loader


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [
        ("", "es-ES,es;q=0.9,en;q=0.8", "es"),
        ("en", "es", "en"),
        ("fr", "fr,de;q=0.5,es;q=0.1", "es"),
        ("", "fr", "en"),
        ("", "", "en"),
    ],
)
def test_the_site_chooses_the_language_then_the_browser_then_english(wanted: str, accepted: str, language: str) -> None:
    assert choose_language(wanted, accepted) == language


def test_both_languages_have_every_word_with_the_same_values() -> None:
    found = {}
    for language in ("en", "es"):
        lines = (FOLDER / f"words_{language}.js").read_text().splitlines()
        found[language] = {
            match.group(1): match.group(2) or ""
            for line in lines
            if (match := re.match(r"  (\w+): (\([^)]*\) =>)?", line))
        }
    assert found["en"] == found["es"] and len(found["en"]) > 40
    modules = "".join(path.read_text() for path in FOLDER.glob("*.js") if path.name != "loader.js")
    assert set(re.findall(r"words\.(\w+)", modules)) <= found["en"].keys()


# ---- speaking


def test_a_message_is_in_the_journal_before_it_is_answered_and_once_however_often_sent(house: House) -> None:
    token = house.session()["token"]
    for _ in range(3):
        answer = house.say(
            token, "  ¿Dónde está mi maleta?  ", page=f"{SITE}/bags?secret=1#x", email="marta@example.com"
        )
        assert answer.status == 200 and answer.json["client_id"] == "client-0001"
    (spoken,) = journalled(house.door)
    assert (spoken.text, spoken.page, spoken.email) == ("¿Dónde está mi maleta?", f"{SITE}/bags", "marta@example.com")


def test_a_full_journal_is_said_with_503_so_that_the_browser_keeps_the_message(house: House) -> None:
    token = house.session()["token"]
    house.door.is_full = True
    assert house.say(token).status == 503
    house.door.is_full = False
    assert house.say(token).status == 200 and len(journalled(house.door)) == 1


def test_a_proven_user_of_the_site_speaks_with_proven_keys(house: House) -> None:
    token = jwt({"sub": "c-4", "email": "marta@example.com", "name": "Marta Ruiz"})
    session = house.session(user={"token": token})
    assert session["has_email"]
    house.say(session["token"], name="Somebody else")
    (spoken,) = journalled(house.door)
    assert spoken.name == "Marta Ruiz" and spoken.proven == (("customer", "c-4"), ("email", "marta@example.com"))


def test_a_wrong_proof_opens_no_session(house: House) -> None:
    opening = {"page": house.page_ticket(), "user": {"id": "c-4", "hash": "0" * 64}}
    assert house.call("POST", f"{API}/session", opening).status == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"client_id": "client-0001", "text": "   "}, 422),
        ({"client_id": "client-0001", "text": "x" * 8001}, 422),
        ({"client_id": "short", "text": "x"}, 422),
        ({"client_id": "a b c d e f g h", "text": "x"}, 422),
        ({"client_id": "client-0001", "text": "x", "surprise": 1}, 422),
        ({"client_id": "client-0001", "text": "x", "email": "no address"}, 422),
        ({"client_id": "client-0001", "text": "x", "website": "http://buy.example"}, 422),
        ({"client_id": "client-0001", "text": 7}, 422),
        ({"client_id": "client-0001", "files": ["x"] * 6}, 422),
        ({"client_id": "client-0001", "files": ["forged.ticket"]}, 401),
        ([], 422),
        (b"\xff", 400),
        (b"[" * 60_000, 422),
        (b" " * 65_537, 413),
    ],
)
def test_what_cannot_be_a_message_is_refused_and_not_kept(house: House, body: object, status: int) -> None:
    token = house.session()["token"]
    answer = house.call("POST", f"{API}/messages", body, authorization=f"Bearer {token}")
    assert answer.status == status and not house.door.journal


def test_script_in_every_field_is_kept_as_words(house: House) -> None:
    script = "<script>alert(1)</script>"
    token = house.session()["token"]
    assert house.say(token, script, name=script, page=f"javascript:{script}").status == 200
    (spoken,) = journalled(house.door)
    assert (spoken.text, spoken.name, spoken.page) == (script, script, SITE)


def test_files_are_put_aside_and_travel_whole_with_their_message(house: House) -> None:
    bearer = f"Bearer {house.session()['token']}"
    kept = house.call("POST", f"{API}/files?name=bag.txt", b"a bag", authorization=bearer)
    assert kept.status == 201
    saying = {"client_id": "client-0001", "files": [kept.json["file"]]}
    assert house.call("POST", f"{API}/messages", saying, authorization=bearer).status == 200
    (spoken,) = journalled(house.door)
    assert [(file.name, file.content) for file in spoken.files] == [("bag.txt", b"a bag")]


def test_a_file_uploaded_by_one_visitor_cannot_be_sent_by_another(house: House) -> None:
    marta, other = house.session()["token"], house.session()["token"]
    ticket = house.call("POST", f"{API}/files?name=x", b"secret", authorization=f"Bearer {marta}").json["file"]
    assert house.say(other, files=[ticket]).code == "upload_foreign"


def test_empty_and_over_large_files_are_refused(house: House) -> None:
    bearer = f"Bearer {house.session()['token']}"
    assert house.call("POST", f"{API}/files?name=x", b"", authorization=bearer).code == "file_empty"
    assert (
        house.call(
            "POST", f"{API}/files?name=x", b"x", authorization=bearer, content_length=str(11 * 1024 * 1024)
        ).status
        == 413
    )


# ---- who may


@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer x", "Bearer a.b", "Basic abc", "Bearer " + "x" * 5000])
def test_without_a_visitors_token_nothing_opens(house: House, token: str) -> None:
    for method, path in (
        ("POST", "messages"),
        ("GET", "messages"),
        ("GET", "stream"),
        ("POST", "files"),
        ("POST", "receipts"),
        ("POST", "address"),
        ("POST", "typing"),
    ):
        assert house.call(method, f"{API}/{path}", {} if method == "POST" else None, authorization=token).status == 401


def test_a_token_of_another_channel_opens_nothing_here(house: House) -> None:
    token = house.session("other-key", "https://sea.example")["token"]
    assert house.say(token).status == 401
    assert (
        house.call("POST", f"{API}/session", {"page": house.page_ticket("other-key", "https://sea.example")}).status
        == 401
    )


@pytest.mark.parametrize("origin", ["https://evil.example", SITE, "null", "http://127.0.0.1:1", ""])
def test_another_sites_page_cannot_use_the_api_even_with_a_token(house: House, origin: str) -> None:
    token = house.session()["token"]
    answer = house.call(
        "POST",
        f"{API}/messages",
        {"client_id": "client-0001", "text": "x"},
        authorization=f"Bearer {token}",
        origin=origin,
    )
    assert answer.status == 403 and not house.door.journal
    assert (
        house.call("GET", f"{API}/messages", authorization=f"Bearer {token}", sec_fetch_site="cross-site").status == 403
    )


def test_a_site_taken_off_the_list_is_shut_out_at_once(house: House) -> None:
    token = house.session()["token"]
    page = house.page_ticket()
    house.door.channels[KEY] = channel(origins="https://new.example")
    assert house.say(token).status == 403
    assert house.call("POST", f"{API}/session", {"page": page}).status == 403


def test_a_page_ticket_is_over_after_half_a_day(house: House) -> None:
    page = house.page_ticket()
    with clock.travel(timedelta(hours=13)):
        answer = house.call("POST", f"{API}/session", {"page": page})
    assert answer.status == 401 and answer.code == "ticket_over"


def test_a_visitor_sees_only_their_own_thread(house: House) -> None:
    marta, other = house.session()["token"], house.session()["token"]
    house.say(marta, "mine alone")
    mine = house.call("GET", f"{API}/messages", authorization=f"Bearer {marta}").json["messages"]
    theirs = house.call("GET", f"{API}/messages", authorization=f"Bearer {other}").json["messages"]
    assert [one["message"]["text"] for one in mine] == ["mine alone"] and theirs == []
    house.door.uploads[1] = b"<script>"
    assert house.call("GET", f"{API}/files/1", authorization=f"Bearer {other}").status == 404


def test_a_file_is_handed_out_as_bytes_no_browser_runs(house: House) -> None:
    token = house.session()["token"]
    house.say(token)
    house.door.uploads[1] = b"<script>alert(1)</script>"
    answer = house.call("GET", f"{API}/files/1", authorization=f"Bearer {token}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert (
        answer.headers["content-disposition"].startswith("attachment")
        and "sandbox" in answer.headers["content-security-policy"]
    )
    assert "<" not in answer.headers["content-disposition"]


# ---- hearing


def thread_of(house: House) -> str:
    return next(key for _, key in house.door.threads)


def test_an_answer_reaches_the_stream_with_its_number_and_the_stream_resumes_after_it(house: House) -> None:
    token = house.session()["token"]
    house.say(token)
    with house.stream(token) as next_event:
        assert [one["message"]["client_id"] for one in next_event()[2]] == ["client-0001"]
        house.door.put(channel(), thread_of(house), "Ya la busco.", platform_id="answer:1")
        event, number, said = next_event()
        assert event == "messages" and said[0]["message"]["text"] == "Ya la busco."
    house.door.put(channel(), thread_of(house), "La tengo.", platform_id="answer:2")
    with house.stream(token, after=int(number)) as next_event:
        assert [one["message"]["text"] for one in next_event()[2]] == ["La tengo."]


def test_typing_of_an_agent_passes_without_a_number(house: House) -> None:
    token = house.session()["token"]
    house.say(token)
    with house.stream(token) as next_event:
        next_event()
        for ring in house.door.rings[(5, thread_of(house))]:
            ring("typing")
        assert next_event()[:2] == ("typing", "")


def test_streams_end_when_the_house_closes(house: House) -> None:
    token = house.session()["token"]
    with house.stream(token) as next_event:
        assert next_event()[0] == "messages"
        house.door.close()
        assert next_event()[0] == "end"
    assert not any(house.door.rings.values())


def test_streams_end_with_the_desks_own_streams_before_the_server_stops() -> None:
    door, hub = MemoryDoor(), Hub(NoDoors())
    with running(door, hub) as house:
        token = house.session()["token"]
        with house.stream(token) as next_event:
            assert next_event()[0] == "messages"
            hub.close()
            assert next_event()[0] == "end"


def test_an_agent_who_writes_a_private_answer_is_seen_typing_and_one_who_writes_a_note_is_not() -> None:
    door, hub = MemoryDoor(), Hub(NoDoors())
    with running(door, hub) as house:
        token = house.session()["token"]
        house.say(token)
        with house.stream(token) as next_event:
            next_event()
            for mode in ("note", "private"):
                said = json.dumps({"agent": "1", "name": "Ana", "case": "7", "typing": True, "mode": mode}).encode()
                house.in_loop(lambda said=said: hub.tell(7, Frame(0, "presence", "workspace", said)))
            assert next_event()[0] == "typing"
        assert door.typed_in == [7]


def test_receipts_are_taken_for_answers_shown_to_this_visitor_only(house: House) -> None:
    marta, other = house.session()["token"], house.session()["token"]
    house.say(marta)
    house.door.put(channel(), thread_of(house), "Ya la busco.", platform_id="answer:1")
    shown = house.call("GET", f"{API}/messages", authorization=f"Bearer {marta}").json["messages"][-1]
    receipt = {"state": "read", "seen": [{"id": shown["message"]["platform_id"], "receipt": shown["receipt"]}]}
    assert house.call("POST", f"{API}/receipts", receipt, authorization=f"Bearer {other}").code == "receipt_wrong"
    assert "read:answer:1" not in house.door.journal
    assert house.call("POST", f"{API}/receipts", receipt, authorization=f"Bearer {marta}").status == 204
    assert "read:answer:1" in house.door.journal
    assert inbound.receipt_tag(channel(), thread_of(house), "answer:1") == shown["receipt"]


def test_an_address_is_kept_after_the_first_message_and_must_be_one(house: House) -> None:
    token = house.session()["token"]
    bearer = f"Bearer {token}"
    assert house.call("POST", f"{API}/address", {"email": "marta@example.com"}, authorization=bearer).status == 404
    house.say(token)
    assert house.call("POST", f"{API}/address", {"email": "marta@example.com"}, authorization=bearer).status == 204
    assert house.door.addresses == {thread_of(house): "marta@example.com"}
    for wrong in ("", "marta", "a@b", "a@b.c d", "a@b.c,d@e.f", "x" * 250 + "@b.cd"):
        assert house.call("POST", f"{API}/address", {"email": wrong}, authorization=bearer).status == 422


def test_earlier_messages_come_page_by_page(house: House) -> None:
    session = house.session()
    house.say(session["token"])
    for number in range(40):
        house.door.put(channel(), thread_of(house), str(number), platform_id=f"answer:{number}")
    newest = house.session(tokens=session["tokens"])
    assert newest["has_earlier"] and len(newest["messages"]) == 30
    oldest = newest["messages"][0]["message"]["id"]
    earlier = house.call("GET", f"{API}/messages?before={oldest}", authorization=f"Bearer {newest['token']}").json
    assert [one["message"]["text"] for one in earlier["messages"]] == ["Hola", *map(str, range(10))] and not earlier[
        "has_earlier"
    ]
    for wrong in ("x", "-1", "9" * 30, "%EF%BC%91"):
        assert (
            house.call(
                "GET",
                f"{API}/messages?before={wrong}",
                authorization=f"Bearer {newest['token']}",
            ).status
            == 400
        )


# ---- pace


def test_one_visitor_who_floods_is_slowed_and_others_are_not(house: House) -> None:
    flood, calm = house.session()["token"], house.session()["token"]
    answers = [house.say(flood, client_id=f"client-{number:04}") for number in range(25)]
    assert answers[-1].status == 429 and int(answers[-1].headers["retry-after"]) >= 1
    assert len(journalled(house.door)) == 20
    assert house.say(calm).status == 200


def test_a_bucket_refills_and_old_ones_are_forgotten() -> None:
    now_s = 0.0
    limits = Limits(lambda: now_s)
    limits.check("a", Pace(1, 0.5))
    with pytest.raises(RateLimited) as refused:
        limits.check("a", Pace(1, 0.5))
    assert refused.value.retry_after_s == 2.0
    now_s = 2.0
    limits.check("a", Pace(1, 0.5))


def test_the_forwarded_address_counts_only_from_a_trusted_proxy(house: House) -> None:
    token = house.session()["token"]
    for number in range(3):
        house.call("POST", f"{API}/typing", {}, authorization=f"Bearer {token}", x_forwarded_for=f"10.0.0.{number}")
    house.door.trusted_proxies = frozenset({"127.0.0.1"})
    body = {"page": house.page_ticket()}
    statuses = [house.call("POST", f"{API}/session", body, x_forwarded_for="198.51.100.7").status for _ in range(122)]
    assert statuses[-1] == 429 and statuses[0] == 200
    assert house.call("POST", f"{API}/session", body, x_forwarded_for="198.51.100.8").status == 200
