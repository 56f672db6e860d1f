"""The conversation a message stands in: a proven continuation first, then the platform's own thread, never an unproven claim by a stranger."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from careline.intake.batch import Batch, SaidItem
from careline.kit import clock
from careline.kit.bulk import insert_rows, new_row
from careline.threads.models import Message, MessageAlias, Thread

MOST_PARTICIPANTS = 60


def thread(batch: Batch) -> None:
    """Set `item.thread` for every message: six statements at most.

    `continues` is proven by a signature and wins. A thread key whose claim the network marks unproven (`facts["thread_claim"] == "unproven"`, as mail
    does for References) is followed only by somebody who is in that thread already and whose address passed the sender check; anyone else gets a
    thread of their own, with a suggestion.
    """
    if not batch.said:
        return
    continued = _continued(batch.said)
    known = _known(batch.said) | _named_by_reply(batch.said)
    joined = _joined_by_reply(batch.said, known)
    missing: dict[tuple[int, str], SaidItem] = {}
    for item in batch.said:
        item.thread = continued.get(item.said.continues)
        if item.thread is not None and item.thread.is_public and not item.surface.is_public:
            item.came_from, item.thread = item.thread, None
        key = joined.get(id(item), (item.row.channel_id, item.said.thread_key[:300]))
        if item.thread is None and _is_unproven(item):
            claimed = known.get(key) or _claimed(item, known)
            if claimed is not None and not _may_follow(item, claimed):
                item.row.detail = f"suggests:{claimed.id}"
                key = (item.row.channel_id, f"own:{item.said.platform_id}"[:300])
                claimed = known.get(key)
            item.thread = claimed
        if item.thread is None:
            item.thread = known.get(key)
        if item.thread is None:
            missing.setdefault(key, item)
            item.row.order_key = key[1]
    made = _make(missing)
    for item in batch.said:
        if item.thread is None:
            item.thread = made[(item.row.channel_id, item.row.order_key)]
    _bind_arrivals(batch.said)
    _note_facts(batch)


def _is_unproven(item: SaidItem) -> bool:
    return item.said.facts.get("thread_claim") == "unproven"


def _may_follow(item: SaidItem, claimed: Thread) -> bool:
    return item.said.facts.get("sender_check") == "pass" and item.said.author.key in claimed.participants


def _continued(items: Iterable[SaidItem]) -> dict[int, Thread]:
    """Threads named by a proven `continues`; one of another workspace is not found."""
    pairs = {(item.said.continues, item.row.workspace_id) for item in items if item.said.continues}
    if not pairs:
        return {}
    wanted = Q()
    for thread_id, workspace_id in pairs:
        wanted |= Q(id=thread_id, workspace_id=workspace_id)
    return {row.id: row for row in Thread.objects.filter(wanted)}


def _known(items: Iterable[SaidItem]) -> dict[tuple[int, str], Thread]:
    keys: dict[int, set[str]] = {}
    for item in items:
        keys.setdefault(item.row.channel_id, set()).update(
            {item.said.thread_key[:300], f"own:{item.said.platform_id}"[:300]}
        )
    wanted = Q()
    for channel_id, names in keys.items():
        wanted |= Q(channel_id=channel_id, key__in=sorted(names))
    return {(row.channel_id, row.key): row for row in Thread.objects.filter(wanted)}


def _joined_by_reply(items: list[SaidItem], known: dict[tuple[int, str], Thread]) -> dict[int, tuple[int, str]]:
    """By item: the key of the thread of the message it replies to, here or earlier in this batch. Two statements where any message asks for it;
    the threads found join `known`."""
    asking = [item for item in items if item.said.joins_reply and item.said.reply_to]
    threads = _threads_of_messages(asking)
    named: dict[tuple[int, str], tuple[int, str]] = {}
    found: dict[int, tuple[int, str]] = {}
    for item in items:
        channel_id = item.row.channel_id
        own = (channel_id, item.said.thread_key[:300])
        if item.said.joins_reply and item.said.reply_to:
            name = (channel_id, item.said.reply_to[:400])
            thread = threads.get(name)
            if thread is not None and thread.is_public == item.surface.is_public:
                known[channel_id, thread.key] = thread
                own = (channel_id, thread.key)
            else:
                own = named.get(name, own)
            found[id(item)] = own
        named[channel_id, item.said.platform_id[:400]] = own
    return found


def _threads_of_messages(items: list[SaidItem]) -> dict[tuple[int, str], Thread]:
    """The threads of the messages that items reply to, by (channel, platform id)."""
    if not items:
        return {}
    wanted = Q()
    for item in items:
        wanted |= Q(channel_id=item.row.channel_id, platform_id=item.said.reply_to[:400])
    aliases = MessageAlias.objects.filter(wanted, message__thread__isnull=False).select_related("message__thread")
    messages = Message.objects.filter(wanted, thread__isnull=False).select_related("thread")
    found = {(row.channel_id, row.platform_id): row.message.thread for row in aliases}
    found |= {(row.channel_id or 0, row.platform_id or ""): row.thread for row in messages}
    return {name: thread for name, thread in found.items() if thread is not None}


def _claimed(item: SaidItem, known: dict[tuple[int, str], Thread]) -> Thread | None:
    """The thread of the nearest message it says it answers, found by that message's own name or by an alias."""
    found = (known.get((item.row.channel_id, f"reply:{name}")) for name in _claims(item))
    return next((one for one in found if one is not None), None)


