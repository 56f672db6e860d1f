"""Invariant 11: untrusted text is data. One stranger says everything hostile at once; it is followed from the hook's bytes to pages, frames, files and fetches."""

from __future__ import annotations

import asyncio
import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from pytest_django.fixtures import Settings

from careline.cases.models import Case
from careline.channels.base import Author, InboundFile, ThreadFacts
from careline.conftest import Air
from careline.errors import CarelineError
from careline.files.storing import read_file
from careline.files.typing_content import INLINE_TYPES
from careline.intake import digest
from careline.intake.tests.conftest import mouth_of
from careline.kit.http import GuardedClient
from careline.screens.conftest import Desk
from careline.threads.models import Attachment, Message

pytestmark = pytest.mark.django_db
SCRIPT = "<script>alert(1)</script>"
HOSTILE = f"""'"--></textarea></title>{SCRIPT}<img src=x onerror=alert(1)>{{{{7*7}}}}{{% x %}}javascript:alert(1)"""
MAIL = f"""<p onclick="alert(1)">Hi</p>{SCRIPT}<iframe src="https://evil.test"></iframe><a href="javascript:alert(1)">a</a>
<img src="https://evil.test/pixel.gif"><form action="https://evil.test"><input name=password></form><style>@import url(https://evil.test)</style>
<svg onload=alert(1)></svg><meta http-equiv=refresh content="0;url=https://evil.test"><base href="https://evil.test">"""
INWARD = ("http://127.0.0.1:9/", "http://localhost/", "http://169.254.169.254/latest/", "http://[::1]/", "http://0x7f.1/", "file:///etc/passwd",
          "http://10.0.0.1/", "gopher://127.0.0.1:25/")  # fmt: skip


class Tags(HTMLParser):
    """What a browser would build of a page: elements, and the attributes that act."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.acting: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        for name, value in attrs:
            is_address = name in {"href", "src", "action", "formaction", "srcset", "background"}
            if name.startswith("on") or (
                is_address and re.match(r"\s*(javascript|data:text|vbscript):", value or "", re.I)
            ):
                self.acting.append(f"{tag} {name}={value}")


@pytest.fixture
def hostile(air: Air, settings: Settings, tmp_path: Path) -> Case:
    settings.DATA_DIR = tmp_path
    mouth = mouth_of(air)
    files = (
        InboundFile("photo.png", content=f"<!doctype html>{SCRIPT}".encode()),
        InboundFile("../../etc/cron.d/x\u202egpj.exe", content=b"MZ\x90\x00" + bytes(60)),
        InboundFile("drawing.svg", content=b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
    )
    said = mouth.prepare(
        HOSTILE, by=Author("eve", handle=f"@{HOSTILE}", name=HOSTILE), thread="t", surface="email", html=MAIL, quoted_text=HOSTILE, files=files,
        facts={HOSTILE: HOSTILE},
    )  # fmt: skip
    mouth.happen(_with_thread(said))
    digest.digest_pending()
    return Case.objects.get(id=Message.objects.get(platform_id=said.platform_id).case_id)


def _with_thread(said: object) -> object:
    return msgspec.structs.replace(
        said, thread=ThreadFacts(subject=HOSTILE, parent_author=HOSTILE, parent_text=HOSTILE)
    )  # type: ignore[type-var] # a Said


def test_invariant_11_a_strangers_words_are_words_on_every_page(air: Air, hostile: Case) -> None:
    desk = Desk(air.owner)
    clean = Tags(desk.page("settings/profile"))
    for path in (
        f"cases/{hostile.number}",
        "inbox?view=all",
        f"persons/{hostile.person_id}",
        "search?q=alert",
        "lead",
        "notices",
    ):
        page = desk.page(path)
        tags = Tags(page)
        assert SCRIPT not in page and not tags.acting, (path, tags.acting)
        assert set(tags.elements).isdisjoint({"object", "embed", "base"}), path
        assert tags.elements.count("script") <= clean.elements.count("script") + 1, path  # the case's own facts
    assert HOSTILE in Message.objects.get(case_id=hostile.id).text, "it is kept as it was said"


def test_invariant_11_a_mails_html_is_cleaned_and_framed_without_rights(air: Air, hostile: Case) -> None:
    message = Message.objects.get(case_id=hostile.id)
    answer = Desk(air.ana).get(f"messages/{message.id}/html")
    frame, policy = Tags(answer.content.decode()), answer.headers["Content-Security-Policy"]
    assert not frame.acting and set(frame.elements).isdisjoint({"script", "iframe", "form", "svg", "link", "input"})
    assert "evil.test" not in answer.content.decode()
    assert "default-src 'none'" in policy and "script-src" not in policy
    sandbox = re.search(r'<iframe[^>]*sandbox="([^"]*)"', Desk(air.ana).page(f"cases/{hostile.number}"))
    assert sandbox is not None and "allow-scripts" not in sandbox[1]


def test_invariant_11_files_are_what_their_content_is_under_a_harmless_name(air: Air, hostile: Case) -> None:
    kept = list(Attachment.objects.filter(message__case_id=hostile.id).select_related("file").order_by("id"))
    assert len(kept) == 3
    for one in kept:
        assert one.file is not None and not re.search(r"[/\\\u202a-\u202e\u2066-\u2069]|\.\.", one.name), one.name
        row, content = read_file(air.workspace.id, one.file_id or 0)
        assert (
            content
            and row.content_type not in INLINE_TYPES
            and not row.content_type.startswith(("text/html", "image/"))
        )


@pytest.mark.parametrize("address", INWARD)
def test_invariant_11_an_address_in_a_strangers_words_never_leads_inward(address: str) -> None:
    async def fetch() -> None:
        client = GuardedClient()
        try:
            await client.request("GET", address)
        finally:
            await client.close()

    with pytest.raises(CarelineError):
        asyncio.run(fetch())
