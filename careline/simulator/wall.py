"""The page where a newcomer sees the simulated public wall and private messages, and Careline's answers arriving."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import jinja2
import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from careline.kit import clock
from careline.simulator.platform import Platform
from careline.simulator.records import MessageRow, Persona, ThreadRow

THREADS_SHOWN: Final = 30
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "frame-ancestors 'none'"
)


class Line(msgspec.Struct, frozen=True):
    """One utterance as the wall shows it."""

    id: str
    name: str
    handle: str
    is_brand: bool
    is_careline: bool
    text: str
    at: str
    is_deleted: bool
    is_edited: bool
    is_hidden: bool
    is_liked: bool
    state: str
    reactions: str
    files: tuple[tuple[str, str], ...]


class Talk(msgspec.Struct, frozen=True):
    """One thread as the wall shows it. `speaker` is whom the visitor may play in it."""

    id: str
    place: str
    views: int
    speaker: str
    speaker_name: str
    lines: tuple[Line, ...]


class Letter(msgspec.Struct, frozen=True):
    """One mail as the wall shows it."""

    seq: int
    sender: str
    recipient: str
    subject: str
    text: str
    at: str
    is_careline: bool


def _iso(epoch_s: float) -> str:
    return clock.from_epoch(epoch_s).isoformat(timespec="seconds")


class Wall:
    """The pages at `/` and `/threads/<id>`."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
        self._templates = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)

    def routes(self) -> list[Route]:
        return [Route("/", self._page), Route("/wall", self._fragment), Route("/threads/{id}", self._thread)]

    async def _page(self, request: Request) -> Response:
        return self._render(
            "wall.html",
            accounts=[one for one in self._platform.ledger.accounts() if one.app != "mail"],
            **self._columns(),
        )

    async def _fragment(self, request: Request) -> Response:
        version = f'"{self._platform.ledger.version()}"'
        if request.headers.get("if-none-match") == version:
            return Response(status_code=304)
        answer = self._render("columns.html", **self._columns())
        answer.headers["etag"] = version
        return answer

    async def _thread(self, request: Request) -> Response:
        row = self._platform.ledger.thread(request.path_params["id"])
        if row is None:
            return HTMLResponse("There is no such thread.", 404)
        return self._render("thread.html", shown=self._talk(row, self._platform.ledger.people()))

    def _columns(self) -> dict[str, object]:
        people = self._platform.ledger.people()
        public = self._platform.ledger.newest_threads(("post", "comment"), THREADS_SHOWN)
        private = self._platform.ledger.newest_threads(("dm",), THREADS_SHOWN)
        return {
            "public": [self._talk(row, people) for row in public],
            "private": [self._talk(row, people) for row in private],
            "mails": self._letters(),
        }

    def _letters(self) -> list[Letter]:
        """The newest mails, each customer's together with what came back."""
        mails = self._platform.ledger.mails()[-THREADS_SHOWN:]
        return [
            Letter(one.seq, one.sender, one.recipient, one.subject, one.text, _iso(one.at), one.is_ours)
            for one in reversed(mails)
        ]

    def _talk(self, row: ThreadRow, people: dict[str, Persona]) -> Talk:
        messages = self._platform.ledger.messages_of(row.id)
        speaker = (
            row.author_id
            if row.author_id != row.account
            else next((one.author_id for one in messages if one.author_id != row.account), "")
        )
        name = people[speaker].name if speaker in people else speaker
        return Talk(row.id, row.place, row.views, speaker, name, tuple(self._line(one, people) for one in messages))

    def _line(self, one: MessageRow, people: dict[str, Persona]) -> Line:
        is_brand = one.author_id == one.account
        account = self._platform.ledger.account(one.account) if is_brand else None
        person = people.get(one.author_id)
        return Line(
            id=one.id,
            name=account.name if account else person.name if person else one.author_id,
            handle=account.handle if account else person.handle if person else "",
            is_brand=is_brand,
            is_careline=one.origin == "api",
            text=one.text,
            at=_iso(one.at),
            is_deleted=one.deleted_at is not None,
            is_edited=one.edited_at is not None,
            is_hidden=one.hidden_at is not None,
            is_liked=one.liked_at is not None,
            state=one.state,
            reactions=" ".join(one.reactions.values()),
            files=tuple((file.id, file.name) for file in one.files),
        )

    def _render(self, template: str, **values: object) -> Response:
        page = self._templates.get_template(template).render(**values)
        return HTMLResponse(page, headers={"content-security-policy": _POLICY, "x-content-type-options": "nosniff"})
