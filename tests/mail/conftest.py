"""One pair of real mail servers for the whole run, and channels that speak to them. Without servers the tests fail and
say how to get them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from careline.channels.base import ChannelView
from careline.kit import clock
from tests.servers.mail import PASSWORD, MailServers, missing

_numbers = itertools.count(1)
KEY = b"k" * 32


@pytest.fixture(scope="session")
def mail_servers() -> Iterator[MailServers]:
    reason = missing()
    if reason:
        pytest.fail(reason, pytrace=False)
    servers = MailServers()
    try:
        yield servers.start()
    finally:
        servers.stop()


@pytest.fixture
def mailbox_name() -> str:
    """An address nobody used yet in this run."""
    return f"desk{next(_numbers)}@support.test"


@pytest.fixture
def channel_of(mail_servers: MailServers) -> Callable[..., ChannelView]:
    """A channel of an address; further settings and secrets by name."""

    def make(
        address: str, *, secrets: dict[str, str] | None = None, channel_id: int = 0, **settings: object
    ) -> ChannelView:
        given = {
            "address": address,
            "user": address,
            "imap_host": "127.0.0.1",
            "imap_port": str(mail_servers.imap_port),
            "imap_security": "none",
            "smtp_host": "127.0.0.1",
            "smtp_port": str(mail_servers.smtp_port),
            "smtp_security": "none",
            **settings,
        }
        return ChannelView(
            id=next(_numbers),
            workspace_id=1,
            network="email",
            account_key=address,
            name="Air Support",
            handle=address,
            settings=given,
            secrets={"password": PASSWORD} if secrets is None else secrets,
            brand_name="Air",
            signing_key=KEY,
            history_before=clock.now().replace(microsecond=0),
        )

    return make
