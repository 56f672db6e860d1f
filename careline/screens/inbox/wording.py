"""Codes of cases, acts, reasons and links in the reader's words. Pure; called while a page is rendered."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from careline.cases.rows import ActView, IdentityView, OtherCase, ThreadView

# Most points a reason can bring (PRODUCT.md, Defaults): the length of its bar.
REASON_MOST = {
    "waiting": 30,
    "harm": 25,
    "repeat": 15,
    "failed_elsewhere": 15,
    "sentiment": 10,
    "exposure": 10,
    "legal": 5,
    "value": 5,
}


def view_names() -> dict[str, str]:
    """Every view by its key, in the order of the menu."""
    return {
        "mine": _("mine"),
        "team": _("team"),
        "unassigned": _("nobody's"),
        "all": _("all open"),
        "waiting": _("waiting"),
        "snoozed": _("snoozed"),
        "mentions": _("mentions"),
        "done": pgettext("view", "done"),
        "aside": _("no answer needed"),
        "audit": _("audit: was it right?"),
        "spam": _("spam"),
    }


def reason_words(code: str) -> str:
    """Why a case stands where it stands."""
    known = {
        "waiting": pgettext("reason", "waiting"),
        "harm": _("harm"),
        "repeat": _("asked again"),
        "failed_elsewhere": _("failed elsewhere"),
        "sentiment": _("sentiment"),
        "exposure": _("exposure"),
        "legal": _("legal or press"),
        "value": _("value"),
    }
    return known.get(code, code)


def state_words(case: OtherCase) -> str:
    """The state of another case, short."""
    if case.state == "done":
        return outcome_words(case.outcome)
    return {"open": _("open"), "waiting": _("waiting")}.get(case.state, case.state)


def outcome_words(outcome: str) -> str:
    """How a case ended."""
    known = {
        "solved": _("solved"),
        "heard": _("heard, not solved"),
        "no_answer_needed": _("no answer needed"),
        "spam": _("spam"),
    }
    return known.get(outcome, _("done"))


def evidence_words(identity: IdentityView) -> str:
    """Why an identity is held to be this person's."""
    known = {
        "first_seen": _("first met here"),
        "first_contact": _("first met here"),
        "written_to": _("we wrote here first"),
        "this_thread": _("this thread"),
        "exact_key": _("same key"),
        "email": _("same e-mail address"),
        "phone": _("same phone number"),
        "customer": _("same customer number"),
        "agent": _("joined by an agent"),
        "manual": _("joined by an agent"),
        "joined": _("joined by an agent"),
        "split": _("taken apart by an agent"),
        "name": _("by name"),
        "handle": _("by handle"),
        "reply_address": _("answers here"),
        "sender": _("wrote into this thread"),
    }
    words = known.get(identity.evidence, identity.evidence.replace("_", " "))
    return (
        f"{words}: {identity.evidence_value}"
        if identity.evidence_value and identity.evidence != "first_seen"
        else words
    )


