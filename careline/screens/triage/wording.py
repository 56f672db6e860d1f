"""Heads, versions and topics in the reader's words. Pure; called while a page is rendered."""

from __future__ import annotations

from datetime import timedelta

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from careline.screens.inbox.sign_wording import value_words


def head_words(name: str) -> str:
    """What a head decides."""
    return {
        "kind": _("Kind"),
        "needs_answer": _("Needs an answer"),
        "sentiment": _("Mood"),
        "topic": _("Topic"),
    }.get(name, name)


def label_words(name: str, label: str) -> str:
    """One label of a head. Topics come by name; '' is what is of none."""
    if name != "topic":
        return value_words(name, label)
    return label or _("of no topic, or of a retired one")


def version_words(state: str) -> str:
    """How a version stands."""
    return {
        "active": pgettext("version", "in use"),
        "earlier": pgettext("version", "earlier"),
        "refused": pgettext("version", "refused"),
    }.get(state, state)


def refusal_words(why: str) -> str:
    """Why a version was not used."""
    return {
        "below_active": _("worse on held-out rows than the version in use"),
        "below_shipped": _("right less often than triage was before"),
        "words_gone": _("it had learned from words that are gone since"),
        "below_commonest": _("no better than always saying the commonest"),
    }.get(why, "")


def topic_state_words(state: str) -> str:
    """How a topic stands."""
    return {
        "draft": pgettext("topic", "draft"),
        "used": pgettext("topic", "in use"),
        "retired": pgettext("topic", "retired"),
    }[state]


def source_words(source: str) -> str:
    """Where an example comes from."""
    return {"typed": _("typed"), "message": _("a message"), "thumb": _("a thumb")}.get(source, source)


def percent(share: float) -> str:
    """0.834 as 83 %, the way the reader's language writes it."""
    from babel.numbers import format_percent

    return format_percent(share, locale=translation.get_language() or "en")


def late_words(behind: timedelta) -> str:
    """How late verdicts are."""
    seconds = int(behind.total_seconds())
    if seconds < 2:
        return _("Verdicts follow within seconds.")
    if seconds < 120:
        return ngettext("Verdicts are %(n)d second late.", "Verdicts are %(n)d seconds late.", seconds) % {"n": seconds}
    minutes = seconds // 60
    return ngettext("Verdicts are %(n)d minute late.", "Verdicts are %(n)d minutes late.", minutes) % {"n": minutes}
