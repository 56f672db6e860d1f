"""Fixtures of the settings' tests: the cast, a channel each, and a client per agent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from careline.channels.models import Channel, Connection
from careline.workspaces.models import Agent, Brand, Workspace
from careline.workspaces.tests.cast import Cast, make_cast

SignIn = Callable[[Agent], Client]


@pytest.fixture
def cast(db: None) -> Cast:
    """The standing cast."""
    return make_cast()


@pytest.fixture
def sign_in(cast: Cast) -> SignIn:
    """A browser signed in as an agent."""

    def enter(agent: Agent) -> Client:
        client = Client()
        client.force_login(agent.account)
        return client

    return enter


@pytest.fixture
def channel(cast: Cast) -> Channel:
    """A channel of the test network in the first workspace."""
    return make_channel(cast.workspace, cast.brand)


def make_channel(workspace: Workspace, brand: Brand, name: str = "@air") -> Channel:
    """A channel on a connection of its own."""
    connection = Connection.objects.create(workspace=workspace, network="testnet", name=name)
    return Channel.objects.create(
        workspace=workspace,
        connection=connection,
        network="testnet",
        account_key=name,
        name=name,
        handle=name,
        brand=brand,
    )
