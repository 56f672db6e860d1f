"""Which case each message belongs to, what it does to that case, and the cases that begin: the rule of cases.joining_rule over a whole batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Max, Q

from careline.cases import clocks as case_clocks
from careline.cases.applying import APPLIED_COLUMNS, Heard, apply_inbound, apply_outbound, begin_case
from careline.cases.cards import index_cards
from careline.cases.joining_rule import CaseStanding, Decision, HeardMessage, case_for
from careline.cases.models import Case
from careline.cases.numbering import take_numbers
from careline.clocks import setting
from careline.intake.batch import Batch, SaidItem
from careline.kit.bulk import insert_rows
from careline.threads.models import Message
from careline.workspaces.models import Agent

ThreadAuthor = tuple[int, int]
TITLE_CHARS = 80


class Candidates:
    """Cases a batch may touch, locked in id order, and the newest one of each (thread, author); grows as the batch opens more."""

    def __init__(self, batch: Batch) -> None:
        private = {item.thread.id for item in batch.said if item.thread and not item.thread.is_public}
        public = {item.thread.id for item in batch.said if item.thread and item.thread.is_public}
        self._newest: dict[ThreadAuthor, int] = {}
        self._find(private, public)
        bound = {item.thread.bound_case_id for item in batch.said if item.thread and item.thread.bound_case_id}
        self._cases = self._lock({*self._newest.values(), *(case_id for case_id in bound if case_id)})

    def _find(self, private: set[int], public: set[int]) -> None:
        heard = Message.objects.filter(case_id__isnull=False).exclude(direction="note")
        if public:
            newest = (
                heard.filter(thread_id__in=public, direction="inbound")
                .values("thread_id", "author_identity_id")
                .annotate(newest=Max("case_id"))
            )
            self._newest |= {(row["thread_id"], row["author_identity_id"] or 0): row["newest"] for row in newest}
        if private:
            of_thread = heard.filter(thread_id__in=private).values("thread_id").annotate(newest=Max("case_id"))
            self._newest |= {(row["thread_id"], 0): row["newest"] for row in of_thread}

    def _lock(self, case_ids: set[int]) -> dict[int, Case]:
        cases: dict[int, Case] = {}
        while case_ids - cases.keys():
            found = (
                Case.objects.select_for_update(of=("self",))
                .select_related("person")
                .filter(id__in=sorted(case_ids - cases.keys()))
                .order_by("id")
            )
            batch = {case.id: case for case in found}
            if not batch:
                break
            cases |= batch
            case_ids |= {case.merged_into_id for case in batch.values() if case.merged_into_id}
        return cases

    def of(self, item: SaidItem) -> tuple[Case | None, Case | None]:
        """(the newest case of this thread and author, the case the thread is bound to)."""
        assert item.thread is not None
        newest = self._newest.get(self._key(item))
        return self._follow(newest), self._follow(item.thread.bound_case_id)

    def get(self, case_id: int) -> Case:
        """A case seen before."""
        return self._cases[case_id]

    def add(self, item: SaidItem, case: Case) -> None:
        """A case this batch opened is the newest from now on."""
        self._cases[case.id] = case
        self._newest[self._key(item)] = case.id

    @staticmethod
    def _key(item: SaidItem) -> ThreadAuthor:
        assert item.thread is not None
        return item.thread.id, (item.identity.id if item.identity else 0) if item.thread.is_public else 0

    def _follow(self, case_id: int | None) -> Case | None:
        seen: set[int] = set()
        case = self._cases.get(case_id or 0)
        while case is not None and case.merged_into_id and case.id not in seen:
            seen.add(case.id)
            case = self._cases.get(case.merged_into_id)
        return case


def case(batch: Batch) -> None:
    """Set `item.case`, mutate and save all touched cases, arm their clocks. Nine statements at most."""
    if not batch.said:
        return
    candidates = Candidates(batch)
    away = _away([item for item in batch.said], candidates)
    touched: dict[int, Case] = {}
    opening: list[SaidItem] = []
    for item in batch.said:
        decision = _decide(item, candidates, batch)
        if decision.verdict in {"open", "open_done"}:
            item.case = _open(batch, item, decision)
            candidates.add(item, item.case)
            opening.append(item)
        elif decision.case_id:
            item.case = candidates.get(decision.case_id)
        if item.case is not None:
            _apply(batch, item, item.case, wakes=decision.verdict in {"open", "join", "reopen"}, away=away)
            touched[item.case.id] = item.case
    _number(opening)
    _save(touched)
    index_cards([item.case for item in opening if item.case is not None])
    _arm(batch, touched.values())


def _decide(item: SaidItem, candidates: Candidates, batch: Batch) -> Decision:
    candidate, bound = candidates.of(item)
    if item.said.author.is_us:
        # What we posted elsewhere joins the case it answers; it never opens one.
        standing = bound or candidate
        return Decision("attach", standing.id) if standing else Decision("none")
    identity, person = item.identity, item.person
    is_blocked = bool((identity and identity.blocked_at) or (person and person.blocked_at))
    heard = HeardMessage(
        is_addressed=item.said.is_addressed,
        automatic=item.said.automatic,
        is_history=item.said.is_history,
        is_blocked=is_blocked,
    )
    return case_for(heard, _standing(candidate), batch.now, bound=_standing(bound))


def _standing(case: Case | None) -> CaseStanding | None:
    return CaseStanding(case.id, case.state, case.outcome, case.done_at) if case is not None else None


def _open(batch: Batch, item: SaidItem, decision: Decision) -> Case:
    assert item.person is not None and item.thread is not None
    channel = item.channel.row
    opened = begin_case(
        workspace_id=item.row.workspace_id,
        number=0,
        person=item.person,
        channel_id=channel.id,
        network=channel.network,
        surface=item.surface,
        team_id=channel.team_id,
        is_simulated=channel.is_simulated,
        now=item.at if item.said.is_history and item.at else batch.now,
        title=item.thread.subject or _title(item.shown),
        follows_id=decision.follows_id or None,
        done_as=decision.outcome,
    )
    opened.language = item.language or opened.language
    opened.fields = {
        key.removeprefix("field."): value for key, value in item.said.facts.items() if key.startswith("field.")
    }
    batch.new_cases.add(opened.id)
    return opened


def _title(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TITLE_CHARS else line[: TITLE_CHARS - 1].rsplit(" ", 1)[0] + "…"


def _apply(batch: Batch, item: SaidItem, case: Case, *, wakes: bool, away: set[int]) -> None:
    assert item.at is not None
    hours = item.channel.hours
    if item.said.author.is_us:
        apply_outbound(case, text=item.shown, at=item.at, agent_id=None, hours=hours)
        return
    heard = Heard(
        text=item.shown,
        at=item.at,
        language=item.language,
        is_public=item.surface.is_public,
        reach=item.said.thread.reach,
        wakes=wakes,
        assignee_is_away=case.assignee_id in away,
    )
    policy = batch.policies[item.row.workspace_id][case_clocks.clock_name(item.surface.clock, case.kind)]
    apply_inbound(case, heard, policy, hours, batch.now)


def _away(items: Iterable[SaidItem], candidates: Candidates) -> set[int]:
    found = (case for item in items for case in candidates.of(item) if case is not None)
    assignees = {case.assignee_id for case in found if case.assignee_id}
    if not assignees:
        return set()
    return set(
        Agent.objects.filter(id__in=assignees).filter(Q(is_away=True) | Q(is_active=False)).values_list("id", flat=True)
    )


def _number(opening: list[SaidItem]) -> None:
    """Give new cases their numbers: the counter is locked after the existing cases and before the events' counter."""
    by_workspace: dict[int, list[Case]] = defaultdict(list)
    for item in opening:
        if item.case is not None:
            by_workspace[item.row.workspace_id].append(item.case)
    for workspace_id in sorted(by_workspace):
        fresh = by_workspace[workspace_id]
        for case, number in zip(fresh, take_numbers(workspace_id, len(fresh)), strict=True):
            case.number = number


def _save(touched: dict[int, Case]) -> None:
    if touched:
        # One upsert for new and old alike: bulk_update would build a CASE expression a column, forty times slower.
        insert_rows([touched[key] for key in sorted(touched)], unique=("id",), update=APPLIED_COLUMNS)


def _arm(batch: Batch, cases: Iterable[Case]) -> None:
    hours = {item.case.id: item.channel.hours for item in batch.said if item.case is not None}
    setting.set_clocks(one for case in cases for one in case_clocks.case_clocks(case, hours[case.id]))
