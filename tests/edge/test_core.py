"""The desk behind the guard, in a real process: half posts, slow people, false headers, and what operators ask for."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest

from tests.edge.asking import Answer, ask, raw, spoken
from tests.edge.conftest import Door
from tests.edge.seeding import PASSWORD


class Desk:
    """Ana's browser: cookies and the CSRF token of the page."""

    def __init__(self, door: Door) -> None:
        self.port = door.port
        self.cookies: dict[str, str] = {}
        self.get("/accounts/login/")
        form = {"login": "ana@air.test", "password": PASSWORD, "csrfmiddlewaretoken": self.cookies["careline_csrf"]}
        answer = self._ask(
            "POST", "/accounts/login/", urlencode(form).encode(), {"content-type": "application/x-www-form-urlencoded"}
        )
        assert answer.status == 302, answer.body[-500:]

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None, {})

    def post(self, path: str, body: bytes) -> Answer:
        return self._ask("POST", path, body, self.headers())

    def headers(self) -> dict[str, str]:
        """What the page's own requests carry."""
        return {
            "content-type": "application/json",
            "accept": "application/json",
            "x-csrftoken": self.cookies["careline_csrf"],
            "cookie": self._cookie(),
            "x-requested-with": "XMLHttpRequest",
        }

    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        answer = ask(
            self.port,
            method,
            path,
            body,
            {**headers, "cookie": self._cookie(), "referer": f"http://127.0.0.1:{self.port}{path}"},
        )
        for name in re.findall(r"(?:^|, )(careline_\w+)=", answer.headers.get("set-cookie", "")):
            self.cookies[name] = SimpleCookie(
                answer.headers["set-cookie"][answer.headers["set-cookie"].index(f"{name}=") :]
            )[name].value
        return answer


@pytest.fixture(scope="module")
def desk(door: Door) -> Desk:
    return Desk(door)


@pytest.fixture(scope="module")
def case_number(door: Door) -> str:
    """A case of team care."""
    door.deliver(spoken("a case for notes", author="nora"))
    look = "from careline.cases.models import Case\nend = time.monotonic() + 20\nwhile not (found := Case.objects.filter(person_name='Nora').first()) and time.monotonic() < end: time.sleep(0.1)\nprint(found.number)"
    return door.look(look)


NOTES = "from careline.threads.models import Message\nprint(list(Message.objects.filter(direction='note').values_list('text', flat=True)))"


def test_a_post_cut_midway_never_reaches_the_core(door: Door, desk: Desk, case_number: str) -> None:
    """The very bytes of a whole note, once cut before the last ones, once whole."""
    path, headers = f"/w/air/cases/{case_number}/notes", desk.headers()
    whole = b'{"text": "half of a note"}' + b" " * 5000
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{door.port}\r\ncontent-length: {len(whole)}\r\n"
        + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        + "\r\n"
    )
    raw(door.port, head.encode() + whole[:-100], then=lambda link: time.sleep(0.2))
    assert desk.post(path, b'{"text": "a whole note"}').status == 201
    assert door.look(NOTES) == "['a whole note']"
    chunked = head.replace(f"content-length: {len(whole)}", "transfer-encoding: chunked")
    raw(door.port, chunked.encode() + b'1a\r\n{"text": "half of a note"}\r\n', then=lambda link: time.sleep(0.2))
    assert door.look(NOTES) == "['a whole note']"
    answered = raw(
        door.port,
        chunked.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n").encode()
        + b'1b\r\n{"text": "a chunked note 1"}\r\n0\r\n\r\n'.replace(
            b"1b", b"%x" % len(b'{"text": "a chunked note 1"}')
        ),
    )
    assert answered.startswith(b"HTTP/1.1 201")


@contextlib.contextmanager
def slow_senders(door: Door, number: int, path: str) -> Iterator[None]:
    """People on bad lines: each has sent half of a body."""
    links = [socket.create_connection(("127.0.0.1", door.port)) for _ in range(number)]
    try:
        for link in links:
            link.sendall(f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000\r\n\r\nhalf".encode())
        yield
    finally:
        for link in links:
            link.close()


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/w/air/cases/1/notes", "/hooks/simulated/x", "/w/air/files?ticket=x"]
)
def test_slow_senders_do_not_freeze_pages(door: Door, desk: Desk, path: str) -> None:
    with slow_senders(door, 30, path):
        began = time.monotonic()
        assert desk.get("/w/air/inbox").status == 200
        assert ask(door.port, "GET", "/accounts/login/").status == 200
        assert time.monotonic() - began < 8


def test_slow_readers_do_not_freeze_pages(door: Door, desk: Desk) -> None:
    """Each asked for pages on one connection and reads nothing."""
    request = f"GET /w/air/inbox HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: {desk._cookie()}\r\n\r\n".encode()
    links = []
    for _ in range(12):
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        link.connect(("127.0.0.1", door.port))
        link.sendall(request * 8)
        links.append(link)
    try:
        time.sleep(1)
        began = time.monotonic()
        assert desk.get("/w/air/inbox").status == 200
        assert time.monotonic() - began < 15
    finally:
        for link in links:
            link.close()


