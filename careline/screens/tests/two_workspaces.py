"""Two workspaces filled alike, one row of everything an address can name, so that a row of the other one is known wherever it turns up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db.models import Model

from careline.cases.actions.assigning import assign_agent
from careline.cases.actions.drafting import save_draft
from careline.cases.actions.noting import write_note
from careline.cases.actions.replying import write_reply
from careline.cases.models import Case, CaseField, CaseNumber, ClockPolicy, Tag
from careline.channels.models import Channel
from careline.conftest import DM, hear, make_agent, make_case, make_channel, make_identity, make_thread
from careline.events.recording import unit_of_work
from careline.files.models import StoredFile
from careline.intake.models import JournalRow, RefusedDelivery
from careline.kit import clock
from careline.knowledge.models import Snippet
from careline.outbox.models import Attempt, Delivery, Moderation, ModerationAttempt
from careline.people.actions.renaming import rename_person
from careline.people.models import Link, Person, PersonKey
from careline.threads.models import Attachment, Message, MessageAlias, Revision, Tombstone
from careline.triage.actions.naming import draft_topic
from careline.triage.models import Correction, FittedHead, Judgement, Spike, TopicExample
from careline.triage.tests.learning import vector_at
from careline.workspaces.audit import record_audit
from careline.workspaces.models import Calendar, Invitation, Team, Workspace
from careline.workspaces.sight import Viewer

# Who has no column of a workspace, and why that is no gap.
NAMED: dict[str, str] = {
    "Workspace": "it is the workspace",
    "Account": "signs in; what it may do is its Agent's, one per workspace",
    "Installation": "one row for the whole installation",
    "Lease": "who works on what: names of rooms and partitions, nothing of anybody",
    "Bucket": "how fast a channel may send, by the channel's name",
    "MessageAlias": "belongs to its message alone, and goes with it",
    "Revision": "belongs to its message alone, and goes with it",
    "Agent_teams": "joins an agent and a team, which both have one",
    "Account_groups": "Django's, unused",
    "Account_user_permissions": "Django's, unused",
}
# May be empty: what is nobody's yet.
NULLABLE: dict[str, str] = {
    "Audit": "a sign-in that failed belongs to nobody's workspace",
    "Invitation": "the first owner's link comes before the workspace",
}


def own_models() -> Iterator[type[Model]]:
    """Every table of ours, those that join two included."""
    for model in apps.get_models(include_auto_created=True):
        if model.__module__.startswith("careline."):
            yield model


@dataclass(frozen=True)
class Filled:
    """A workspace, its owner, and for each name an address may use, the rows of this workspace."""

    viewer: Viewer
    named: dict[str, list[Any]]
    word: str

    def row_ids(self) -> set[int]:
        """The id of every row of this workspace, its own included."""
        found = {self.viewer.workspace_id}
        for model in own_models():
            if any(field.attname == "workspace_id" for field in model._meta.concrete_fields):
                mine = model._default_manager.filter(workspace_id=self.viewer.workspace_id)
                found |= {pk for pk in mine.values_list("pk", flat=True) if isinstance(pk, int)}
        return found

    def picture(self) -> dict[str, list[Any]]:
        """Every row of this workspace, whole."""
        return {
            model.__name__: list(
                model._default_manager.filter(workspace_id=self.viewer.workspace_id).order_by("pk").values()
            )
            for model in own_models()
            if any(field.attname == "workspace_id" for field in model._meta.concrete_fields)
        }


def fill(slug: str, word: str, *, numbers_from: int) -> Filled:
    """A workspace with a row of every kind, whose names and texts all hold `word`."""
    workspace = Workspace.objects.create(slug=slug, name=f"{word} lines")
    team = Team.objects.create(workspace=workspace, name=f"{word} care")
    owner = make_agent(workspace, f"Olga {word}", "owner", team)
    other = make_agent(workspace, f"Ben {word}", "lead", team)
    CaseNumber.objects.create(workspace_id=workspace.id, n=numbers_from)
    channel = make_channel(workspace, team, name=f"@{word}")
    marta = Person.objects.create(workspace_id=workspace.id, name=f"Marta {word}", name_key=f"marta {word}")
    identity = make_identity(marta, f"marta-{word}", name=f"Marta {word}")
    twin = Person.objects.create(workspace_id=workspace.id, name=f"Marta {word} R.")
    case = make_case(channel, identity, f"Where is the {word}?", surface=DM, thread=make_thread(channel, DM))
    second = make_case(channel, identity, f"Another {word}", surface=DM)
    place = _Place(workspace, team, owner, other, channel, case)
    named = _told(place, word) | _kept(place, word)
    heard = Message.objects.filter(case_id=case.id, direction="inbound")
    named |= {
        "number": [case.number, second.number],
        "message": [heard.latest("id").id],
        "person": [marta.id, twin.id],
        "link": [
            Link.objects.create(
                workspace_id=workspace.id, identity=identity, person=twin, evidence="name", is_suggestion=True
            ).id
        ],
        "channel": [channel.id],
        "team": [team.id],
        "agent": [owner.agent_id, other.agent_id],
        "person_act": [rename_person(owner, marta.id, f"Marta {word} Ruiz")],
    }
    PersonKey.objects.create(workspace_id=workspace.id, kind="email", value=f"{word}@example.test", person=marta)
    return Filled(owner, named, word)


@dataclass(frozen=True)
class _Place:
    workspace: Workspace
    team: Team
    owner: Viewer
    other: Viewer
    channel: Channel
    case: Case


def _told(place: _Place, word: str) -> dict[str, list[Any]]:
    """What was said and done on the case."""
    of, case = place.workspace.id, place.case
    identity = Message.objects.filter(case_id=case.id).latest("id").author_identity
    assert identity is not None
    message = hear(case, place.channel, identity, f"Still the {word}", surface=DM)
    act = assign_agent(place.owner, case.number, place.other.agent_id)
    write_note(place.owner, case.number, text=f"@Ben {word} look")
    save_draft(place.owner, case.number, mode="note", text=f"draft {word}")
    thread = message.thread_id
    assert thread is not None
    answer = write_reply(place.other, case.number, thread_id=thread, text=f"Soon, {word}", mode="private")
    delivery = Delivery.objects.get(message_id=answer.id)
    Delivery.objects.filter(id=delivery.id).update(state="failed", error_detail=f"{word} is full")
    Attempt.objects.create(workspace_id=of, delivery=delivery, number=1, owner="o", error_detail=f"{word} is full")
    moderation = Moderation.objects.create(
        workspace_id=of, channel_id=place.channel.id, case_id=case.id, message=message, agent_id=place.owner.agent_id, verb="like",
        platform_id=f"liked-{word}", state="failed", idempotency_key=f"like-{word}", error_detail=f"{word} is full",
    )  # fmt: skip
    ModerationAttempt.objects.create(workspace_id=of, moderation=moderation, number=1, owner="o", error_detail=word)
    Revision.objects.create(message=message, text=f"Before: {word}")
    MessageAlias.objects.create(channel_id=place.channel.id, platform_id=f"alias-{word}", message=message)
    Tombstone.objects.create(workspace_id=of, channel_id=place.channel.id, platform_id=f"gone-{word}")
    file = StoredFile.objects.create(
        workspace_id=of,
        sha256=word.ljust(64, "0"),
        size_bytes=1,
        content_type="image/png",
        wrapped_key=b"k",
        reference_count=1,
    )
    Attachment.objects.create(workspace_id=of, message=message, file=file, name=f"{word}.png")
    return {
        "moderation": [moderation.id],
        "act": [act],
        "delivery": [delivery.id],
        "thread": [thread],
        "file": [file.id],
    }


def _kept(place: _Place, word: str) -> dict[str, list[Any]]:
    """What a workspace keeps beside its cases."""
    of = place.workspace.id
    calendar = Calendar.objects.create(workspace=place.workspace, name=f"{word} office")
    letters = [
        JournalRow.objects.create(
            workspace_id=of, channel_id=place.channel.id, event_key=f"e-{word}-{state}", order_key="o", partition=1,
            raw=word.encode(), state=state, detail=f"{word} unread",
        )
        for state in (JournalRow.DEAD, JournalRow.NEW)
    ]  # fmt: skip
    RefusedDelivery.objects.create(
        workspace_id=of, connection_id=place.channel.connection_id, raw=word.encode(), reason=f"{word} no"
    )
    invitation = Invitation.objects.create(
        workspace=place.workspace,
        email=f"new-{word}@example.test",
        token_hash=word,
        expires_at=clock.now() + timedelta(days=1),
    )
    ClockPolicy.objects.create(
        workspace_id=of, name="private", first_target_s=61, first_breach_s=62 + place.case.number, next_s=63
    )
    with unit_of_work() as work:
        record_audit(work, "role_changed", workspace_id=of, agent_id=place.owner.agent_id, subject=word)
    return _learned(place, word) | {
        "letter": [letters[0].id],
        "invitation": [invitation.id],
        "calendars": [calendar.id],
        "brands": [place.channel.brand_id],
        "teams": [place.team.id],
        "tags": [Tag.objects.create(workspace_id=of, name=f"tag-{word}").id],
        "fields": [CaseField.objects.create(workspace_id=of, key=f"key-{word}", label=f"{word} code").id],
        "snippets": [
            Snippet.objects.create(workspace_id=of, shortcut=f"s{word}", name=word, texts={"en": f"Hi {word}"}).id
        ],
    }


def _learned(place: _Place, word: str) -> dict[str, list[Any]]:
    """What triage keeps: a judged message, a correction, a topic with its example, a head."""
    of = place.workspace.id
    message = Message.objects.filter(case_id=place.case.id, direction="inbound").earliest("id")
    Judgement.objects.create(message=message, workspace_id=of, vector=vector_at(word))
    Correction.objects.create(
        workspace_id=of, message=message, verdict="kind", value="question", agent_id=place.owner.agent_id
    )
    topic = draft_topic(place.owner, name=f"About {word}", texts=[f"my {word} is late"])
    FittedHead.objects.create(workspace_id=of, name="kind", version=1, state="earlier", card={"labels": [word]})
    return {
        "topic": [topic],
        "spike": [
            Spike.objects.create(workspace_id=of, key=f"unit-{word}", rule="unit", causes=[[word, 1, 1, 1, 0]]).id
        ],
        "example": [TopicExample.objects.get(topic_id=topic).id],
        "head": ["kind"],
        "version": [1],
    }
