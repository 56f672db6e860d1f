"""The journal forgets with the rest of the house: raw deliveries of an erased person are emptied in the erasure's own unit of work."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db.models import Q

from careline.events.recording import UnitOfWork
from careline.intake.models import JournalRow
from careline.kit import clock
from careline.people.following import ExportedCase, ExportedMessage, Move
from careline.people.models import Identity
from careline.threads.models import Message
from careline.workspaces.sight import Viewer


class JournalFollower:
    """A people.following.Follower that owns nothing but raw bytes."""

    def seen_persons(self, viewer: Viewer, person_ids: Collection[int]) -> set[int]:
        return set()

    def moved(self, work: UnitOfWork, move: Move) -> list[int]:
        return []

    def renamed(self, work: UnitOfWork, workspace_id: int, person_id: int, name: str) -> None:
        """Raw bytes have no name to change."""

    def introduced(self, work: UnitOfWork, workspace_id: int, identity_id: int, *, before: str, name: str) -> None:
        """The journal keeps what the platform sent."""

    def erased(self, work: UnitOfWork, workspace_id: int, person_id: int, identity_ids: Sequence[int]) -> list[int]:
        """Empty what these identities said, and dead letters that hold one of their keys: nobody could read them to tell."""
        said = Message.objects.filter(author_identity_id__in=identity_ids).values("id")
        keys = list(Identity.objects.filter(id__in=identity_ids).values_list("key", flat=True))
        rows = JournalRow.objects.filter(workspace_id=workspace_id, purged_at__isnull=True)
        rows.filter(message_id__in=said).update(raw=b"", purged_at=clock.now())
        undigested = rows.filter(~Q(state=JournalRow.DONE))
        named = [
            row.id
            for row in undigested.only("id", "raw").iterator(chunk_size=200)
            if any(key.encode() in bytes(row.raw) for key in keys)
        ]
        rows.filter(id__in=named).update(raw=b"", purged_at=clock.now())
        return []

    def exported(self, workspace_id: int, person_id: int) -> tuple[list[ExportedCase], list[ExportedMessage]]:
        return [], []