def failure_words(code: str, detail: str) -> str:
    """Why a message was not sent: our own reasons in the reader's words, the platform's as it said them."""
    known = {
        "window_closed": _("the time to answer there had run out"),
        "window_used_up": _("all answers the platform allows were used"),
        "window_humans_only": _("only a person may answer there"),
        "window_needs_template": _("only an approved template may be sent there"),
        "not_summoned": _("the platform takes answers only to words that name or quote us"),
        "duplicate_text": _("the platform takes the same text only once"),
        "credits_used_up": _("our developer account there has no credits left"),
        "text_too_long": _("the text is too long for this channel"),
        "caption_too_long": _("the text is too long to go with files"),
        "too_large": _("the message is too large"),
        "customer_blocked_us": _("the customer has blocked us"),
        "customer_must_begin": _("only the customer can begin there"),
        "recipient_closed": _("the customer takes no private messages from us"),
        "names_another": _("a name in the text would let somebody else read it"),
        "customer_gone": _("the customer's account is gone"),
        "removed_from_chat": _("we were removed from this group"),
        "rights_missing": _("our account there lacks the right to do this"),
        "permissions_missing": _("our token there lacks the right to do this"),
        "too_late_to_delete": _("it is too old to be deleted"),
        "reaction_refused": _("this reaction is not allowed there"),
        "thread_gone": _("the conversation is gone"),
        "room_not_private": _("somebody else is in this conversation now"),
        "consent_missing": _("our account there has to accept the terms of its server first"),
        "token_refused": _("the platform refuses our password or token"),
        "address_wrong": _("the address cannot be written to"),
        "address_beyond_server": _("the address cannot be written to"),
        "unauthorised": _("the platform refuses our password or token"),
        "login_refused": _("the platform refuses our password or token"),
        "too_many_tries": _("it was tried too often"),
        "unreachable": _("the other side could not be reached"),
        "connection_lost": _("the other side could not be reached"),
        "connection_cut": _("the other side could not be reached"),
        "platform_away": _("the other side could not be reached"),
        "no_answer_here": _("this channel cannot be answered from here"),
        "earlier_part_failed": _("the post before it was not sent"),
        "comment_answered": _("this public message was answered in private once already"),
        "not_hideable": _("the platform does not hide this message"),
        "message_gone": _("it is no longer there"),
        "held_back": _("the platform held it back, to spare this customer too many messages"),
        "payment_missing": _("the platform wants a way to pay first"),
        "account_locked": _("the platform has locked our account"),
        "number_not_registered": _("our number is not registered there"),
        "file_refused": _("the platform does not take this file"),
        "template_wrong": _("the template does not fit what the platform approved"),
        "template_paused": _("the platform has paused this template"),
        "sender_died": _("the sending process ended in the middle"),
    }
    return known.get(code, detail or code.replace("_", " "))


def moderation_words(verb: str, state: str) -> str:
    """What we do to a message, as the agent is told at once."""
    known = {
        "hide": _("Being hidden from the public"),
        "unhide": _("Being shown again"),
        "like": _("Being liked"),
        "unlike": _("The like is being taken back"),
        "react": _("Reacting"),
        "unreact": _("The reaction is being taken back"),
        "edit": _("Changed in a moment") if state == "held" else _("Being changed"),
        "delete": _("Deleted in a moment") if state == "held" else _("Being deleted"),
    }
    return known.get(verb, verb)


def moderation_state_words(verb: str, state: str) -> str:
    """How an act on a message stands, on the message itself."""
    if state == "failed":
        return {
            "hide": _("could not be hidden"),
            "unhide": _("could not be shown again"),
            "like": _("could not be liked"),
            "unlike": _("the like could not be taken back"),
            "react": _("the reaction was not taken"),
            "unreact": _("the reaction could not be taken back"),
            "edit": _("could not be changed"),
            "delete": _("could not be deleted"),
        }.get(verb, verb)
    if state == "unknown":
        return {
            "hide": _("We do not know whether it was hidden. Was it?"),
            "unhide": _("We do not know whether it is shown again. Is it?"),
            "like": _("We do not know whether our like arrived. Did it?"),
            "unlike": _("We do not know whether our like is gone. Is it?"),
            "react": _("We do not know whether our reaction arrived. Did it?"),
            "unreact": _("We do not know whether our reaction is gone. Is it?"),
            "edit": _("We do not know whether it was changed. Was it?"),
            "delete": _("We do not know whether it was deleted. Was it?"),
        }.get(verb, verb)
    return moderation_words(verb, state)


def window_words(thread: ThreadView) -> str:
    """Why a conversation cannot be answered now; '' while it can."""
    if thread.closed_code == "window_used_up":
        counted = {"allows": thread.window_allows, "used": thread.window_used}
        if thread.opens_from or thread.window_allows == 1:
            return _("Used up: the platform allows one private answer to a public message, and it was sent. Wait for the customer to write.")  # fmt: skip
        return _("Used up: %(used)d of %(allows)d answers are sent. Wait for the customer to write.") % counted
    if thread.closed_code == "answer_elsewhere" and thread.permalink:
        return _("Only read here. Answer on the page itself.")
    known = {
        "window_closed": _("Closed: the time to answer here has run out. The customer must write first."),
        "window_not_open": _("Closed: the customer has not written here yet, and the platform lets nobody else begin."),
        "window_needs_template": _("Closed: only an approved template may be sent here now."),
        "window_humans_only": _("Only a person may answer here now."),
        "not_summoned": _("Closed: the platform takes answers only to words that name or quote this account."),
    }
    return known.get(thread.closed_code, "")


