"""Sending through a real Postfix: threaded in the customer's mailbox, proven when they answer, and every failure said
for what it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
import uvloop

from careline.channels.base import ChannelView, Outgoing, OutgoingFile, Part, ReceiptSeen, Said, Sent
from careline.channels.email import NETWORK, outbound, securing
from careline.errors import ChannelError
from tests.mail.reading import Listener, on_loop, tools
from tests.servers.cutting import CuttingProxy
from tests.servers.mail import MailServers

pytestmark = pytest.mark.mail
ChannelOf = Callable[..., ChannelView]
THREAD = 7_123_456_789_012_345_678


def outgoing(recipient: str, **given: object) -> Outgoing:
    values = {
        "delivery_id": 42,
        "idempotency_key": "d42",
        "attempt": 1,
        "surface": "email",
        "thread_id": THREAD,
        "thread_key": "t",
        "recipient": recipient,
        "text": "Hola Marta:\n\nSu maleta llega mañana.\n.\nAna",
        "author_kind": "human",
        "subject": "Mi maleta",
        **given,
    }
    return Outgoing(**values)  # type: ignore[arg-type]


def send(given: Outgoing, channel: ChannelView, loop: str = "uvloop") -> Sent:
    """On the loop of the product, or on the standard one."""

    async def run() -> Sent:
        async with tools() as with_tools:
            return await NETWORK.send(given, channel, with_tools)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop if loop == "uvloop" else None) as runner:
        return runner.run(run())


def refusal(given: Outgoing, channel: ChannelView, loop: str = "uvloop") -> ChannelError:
    with pytest.raises(ChannelError) as raised:
        send(given, channel, loop)
    return raised.value


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_whole_conversation_stays_one_thread_on_both_sides(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str
) -> None:
    """Marta asks, the desk answers, her program threads the answer, her reply proves the thread by address and by
    Message-ID.
    """
    channel = channel_of(mailbox_name)
    customer = f"marta.{mailbox_name.partition('@')[0]}@cust.test"

    async def run() -> tuple[Said, Said]:
        async with Listener(channel) as listener, tools() as given:
            await listener.started()
            question = EmailMessage()
            question["From"], question["To"], question["Subject"] = f"Marta <{customer}>", mailbox_name, "Mi maleta"
            question["Message-ID"] = f"<q.{customer}>"
            question.set_content("¿Dónde está?")
            await asyncio.to_thread(mail_servers.post, question, customer, mailbox_name)
            await listener.heard(1)
            asked = listener.said()[0]
            photo = OutgoingFile("etiqueta ñ.pdf", "application/pdf", 6, _reads(b"%PDF-1"))
            sent = await NETWORK.send(outgoing(customer, reply_to=asked.platform_id, files=(photo,)), channel, given)
            (answer,) = [parsed(raw) for raw in await asyncio.to_thread(mail_servers.mails, customer)]
            assert answer["Message-ID"] == sent.platform_id
            assert (answer["In-Reply-To"], answer["References"], answer["Subject"]) == (
                f"<q.{customer}>",
                f"<q.{customer}>",
                "Re: Mi maleta",
            )
            assert (
                answer.get_body(("plain",)).get_content().replace("\r\n", "\n")
                == "Hola Marta:\n\nSu maleta llega mañana.\n.\nAna\n"
            )
            assert [part.get_filename() for part in answer.iter_attachments()] == ["etiqueta ñ.pdf"]
            assert answer["Auto-Submitted"] is None and answer["From"] == f"Air <{mailbox_name}>"
            reply = EmailMessage()
            reply["From"], reply["To"], reply["Subject"] = f"Marta <{customer}>", answer["Reply-To"], "RE: Mi maleta"
            reply["Message-ID"], reply["In-Reply-To"] = f"<r.{customer}>", answer["Message-ID"]
            reply["References"] = f"{answer['References']} {answer['Message-ID']}"
            reply.set_content("Gracias")
            to = answer["Reply-To"].addresses[0].addr_spec
            assert "+" in to
            await asyncio.to_thread(mail_servers.post, reply, customer, to)
            await listener.heard(2)
            return asked, listener.said()[1]

    asked, replied = on_loop(run())
    assert asked.continues == 0
    assert (replied.text, replied.continues, replied.recipients) == ("Gracias", THREAD, (mailbox_name,))


def _reads(content: bytes) -> Callable[[], object]:
    async def read() -> bytes:
        return content

    return read


def test_the_message_id_alone_proves_the_thread_where_a_server_drops_the_detail(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str
) -> None:
    channel = channel_of(mailbox_name, plus_addressing="0")
    sent = send(outgoing("bo@cust.test"), channel)
    raw = mail_servers.mails("bo@cust.test")[-1]
    assert parsed(raw)["Reply-To"] is None
    chain = f"Message-ID: <x@cust.test>\r\nReferences: <other@x> {sent.platform_id}"
    reply = f"From: bo@cust.test\r\nTo: {mailbox_name}\r\n{chain}\r\n\r\nThanks"
    (said,) = NETWORK.normalise(Part(mailbox_name, "e", "o", reply.encode()), channel)
    assert isinstance(said, Said) and said.continues == THREAD


def test_every_recipient_gets_it_and_the_machine_marks_itself(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str
) -> None:
    send(outgoing("to1@cust.test", copied=("cc1@cust.test",), author_kind="machine"), channel_of(mailbox_name))
    for user in ("to1@cust.test", "cc1@cust.test"):
        mail = parsed(mail_servers.mails(user)[-1])
        assert (mail["To"], mail["Cc"]) == ("to1@cust.test", "cc1@cust.test")
        assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-generated", "All")


def test_4xx_is_temporary_5xx_is_permanent_and_nothing_was_sent(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str
) -> None:
    channel = channel_of(mailbox_name)
    full = refusal(outgoing("full@cust.test"), channel)
    assert (full.code, full.permanent, full.outcome_unknown) == (
        "recipient_refused",
        False,
        False,
    ) and "452" in full.message
    gone = refusal(outgoing("gone@cust.test"), channel)
    assert (gone.code, gone.permanent, gone.outcome_unknown) == (
        "recipient_refused",
        True,
        False,
    ) and "gone@cust.test" in gone.message
    refusal(outgoing("fine2@cust.test", copied=("gone@cust.test",)), channel)
    assert mail_servers.mails("fine2@cust.test", within_s=0.5) == []


def test_a_wrong_smtp_password_is_unauthorised(channel_of: ChannelOf, mailbox_name: str) -> None:
    error = refusal(
        outgoing("x@cust.test"), channel_of(mailbox_name, secrets={"password": "pw", "smtp_password": "wrong"})
    )
    assert (error.code, error.unauthorised) == ("login_refused", True)


def test_starttls_checks_the_certificate_before_anything_is_said(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = channel_of(mailbox_name, smtp_host="localhost", smtp_security="starttls")
    securing.tls_context.cache_clear()
    assert refusal(outgoing("tls@cust.test"), channel).code == "certificate_wrong"
    monkeypatch.setattr(securing, "tls_context", mail_servers.trusting_context)
    send(outgoing("tls@cust.test"), channel)
    assert b"with ESMTPSA" in mail_servers.mails("tls@cust.test")[-1]


def test_a_server_that_is_not_there_is_worth_another_try(channel_of: ChannelOf, mailbox_name: str) -> None:
    error = refusal(outgoing("x@cust.test"), channel_of(mailbox_name, smtp_port="1"))
    assert (error.code, error.permanent, error.outcome_unknown) == ("unreachable", False, False)


def test_a_mail_over_the_servers_size_is_refused_before_it_travels(channel_of: ChannelOf, mailbox_name: str) -> None:
    big = OutgoingFile("film.mp4", "video/mp4", 26_000_000, _reads(bytes(26_000_000)))  # type: ignore[arg-type]
    error = refusal(outgoing("x@cust.test", files=(big,)), channel_of(mailbox_name))
    assert (error.code, error.permanent) == ("too_large", True)


CUTS = {
    "at the greeting": (lambda client, server: server.startswith(b"220"), False),
    "after MAIL": (lambda client, server: b"MAIL FROM" in client, False),
    "after RCPT": (lambda client, server: b"RCPT TO" in client, False),
    "at the word DATA": (lambda client, server: b"\r\nDATA\r\n" in client, False),
    "at the server's 354": (lambda client, server: b"\r\n354 " in server, False),
    "in the middle of the content": (lambda client, server: len(client) > 1_000_000, False),
    "at the dot": (lambda client, server: client.endswith(b"\r\n.\r\n"), True),
    "at the server's last word": (lambda client, server: b"queued as" in server, True),
}


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("moment", CUTS)
def test_a_cut_connection_is_unknown_only_after_the_last_dot(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str, moment: str, loop: str
) -> None:
    cut_when, is_unknown = CUTS[moment]
    customer = f"cut.{loop}.{moment.replace(' ', '.').replace(chr(39), '')}@cust.test"
    proxy = CuttingProxy(mail_servers.smtp_port, cut_when)
    file = OutgoingFile("a.bin", "application/zip", 4_000_000, _reads(bytes(range(256)) * 16_000))  # type: ignore[arg-type]
    given = outgoing(customer, files=(file,))
    error = refusal(given, channel_of(mailbox_name, smtp_port=str(proxy.port)), loop)
    proxy.close()
    assert proxy.was_cut.is_set()
    assert (error.outcome_unknown, error.permanent) == (is_unknown, False), error.code
    arrived = mail_servers.mails(customer, within_s=1.0)
    if not is_unknown:
        assert arrived == []
        send(given, channel_of(mailbox_name))
        assert len(mail_servers.mails(customer)) == 1
    elif moment == "at the server's last word":
        assert len(arrived) == 1


def test_the_same_delivery_has_the_same_message_id_at_every_try(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str
) -> None:
    channel = channel_of(mailbox_name)
    first, second = send(outgoing("twice@cust.test"), channel), send(outgoing("twice@cust.test", attempt=2), channel)
    assert first.platform_id == second.platform_id
    assert send(outgoing("twice@cust.test", delivery_id=43), channel).platform_id != first.platform_id


def test_a_real_bounce_finds_its_delivery_by_our_signature(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str
) -> None:
    """The server of bounce.test knows nobody, so Postfix returns the mail to the desk's own mailbox."""
    channel = channel_of(mailbox_name)

    async def run() -> list[object]:
        async with Listener(channel) as listener, tools() as given:
            await listener.started()
            sent = await NETWORK.send(outgoing("someone@bounce.test"), channel, given)
            await listener.heard(1)
            return [sent.platform_id, *listener.happenings()]

    platform_id, receipt, said = on_loop(run())
    assert isinstance(receipt, ReceiptSeen) and isinstance(said, Said)
    assert (receipt.state, receipt.platform_id, receipt.idempotency_key) == ("failed", platform_id, "d42")
    assert (receipt.recipient, receipt.is_permanent) == ("someone@bounce.test", True)
    assert (said.automatic, said.continues) == ("bounce", THREAD)


