"""Who spoke: identities and persons of a whole batch, persons locked in id order before any case is read."""

from __future__ import annotations

from collections import defaultdict

from careline.channels.base import Author
from careline.intake.batch import Batch, SaidItem
from careline.kit.bulk import new_row
from careline.people.matching import resolve_identities
from careline.people.models import Identity, NameQuestion
from careline.people.naming import note_nameless


def identify(batch: Batch) -> None:
    """Set `item.identity` and `item.person` of every message that is not ours. A few statements for each scope."""
    by_scope: dict[tuple[int, str, str], list[SaidItem]] = defaultdict(list)
    for item in batch.said:
        if not item.said.author.is_us:
            by_scope[(item.row.workspace_id, item.channel.row.network, item.channel.scope(item.surface))].append(item)
    for (workspace_id, network, scope), items in sorted(by_scope.items()):
        authors: dict[str, Author] = {item.said.author.key: item.said.author for item in items}
        found = resolve_identities(
            batch.work, workspace_id, network=network, scope=scope, authors=list(authors.values())
        )
        for item in items:
            item.identity, item.person = found[item.said.author.key]
    note_nameless(_nameless(batch.said))


def _nameless(items: list[SaidItem]) -> list[NameQuestion]:
    """The first word of each who came without a name, where the platform tells names only when asked."""
    found: dict[int, NameQuestion] = {}
    for item in items:
        identity = item.identity
        if identity is None or identity.name or identity.handle or item.surface.identity.names == "told":
            continue
        found.setdefault(identity.id, _question(item, identity))
    return list(found.values())


def _question(item: SaidItem, identity: Identity) -> NameQuestion:
    return new_row(
        NameQuestion,
        workspace_id=identity.workspace_id,
        identity_id=identity.id,
        channel_id=item.row.channel_id,
        surface=item.surface.name,
        thread_key=item.said.thread_key[:300],
        platform_id=item.said.platform_id[:400],
    )
