"""The strings behind the platform: what tests, demo and load tell it to do. Loopback only, JSON only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from careline.simulator.api import json_answer, read_json, refused_answer
from careline.simulator.behaviour import Behaviour, Fault, Temper
from careline.simulator.mailroom import answer_by_mail
from careline.simulator.platform import Platform, Refused
from careline.simulator.records import Account, App, FileRef, MessageRow, Persona


class NewAccount(msgspec.Struct, frozen=True):
    key: str
    name: str = ""
    handle: str = ""
    sending: str = "lookup"


class NewApp(msgspec.Struct, frozen=True):
    id: str
    hook_url: str
    hook_secret: str
    token: str
    accounts: tuple[NewAccount, ...]


class Spoken(msgspec.Struct, frozen=True):
    """Somebody says something. `thread` for a reply or comment, else `account`; `at` seconds since 1970, now when 0."""

    text: str
    author: str
    name: str = ""
    handle: str = ""
    account: str = ""
    thread: str = ""
    reply_to: str = ""
    views: int = 0
    at: float = 0.0
    vouched: dict[str, str] = {}
    files: tuple[FileRef, ...] = ()


class OwnPost(msgspec.Struct, frozen=True):
    account: str
    text: str
    thread: str = ""
    views: int = 0


class Aimed(msgspec.Struct, frozen=True):
    """An act on a message: new text, emoji, receipt state and its error."""

    message: str
    author: str = ""
    text: str = ""
    emoji: str = ""
    state: str = "delivered"
    error: str = ""


class InThread(msgspec.Struct, frozen=True):
    thread: str
    author: str = ""
    views: int = 0


class OnApp(msgspec.Struct, frozen=True):
    app: str
    reason: str = "revoked"


class OnAccount(msgspec.Struct, frozen=True):
    account: str


class MailAnswer(msgspec.Struct, frozen=True):
    """A customer answers the mail with this sequence number."""

    mail: int
    text: str


class StoryName(msgspec.Struct, frozen=True):
    story: str


class Control:
    """The routes below `/control`."""

    def __init__(self, platform: Platform, temper: Temper, begin: Callable[[str], None]) -> None:
        self._platform = platform
        self._temper = temper
        self._begin = begin

    def routes(self) -> list[Route]:
        acts: dict[str, tuple[type[Any], Callable[[Any], object]]] = {
            "apps": (NewApp, self._register),
            "posts": (Spoken, self._post),
            "replies": (Spoken, self._reply),
            "dms": (Spoken, self._dm),
            "own-posts": (OwnPost, self._own_post),
            "edits": (Aimed, lambda one: self._platform.edit(one.message, one.text)),
            "deletions": (Aimed, lambda one: self._platform.delete(one.message)),
            "reactions": (Aimed, lambda one: self._platform.react(one.message, one.author, one.emoji)),
            "receipts": (Aimed, lambda one: self._platform.receipt(one.message, one.state, error=one.error)),
            "typing": (InThread, lambda one: self._platform.show_typing(one.thread, one.author)),
            "views": (InThread, lambda one: self._platform.count_views(one.thread, one.views)),
            "revocations": (OnApp, lambda one: self._platform.revoke(one.app, one.reason)),
            "restorations": (OnApp, lambda one: self._platform.ledger.revoke_app(one.app, revoked=False)),
            "novelties": (OnAccount, lambda one: self._platform.say_something_new(one.account)),
            "behaviour": (Behaviour, self._behave),
            "faults": (Fault, self._temper.plan),
            "mails": (MailAnswer, self._answer_mail),
            "stories": (StoryName, lambda one: self._begin(one.story)),
        }
        routes = [Route(f"/control/{name}", _act(kind, act), methods=["POST"]) for name, (kind, act) in acts.items()]
        return [*routes, Route("/control/ledger", self._ledger)]

    def _register(self, new: NewApp) -> None:
        accounts = [
            Account(one.key, new.id, one.name or one.key, one.handle or f"@{one.key}", one.sending)
            for one in new.accounts
        ]
        self._platform.ledger.save_app(App(new.id, new.hook_url, new.hook_secret, new.token), accounts)

    def _post(self, said: Spoken) -> MessageRow:
        self._join(said)
        return self._platform.post(
            said.account, said.author, said.text, views=said.views, at=said.at or None, files=said.files
        )

    def _reply(self, said: Spoken) -> MessageRow:
        self._join(said)
        return self._platform.reply(
            said.thread, said.author, said.text, reply_to=said.reply_to, at=said.at or None, files=said.files
        )

    def _dm(self, said: Spoken) -> MessageRow:
        self._join(said)
        return self._platform.dm(said.account, said.author, said.text, at=said.at or None, files=said.files)

    def _own_post(self, new: OwnPost) -> MessageRow:
        if new.thread:
            return self._platform.reply(new.thread, new.account, new.text)
        return self._platform.own_post(new.account, new.text, views=new.views)

    def _answer_mail(self, one: MailAnswer) -> None:
        answer_by_mail(self._platform, one.mail, one.text)

    def _join(self, said: Spoken) -> None:
        known = self._platform.ledger.person(said.author)
        if known is None or said.name:
            handle = said.handle or (known.handle if known else f"@{said.author}")
            self._platform.join(Persona(said.author, handle, said.name or said.author, said.vouched))

    def _behave(self, behaviour: Behaviour) -> None:
        self._temper.set(behaviour)
        self._platform.echoes = behaviour.echoes

    async def _ledger(self, request: Request) -> Response:
        """Everything, as the platform remembers it."""
        ledger = self._platform.ledger
        events = [
            {
                "seq": one.seq,
                "id": one.id,
                "account": one.account,
                "kind": one.kind,
                "acked_at": one.acked_at,
                "deliveries": one.deliveries,
            }
            for one in ledger.events()
        ]
        return json_answer(
            {
                "messages": ledger.messages(),
                "events": events,
                "requests": ledger.requests(),
                "unacked": ledger.unacked(),
            }
        )


def _act(kind: type[Any], act: Callable[[Any], object]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            _check_caller(request)
            result = act(await read_json(request, kind))
        except Refused as refused:
            return refused_answer(refused)
        return json_answer(result if result is not None else {})

    return answer


def _check_caller(request: Request) -> None:
    """A web page elsewhere can neither send JSON here without asking first, nor reach us under another name."""
    host = (request.headers.get("host", "")).rsplit(":", 1)[0]
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Refused(415, "json_only")
    if host not in {"127.0.0.1", "localhost", "[::1]", "testserver"}:
        raise Refused(403, "loopback_only")