def test_a_stuck_server_is_given_up_as_unknown(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the dot and never answers."""
    monkeypatch.setattr(outbound, "ANSWER_TIMEOUT_S", 0.5)
    proxy = _Swallowing(mail_servers.smtp_port, b"queued as")
    error = refusal(outgoing("stuck@cust.test"), channel_of(mailbox_name, smtp_port=str(proxy.port)))
    proxy.close()
    assert error.outcome_unknown


@pytest.mark.parametrize(
    ("swallowed", "is_unknown"), [(b"220 ", False), (b"250 2.1.5", False), (b"354 ", False), (b"queued as", True)]
)
def test_when_the_outbox_runs_out_of_patience_only_the_wait_after_the_dot_is_unknown(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str, swallowed: bytes, is_unknown: bool
) -> None:
    proxy = _Swallowing(mail_servers.smtp_port, swallowed)

    async def run() -> None:
        async with tools() as with_tools:
            channel = channel_of(mailbox_name, smtp_port=str(proxy.port))
            await asyncio.wait_for(NETWORK.send(outgoing("slow@cust.test"), channel, with_tools), 1.5)

    with pytest.raises(TimeoutError if is_unknown else ChannelError) as raised:
        on_loop(run())
    proxy.close()
    if isinstance(raised.value, ChannelError):
        assert (raised.value.code, raised.value.outcome_unknown) == ("too_slow", False)


class _Swallowing(CuttingProxy):
    """Passes on everything but one answer, and keeps the line open."""

    def __init__(self, target_port: int, swallowed: bytes) -> None:
        self._swallowed = swallowed
        super().__init__(target_port, lambda client, server: False)

    def _pump(self, name: str, source: socket.socket, sink: socket.socket, seen: dict[str, bytes]) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if name == "client" or self._swallowed not in piece:
                    sink.sendall(piece)