def _claims(item: SaidItem) -> list[str]:
    return [name for name in (item.said.reply_to, *item.said.aliases) if name]


def _named_by_reply(items: Iterable[SaidItem]) -> dict[tuple[int, str], Thread]:
    """For unproven claims: the threads of the messages they say they answer. Two statements."""
    named: dict[int, set[str]] = {}
    for item in items:
        if _is_unproven(item):
            named.setdefault(item.row.channel_id, set()).update(_claims(item))
    if not named:
        return {}
    wanted = Q()
    for channel_id, names in named.items():
        wanted |= Q(channel_id=channel_id, platform_id__in=sorted(names))
    known = {
        (row.channel_id, f"reply:{row.platform_id}"): row.message.thread
        for row in MessageAlias.objects.filter(wanted, message__thread__isnull=False).select_related("message__thread")
    }
    for row in Message.objects.filter(wanted, thread__isnull=False).select_related("thread"):
        known[(row.channel_id or 0, f"reply:{row.platform_id}")] = row.thread
    return {key: thread for key, thread in known.items() if thread is not None}


def _make(missing: dict[tuple[int, str], SaidItem]) -> dict[tuple[int, str], Thread]:
    if not missing:
        return {}
    fresh = [_new_thread(item, key) for (_, key), item in sorted(missing.items(), key=lambda entry: entry[0])]
    insert_rows(fresh)
    return {(row.channel_id, row.key): row for row in fresh}


def _new_thread(item: SaidItem, key: str) -> Thread:
    facts, surface = item.said.thread, item.surface
    return new_row(
        Thread,
        workspace_id=item.row.workspace_id,
        channel_id=item.row.channel_id,
        key=key,
        surface=surface.name,
        is_public=surface.is_public,
        subject=facts.subject[:400],
        permalink=facts.permalink[:600],
        reach=facts.reach,
        parent_author=facts.parent_author[:200],
        parent_text=facts.parent_text,
        created_at=clock.now(),
    )


def _bind_arrivals(items: list[SaidItem]) -> None:
    """Who came to us in private from a public thread goes on with the case they have there. Two statements for each.

    The link stands in public: what counts is that its follower is the author of that case, not that they hold it.
    """
    for item in items:
        if item.came_from is None or item.thread is None or item.identity is None:
            continue
        mine = Message.objects.filter(thread=item.came_from, author_identity=item.identity, case_id__isnull=False)
        case_id = mine.order_by("-at", "-id").values_list("case_id", flat=True).first()
        if case_id is not None:
            item.thread.bound_case_id = case_id
            Thread.objects.filter(id=item.thread.id).update(bound_case_id=case_id)


def _note_facts(batch: Batch) -> None:
    """New participants, reach and the time of the last inbound message, saved in one statement for all threads touched."""
    touched: dict[int, Thread] = {}
    for item in batch.said:
        row = item.thread
        assert row is not None  # set above for every item
        author = item.said.author
        if not author.is_us:
            row.last_inbound_at = max(row.last_inbound_at or item.at, item.at) if item.at else row.last_inbound_at
            if author.key not in row.participants and len(row.participants) < MOST_PARTICIPANTS:
                row.participants = [*row.participants, author.key]
        row.reach = max(row.reach, item.said.thread.reach)
        touched[row.id] = row
    insert_rows(
        [touched[key] for key in sorted(touched)], unique=("id",), update=("last_inbound_at", "participants", "reach")
    )
