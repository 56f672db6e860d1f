"""The acts, one after the other, each once: a claim asks for the act after which it must hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance import clearing, house, opening, speaking
from tests.acceptance.house import House
from tests.acceptance.speaking import Street
from tests.mail.conftest import mail_servers
from tests.servers.mail import MailServers

__all__ = ["mail_servers"]


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory, mail_servers: MailServers) -> Iterator[House]:
    """After act 1: a desk with three channels and three colleagues."""
    with house.opened(tmp_path_factory.mktemp("acceptance"), mail_servers) as found:
        opening.open_the_desk(found)
        yield found


@pytest.fixture(scope="session")
def spoken(opened: House) -> Street:
    """After act 2: everybody has spoken, and the lead sees all of them."""
    street = Street(opened)
    speaking.speak_first(street)
    clearing.lead_sees_everybody(clearing.workers(opened)["Ben"])
    return street


@pytest.fixture(scope="session")
def cleared(spoken: Street) -> Street:
    """After act 3: all were answered, some came back, and were answered again."""
    clearing.close_praise(clearing.workers(spoken.house)["Ben"])
    clearing.clear_first_words(spoken.house)
    speaking.speak_again(spoken)
    clearing.clear_second_words(spoken.house)
    return spoken
