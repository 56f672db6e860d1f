"""Everything that can happen to a desk, one thing at a time and by chance of a seed: customers, agents, senders, clocks, owners."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.core.exceptions import ObjectDoesNotExist

from careline.cases.actions import (
    assigning,
    blocking,
    bulk,
    closing,
    defining,
    drafting,
    fields,
    joining,
    merging,
    noting,
    replying,
    snoozing,
    splitting,
    tagging,
    undoing,
    unsending,
)
from careline.cases.models import Case, CaseField, Tag
from careline.channels.base import Author, Counted, Deleted, Edited, InboundFile, Reacted, ReceiptSeen, Sent
from careline.clocks import firing
from careline.conftest import Air
from careline.errors import CarelineError, ChannelError
from careline.intake import digest
from careline.intake.tests.conftest import Mouth
from careline.kit import clock
from careline.outbox import claiming, settling
from careline.outbox.models import Delivery
from careline.people.actions import blocking as people_blocking
from careline.people.actions.erasing import erase_person
from careline.people.actions.joining import join_persons
from careline.people.actions.renaming import rename_person
from careline.people.actions.undoing import undo_person_act
from careline.people.models import Person, PersonAct
from careline.threads.models import Message
from careline.workspaces.actions.presenting import Profile, change_profile
from careline.workspaces.actions.staffing import set_teams
from careline.workspaces.sight import Viewer

Thing = Callable[["World"], object]
THINGS: dict[str, Thing] = {}
PEOPLE = ("marta", "otto", "ines", "paul")


@dataclass
class World:
    """Who is there, and the dice."""

    air: Air
    mouth: Mouth
    dice: random.Random
    done: dict[str, int] = field(default_factory=dict)
    words: int = 0

    def happens(self) -> str:
        """One thing; what may not be is refused, and then nothing happened."""
        seldom = [name for name in THINGS if name not in self.done]
        name = self.dice.choice(seldom if seldom and self.dice.random() < 0.5 else list(THINGS))
        try:
            THINGS[name](self)
        except (CarelineError, IndexError, ObjectDoesNotExist):
            return f"{name} (refused)"
        self.done[name] = self.done.get(name, 0) + 1
        return name

    def agent(self) -> Viewer:
        return self.dice.choice([self.air.ana, self.air.ana, self.air.ben, self.air.owner, self.air.dora])

    def case(self) -> Case:
        return self.dice.choice(list(Case.objects.order_by("-last_at", "-id")[:8]))

    def message(self, **narrow: object) -> Message:
        return self.dice.choice(list(Message.objects.filter(**narrow).order_by("-at", "-id")[:20]))

    def person(self) -> Person:
        known = Person.objects.filter(cases__isnull=False, merged_into_id__isnull=True, erased_at__isnull=True)
        return self.dice.choice(list(known.distinct().order_by("id")))

    def text(self) -> str:
        self.words += 1
        return f"word {self.words} {self.dice.choice(['hola', 'hello', '¿qué?', 'y ' * 150])}"

    def digested(self, *happenings: object) -> None:
        for one in happenings:
            self.mouth.happen(one)  # type: ignore[arg-type] # a Happening
        digest.digest_pending()


def thing(make: Thing) -> Thing:
    """Register something that may happen."""
    THINGS[make.__name__] = make
    return make


@thing
def somebody_writes(world: World) -> None:
    dice, surface = world.dice, world.dice.choice(["post", "post", "dm", "email"])
    photo = InboundFile("photo.png", content=b"\x89PNG\r\n\x1a\n" + bytes(dice.randrange(9, 60)))
    world.mouth.say(
        world.text(),
        author=dice.choice(PEOPLE),
        thread=f"{surface}-{dice.randrange(5)}",
        surface=surface,
        is_addressed=dice.random() < 0.8,
        automatic=dice.choice(["", "", "", "", "auto_reply"]),
        files=(photo,) if dice.random() < 0.2 else (),
        at=clock.now() - timedelta(minutes=dice.choice([0, 0, 0, 30])),
    )


THINGS["somebody_writes_again"] = THINGS["somebody_else_writes"] = somebody_writes


@thing
def they_write_several_at_once(world: World) -> None:
    said = [world.mouth.prepare(world.text(), author=name, thread="post-0") for name in PEOPLE]
    world.digested(*said)


@thing
def they_edit(world: World) -> None:
    heard = world.message(direction="inbound", deleted_at__isnull=True)
    world.digested(Edited(platform_id=heard.platform_id or "", text=world.text(), at=clock.now()))


@thing
def they_delete(world: World) -> None:
    world.digested(Deleted(platform_id=world.message(direction="inbound").platform_id or "", at=clock.now()))


@thing
def they_react(world: World) -> None:
    heard = world.message(platform_id__isnull=False)
    world.digested(Reacted(heard.platform_id or "", Author("otto"), world.dice.choice(["❤️", ""]), clock.now()))


@thing
def more_people_see_it(world: World) -> None:
    world.digested(Counted(f"post-{world.dice.randrange(5)}", world.dice.randrange(100_000), clock.now()))


@thing
def an_agent_answers(world: World) -> None:
    case, agent = world.case(), world.agent()
    said = Message.objects.filter(case_id=case.id, thread__isnull=False).latest("at")
    mode = "public" if said.is_public else "private"
    then = world.dice.choice(["stay", "waiting", "done"])
    written = replying.write_reply(
        agent, case.number, thread_id=said.thread_id or 0, text=world.text()[:100], mode=mode, then=then  # type: ignore[arg-type]
    )  # fmt: skip
    # Some stay held, so that they can be taken back.
    if world.dice.random() < 0.4:
        Delivery.objects.filter(message_id=written.id).update(state="held", not_before=clock.now() + timedelta(hours=1))


THINGS["an_agent_answers_again"] = THINGS["another_agent_answers"] = an_agent_answers


@thing
def an_answer_is_taken_back(world: World) -> None:
    held = world.dice.choice(list(Delivery.objects.filter(state="held").order_by("id")))
    unsending.undo_send(world.agent(), held.id)


THINGS["another_answer_is_taken_back"] = an_answer_is_taken_back


@thing
def the_sender_works(world: World) -> None:
    for claim in claiming.claim_due():
        luck = world.dice.random()
        if luck < 0.6:
            settling.settle_sent(claim, Sent(f"sent-{claim.delivery_id}"))
            continue
        error = ChannelError("platform_down", permanent=luck < 0.8, outcome_unknown=luck > 0.9)
        settling.settle_error(claim, error, max_tries=5, unknown_rule="never_retry")


THINGS["the_sender_works_again"] = the_sender_works


@thing
def a_receipt_comes(world: World) -> None:
    the_sender_works(world)
    sent = world.dice.choice(list(Delivery.objects.exclude(platform_id="").order_by("-id")[:8]))
    state = world.dice.choice(["delivered", "read", "failed"])
    world.digested(ReceiptSeen(state=state, at=clock.now(), platform_id=sent.platform_id, error="no such mailbox"))


@thing
def a_delivery_is_settled_by_hand(world: World) -> None:
    the_sender_works(world)
    stuck = world.dice.choice(list(Delivery.objects.filter(state__in=["failed", "unknown"]).order_by("id")))
    if stuck.state == "failed":
        unsending.retry_delivery(world.agent(), stuck.id)
    else:
        unsending.resolve_unknown(world.agent(), stuck.id, was_sent=world.dice.random() < 0.5)


@thing
def an_agent_notes(world: World) -> None:
    asked = world.dice.choice(["", "@Carl ", "@Dora ", "@Loyalty "])
    noting.write_note(world.agent(), world.case().number, text=asked + world.text())


@thing
def an_agent_drafts(world: World) -> None:
    text = world.dice.choice(["", world.text()])
    drafting.save_draft(world.agent(), world.case().number, mode="note", text=text)


@thing
def a_case_is_taken_or_given(world: World) -> None:
    case, agent = world.case(), world.agent()
    to = world.dice.choice([None, world.air.ana.agent_id, world.air.ben.agent_id, world.air.dora.agent_id])
    assigning.assign_agent(agent, case.number, to)


@thing
def a_case_moves(world: World) -> None:
    team = world.dice.choice([None, world.air.care.id, world.air.loyalty.id])
    assigning.assign_team(world.agent(), world.case().number, team)


@thing
def a_case_closes(world: World) -> None:
    closing.close_case(world.agent(), world.case().number, world.dice.choice(closing.OUTCOMES))


@thing
def a_case_reopens(world: World) -> None:
    closing.reopen_case(world.agent(), world.case().number)


@thing
def a_case_is_set_aside(world: World) -> None:
    agent, number = world.agent(), world.case().number
    if world.dice.random() < 0.5:
        snoozing.snooze_case(agent, number, clock.now() + timedelta(hours=world.dice.choice([1, 100])))
    else:
        snoozing.wait_for(agent, number, world.dice.choice(snoozing.REASONS))


@thing
def clocks_fire(world: World) -> None:
    with clock.travel(timedelta(hours=world.dice.choice([1, 5, 30]))):
        firing.fire_due()


@thing
def a_case_is_tagged(world: World) -> None:
    words = ["miles", "strike", "bag", "late"]
    tagging.tag_case(
        world.agent(), world.case().number, add=world.dice.sample(words, 1), remove=world.dice.sample(words, 1)
    )


@thing
def a_case_is_corrected(world: World) -> None:
    agent, number = world.agent(), world.case().number
    world.dice.choice(
        [
            lambda: fields.set_title(agent, number, world.text()[:60]),
            lambda: fields.set_harm(agent, number, world.dice.random() < 0.5),
            lambda: fields.set_language(agent, number, world.dice.choice(["es", "en", "fr"])),
            lambda: fields.set_fields(agent, number, {"booking": world.dice.choice(["ABC", "XYZ", ""])}),
        ]
    )()


@thing
def two_cases_merge(world: World) -> None:
    agent, one, other = world.agent(), world.case(), world.case()
    world.dice.choice([merging.merge_case, joining.join_case])(agent, one.number, other.number)


@thing
def a_case_splits(world: World) -> None:
    case = world.case()
    said = list(
        Message.objects.filter(case_id=case.id, direction="inbound").order_by("id").values_list("id", flat=True)
    )
    splitting.split_case(world.agent(), case.number, said[-1:], title=world.dice.choice(["", "Another thing"]))


@thing
def a_writer_is_blocked(world: World) -> None:
    if world.dice.random() < 0.3:
        blocking.block_case(world.agent(), world.case().number)
    elif world.dice.random() < 0.5:
        people_blocking.block_person(world.air.ben, world.person().id)
    else:
        people_blocking.unblock_person(world.air.ben, world.person().id)


@thing
def many_at_once(world: World) -> None:
    numbers = list({world.case().number for _ in range(3)})
    agent = world.agent()
    world.dice.choice(
        [
            lambda: bulk.close_many(agent, numbers, "heard"),
            lambda: bulk.tag_many(agent, numbers, add=["strike"]),
            lambda: bulk.assign_many(agent, numbers, world.air.ben.agent_id),
            lambda: bulk.move_many(agent, numbers, world.air.loyalty.id),
        ]
    )()


@thing
def the_last_act_is_undone(world: World) -> None:
    undoing.undo_last(world.agent())


THINGS["another_act_is_undone"] = the_last_act_is_undone


@thing
def a_person_is_renamed(world: World) -> None:
    rename_person(world.air.ben, world.person().id, world.text()[:40])


@thing
def two_persons_are_one(world: World) -> None:
    join_persons(world.air.ben, world.person().id, world.person().id)


@thing
def persons_part_again(world: World) -> None:
    act = PersonAct.objects.filter(undone_at__isnull=True).latest("id") if PersonAct.objects.exists() else None
    undo_person_act(world.air.ben, act.id if act else 0)


@thing
def a_person_is_erased(world: World) -> None:
    if world.dice.random() < 0.3:
        erase_person(world.air.owner, world.person().id)


@thing
def an_agent_changes_teams(world: World) -> None:
    teams = world.dice.choice([[world.air.care.id], [world.air.loyalty.id], [world.air.care.id, world.air.loyalty.id]])
    set_teams(world.air.owner, world.air.dora.agent_id, teams)


@thing
def a_colleague_has_another_name(world: World) -> None:
    who = world.dice.choice([world.air.ben, world.air.dora])
    profile = Profile(world.text()[:20], who.locale, "", ("en",), "", True, False)
    change_profile(who, profile)


@thing
def words_of_the_house_change(world: World) -> None:
    if world.dice.random() < 0.5:
        tag = world.dice.choice(list(Tag.objects.order_by("id")))
        world.dice.choice(
            [
                lambda: defining.change_tag(world.air.owner, tag.id, name=f"{tag.name[:20]}s", color=""),
                lambda: defining.remove_tag(world.air.owner, tag.id),
            ]
        )()
    else:
        one = CaseField.objects.get(key="booking")
        defining.change_field(world.air.owner, one.id, label=world.text()[:30], pattern="", position=0)
