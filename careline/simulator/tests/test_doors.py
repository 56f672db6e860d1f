"""The control door is for loopback and JSON; the wall shows what was said and runs nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from careline.simulator.behaviour import Behaviour
from careline.simulator.running import start
from careline.simulator.tests.client import Client

APP = {
    "id": "app",
    "hook_url": "http://127.0.0.1:9/hook",
    "hook_secret": "whsec_c2VjcmV0",
    "token": "t",
    "accounts": [{"key": "aurora", "name": "Aurora Air", "handle": "@aurora"}],
}
AS_APP = {"authorization": "Bearer t"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    world = start(tmp_path / "ledger.sqlite3", behaviour=Behaviour(pushes=False))
    one = Client(world.port)
    assert one.post("/control/apps", json=APP).status_code == 200
    yield one
    world.stop()


def post(client: Client, text: str = "hola", **more: object) -> dict[str, str]:
    said = {"account": "aurora", "author": "u_marta", "name": "Marta Ruiz", "handle": "@martarg", "text": text}
    answer = client.post("/control/posts", json=said | more)
    assert answer.status_code == 200
    return dict(answer.json())


def kinds(client: Client) -> list[str]:
    return [event["kind"] for event in client.get("/control/ledger").json()["events"]]


def test_every_act_makes_its_event(client: Client) -> None:
    said = post(client)
    acts = {
        "replies": {"thread": said["thread"], "author": "u_otro", "name": "Otro", "text": "a mí también"},
        "dms": {"account": "aurora", "author": "u_marta", "text": "en privado"},
        "own-posts": {"account": "aurora", "text": "Nueva ruta"},
        "edits": {"message": said["id"], "text": "hola!"},
        "reactions": {"message": said["id"], "author": "u_otro", "emoji": "❤️"},
        "receipts": {"message": said["id"], "state": "read"},
        "typing": {"thread": "dm_aurora_u_marta", "author": "u_marta"},
        "views": {"thread": said["thread"], "views": 99},
        "novelties": {"account": "aurora"},
        "deletions": {"message": said["id"]},
        "revocations": {"app": "app"},
    }
    for name, body in acts.items():
        assert client.post(f"/control/{name}", json=body).status_code == 200, name
    expected = ["message.created"] * 4 + ["message.edited", "reaction.changed", "receipt.changed", "typing.shown"]
    assert kinds(client) == [*expected, "views.counted", "hologram.opened", "message.deleted", "access.revoked"]


def test_a_page_elsewhere_can_say_nothing_here(client: Client) -> None:
    form = client.post("/control/posts", content=b"{}", headers={"content-type": "text/plain"})
    renamed = client.post("/control/posts", json={}, headers={"host": "evil.example"})
    assert (form.status_code, renamed.status_code) == (415, 403)
    assert kinds(client) == []


def test_malformed_orders_are_refused(client: Client) -> None:
    assert client.post("/control/posts", json={"text": 7}).status_code == 400
    assert client.post("/control/edits", json={"message": "m_none", "text": "x"}).status_code == 404
    assert client.post("/control/stories", json={"story": "song"}).status_code == 409


def test_an_outage_answers_503_and_takes_nothing(client: Client) -> None:
    thread = post(client)["thread"]
    client.post("/control/behaviour", json={"is_away": True, "pushes": False})
    new = {"account": "aurora", "place": "reply", "text": "hola", "client_key": "k", "thread": thread}
    assert client.post("/api/messages", json=new, headers=AS_APP).status_code == 503
    client.post("/control/behaviour", json={"pushes": False})
    assert client.post("/api/messages", json=new, headers=AS_APP).status_code == 201
    assert [one["origin"] for one in client.get("/control/ledger").json()["messages"]] == ["customer", "api"]


def test_a_planned_fault_happens_once_and_is_noted(client: Client) -> None:
    thread = post(client)["thread"]
    client.post("/control/faults", json={"kind": "rate_limit", "retry_after": "3"})
    new = {"account": "aurora", "place": "reply", "text": "hola", "client_key": "k", "thread": thread}
    first = client.post("/api/messages", json=new, headers=AS_APP)
    second = client.post("/api/messages", json=new, headers=AS_APP)
    assert (first.status_code, first.headers["retry-after"], second.status_code) == (429, "3", 201)
    assert [one["outcome"] for one in client.get("/control/ledger").json()["requests"]] == ["rate_limit", "taken"]


def test_an_app_without_its_token_gets_nothing(client: Client) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic t"}):
        assert client.get("/api/me", headers=headers).status_code == 401


def test_an_app_cannot_touch_what_others_said(client: Client) -> None:
    said = post(client)
    assert client.request("PATCH", f"/api/messages/{said['id']}", json={"text": "x"}, headers=AS_APP).status_code == 403
    assert client.delete(f"/api/messages/{said['id']}", headers=AS_APP).status_code == 403


def test_what_an_app_does_to_a_message_shows_on_the_wall_and_goes_again(client: Client) -> None:
    ours = client.post("/control/own-posts", json={"account": "aurora", "text": "Vuelos a Lima"}).json()
    comment = {"thread": ours["thread"], "author": "u_marta", "name": "Marta Ruiz", "text": "Vaya precios"}
    said = client.post("/control/replies", json=comment).json()
    address = f"/api/messages/{said['id']}"
    for path, shown in (("hiding", "<i>hidden</i>"), ("liking", "liked by the account")):
        assert client.post(f"{address}/{path}", json={}, headers=AS_APP).status_code == 200
        assert shown in client.get("/").text
        assert client.delete(f"{address}/{path}", headers=AS_APP).status_code == 200
        assert shown not in client.get("/").text
    assert client.post(f"{address}/reactions", json={"emoji": "🙏"}, headers=AS_APP).status_code == 200
    assert "🙏" in client.get("/").text


def test_the_wall_runs_nothing_of_what_was_said(client: Client) -> None:
    post(client, "<script>alert(1)</script><img src=x onerror=alert(2)>", name="<b>Marta</b>")
    page = client.get("/")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "<b>Marta" not in page.text.replace('<b dir="auto">', "")
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_the_wall_says_simulated_and_shows_our_answer_marked(client: Client) -> None:
    thread = post(client)["thread"]
    new = {"account": "aurora", "place": "reply", "text": "Hola Marta", "client_key": "k", "thread": thread}
    client.post("/api/messages", json=new, headers=AS_APP)
    page = client.get("/").text
    assert "SIMULATED" in page
    assert page.index("line careline") < page.index("Hola Marta")
    assert "Hola Marta" in client.get(f"/threads/{thread}").text


def test_the_wall_is_sent_again_only_when_something_changed(client: Client) -> None:
    post(client)
    first = client.get("/wall")
    assert client.get("/wall", headers={"if-none-match": first.headers["etag"]}).status_code == 304
    post(client, "otra vez")
    assert client.get("/wall", headers={"if-none-match": first.headers["etag"]}).status_code == 200


def test_a_deleted_message_is_shown_as_deleted(client: Client) -> None:
    said = post(client, "mi DNI es 12345678Z")
    client.post("/control/deletions", json={"message": said["id"]})
    page = client.get("/").text
    assert "12345678Z" not in page
    assert "deleted" in page
