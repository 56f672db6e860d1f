"""Customers have mailboxes: what Careline's mail adapter sends arrives, and an answer is queued for the brand's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest

from careline.channels.base import ChannelView, ConnectionView, HookRequest, Said
from careline.channels.email import NETWORK
from careline.simulator import running
from careline.simulator.behaviour import Behaviour
from careline.simulator.mailroom import answer_by_mail
from careline.simulator.platform import Refused
from careline.simulator.records import Account, App, Persona

ACCOUNT = "service@aurora.example"
SETTINGS = {"address": ACCOUNT, "authserv_id": "mx.aurora.example"}
CHANNEL = ChannelView(9, 1, "email", ACCOUNT, "Service", ACCOUNT, SETTINGS, {})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[running.Running]:
    started = running.start(tmp_path / "ledger.sqlite3", behaviour=Behaviour(pushes=False), mail_port=0)
    started.simulator.ledger.save_app(
        App("mail", "http://127.0.0.1:9/hook", "s", ""), [Account(ACCOUNT, "mail", "A", ACCOUNT)]
    )
    started.simulator.platform.join(Persona("u_marta", "@martarg", "Marta Ruiz", {"email": "marta@correo.example"}))
    yield started
    started.stop()


def send(world: running.Running, text: str = "Hola:\n\n.Un punto al principio.\n\nAna") -> None:
    mail = EmailMessage()
    mail["From"] = f"Aurora Air <{ACCOUNT}>"
    mail["To"] = "marta@correo.example"
    mail["Subject"] = "Sus puntos, ¿recibidos?"
    mail["Message-ID"] = "<c1@aurora.example>"
    mail.set_content(text)
    recipients = ["marta@correo.example"]
    port = world.simulator.mail_port
    asyncio.run(
        aiosmtplib.send(mail, sender=ACCOUNT, recipients=recipients, hostname="127.0.0.1", port=port, start_tls=False)
    )


def test_a_mail_arrives_with_every_character(world: running.Running) -> None:
    send(world)
    (row,) = world.simulator.ledger.mails()
    assert (row.recipient, row.sender, row.subject, row.is_ours) == (
        "marta@correo.example",
        ACCOUNT,
        "Sus puntos, ¿recibidos?",
        True,
    )
    assert row.text == "Hola:\n\n.Un punto al principio.\n\nAna"


def test_the_customers_answer_is_a_mail_that_our_adapter_trusts_and_threads(world: running.Running) -> None:
    send(world)
    answer_by_mail(world.simulator.platform, world.simulator.ledger.mails()[0].seq, "¡Muchas gracias!")
    (event,) = world.simulator.ledger.events()
    pushed = HookRequest("POST", "/", {"content-type": "message/rfc822"}, event.body)
    (part,) = NETWORK.split(pushed, ConnectionView(1, 1, "email", {}, {ACCOUNT: 9}))
    said = next(one for one in NETWORK.normalise(part, CHANNEL) if isinstance(one, Said))
    assert said.text == "¡Muchas gracias!"
    assert said.author.proven_keys == (("email", "marta@correo.example"),)
    assert "c1@aurora.example" in f"{said.reply_to} {said.aliases}"


def test_nobody_answers_a_mail_that_never_came(world: running.Running) -> None:
    with pytest.raises(Refused):
        answer_by_mail(world.simulator.platform, 7, "¿Hola?")
    assert world.simulator.ledger.events() == []
