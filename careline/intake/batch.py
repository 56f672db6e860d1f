"""What the steps of one digest hand to each other: rows, the happenings in them, and what was found or made for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from careline.cases.clocks import AnswerPolicy
from careline.cases.models import Case
from careline.channels.base import ChannelView, Happening, Network, Said
from careline.channels.capabilities import Capabilities, Surface
from careline.channels.models import Channel
from careline.events.recording import UnitOfWork
from careline.files.storing import PreparedFile
from careline.intake.models import JournalRow
from careline.people.models import Identity, Person
from careline.threads.models import Message, Thread
from careline.threads.personal import Place
from careline.workspaces.calendars import OpenHours


@dataclass(frozen=True)
class ChannelFacts:
    """A channel with everything the steps ask of it."""

    row: Channel
    view: ChannelView
    network: Network
    capabilities: Capabilities
    hours: OpenHours

    def surface(self, name: str) -> Surface:
        """The surface of that name, or the first one for a name the network did not declare."""
        try:
            return self.capabilities.surface(name)
        except KeyError:
            return self.capabilities.surfaces[0]

    def scope(self, surface: Surface) -> str:
        """The scope identities of this surface are compared in."""
        scopes = {"global": surface.identity.key, "platform": self.row.network, "channel": f"channel:{self.row.id}"}
        return scopes.get(surface.identity.scope, f"{self.row.network}:{self.row.connection_id}")


@dataclass
class SaidItem:
    """One message on its way through the steps."""

    row: JournalRow
    channel: ChannelFacts
    said: Said
    files: list[PreparedFile | None] = field(default_factory=list)
    html: str = ""
    language: str = ""
    personal: list[Place] = field(default_factory=list)
    shown: str = ""
    """The words with what is sensitive hidden: what lists, titles and the search index get."""
    at: datetime | None = None
    identity: Identity | None = None
    person: Person | None = None
    thread: Thread | None = None
    came_from: Thread | None = None
    """The public thread whose private link its author followed."""
    case: Case | None = None
    message: Message | None = None

    @property
    def surface(self) -> Surface:
        return self.channel.surface(self.said.surface)


@dataclass
class ChangeItem:
    """Anything but a message: an edit, a deletion, a receipt, a reaction ..."""

    row: JournalRow
    channel: ChannelFacts
    happening: Happening


@dataclass
class Batch:
    """One unit of work of the digest. `reasons` are outcomes of rows that became nothing; `waits` rows whose target is not here yet."""

    now: datetime
    rows: list[JournalRow]
    said: list[SaidItem] = field(default_factory=list)
    changes: list[ChangeItem] = field(default_factory=list)
    reasons: dict[int, str] = field(default_factory=dict)
    dead: dict[int, tuple[str, str]] = field(default_factory=dict)
    waits: set[int] = field(default_factory=set)
    about: dict[int, int] = field(default_factory=dict)
    """Row of a change -> the message it changed."""
    reworded: dict[int, Message] = field(default_factory=dict)
    """Messages whose words changed or went: their cases must show it."""
    silenced: set[int] = field(default_factory=set)
    """Messages whose words were deleted: every raw delivery about them is emptied."""
    new_cases: set[int] = field(default_factory=set)
    policies: dict[int, dict[str, AnswerPolicy]] = field(default_factory=dict)
    work: UnitOfWork = field(default_factory=UnitOfWork)
