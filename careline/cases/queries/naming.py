"""Names of agents and channels for rows that carry only their ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from careline.channels.models import Channel
from careline.workspaces.models import Agent


@dataclass(frozen=True)
class Names:
    """Display names by id; an id that is not there reads as ''."""

    agents: dict[int, str]
    channels: dict[int, str]

    def agent(self, agent_id: int | None) -> str:
        return self.agents.get(agent_id or 0, "")

    def channel(self, channel_id: int | None) -> str:
        return self.channels.get(channel_id or 0, "")


def names_of(workspace_id: int, agent_ids: Iterable[int | None], channel_ids: Iterable[int | None]) -> Names:
    """Two statements, none for an empty side."""
    wanted_agents = {one for one in agent_ids if one}
    wanted_channels = {one for one in channel_ids if one}
    agents = (
        Agent.objects.filter(workspace_id=workspace_id, id__in=wanted_agents).values_list("id", "name")
        if wanted_agents
        else ()
    )
    channels = (
        Channel.objects.filter(workspace_id=workspace_id, id__in=wanted_channels).values_list("id", "name")
        if wanted_channels
        else ()
    )
    return Names(dict(agents), dict(channels))
