"""What is said of a case, with why: the words a verdict leans on and the nearest examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from careline.cases.models import Case
from careline.cases.rows import SignView
from careline.cases.signs import Sign
from careline.triage.asking import JUDGED_CHARS, judged_of
from careline.triage.models import Judgement, Topic
from careline.triage.protocol import Span, Verdict

# In this order on the screen: what may hurt first.
ORDER: Final = ("harm", "legal", "leaving", "failed_elsewhere", "closing", "kind", "topic", "needs_answer", "sentiment")
MOST_QUOTED: Final = 6
_AROUND: Final = 40


def sign_views(case: Case) -> tuple[SignView, ...]:
    """Signs in the order of the screen, refused ones left out. Three statements at most."""
    signs = {name: sign for name, sign in case.signs.items() if sign["state"] != "refused"}
    wanted = {int(sign["message_id"]) for sign in signs.values()}
    judgements = Judgement.objects.select_related("message").filter(
        workspace_id=case.workspace_id, message_id__in=wanted
    )
    rows = {row.message_id: row for row in judgements} if wanted else {}
    views = [_view(name, signs[name], rows, case) for name in ORDER if name in signs]
    views += [_sentiment(case, rows)] if case.sentiment_now is not None and "sentiment" not in signs else []
    return tuple(_with_topic(case, views))


def copies_of(case: Case) -> int:
    """How many other messages of a day say nearly the same as this case's newest judged word. Two statements at most."""
    heard = Judgement.objects.filter(workspace_id=case.workspace_id, message__case_id=case.id, cluster_id__isnull=False)
    cluster_id = heard.order_by("-message__at").values_list("cluster_id", flat=True).first()
    if cluster_id is None:
        return 0
    alike = Judgement.objects.filter(workspace_id=case.workspace_id, cluster_id=cluster_id)
    return alike.exclude(message__case_id=case.id).count()


def _view(name: str, sign: Sign, rows: dict[int, Judgement], case: Case) -> SignView:
    message_id = int(sign["message_id"])
    verdict, text = _verdict(rows.get(message_id), name)
    return SignView(
        name=name,
        value=str(sign["value"]),
        label="",
        confidence=float(sign["confidence"]),
        by=str(sign["by"]),
        state=str(sign["state"]),
        message_id=message_id,
        number=case.sentiment_now if name == "sentiment" else None,
        words=quote(text, verdict.words) if verdict else (),
        examples=tuple((one.text, one.label, one.nearness) for one in verdict.examples) if verdict else (),
    )


def _sentiment(case: Case, rows: dict[int, Judgement]) -> SignView:
    assert case.sentiment_now is not None
    newest = max(rows.values(), key=lambda row: (row.message.at, row.message_id), default=None)
    verdict, text = _verdict(newest, "sentiment")
    value = "negative" if case.sentiment_now < -0.25 else "positive" if case.sentiment_now > 0.25 else "neutral"
    return SignView(
        name="sentiment",
        value=value,
        label="",
        confidence=verdict.confidence if verdict else 0.0,
        by=verdict.by if verdict else "model",
        state="proposed",
        message_id=newest.message_id if newest else 0,
        number=case.sentiment_now,
        words=quote(text, verdict.words) if verdict else (),
    )


def _verdict(row: Judgement | None, name: str) -> tuple[Verdict | None, str]:
    if row is None:
        return None, ""
    judged = judged_of(row)
    found = next((one for one in judged.verdicts if one.name == name), None)
    return found, _hidden(row.message.text[:JUDGED_CHARS], judged.personal)


def _hidden(text: str, personal: Sequence[Span]) -> str:
    """The text with a dot for each character of personal data, so that every word keeps its place."""
    parts = list(text)
    for span in personal:
        parts[span.start : span.end] = "•" * (min(span.end, len(parts)) - span.start)
    return "".join(parts)


def _with_topic(case: Case, views: Sequence[SignView]) -> list[SignView]:
    wanted = [one for one in (case.topic_id, case.root_cause_id) if one]
    names = (
        dict(Topic.objects.filter(id__in=wanted, workspace_id=case.workspace_id).values_list("id", "name"))
        if wanted
        else {}
    )
    if case.root_cause_id in names:
        cause = SignView("root_cause", str(case.root_cause_id), names[case.root_cause_id], 1.0, "agent", "confirmed", 0)
        views = [*views, cause]
    name = names.get(case.topic_id or 0)
    if not name:
        return list(views)
    stated = [one for one in views if one.name == "topic"]
    if stated:
        return [_named(one, name) if one.name == "topic" else one for one in views]
    return [*views, SignView("topic", str(case.topic_id), name, 0.0, "model", "proposed", 0)]


def _named(view: SignView, label: str) -> SignView:
    return replace(view, label=label)


def quote(text: str, words: Sequence[Span]) -> tuple[tuple[str, bool], ...]:
    """The text in parts, shortened around the words a verdict leans on: (part, leans on it). Masks keep every place."""
    parts: list[tuple[str, bool]] = []
    at = 0
    for span in sorted(words, key=lambda one: one.start)[:MOST_QUOTED]:
        if span.start < at or span.end > len(text):
            continue
        between = text[at : span.start]
        if len(between) > 2 * _AROUND:
            between = f"{between[:_AROUND] if at else ''}…{between[-_AROUND:]}"
        parts += [(between, False)] if between else []
        parts.append((text[span.start : span.end], True))
        at = span.end
    rest = text[at : at + _AROUND]
    return tuple([*parts, (rest + ("…" if at + _AROUND < len(text) else ""), False)]) if parts else ()
