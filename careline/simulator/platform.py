"""The platform's rules: who may say what where, and which events that makes. It knows nothing of Careline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from careline.channels.simulated import wire
from careline.kit import clock, counting, ids
from careline.simulator.ledger import Ledger
from careline.simulator.records import Account, App, FileRef, MessageRow, NewEvent, Persona, ThreadRow

PUBLIC_GRAPHEMES: Final = 280
DM_CHARS: Final = 2000
INLINE_FILE_BYTES: Final = 256 * 1024
DAY_S: Final = 24 * 3600.0
HUMAN_WINDOW_S: Final = 7 * DAY_S


TEMPLATES: Final = (
    wire.ApprovedTemplate(
        "t_news_en", "news_of_your_case", "en", "Hello {{name}}, there is news about {{subject}}. Answer here and we go on.",
        ("name", "subject"), ("Marta", "your suitcase"),
    ),
    wire.ApprovedTemplate(
        "t_news_es", "news_of_your_case", "es", "Hola {{name}}, hay novedades sobre {{subject}}. Responde aquí y seguimos.",
        ("name", "subject"), ("Marta", "tu maleta"),
    ),
    wire.ApprovedTemplate(
        "t_label_es", "label_of_your_suitcase", "es", "{{name}}, esta es la etiqueta de tu maleta. Responde aquí si no es la tuya.",
        ("name",), ("Marta",), media="image",
    ),
    wire.ApprovedTemplate("t_solved_es", "is_it_solved", "es", "¿Quedó resuelto tu caso? Responde aquí y lo vemos."),
)  # fmt: skip
"""Texts this platform has approved, for every account."""


class Refused(Exception):
    """A call the platform does not take."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