def test_many_slow_sign_ins_do_not_hold_up_the_desk(door: Door, desk: Desk) -> None:
    """A password is slow on purpose; it has a thread of its own."""
    form = urlencode(
        {
            "login": "nobody@air.test",
            "password": "wrong-wrong-wrong",
            "csrfmiddlewaretoken": desk.cookies["careline_csrf"],
        }
    ).encode()
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "cookie": f"careline_csrf={desk.cookies['careline_csrf']}",
        "referer": f"http://127.0.0.1:{door.port}/",
    }
    statuses: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: statuses.append(
                ask(door.port, "POST", "/accounts/login/", form, headers, timeout_s=60).status
            )
        )
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    assert desk.get("/w/air/inbox").status == 200
    assert time.monotonic() - began < 8
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 429} and 200 in statuses


def test_a_header_with_an_underscore_is_not_its_twin(door: Door, desk: Desk, case_number: str) -> None:
    """Without its real CSRF header a post is refused, whatever a header that sounds like it says."""
    headers = desk.headers()
    token = headers.pop("x-csrftoken")
    body = b'{"text": "forged"}'
    assert (
        ask(door.port, "POST", f"/w/air/cases/{case_number}/notes", body, {**headers, "x_csrftoken": token}).status
        == 403
    )
    assert (
        ask(
            door.port,
            "POST",
            f"/w/air/cases/{case_number}/notes",
            body,
            {**headers, "X_CSRFTOKEN": token, "HTTP_X_CSRFTOKEN": token},
        ).status
        == 403
    )
    assert "forged" not in door.look(NOTES)


def test_a_page_body_over_its_limit_is_413(door: Door, desk: Desk, case_number: str) -> None:
    assert desk.post(f"/w/air/cases/{case_number}/notes", b'{"text": "' + b"x" * 2_200_000 + b'"}').status == 413


def test_health_and_readiness_are_told_to_anybody(door: Door) -> None:
    assert (ask(door.port, "GET", "/healthz").status, ask(door.port, "GET", "/readyz").body) == (200, b"ready\n")
    assert ask(door.port, "HEAD", "/readyz").status == 200


def test_metrics_are_for_this_machine_and_say_no_names(door: Door) -> None:
    answer = ask(door.port, "GET", "/metrics")
    assert answer.status == 200 and b"careline_hook_deliveries_total" in answer.body
    assert b"nora" not in answer.body.lower() and door.hook().rsplit("/", 1)[1].encode() not in answer.body
    for name in ("x-forwarded-for", "x-real-ip", "forwarded", "via"):
        assert ask(door.port, "GET", "/metrics", headers={name: "127.0.0.1"}).status == 403


def test_with_a_token_metrics_are_for_its_bearer_alone(own_door: object) -> None:
    door = own_door(CARELINE_METRICS_TOKEN="let-me-see")  # type: ignore[operator]
    for headers in (
        {},
        {"authorization": "Bearer let-me-se"},
        {"authorization": "let-me-see"},
        {"authorization": "Bearer ñ"},
    ):
        assert (
            ask(
                door.port,
                "GET",
                "/metrics",
                headers={name: value.encode().decode("latin-1") for name, value in headers.items()},
            ).status
            == 403
        )
    assert (
        ask(
            door.port, "GET", "/metrics", headers={"authorization": "Bearer let-me-see", "x-forwarded-for": "6.6.6.6"}
        ).status
        == 200
    )


@pytest.mark.parametrize(
    "path",
    [
        "/static/../settings.py", "/static/%2e%2e/settings.py", "/static/..%2f..%2fsettings.py", "/static/%2e%2e%2f%2e%2e%2fdata%2fsecret.key", "/static/....//settings.py",
        "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/css/..\\..\\settings.py", "/static/js/%00", "/static/", "/static/css", "/static/css/",
    ],
)  # fmt: skip
def test_static_files_are_the_only_files(door: Door, path: str) -> None:
    answer = raw(door.port, f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n".encode())
    assert answer.split(b" ", 2)[1] in {b"404", b"400"}, answer[:300]
    assert b"SECRET_KEY" not in answer and b"root:" not in answer


def test_an_address_without_a_page_is_404_and_a_workspace_without_a_session_asks_to_sign_in(door: Door) -> None:
    assert ask(door.port, "GET", "/nothing-here").status == 404
    answer = ask(door.port, "GET", "/w/air/inbox")
    assert (answer.status, answer.headers["location"].startswith("/accounts/login/")) == (302, True)


def test_an_unexpected_error_says_nothing_of_inside(door: Door) -> None:
    for path in (
        "/files/%ff%fe",
        "/hooks/simulated/%00",
        "/w/%00/stream?ticket=x",
        "/w/air/cases/99999999999999999999",
        "/w/air/inbox?cursor=%00",
        "/w/air/list?cursor=eyJ9",
    ):
        answer = ask(door.port, "GET", path)
        assert answer.status < 500, path
        assert b"Traceback" not in answer.body and b"site-packages" not in answer.body


def test_no_secret_stands_in_the_log(door: Door) -> None:
    said = door.careline.log()
    secrets = [
        door.hook().rsplit("/", 1)[1],
        PASSWORD,
        *(agent["stream"] for agent in door.seeded["agents"].values()),
        door.seeded["files"]["air"]["photo.png"]["good"],
    ]
    assert not [secret for secret in secrets if secret in said]
    assert "a case for notes" not in said and "half of a note" not in said
