"""What stands on persons a floor above: cases and words follow when identities move, a name changes, a person is
erased or exported.

People know nothing of cases; whoever does registers one Follower. Without one nobody but those who see all may see a
person.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from careline.events.recording import UnitOfWork
from careline.people.queries import person_not_found
from careline.workspaces.sight import Viewer


@dataclass(frozen=True)
class Move:
    """Identities pass from one person to another. `case_ids` names the cases that go along; None: those begun by these
    identities.
    """

    workspace_id: int
    from_id: int
    to_id: int
    identity_ids: tuple[int, ...]
    case_ids: tuple[int, ...] | None = None
    takes_all: bool = False


class ExportedMessage(msgspec.Struct, frozen=True):
    """One message of an export."""

    id: int
    case_number: int
    channel: str
    direction: str
    is_public: bool
    author: str
    at: str
    text: str
    files: tuple[str, ...]


class ExportedCase(msgspec.Struct, frozen=True):
    """One case of an export."""

    number: int
    state: str
    outcome: str
    title: str
    channel: str
    opened_at: str
    done_at: str
    tags: tuple[str, ...]
    fields: dict[str, str]


class Follower(Protocol):
    """Everything happens in the caller's unit of work, persons already locked."""

    def seen_persons(self, viewer: Viewer, person_ids: Collection[int]) -> set[int]:
        """Of these persons, those the viewer may see."""

    def moved(self, work: UnitOfWork, move: Move) -> list[int]:
        """Take along what belongs to the identities; returns the ids of the cases that went."""

    def renamed(self, work: UnitOfWork, workspace_id: int, person_id: int, name: str) -> None:
        """The person is called otherwise now."""

    def introduced(self, work: UnitOfWork, workspace_id: int, identity_id: int, *, before: str, name: str) -> None:
        """The platform told this identity's name; until now its key `before` stood in its place."""

    def erased(self, work: UnitOfWork, workspace_id: int, person_id: int, identity_ids: Sequence[int]) -> list[int]:
        """Purge every word; returns the ids of the messages, for the journal."""

    def exported(self, workspace_id: int, person_id: int) -> tuple[list[ExportedCase], list[ExportedMessage]]:
        """All cases and messages of a person."""


_followers: list[Follower] = []


def register_follower(follower: Follower) -> None:
    """Called once, when the app of the follower is ready."""
    _followers.append(follower)


def followers() -> list[Follower]:
    """Everyone to be told."""
    return list(_followers)


def check_sees(viewer: Viewer, *person_ids: int) -> None:
    """Raise NotFound unless the viewer may see every one of these persons."""
    wanted = set(person_ids)
    seen = set().union(*(one.seen_persons(viewer, wanted) for one in _followers)) if _followers else set()
    if seen != wanted:
        raise person_not_found()