class Platform:
    """All acts of people, brands and apps. Every act is kept with its events before it returns."""

    def __init__(self, ledger: Ledger, *, address: str = "") -> None:
        self.ledger = ledger
        self.address = address
        self.echoes = True
        """Whether the account's own messages come back as events."""

    # ---- people

    def join(self, person: Persona) -> Persona:
        """Somebody is on the platform; a known one may have changed name or handle."""
        self.ledger.save_person(person)
        return person

    def post(
        self,
        account: str,
        author_id: str,
        text: str,
        *,
        views: int = 0,
        at: float | None = None,
        files: Sequence[FileRef] = (),
    ) -> MessageRow:
        """A customer's public post that names the account: a new thread."""
        thread = self._begin(account, "post", author_id, views=views, at=at)
        return self._say(thread, author_id, text, at=at, files=files, message_id=thread.root_id)

    def open_thread(self, account: str, thread_id: str, author_id: str, text: str, *, root_id: str) -> MessageRow:
        """A public thread under names of the caller's choosing, and a private word of the same person."""
        thread = ThreadRow(thread_id, account, "post", root_id, author_id, 0, clock.epoch_s())
        self.ledger.save_thread(thread)
        self.dm(account, author_id, text)
        return self._say(thread, author_id, text, message_id=root_id)

    def own_post(self, account: str, text: str, *, views: int = 0, at: float | None = None) -> MessageRow:
        """The brand posts through the platform's own app; people may comment below."""
        thread = self._begin(account, "comment", account, views=views, at=at)
        return self._say(thread, account, text, at=at, origin="elsewhere", message_id=thread.root_id)

    def reply(
        self,
        thread_id: str,
        author_id: str,
        text: str,
        *,
        reply_to: str = "",
        at: float | None = None,
        files: Sequence[FileRef] = (),
    ) -> MessageRow:
        """Anyone, customer, bystander or the brand elsewhere, says something in a thread."""
        thread = self._thread(thread_id)
        origin = "elsewhere" if author_id == thread.account else "customer"
        return self._say(
            thread, author_id, text, reply_to=reply_to or thread.root_id, at=at, files=files, origin=origin
        )

    def dm(
        self, account: str, author_id: str, text: str, *, at: float | None = None, files: Sequence[FileRef] = ()
    ) -> MessageRow:
        """A customer writes in private."""
        return self._say(self.dm_thread(account, author_id), author_id, text, at=at, files=files)

    def dm_thread(self, account: str, person_id: str) -> ThreadRow:
        """The one private thread of an account and a person."""
        thread_id = f"dm_{account}_{person_id}"
        found = self.ledger.thread(thread_id)
        if found is None:
            found = ThreadRow(thread_id, account, "dm", "", person_id, 0, clock.epoch_s())
            self.ledger.save_thread(found)
        return found

    def edit(self, message_id: str, text: str) -> None:
        """The author changes what they said."""
        message = self._message(message_id)
        event = self._event(message.account, "message.edited", message.thread, message_id=message_id, text=text)
        self.ledger.change_message(message_id, "text", text, [event])
        self.ledger.change_message(message_id, "edited_at", clock.epoch_s(), [])

    def delete(self, message_id: str) -> None:
        """The author takes it back: the platform forgets the words."""
        message = self._message(message_id)
        event = self._event(message.account, "message.deleted", message.thread, message_id=message_id)
        self.ledger.change_message(message_id, "text", "", [event])
        self.ledger.change_message(message_id, "deleted_at", clock.epoch_s(), [])

    def react(self, message_id: str, author_id: str, emoji: str) -> None:
        """A reaction is set, or taken back with an empty emoji."""
        message = self._standing(message_id)
        kept = {person: one for person, one in (message.reactions | {author_id: emoji}).items() if one}
        author = self.speaker(author_id, message.account)
        event = self._event(
            message.account, "reaction.changed", message.thread, message_id=message_id, author=author, emoji=emoji
        )
        self.ledger.change_message(message_id, "reactions", msgspec.json.encode(kept), [event])

    def hide(self, message_id: str, *, hidden: bool) -> None:
        """The account hides somebody's comment from everybody else, or shows it again; already so is fine."""
        message = self._message(message_id)
        if message.author_id == message.account or self._thread(message.thread).place != "comment":
            raise Refused(403, "not_hideable")
        self.ledger.change_message(message_id, "hidden_at", clock.epoch_s() if hidden else None, [])

    def like(self, message_id: str, *, liked: bool) -> None:
        """The account likes somebody's message, or no longer does; already so is fine."""
        self._standing(message_id)
        self.ledger.change_message(message_id, "liked_at", clock.epoch_s() if liked else None, [])

    def _standing(self, message_id: str) -> MessageRow:
        message = self._message(message_id)
        if message.deleted_at is not None:
            raise Refused(410, "message_gone")
        return message

    def show_typing(self, thread_id: str, author_id: str) -> None:
        """Somebody types in a private thread."""
        thread = self._thread(thread_id)
        author = self.speaker(author_id, thread.account)
        self.ledger.emit([self._event(thread.account, "typing.shown", thread_id, author=author)])

    def count_views(self, thread_id: str, views: int) -> None:
        """More people have seen a public thread."""
        thread = self._thread(thread_id)
        self.ledger.save_thread(msgspec.structs.replace(thread, views=views))
        self.ledger.emit([self._event(thread.account, "views.counted", thread_id, views=views)])

    def receipt(self, message_id: str, state: str, *, error: str = "", delay_s: float = 0.0) -> None:
        """A message of the account reached its reader, was read, or could not be delivered after all."""
        message = self._message(message_id)
        event = self._event(
            message.account,
            "receipt.changed",
            message.thread,
            delay_s=delay_s,
            state=state,
            message_id=message_id,
            client_key=message.client_key,
            error=error,
        )
        self.ledger.change_message(message_id, "state", state, [event])

    def revoke(self, app_id: str, reason: str = "revoked") -> None:
        """The app's token stops working, and the app is told."""
        accounts = self.ledger.accounts(app_id)
        self.ledger.revoke_app(app_id, revoked=True)
        self.ledger.emit([self._event(one.key, "access.revoked", "", reason=reason) for one in accounts])

    def say_something_new(self, account: str) -> None:
        """An event of a kind that no app of today knows."""
        body = {"id": _new("ev"), "account": account, "kind": "hologram.opened", "at": clock.now().isoformat()}
        self.ledger.emit([NewEvent(str(body["id"]), account, "hologram.opened", msgspec.json.encode(body))])

    # ---- apps

    def access_app(self, token: str) -> App:
        """The app behind a bearer token. Raises Refused(401)."""
        app = self.ledger.app_of_token(token) if token else None
        if app is None:
            raise Refused(401, "token_revoked")
        return app

    def access_account(self, app: App, key: str) -> Account:
        """An account the app serves. Raises Refused(403)."""
        account = self.ledger.account(key)
        if account is None or account.app != app.id:
            raise Refused(403, "account_not_served")
        return account

    def accept(self, app: App, new: wire.NewMessage) -> tuple[MessageRow, bool]:
        """What an app posts for its account. Gives the message, and whether it is new. Raises Refused."""
        account = self.access_account(app, new.account)
        if account.sending == "safe_retry" and new.client_key:
            earlier = self.ledger.messages_by_key(account.key, new.client_key)
            if earlier:
                return earlier[0], False
        thread = self._target(account, new)
        text = _words(new)
        _check_length(new, thread)
        if new.template and thread.place != "dm":
            raise Refused(422, "template_not_here")
        if not new.template and thread.place == "dm":
            self._check_window(account, thread, new)
        files = tuple(FileRef(file_id, self._file_name(file_id)) for file_id in new.files)
        message = self._say(
            thread,
            account.key,
            text,
            reply_to=new.reply_to,
            files=files,
            origin="api",
            client_key=new.client_key,
            comment=new.comment,
        )
        return message, True

    def _target(self, account: Account, new: wire.NewMessage) -> ThreadRow:
        thread = self.ledger.thread(new.thread) if new.thread else None
        if new.place == "reply":
            if thread is None or thread.account != account.key or thread.place == "dm":
                raise Refused(404, "thread_gone")
            root = self.ledger.message(thread.root_id)
            if root is None or root.deleted_at is not None:
                raise Refused(404, "thread_gone")
            return thread
        if thread is not None and thread.place == "dm" and thread.account == account.key:
            return thread
        if self.ledger.person(new.to) is None:
            raise Refused(404, "recipient_gone")
        return self.dm_thread(account.key, new.to)

    def _check_window(self, account: Account, thread: ThreadRow, new: wire.NewMessage) -> None:
        """Free to write after the customer's own word in private; else once in answer to each public word of theirs."""
        now = clock.epoch_s()
        said = self.ledger.messages_of(thread.id)
        heard_at = max((one.at for one in said if one.author_id == thread.author_id), default=0.0)
        window_s = HUMAN_WINDOW_S if new.written_by == "human" else DAY_S
        if now - heard_at <= window_s:
            return
        comment = self.ledger.message(new.comment) if new.comment else None
        if comment is None or comment.author_id != thread.author_id or comment.account != account.key:
            raise Refused(403, "window_closed")
        if self.ledger.private_replies(comment.id):
            raise Refused(403, "comment_answered")
        if new.written_by != "human" or now - comment.at > HUMAN_WINDOW_S or comment.deleted_at is not None:
            raise Refused(403, "window_closed")

    def _file_name(self, file_id: str) -> str:
        found = self.ledger.file(file_id)
        if found is None:
            raise Refused(422, "file_unknown")
        return found[0]

    # ---- words into events

    def speaker(self, author_id: str, account_key: str) -> wire.Speaker:
        """How somebody is introduced in events."""
        if author_id == account_key:
            account = self.ledger.account(account_key)
            return wire.Speaker(author_id, account.handle if account else "", account.name if account else "")
        person = self.ledger.person(author_id) or Persona(author_id, f"@{author_id}", author_id)
        return wire.Speaker(person.id, person.handle, person.name, vouched=person.vouched)

    def _begin(self, account: str, place: str, author_id: str, *, views: int, at: float | None) -> ThreadRow:
        thread = ThreadRow(_new("th"), account, place, _new("m"), author_id, views, at or clock.epoch_s())
        self.ledger.save_thread(thread)
        return thread

    def _say(  # noqa: PLR0913 - an utterance has these parts
        self,
        thread: ThreadRow,
        author_id: str,
        text: str,
        *,
        reply_to: str = "",
        at: float | None = None,
        files: Sequence[FileRef] = (),
        origin: str = "customer",
        client_key: str = "",
        message_id: str = "",
        comment: str = "",
    ) -> MessageRow:
        row = MessageRow(
            seq=0,
            id=message_id or _new("m"),
            thread=thread.id,
            account=thread.account,
            author_id=author_id,
            origin=origin,
            text=text,
            reply_to=reply_to,
            client_key=client_key,
            at=clock.epoch_s() if at is None else at,
            edited_at=None,
            deleted_at=None,
            hidden_at=None,
            state="",
            reactions={},
            files=tuple(files),
            comment=comment,
        )
        is_told = origin == "customer" or self.echoes
        return self.ledger.add_message(row, [self._created(thread, row)] if is_told else [])

    def _created(self, thread: ThreadRow, row: MessageRow) -> NewEvent:
        account = self.ledger.account(thread.account)
        target = self.ledger.message(row.reply_to) if row.reply_to else None
        names_us = account is not None and (account.handle.lower() in row.text.lower() or row.id == thread.root_id)
        message = wire.Utterance(
            id=row.id,
            author=self.speaker(row.author_id, thread.account),
            text=row.text,
            reply_to=row.reply_to,
            reply_to_author=target.author_id if target else "",
            mentions=(thread.account,) if names_us and thread.place == "post" else (),
            files=tuple(self._file_link(file) for file in row.files),
            client_key=row.client_key,
        )
        return self._event(
            thread.account,
            "message.created",
            thread.id,
            at=row.at,
            conversation=self._conversation(thread),
            message=message,
        )

    def _file_link(self, file: FileRef) -> wire.FileLink:
        found = self.ledger.file(file.id)
        content = found[2] if found is not None and len(found[2]) <= INLINE_FILE_BYTES else b""
        return wire.FileLink(file.name, f"{self.address}/api/files/{file.id}", file.alt, content)

    def _conversation(self, thread: ThreadRow) -> wire.Conversation:
        root = self.ledger.message(thread.root_id) if thread.root_id else None
        return wire.Conversation(
            place=thread.place,  # type: ignore[arg-type] # kept as text in the ledger
            author_id=thread.author_id,
            author_name=self.speaker(thread.author_id, thread.account).name,
            root_id=thread.root_id,
            text=root.text if root else "",
            permalink=f"{self.address}/threads/{thread.id}",
            views=thread.views,
        )

    def _event(
        self, account: str, kind: str, thread: str, *, delay_s: float = 0.0, at: float | None = None, **more: object
    ) -> NewEvent:
        event_id = _new("ev")
        moment = clock.from_epoch(clock.epoch_s() if at is None else at)
        body = {"id": event_id, "account": account, "kind": kind, "at": moment, "thread": thread, **more}
        return NewEvent(event_id, account, kind, msgspec.json.encode(body), delay_s)

    def _thread(self, thread_id: str) -> ThreadRow:
        found = self.ledger.thread(thread_id)
        if found is None:
            raise Refused(404, "thread_gone")
        return found

    def _message(self, message_id: str) -> MessageRow:
        found = self.ledger.message(message_id)
        if found is None:
            raise Refused(404, "message_gone")
        return found


def _words(new: wire.NewMessage) -> str:
    """What the message says: its own text, or an approved one with its places filled. Raises Refused(422)."""
    if not new.template:
        return new.text
    found = next((one for one in TEMPLATES if one.id == new.template), None)
    if found is None:
        raise Refused(422, "template_unknown")
    if len(new.values) != len(found.parameters) or not all(new.values):
        raise Refused(422, "template_values")
    if bool(found.media) != bool(new.files):
        raise Refused(422, "template_file")
    text = found.body
    for name, value in zip(found.parameters, new.values, strict=True):
        text = text.replace("{{" + name + "}}", value)
    return text


def _check_length(new: wire.NewMessage, thread: ThreadRow) -> None:
    """The platform counts for itself: 280 graphemes in public, 2,000 characters in private; words or a file are
    needed."""
    unit, limit = ("chars", DM_CHARS) if thread.place == "dm" else ("graphemes", PUBLIC_GRAPHEMES)
    if counting.measure(new.text, unit) > limit:
        raise Refused(422, "text_too_long")
    if not new.text.strip() and not new.files:
        raise Refused(422, "text_missing")


def _new(prefix: str) -> str:
    return f"{prefix}_{ids.new_id()}"
