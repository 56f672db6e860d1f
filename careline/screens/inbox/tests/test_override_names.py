"""Names with right-to-left overrides are shown as what they are and turn nothing around them: in text each stands isolated, in attributes without its overrides."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from careline.cases.actions.assigning import assign_agent
from careline.cases.actions.fields import set_title
from careline.cases.actions.noting import write_note
from careline.cases.actions.tagging import tag_case
from careline.cases.models import Case
from careline.channels.models import Channel
from careline.conftest import DM, Air, hear, make_case, make_identity, make_thread
from careline.errors import InputRefused
from careline.files.models import StoredFile
from careline.people.models import Link, Person
from careline.screens.conftest import Desk
from careline.threads.models import Attachment, Message, Thread
from careline.workspaces.models import Agent

pytestmark = pytest.mark.django_db
OVERRIDE = "\u202e"
EVE = f"Eve {OVERRIDE}tseuG"
_VOID = {"meta", "link", "input", "img", "br", "hr", "use", "path", "source", "wbr"}


class Looker(HTMLParser):
    """Finds overrides that could turn their neighbours: in a text outside of any isolating element, or in an attribute."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[tuple[str, bool]] = []
        self.loose: list[str] = []
        self.isolated = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            # What a person typed stands in its own field; addresses and data are read by no eye.
            if value and OVERRIDE in value and name in {"title", "aria-label", "alt", "placeholder"}:
                self.loose.append(f"<{tag} {name}={value!r}>")
        if tag not in _VOID:
            self._open.append((tag, tag == "bdi" or any(name == "dir" for name, _ in attrs if tag != "html")))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if OVERRIDE not in data or any(tag == "script" for tag, _ in self._open):
            return
        if any(isolates for _, isolates in self._open):
            self.isolated += 1
        else:
            self.loose.append(f"{'/'.join(tag for tag, _ in self._open[-4:])}: {data.strip()[:80]!r}")


def look(page: str) -> Looker:
    looker = Looker()
    looker.feed(page)
    return looker


@pytest.fixture
def eve_case(air: Air) -> Case:
    """Everything that carries a name carries one with an override."""
    Agent.objects.filter(id=air.ben.agent_id).update(name=f"Ben {OVERRIDE}neB")
    Channel.objects.filter(id=air.channel.id).update(name=f"@air{OVERRIDE}ria", handle=f"@air{OVERRIDE}ria")
    eve = Person.objects.create(workspace_id=air.workspace.id, name=EVE)
    identity = make_identity(eve, f"eve-{OVERRIDE}", handle=f"@eve{OVERRIDE}eve", name=EVE)
    twin = Person.objects.create(workspace_id=air.workspace.id, name=f"{EVE} II")
    other = make_identity(twin, "eve-2", handle=f"@eve{OVERRIDE}two", name=f"{EVE} II")
    Link.objects.create(workspace_id=air.workspace.id, identity=other, person=eve, evidence="name", is_suggestion=True)
    Link.objects.create(
        workspace_id=air.workspace.id,
        identity=identity,
        person=eve,
        evidence="email",
        evidence_value=f"e{OVERRIDE}@x.test",
    )
    thread = make_thread(
        air.channel, DM, subject=f"Hello {OVERRIDE}olleH", parent_author=f"@p{OVERRIDE}p", parent_text="A parent"
    )
    earlier = make_case(air.channel, identity, f"before {OVERRIDE}erofeb")
    set_title(air.ana, earlier.number, f"Earlier {OVERRIDE}reilraE")
    case = make_case(air.channel, identity, f"Words {OVERRIDE}sdrow", surface=DM, thread=thread)
    message = hear(case, air.channel, identity, f"More {OVERRIDE}eroM", surface=DM, thread=thread)
    Message.objects.filter(id=message.id).update(
        facts={"to": f"a{OVERRIDE}@x.test, b@x.test", "copied": f"c{OVERRIDE}@x.test"}, reactions={"x": "👍"}
    )
    bystander = make_thread(air.channel)
    file = StoredFile.objects.create(
        workspace_id=air.workspace.id, sha256="f" * 64, size_bytes=9, content_type="application/pdf", wrapped_key=b"k"
    )
    for more in ({"file": file}, {"problem": "not_kept"}, {"fetch_url": "https://x.test/f"}):
        Attachment.objects.create(workspace_id=air.workspace.id, message=message, name=f"bill{OVERRIDE}fdp.exe", **more)
    picture = StoredFile.objects.create(
        workspace_id=air.workspace.id, sha256="e" * 64, size_bytes=9, content_type="image/png", wrapped_key=b"k"
    )
    Attachment.objects.create(workspace_id=air.workspace.id, message=message, file=picture, name=f"p{OVERRIDE}gnp.exe")
    with pytest.raises(InputRefused):
        tag_case(air.ana, case.number, add=[f"tag{OVERRIDE}gat"])
    set_title(air.ana, case.number, f"Title {OVERRIDE}eltiT")
    write_note(air.ana, case.number, text=f"note {OVERRIDE}eton")
    assign_agent(air.ana, case.number, air.ben.agent_id)
    Thread.objects.filter(id=bystander.id).update(bound_case_id=case.id)
    return case


def test_no_override_in_a_name_turns_what_stands_beside_it(air: Air, eve_case: Case) -> None:
    desk = Desk(air.owner)
    person = eve_case.person_id
    pages = ["inbox?view=all", f"cases/{eve_case.number}", f"persons/{person}", "search?q=eve", "lead", "notices", "channels/", "settings/agents",
             f"channels/{air.channel.id}/", "settings/tags", f"cases/{eve_case.number}?view=all"]  # fmt: skip
    seen, loose = 0, []
    for path in pages:
        found = look(desk.page(path))
        seen += found.isolated
        loose += [f"{path}: {one}" for one in found.loose]
    assert not loose, "\n".join(loose)
    assert seen > 40


def test_a_notice_names_without_turning(air: Air, eve_case: Case) -> None:
    found = look(Desk(air.ben).page("notices"))
    assert not found.loose and found.isolated


def test_the_looker_finds_what_is_loose() -> None:
    loose = f'<p>by {OVERRIDE}x</p><b title="{OVERRIDE}y">z</b><bdi>{OVERRIDE}</bdi><p dir="auto">{OVERRIDE}</p>'
    found = look(f'<html dir="ltr">{loose}</html>')
    assert (len(found.loose), found.isolated) == (2, 2)
