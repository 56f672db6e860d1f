"""Reading from a real Dovecot: at once, once, without touching a flag, through restarts and renumbering, many mailboxes
in one loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest

from careline.channels.base import ChannelView, Said
from careline.channels.email import NETWORK, imap, reading, securing
from careline.errors import ChannelError, ForeignPayload
from tests.mail.reading import Listener, on_loop, tools
from tests.servers.cutting import CuttingProxy
from tests.servers.mail import MailServers

pytestmark = pytest.mark.mail
ChannelOf = Callable[..., ChannelView]


def mail(to: str, number: int = 1, *, text: str = "Where is my bag?", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Marta Ruiz <marta@cust.test>"
    message["To"] = to
    message["Subject"] = f"My bag {number}"
    message["Message-ID"] = f"<{number}.{to.partition('@')[0]}@cust.test>"
    message["Date"] = datetime.now(UTC)
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def test_a_mail_sent_by_smtp_is_heard_within_a_second_through_idle(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str
) -> None:
    async def run() -> float:
        async with Listener(channel_of(mailbox_name)) as listener:
            await listener.started()
            await asyncio.sleep(0.3)
            message = mail(mailbox_name)
            message.add_attachment(b"\xff\xd8\xff\xe0 photo", maintype="image", subtype="jpeg", filename="bag.jpg")
            started_s = time.monotonic()
            await asyncio.to_thread(mail_servers.post, message, "marta@cust.test", mailbox_name)
            await listener.heard(1)
            took_s = time.monotonic() - started_s
            (said,) = listener.said()
            assert (said.text, said.author.key, said.files[0].name) == (
                "Where is my bag?",
                "marta@cust.test",
                "bag.jpg",
            )
            assert said.files[0].content == b"\xff\xd8\xff\xe0 photo"
            return took_s

    assert on_loop(run()) < 1.5


def test_reading_sets_no_flag_and_believes_none(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str
) -> None:
    async def run() -> list[str]:
        async with Listener(channel_of(mailbox_name)) as listener:
            await listener.started()
            for number, flags in enumerate(("", "(\\Seen)", "(\\Seen \\Answered)", "(\\Deleted)")):
                mail_servers.append(mailbox_name, mail(mailbox_name, number).as_bytes(), flags=flags)
            await listener.heard(3)
            await asyncio.sleep(0.3)
            return [one.thread.subject for one in listener.said()]

    assert on_loop(run()) == ["My bag 0", "My bag 1", "My bag 2"]
    assert [b"Seen" in line for line in mail_servers.flags(mailbox_name)] == [False, True, True, False]


def test_a_listener_goes_on_where_its_cursor_stands(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str
) -> None:
    channel = channel_of(mailbox_name)

    async def run() -> tuple[list[str], list[str]]:
        async with Listener(channel) as first:
            await first.started()
            mail_servers.append(mailbox_name, mail(mailbox_name, 1).as_bytes())
            await first.heard(1)
        mail_servers.append(mailbox_name, mail(mailbox_name, 2).as_bytes())
        mail_servers.append(mailbox_name, mail(mailbox_name, 3).as_bytes())
        async with Listener(channel, first.cursor) as second:
            await second.heard(2)
            await asyncio.sleep(0.3)
            return [one.thread.subject for one in first.said()], [one.thread.subject for one in second.said()]

    assert on_loop(run()) == (["My bag 1"], ["My bag 2", "My bag 3"])


def test_without_a_committed_cursor_the_same_mail_has_the_same_event(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str
) -> None:
    channel = channel_of(mailbox_name, import_since="2020-01-01")
    mail_servers.append(mailbox_name, mail(mailbox_name).as_bytes())

    async def run() -> list[tuple[str, str]]:
        found = []
        for _ in range(2):
            async with Listener(channel) as listener:
                await listener.heard(1)
                found.append((listener.parts[0].platform_event_id, listener.said()[0].platform_id))
        return found

    first, second = on_loop(run())
    assert first == second


def test_a_renumbered_mailbox_is_read_again_and_every_mail_keeps_its_name(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str
) -> None:
    channel = channel_of(mailbox_name)

    async def run() -> tuple[set[str], set[str], object, object]:
        async with Listener(channel, reconnects=True) as listener:
            await listener.started()
            for number in range(3):
                mail_servers.append(mailbox_name, mail(mailbox_name, number).as_bytes())
            await listener.heard(3)
            before, cursor = {part.platform_event_id for part in listener.parts}, dict(listener.cursor)
            await asyncio.to_thread(mail_servers.renumber, mailbox_name)
            mail_servers.append(mailbox_name, mail(mailbox_name, 7).as_bytes())
            await listener.heard(7)
            return (
                before,
                {part.platform_event_id for part in listener.parts[3:]},
                cursor["folders"],
                listener.cursor["folders"],
            )

    before, after, old_cursor, new_cursor = on_loop(run())
    assert before < after and len(after) == 4
    assert old_cursor != new_cursor


def test_a_restarted_server_is_an_error_the_reader_comes_back_from_without_loss(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str
) -> None:
    async def run() -> tuple[list[str], ChannelError]:
        async with Listener(channel_of(mailbox_name), reconnects=True) as listener:
            await listener.started()
            mail_servers.append(mailbox_name, mail(mailbox_name, 1).as_bytes())
            await listener.heard(1)
            await asyncio.to_thread(mail_servers.stop_dovecot)
            await listener.failed()
            await asyncio.to_thread(mail_servers.start_dovecot)
            mail_servers.append(mailbox_name, mail(mailbox_name, 2).as_bytes())
            await listener.heard(2)
            return [one.thread.subject for one in listener.said()], listener.errors[0]

    subjects, error = on_loop(run())
    assert subjects == ["My bag 1", "My bag 2"]
    assert error.code == "connection_lost" and not error.unauthorised and not error.permanent


def test_a_wrong_password_is_unauthorised_and_a_missing_folder_says_its_name(
    channel_of: ChannelOf, mailbox_name: str
) -> None:
    async def fail(channel: ChannelView) -> ChannelError:
        async with Listener(channel) as listener:
            return await listener.failed()

    refused = on_loop(fail(channel_of(mailbox_name, secrets={"password": "wrong"})))
    assert (refused.code, refused.unauthorised) == ("login_refused", True)
    missing = on_loop(fail(channel_of(mailbox_name, folders="Nowhere")))
    assert missing.code == "folder_missing" and "Nowhere" in missing.message


def test_history_is_imported_from_the_chosen_day_and_marked(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str
) -> None:
    now = datetime.now(UTC)
    for number, days in enumerate((400, 30, 2)):
        mail_servers.append(mailbox_name, mail(mailbox_name, number).as_bytes(), at=now - timedelta(days=days))
    channel = channel_of(mailbox_name, import_since=(now - timedelta(days=60)).date().isoformat())

    async def run() -> list[tuple[str, bool]]:
        async with Listener(channel) as listener:
            await listener.heard(2)
            mail_servers.append(mailbox_name, mail(mailbox_name, 9).as_bytes())
            await listener.heard(3)
            return [(one.thread.subject, one.is_history) for one in listener.said()]

    assert on_loop(run()) == [("My bag 1", True), ("My bag 2", True), ("My bag 9", False)]


def test_by_default_only_what_comes_from_now_on_is_read(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str
) -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    mail_servers.append(mailbox_name, mail(mailbox_name, 1).as_bytes(), at=an_hour_ago)

    async def run() -> list[str]:
        async with Listener(channel_of(mailbox_name)) as listener:
            await listener.started()
            mail_servers.append(mailbox_name, mail(mailbox_name, 2).as_bytes())
            await listener.heard(1)
            await asyncio.sleep(0.2)
            return [one.thread.subject for one in listener.said()]

    assert on_loop(run()) == ["My bag 2"]


def test_a_mail_over_the_limit_shows_its_beginning_and_a_notice(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str
) -> None:
    message = mail(mailbox_name, text="See my video.")
    message.add_attachment(bytes(3 * 1024 * 1024), maintype="video", subtype="mp4", filename="bag.mp4")
    channel = channel_of(mailbox_name, max_mail_mb="1")

    async def run() -> Said:
        async with Listener(channel) as listener:
            await listener.started()
            mail_servers.append(mailbox_name, message.as_bytes())
            mail_servers.append(mailbox_name, mail(mailbox_name, 2).as_bytes())
            await listener.heard(2)
            assert max(len(part.raw) for part in listener.parts) < 400_000
            return listener.said()[0]

    said = on_loop(run())
    assert said.text == "See my video." and "mail_cut" in said.facts["notes"]
    assert [file.name for file in said.files] == ["bag.mp4", "mail-too-large.txt"]


def test_a_mailbox_with_several_folders_is_heard_in_all_of_them(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "OTHER_FOLDERS_S", 1)
    junk = imap.quote(imap.encode_folder("Correo no leído"))
    old = datetime.now(UTC) - timedelta(days=9)
    mail_servers.append(mailbox_name, mail(mailbox_name, 0).as_bytes(), folder=junk, at=old)

    async def run() -> set[str]:
        async with Listener(channel_of(mailbox_name, folders="INBOX, Correo no leído")) as listener:
            await listener.started()
            await asyncio.sleep(0.5)
            mail_servers.append(mailbox_name, mail(mailbox_name, 1).as_bytes(), folder=junk)
            mail_servers.append(mailbox_name, mail(mailbox_name, 2).as_bytes())
            await listener.heard(2)
            return {one.thread.subject for one in listener.said()}

    assert on_loop(run()) == {"My bag 1", "My bag 2"}


def test_without_idle_the_mailbox_is_polled(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "POLL_S", 1)
    judge = imap.Imap._judge

    def without_idle(self: imap.Imap, *given: object) -> object:
        answer = judge(self, *given)  # type: ignore[arg-type]
        self.capabilities = self.capabilities - {"IDLE"}
        return answer

    monkeypatch.setattr(imap.Imap, "_judge", without_idle)

    async def run() -> int:
        async with Listener(channel_of(mailbox_name)) as listener:
            await listener.started()
            mail_servers.append(mailbox_name, mail(mailbox_name).as_bytes())
            return len(await listener.heard(1))

    assert on_loop(run()) == 1


def test_idle_is_renewed_and_still_hears(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "IDLE_S", 1)

    async def run() -> int:
        async with Listener(channel_of(mailbox_name)) as listener:
            await listener.started()
            await asyncio.sleep(2.5)
            mail_servers.append(mailbox_name, mail(mailbox_name).as_bytes())
            return len(await listener.heard(1, within_s=3))

    assert on_loop(run()) == 1


def test_a_mail_whose_fetching_breaks_the_connection_does_not_stop_the_mailbox(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str
) -> None:
    """A server that dies on one mail: after some tries its beginning is tried, then it becomes a dead letter, and the
    later mails flow.
    """
    proxy = CuttingProxy(mail_servers.imap_port, lambda _, server: b"POISON" in server, passes_last=False)

    async def run() -> tuple[list[str], list[str]]:
        async with Listener(channel_of(mailbox_name, imap_port=str(proxy.port)), reconnects=True) as listener:
            await listener.started()
            mail_servers.append(mailbox_name, mail(mailbox_name, 1).as_bytes())
            mail_servers.append(mailbox_name, mail(mailbox_name, 2, text="POISON").as_bytes())
            mail_servers.append(mailbox_name, mail(mailbox_name, 3).as_bytes())
            await listener.heard(3, within_s=30)
            subjects, refusals = [], []
            for part in listener.parts:
                try:
                    subjects += [
                        one.thread.subject for one in NETWORK.normalise(part, listener.channel) if isinstance(one, Said)
                    ]
                except ForeignPayload as refused:
                    refusals.append(refused.message)
            return subjects, refusals

    subjects, refusals = on_loop(run())
    proxy.close()
    assert subjects == ["My bag 1", "My bag 3"]
    assert len(refusals) == 1 and "INBOX" in refusals[0]


def test_two_hundred_mailboxes_live_in_one_loop(mail_servers: MailServers, channel_of: ChannelOf) -> None:
    addresses = [f"many{number}@support.test" for number in range(200)]

    async def run() -> list[str]:
        listeners = [Listener(channel_of(address)) for address in addresses]
        for start in range(0, len(listeners), 20):
            together = listeners[start : start + 20]
            await asyncio.gather(*(listener.__aenter__() for listener in together))
            await asyncio.gather(*(listener.started() for listener in together))
        try:
            for address in addresses:
                await asyncio.to_thread(mail_servers.append, address, mail(address).as_bytes())
            await asyncio.gather(*(listener.heard(1) for listener in listeners))
            return [listener.said()[0].recipients[0] for listener in listeners]
        finally:
            await asyncio.gather(*(listener.__aexit__() for listener in listeners))

    assert on_loop(run()) == addresses


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_both_kinds_of_tls_check_the_certificate(
    mail_servers: MailServers, channel_of: ChannelOf, mailbox_name: str, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    port = mail_servers.imaps_port if security == "tls" else mail_servers.imap_port
    channel = channel_of(mailbox_name, imap_host="localhost", imap_port=str(port), imap_security=security)

    async def code() -> str:
        async with tools() as given:
            return (await NETWORK.check(channel, given)).code

    securing.tls_context.cache_clear()
    assert on_loop(code()) == "tls_failed"
    monkeypatch.setattr(securing, "tls_context", mail_servers.trusting_context)
    assert on_loop(code()) == "ok"


def test_plain_text_is_refused_to_any_other_machine(channel_of: ChannelOf, mailbox_name: str) -> None:
    async def code() -> str:
        async with tools() as given:
            return (await NETWORK.check(channel_of(mailbox_name, imap_host="mail.example.com"), given)).code

    assert on_loop(code()) == "plaintext_refused"


def test_oauth_reads_and_sends_with_a_token_and_says_when_it_was_refused(
    mail_servers: MailServers, channel_of: ChannelOf
) -> None:
    address = "support@support.test"
    url = f"http://127.0.0.1:{mail_servers._tokens.server_address[1]}/token"
    settings = {"sign_in": "oauth", "oauth_provider": "other", "oauth_token_url": url, "oauth_client_id": "desk"}

    async def code(refresh: str, **more: str) -> str:
        channel = channel_of(
            address, secrets={"oauth_client_secret": "s", "oauth_refresh_token": refresh}, **settings, **more
        )
        async with tools() as given:
            return (await NETWORK.check(channel, given)).code

    assert on_loop(code("good")) == "ok"
    assert on_loop(code("revoked")) == "unauthorised"
    # A token of somebody else is refused by the server after a challenge, which must not hang.
    assert on_loop(code("good", shared_mailbox="other@support.test")) == "login_refused"
