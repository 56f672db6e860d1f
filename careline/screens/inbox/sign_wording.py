"""Verdicts in the reader's words. Pure; called while a page is rendered."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from careline.cases.rows import SignView

RISKS = ("harm", "legal", "leaving", "failed_elsewhere", "closing")


def name_words(name: str) -> str:
    """What a verdict is about."""
    return {
        "harm": _("Harm"),
        "legal": _("Legal or press"),
        "leaving": _("Leaving us"),
        "failed_elsewhere": _("Failed elsewhere"),
        "closing": _("How it stands for them"),
        "kind": _("Kind"),
        "topic": _("Topic"),
        "root_cause": _("Root cause"),
        "needs_answer": _("Needs an answer"),
        "sentiment": _("Mood"),
    }.get(name, name)


def value_words(name: str, value: str) -> str:
    """What a verdict says; '' is that it is not so."""
    if not value:
        return _("no, not so")
    return _VALUES.get(name, {}).get(value, lambda: value)()


_VALUES = {
    "kind": {
        "complaint": lambda: _("complaint"),
        "question": lambda: _("question"),
        "request": lambda: _("request"),
        "compliment": lambda: _("compliment"),
        "noise": lambda: _("noise"),
    },
    "needs_answer": {
        "yes": lambda: pgettext("needs an answer", "yes"),
        "no": lambda: pgettext("needs an answer", "no"),
    },
    "sentiment": {
        "negative": lambda: pgettext("mood", "bad"),
        "neutral": lambda: pgettext("mood", "even"),
        "positive": lambda: pgettext("mood", "good"),
    },
    "harm": {
        "safety": lambda: _("somebody may be in danger"),
        "stranded": lambda: _("somebody may be stranded"),
        "vulnerable": lambda: _("somebody vulnerable may be concerned"),
        "press": lambda: _("the press may be asking"),
    },
    "legal": {"legal": lambda: _("a legal threat")},
    "leaving": {"leaving": lambda: _("they may leave us")},
    "failed_elsewhere": {
        "phone": lambda: _("they called in vain"),
        "email": lambda: _("they wrote mails in vain"),
        "chat": lambda: _("the chat did not help"),
        "form": lambda: _("the form did not help"),
        "branch": lambda: _("the counter did not help"),
        "social": lambda: _("they wrote on a network in vain"),
        "app": lambda: _("the app did not help"),
    },
    "closing": {
        "thanks": lambda: _("they say thank you"),
        "solved": lambda: _("they say that it is solved"),
        "unsolved": lambda: _("heard, but not solved for them"),
    },
}


_SHORT = {
    "safety": lambda: _("danger"),
    "stranded": lambda: _("stranded"),
    "vulnerable": lambda: _("vulnerable"),
    "press": lambda: _("press"),
    "legal": lambda: _("threat"),
    "leaving": lambda: _("may leave"),
    "phone": lambda: _("telephone"),
    "email": lambda: _("e-mail"),
    "chat": lambda: _("chat"),
    "form": lambda: _("form"),
    "branch": lambda: _("counter"),
    "social": lambda: _("network"),
    "app": lambda: _("app"),
    "thanks": lambda: _("thanks"),
    "solved": lambda: pgettext("closing", "solved"),
    "unsolved": lambda: _("not solved"),
}


def sign_words(sign: SignView) -> str:
    """One sign, as the pane shows it: short."""
    if sign.name == "sentiment" and sign.number is not None:
        return f"{value_words('sentiment', sign.value)} {sign.number:+.1f}".replace("-", "−")
    if sign.name in RISKS and sign.value in _SHORT:
        return _SHORT[sign.value]()
    return sign.label or value_words(sign.name, sign.value)


def banner_words(sign: SignView) -> str:
    """A risk as a sentence."""
    words = value_words(sign.name, sign.value)
    return words[:1].upper() + words[1:]


def by_words(sign: SignView) -> str:
    """Who says so, and how sure."""
    if sign.state == "confirmed":
        return _("confirmed")
    sure = round(sign.confidence * 100)
    if sign.by == "rule":
        return _("a rule, %(sure)s %%") % {"sure": sure}
    return _("%(sure)s %%") % {"sure": sure} if sure else ""


def personal_words(kind: str) -> str:
    """A kind of personal data."""
    return {
        "card": _("card number"),
        "iban": _("IBAN"),
        "national_id": _("identity number"),
        "ssn": _("social security number"),
        "passport": _("passport"),
        "email": _("e-mail address"),
        "phone": _("telephone number"),
        "booking": _("booking reference"),
        "ip": _("IP address"),
    }.get(kind, kind)