def act_icon(verb: str) -> str:
    """The sprite's name for an act."""
    known = {
        "assigned": "user-plus",
        "taken": "user-plus",
        "closed": "check",
        "set_aside": "inbox",
        "reopened": "rotate-ccw",
        "snoozed": "alarm-clock",
        "waiting": "hourglass",
        "tagged": "tag",
        "merged": "git-merge",
        "merged_here": "git-merge",
        "split": "split",
        "split_here": "split",
        "joined": "git-merge",
        "joined_here": "git-merge",
        "blocked": "ban",
    }
    return known.get(verb, "history")


def act_words(act: ActView, agents: dict[int, str] | None = None) -> str:
    """An act as a sentence without a full stop. The machine's acts name no one."""
    who = act.agent_name or pgettext("actor", "Careline")
    facts = act.facts
    to_agent = (agents or {}).get(_number(facts.get("assignee_id")), "") or str(facts.get("assignee_name") or "")
    sentences = {
        "set_aside": lambda: _("%(who)s set it aside: no answer needed") % {"who": who},
        "signs": lambda: _("%(who)s corrected what it is") % {"who": who},
        "root_cause": lambda: _("%(who)s said why it happened") % {"who": who},
        "closed": lambda: (
            _("%(who)s closed it: %(outcome)s")
            % {"who": who, "outcome": outcome_words(str(facts.get("outcome") or ""))}
        ),
        "reopened": lambda: _("%(who)s reopened it") % {"who": who},
        "snoozed": lambda: _("%(who)s snoozed it") % {"who": who},
        "waiting": lambda: _("%(who)s set it to wait") % {"who": who},
        "taken": lambda: _("%(who)s took it") % {"who": who},
        "moved": lambda: _("%(who)s moved it to another team") % {"who": who},
        "answered": lambda: _("%(who)s answered") % {"who": who},
        "tagged": lambda: _("%(who)s set the tags to %(tags)s") % {"who": who, "tags": _tags(facts.get("tags"))},
        "merged": lambda: _("%(who)s merged it with another case") % {"who": who},
        "merged_here": lambda: _("%(who)s merged it with another case") % {"who": who},
        "joined": lambda: _("%(who)s merged it with another case") % {"who": who},
        "joined_here": lambda: _("%(who)s joined another case of this person into it") % {"who": who},
        "split": lambda: _("%(who)s split messages off into another case") % {"who": who},
        "split_here": lambda: _("%(who)s split it off from another case") % {"who": who},
        "blocked": lambda: _("%(who)s blocked this customer") % {"who": who},
        "fields": lambda: _("%(who)s changed a field") % {"who": who},
        "titled": lambda: _("%(who)s changed the title") % {"who": who},
        "harm": lambda: _("%(who)s changed whether it is harm") % {"who": who},
        "language": lambda: _("%(who)s corrected the language") % {"who": who},
    }
    if act.verb == "assigned":
        return _assigned(who, to_agent, facts)
    sentence = sentences.get(act.verb)
    return sentence() if sentence else f"{who}: {act.verb.replace('_', ' ')}"


def _assigned(who: str, to_agent: str, facts: dict[str, object]) -> str:
    if to_agent and to_agent == who:
        return _("%(who)s took it") % {"who": who}
    if to_agent:
        return _("%(who)s assigned it to %(agent)s") % {"who": who, "agent": to_agent}
    if facts.get("assignee_id"):
        return _("%(who)s assigned it") % {"who": who}
    return _("%(who)s gave it back to the team") % {"who": who}


def _tags(value: object) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list) and value else pgettext("tags", "none")


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def bulk_words(verb: str, number: int) -> str:
    """What was done to several cases at once."""
    if verb == "close":
        return ngettext("%(num)s case done", "%(num)s cases done", number) % {"num": number}
    if verb == "tag":
        return ngettext("%(num)s case tagged", "%(num)s cases tagged", number) % {"num": number}
    return ngettext("%(num)s case assigned", "%(num)s cases assigned", number) % {"num": number}
