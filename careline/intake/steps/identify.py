"""Who spoke: identities and persons of a whole batch, persons locked in id order before any case is read."""

from __future__ import annotations

from collections import defaultdict

from careline.channels.base import Author
from careline.intake.batch import Batch, SaidItem
from careline.people.matching import resolve_identities


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
