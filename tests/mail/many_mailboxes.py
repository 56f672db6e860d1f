"""Not a test: 200 mailboxes read in one process against a real Dovecot, with memory and delay. `python -m tests.mail.many_mailboxes [count]`."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time

import psutil

from careline.channels.base import ChannelView
from careline.kit import clock
from tests.mail.reading import Listener, on_loop
from tests.mail.test_reading_a_mailbox import mail
from tests.servers.mail import PASSWORD, MailServers

ROUNDS = 5


def channel(number: int, port: int) -> ChannelView:
    """One of many."""
    address = f"many{number}@support.test"
    settings = {"address": address, "imap_host": "localhost", "imap_port": str(port), "imap_security": "tls"}
    given = clock.now()
    return ChannelView(
        number, 1, "email", address, address, address, settings, {"password": PASSWORD}, history_before=given
    )


async def measure(servers: MailServers, count: int) -> None:
    """Connect, then one mail to every tenth mailbox in each round; prints what it cost."""
    process = psutil.Process()
    before_mib = process.memory_info().rss / 2**20
    started_s = time.monotonic()
    listeners = [Listener(channel(number, servers.imaps_port)) for number in range(1, count + 1)]
    for start in range(0, count, 20):
        await asyncio.gather(*(one.__aenter__() for one in listeners[start : start + 20]))
        await asyncio.gather(*(one.started() for one in listeners[start : start + 20]))
    after_mib = process.memory_info().rss / 2**20
    print(
        f"{count} mailboxes over TLS: connected in {time.monotonic() - started_s:.1f} s, {after_mib - before_mib:.0f} MiB more"
    )
    delays_s = []
    for number in range(ROUNDS):
        for listener in listeners[:: max(1, count // 10)]:
            heard = len(listener.parts)
            sent_s = time.monotonic()
            address = listener.channel.account_key
            await asyncio.to_thread(servers.post, mail(address, number), "marta@cust.test", address)
            await listener.heard(heard + 1)
            delays_s.append(time.monotonic() - sent_s)
    cpu_s = sum(process.cpu_times()[:2])
    await asyncio.sleep(5)
    idle = (sum(process.cpu_times()[:2]) - cpu_s) / 5 * 100
    print(
        f"SMTP to part: median {statistics.median(delays_s) * 1000:.0f} ms, worst {max(delays_s) * 1000:.0f} ms; idle {idle:.1f} % CPU"
    )
    await asyncio.gather(*(one.__aexit__() for one in listeners))


def main() -> None:
    from careline.channels.email import securing

    servers = MailServers()
    try:
        servers.start()
        context = servers.trusting_context()
        securing.tls_context = lambda: context  # type: ignore[assignment] # this machine's own certificate
        on_loop(measure(servers, int(sys.argv[1]) if len(sys.argv) > 1 else 200))
    finally:
        servers.stop()


if __name__ == "__main__":
    main()
