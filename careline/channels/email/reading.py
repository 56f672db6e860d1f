"""The reader of one mailbox: what is new since the cursor, then wait. One connection; IDLE on the first folder, the
others looked at every minute.

The cursor holds for each folder its UIDVALIDITY and the last UID, and from when on mails are wanted. It moves only with
journalled mails. After a changed UIDVALIDITY everything since that moment is read again; the journal knows those mails
by their content.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import msgspec

from careline.channels.base import ChannelView, Fetched, Part, Tools
from careline.channels.email import oauth
from careline.channels.email.imap import Imap, ImapRefused, Line, connect
from careline.channels.email.naming import hash_name, make_part
from careline.channels.email.securing import Security
from careline.channels.email.wire import Envelope, wrap
from careline.errors import ChannelError
from careline.kit import clock

# Shorter than the 29 minutes of RFC 2177 because home routers and some providers drop silent connections after ten.
IDLE_S = 9 * 60
POLL_S = 30
OTHER_FOLDERS_S = 60
CHUNK_MAILS = 50
CHUNK_BYTES = 8 * 1024 * 1024
CUT_BYTES = 256 * 1024
DEFAULT_LIMIT_MB = 40
MAX_FAILURES = 3
# Mails whose fetching ended a connection, so that one of them cannot stop a mailbox for ever. Lost at a restart, which
# only means trying again.
_failures: dict[tuple[int, int, int], int] = {}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_INTERNAL_DATE = re.compile(
    rb'INTERNALDATE "([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+\-])(\d\d)(\d\d)"', re.IGNORECASE
)
_UID = re.compile(rb"\bUID (\d{1,10})\b", re.IGNORECASE)
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d{1,12})\b", re.IGNORECASE)
_FLAGS = re.compile(rb"\bFLAGS \(([^)]*)\)", re.IGNORECASE)


class Place(msgspec.Struct, frozen=True):
    """How far one folder is read: `uid` is the last one journalled or passed over, 0 while nothing was."""

    validity: int = 0
    uid: int = 0


class Cursor(msgspec.Struct, frozen=True):
    """What is committed with the journal rows. `since` is the first moment whose mails are wanted at all."""

    folders: dict[str, Place] = {}
    since: datetime | None = None


class _Known(msgspec.Struct, frozen=True):
    """A mail before its bytes: its number, size and day."""

    uid: int
    size_bytes: int
    received_at: datetime | None
    is_deleted: bool


def folders(channel: ChannelView) -> list[str]:
    """The folders to read, the first one watched by IDLE."""
    return [name.strip() for name in channel.setting("folders", "INBOX").split(",") if name.strip()] or ["INBOX"]


@asynccontextmanager
async def signed_in(channel: ChannelView, tools: Tools) -> AsyncIterator[Imap]:
    """A connection that may read. Raises ChannelError, `unauthorised` when password or token no longer work."""
    security: Security = channel.setting("imap_security", "tls")  # type: ignore[assignment]  # checked by connect
    async with connect(channel.setting("imap_host"), _port(channel), security) as imap:
        if channel.setting("sign_in", "password") == "oauth":
            user = channel.setting("shared_mailbox") or channel.setting("user")
            try:
                await imap.sign_in_with_token(oauth.xoauth2(user, await oauth.access_token(channel, tools)))
            except ChannelError as refused:
                if refused.unauthorised:
                    oauth.forget_token(channel)
                raise
        else:
            await imap.sign_in(
                channel.setting("user") or channel.setting("address"), channel.secrets.get("password", "")
            )
        yield imap


def _port(channel: ChannelView) -> int:
    default = "993" if channel.setting("imap_security", "tls") == "tls" else "143"
    text = channel.setting("imap_port") or default
    if not text.isdigit():
        raise ChannelError("port_wrong", "The IMAP port must be a number.", permanent=True)
    return int(text)


async def open_folder(imap: Imap, folder: str) -> tuple[int, int]:
    """EXAMINE; UIDVALIDITY and UIDNEXT. Raises ChannelError('folder_missing')."""
    try:
        return await imap.examine(folder)
    except ImapRefused as refused:
        raise ChannelError(
            "folder_missing", f"The folder {folder} cannot be opened: {refused.message}", permanent=True
        ) from refused


async def listen(channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
    """Yield new mails for ever, in chunks with the cursor that commits with them. Raises ChannelError; the reader
    reconnects with backoff.
    """
    reader = MailboxReader(channel, _read_cursor(cursor))
    async with signed_in(channel, tools) as imap:
        async for fetched in reader.run(imap):
            yield fetched


def _read_cursor(cursor: Mapping[str, object]) -> Cursor:
    try:
        return msgspec.convert(dict(cursor), Cursor, strict=False)
    except msgspec.ValidationError:
        return Cursor()


def _write_cursor(cursor: Cursor) -> dict[str, object]:
    built: dict[str, object] = msgspec.to_builtins(cursor)
    return built


def _since(channel: ChannelView) -> datetime:
    """Where a new mailbox begins: the day typed for an import, or the moment work begins, whichever is earlier."""
    begins_at = channel.history_before or clock.now()
    try:
        typed = date.fromisoformat(channel.setting("import_since").strip()[:10])
    except ValueError:
        return begins_at
    return min(begins_at, datetime(typed.year, typed.month, typed.day, tzinfo=UTC))


def _loop_s() -> float:
    return asyncio.get_running_loop().time()


class MailboxReader:
    """Reads one mailbox over one connection. Holds the cursor; every yield says how far it is safe to commit."""

    def __init__(self, channel: ChannelView, cursor: Cursor) -> None:
        self._channel = channel
        self._folders = folders(channel)
        self._since = cursor.since or _since(channel)
        self._is_open = False
        self._places = dict(cursor.folders)
        limit = channel.setting("max_mail_mb") or str(DEFAULT_LIMIT_MB)
        self._limit_bytes = (int(limit) if limit.isdigit() else DEFAULT_LIMIT_MB) * 1024 * 1024

    def _cursor(self) -> dict[str, object]:
        return _write_cursor(Cursor(dict(self._places), self._since))

    async def run(self, imap: Imap) -> AsyncIterator[Fetched]:
        """For ever: every folder in turn, then wait in the first one."""
        await self._start_all(imap)
        is_told, others_due_s = False, 0.0
        while True:
            if len(self._folders) > 1 and _loop_s() >= others_due_s:
                for folder in self._folders[1:]:
                    async for fetched in self._read_folder(imap, folder):
                        is_told = True
                        yield fetched
                others_due_s = _loop_s() + OTHER_FOLDERS_S
            async for fetched in self._read_folder(imap, self._folders[0]):
                is_told = True
                yield fetched
            if not is_told:
                # The places of the folders, and word that this mailbox can be read.
                is_told = True
                yield Fetched((), self._cursor())
            await self._wait(imap, others_due_s - _loop_s() if len(self._folders) > 1 else IDLE_S)

    async def _start_all(self, imap: Imap) -> None:
        """Set the places of all folders before anything is read, so that a crash between two of them loses nothing."""
        is_new = not self._places
        for folder in self._folders:
            self._start(folder, *await open_folder(imap, folder), is_new=is_new)

    async def _wait(self, imap: Imap, at_most_s: float) -> None:
        """Until the watched folder changes or `at_most_s` is over. The folder stays open while it is the only one."""
        if "IDLE" in imap.capabilities:
            await imap.idle(max(1.0, min(IDLE_S, at_most_s)))
        else:
            await asyncio.sleep(max(1.0, min(POLL_S, at_most_s)))

    async def _read_folder(self, imap: Imap, folder: str) -> AsyncIterator[Fetched]:
        """Everything new in one folder; ends when a look shows nothing that arrived meanwhile."""
        if len(self._folders) > 1 or not self._is_open or "IDLE" not in imap.capabilities:
            if self._start(folder, *await open_folder(imap, folder), is_new=False):
                yield Fetched((), self._cursor())
            self._is_open = True
        while True:
            imap.has_news = False
            is_first = not self._places[folder].uid
            uids = await self._new_uids(imap, folder)
            for start in range(0, len(uids), CHUNK_MAILS):
                async for fetched in self._read_chunk(
                    imap, folder, uids[start : start + CHUNK_MAILS], is_first=is_first
                ):
                    yield fetched
            if not imap.has_news:
                return

    def _start(self, folder: str, validity: int, next_uid: int, *, is_new: bool) -> bool:
        """Set the place of a folder that is new or was renumbered by its server. True when the cursor changed."""
        place = self._places.get(folder)
        if place is not None and place.validity == validity:
            return False
        # A folder added to a mailbox that is read already starts with what comes from now on. A new mailbox, or a
        # renumbered folder, is read by date; mails known already are told by their content.
        starts_at_end = place is None and not is_new and next_uid > 0
        self._places[folder] = Place(validity, next_uid - 1 if starts_at_end else 0)
        return True

    async def _new_uids(self, imap: Imap, folder: str) -> list[int]:
        place = self._places[folder]
        if place.uid:
            found = await imap.search(f"UID {place.uid + 1}:*")
        else:
            # A day earlier, because SEARCH compares days in the server's own zone; _is_wanted is exact.
            day = self._since - timedelta(days=1)
            found = await imap.search(f"SINCE {day.day}-{_MONTHS[day.month - 1]}-{day.year}")
        # `n:*` always names the last mail, even when its number is below n (RFC 3501 section 6.4.8).
        return [uid for uid in found if uid > place.uid]

    def _is_wanted(self, one: _Known, *, is_first_look: bool) -> bool:
        """Not deleted, and on the first look into a folder not older than what was asked for."""
        is_old = is_first_look and one.received_at is not None and one.received_at < self._since
        return not one.is_deleted and not is_old

    async def _read_chunk(self, imap: Imap, folder: str, uids: list[int], *, is_first: bool) -> AsyncIterator[Fetched]:
        known = [_known(line) for line in await imap.fetch(uids, "(UID RFC822.SIZE INTERNALDATE FLAGS)")]
        by_uid = {one.uid: one for one in known if one is not None}
        wanted = [by_uid[uid] for uid in uids if uid in by_uid and self._is_wanted(by_uid[uid], is_first_look=is_first)]
        parts: list[Part] = []
        size_bytes, done = 0, self._places[folder]
        for group in self._groups(wanted):
            parts.extend(await self._read_mails(imap, folder, group))
            size_bytes += sum(min(one.size_bytes, self._limit_bytes) for one in group)
            done = Place(done.validity, group[-1].uid)
            if size_bytes >= CHUNK_BYTES:
                self._places[folder] = done
                yield Fetched(tuple(parts), self._cursor())
                parts, size_bytes = [], 0
        # Deleted and vanished ones are passed over for good.
        self._places[folder] = Place(done.validity, max(uids[-1], done.uid))
        yield Fetched(tuple(parts), self._cursor())

    def _groups(self, wanted: list[_Known]) -> list[list[_Known]]:
        """Mails fetched by one command: together at most CHUNK_BYTES; one over the limit, or one that broke a
        connection before, alone.
        """
        groups: list[list[_Known]] = []
        size_bytes = CHUNK_BYTES
        for one in wanted:
            is_alone = one.size_bytes > self._limit_bytes or bool(self._failures(one))
            weight = CHUNK_BYTES if is_alone else one.size_bytes
            if size_bytes + weight > CHUNK_BYTES:
                groups.append([])
                size_bytes = 0
            groups[-1].append(one)
            size_bytes += max(1, weight)
        return groups

    async def _read_mails(self, imap: Imap, folder: str, group: list[_Known]) -> list[Part]:
        """The parts of a few mails. What the server refuses together is asked for one by one; what it refuses alone
        becomes a dead letter.
        """
        if len(group) == 1 and self._failures(group[0]) >= 2 * MAX_FAILURES:
            return [self._refused(folder, group[0], "the connection broke each time it was fetched")]
        try:
            found = await self._fetch_bodies(imap, group)
        except ImapRefused:
            found = {}
        except ChannelError:
            self._count_failures(group)
            raise
        parts = []
        for one in group:
            raw = found.get(one.uid)
            parts.append(self._part(folder, one, raw) if raw is not None else await self._read_alone(imap, folder, one))
        return parts

    async def _read_alone(self, imap: Imap, folder: str, one: _Known) -> Part:
        problem = "it answered without the mail"
        try:
            found = await self._fetch_bodies(imap, [one])
            if one.uid in found:
                return self._part(folder, one, found[one.uid])
        except ImapRefused as refused:
            problem = refused.message
        return self._refused(folder, one, problem)

    def _refused(self, folder: str, one: _Known, problem: str) -> Part:
        name = hash_name("refused", folder, str(self._places[folder].validity), str(one.uid))
        envelope = Envelope(
            received_at=one.received_at, size_bytes=one.size_bytes, problem=problem[:300], folder=folder, uid=one.uid
        )
        return Part(self._channel.account_key, f"refused:{name}", f"refused:{name}", wrap(envelope, b""))

    async def _fetch_bodies(self, imap: Imap, group: list[_Known]) -> dict[int, bytes]:
        is_cut = self._is_cut(group[0])
        items = f"(UID BODY.PEEK[]<0.{CUT_BYTES}>)" if is_cut else "(UID BODY.PEEK[])"
        lines = await imap.fetch([one.uid for one in group], items)
        found = {}
        for line in lines:
            uid = _UID.search(line.text)
            if uid and line.literals:
                found[int(uid.group(1))] = line.literals[0]
        return found

    def _is_cut(self, one: _Known) -> bool:
        """Only the beginning is fetched of a mail over the limit, and of one whose whole broke the connection time
        after time.
        """
        return one.size_bytes > self._limit_bytes or self._failures(one) >= MAX_FAILURES

    def _failures(self, one: _Known) -> int:
        return _failures.get((self._channel.id, one.uid, one.size_bytes), 0)

    def _count_failures(self, group: list[_Known]) -> None:
        if len(_failures) > 10_000:
            _failures.clear()
        for one in group:
            _failures[(self._channel.id, one.uid, one.size_bytes)] = self._failures(one) + 1

    def _part(self, folder: str, one: _Known, raw: bytes) -> Part:
        envelope = Envelope(
            received_at=one.received_at,
            size_bytes=one.size_bytes,
            is_cut=self._is_cut(one),
            folder=folder,
            uid=one.uid,
        )
        return make_part(self._channel.account_key, envelope, raw)


def _known(line: Line) -> _Known | None:
    uid, size, flags = _UID.search(line.text), _SIZE.search(line.text), _FLAGS.search(line.text)
    if uid is None:
        return None
    is_deleted = flags is not None and b"\\deleted" in flags.group(1).lower()
    return _Known(int(uid.group(1)), int(size.group(1)) if size else 0, internal_date(line.text), is_deleted)


def internal_date(text: bytes) -> datetime | None:
    """INTERNALDATE as aware UTC; None when the server wrote none or nonsense."""
    found = _INTERNAL_DATE.search(text)
    if found is None:
        return None
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = (
        group.decode("ascii") for group in found.groups()
    )
    try:
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes)) * (-1 if sign == "-" else 1)
        local = datetime(
            int(year), _MONTHS.index(month.title()) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC
        )
        return local - offset
    except (ValueError, OverflowError):
        return None
