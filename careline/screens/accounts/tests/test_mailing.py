"""System mail really arrives at a server, and says so when it cannot."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.core.mail import EmailMessage

from careline.screens.accounts import mailing
from careline.screens.accounts.mailing import Backend, MailServer, parse_mail_url


class Postbox(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a delivery needs; refuses the recipient `full@`."""

    def handle(self) -> None:
        self.say("220 postbox")
        while line := self.rfile.readline().decode().strip():
            verb = line.split(":")[0].upper().split(" ")[0]
            if verb == "DATA":
                self.say("354 go on")
                self.server.letters.append(self.read_letter())  # type: ignore[attr-defined]
                self.say("250 kept")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("550 full" if "full@" in line else "250 fine")

    def read_letter(self) -> str:
        lines: list[str] = []
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        return "\n".join(lines)

    def say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@pytest.fixture
def letters(settings: LazySettings) -> Iterator[list[str]]:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Postbox)
    server.daemon_threads = True
    server.letters = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.MAIL_URL = f"smtp://127.0.0.1:{server.server_address[1]}"
    yield server.letters  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailing, "PAUSES_S", (0.0, 0.0))


def letter(to: str = "ana@air.test") -> EmailMessage:
    return EmailMessage("Hello", "the words", "careline@localhost", [to])


def test_a_mail_is_carried_by_the_post_thread(letters: list[str]) -> None:
    assert Backend().send_messages([letter()]) == 1
    mailing.wait_until_sent()
    assert len(letters) == 1 and "the words" in letters[0]


def test_every_mail_says_that_a_machine_wrote_it_so_that_no_machine_answers(letters: list[str]) -> None:
    Backend().send_messages([letter()])
    mailing.wait_until_sent()
    assert "Auto-Submitted: auto-generated" in letters[0] and "X-Auto-Response-Suppress: All" in letters[0]


def test_a_refused_recipient_is_logged_without_words(letters: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert not mailing.carry(letter("full@air.test"))
    said = "".join(capfd.readouterr())
    assert "mail_not_sent" in said and "the words" not in said and "full@" not in said


def test_without_a_server_nothing_is_sent_and_the_log_says_only_that(
    settings: LazySettings, capfd: pytest.CaptureFixture[str]
) -> None:
    settings.MAIL_URL = ""
    assert Backend().send_messages([letter()]) == 0
    said = "".join(capfd.readouterr())
    assert "mail_not_sent" in said and "Hello" not in said and "ana@" not in said


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.test", MailServer("mail.test", 25, "", "", "none")),
        ("smtp://u%40x:p%2Fw@mail.test?tls=starttls", MailServer("mail.test", 587, "u@x", "p/w", "starttls")),
        ("smtps://u:p@mail.test", MailServer("mail.test", 465, "u", "p", "tls")),
        ("smtp://mail.test:2525?tls=tls", MailServer("mail.test", 2525, "", "", "tls")),
    ],
)
def test_the_address_says_everything(url: str, server: MailServer) -> None:
    assert parse_mail_url(url) == server


@pytest.mark.parametrize("url", ["mail.test", "http://mail.test", "smtp://", "smtp://mail.test?tls=maybe"])
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        parse_mail_url(url)
