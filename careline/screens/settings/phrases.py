"""Codes of the machine in words for people: audit verbs, channel states, checks, windows, reasons of dead letters."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from careline.channels.base import Health
from careline.channels.capabilities import Capabilities, Surface, Window
from careline.channels.models import Channel
from careline.workspaces.queries import AuditLine


def audit_words(line: AuditLine | str) -> str:
    """What was done, in the reader's language."""
    verb = line if isinstance(line, str) else line.verb
    return _audit_table().get(verb, verb)


def _audit_table() -> dict[str, str]:
    return {
        "sign_in": _("signed in"),
        "sign_in_failed": _("failed to sign in"),
        "sign_out": _("signed out"),
        "password_changed": _("changed their password"),
        "password_reset": _("reset their password"),
        "reset_link_made": _("made a password link by command"),
        "second_factor_added": _("added a second factor"),
        "second_factor_removed": _("removed a second factor"),
        "owner_created": _("made the workspace"),
        "agent_invited": _("invited"),
        "invitation_withdrawn": _("withdrew an invitation"),
        "agent_joined": _("joined"),
        "role_changed": _("changed the role of"),
        "teams_changed": _("changed the teams of"),
        "agent_deactivated": _("ended the access of"),
        "agent_reactivated": _("gave access again to"),
        "workspace_changed": _("changed the workspace"),
        "retention_changed": _("changed how long things are kept"),
        "triage_changed": _("changed what triage does"),
        "head_gone_back": _("went back to an earlier version of what triage learned"),
        "channel_connected": _("connected a channel"),
        "channel_changed": _("changed a channel"),
        "channel_secret_changed": _("changed a channel's secrets"),
        "channel_held": _("held a channel"),
        "channel_resumed": _("resumed a channel"),
        "channel_switched_off": _("switched a channel off"),
        "channel_switched_on": _("switched a channel on"),
        "dead_letter_revealed": _("read a dead letter"),
        "dead_letters_replayed": _("replayed dead letters"),
        "message_hidden": _("hid a message from the public"),
        "message_shown": _("showed a hidden message again"),
        "message_deleted": _("deleted a message of ours"),
        "triage_model_changed": _("changed the language model triage may ask"),
        "personal_revealed": _("looked at hidden personal data"),
        "message_edited": _("edited a message of ours"),
        "trace_read": _("read a trace"),
        "partner_link_made": _("made a partner's link"),
        "partner_links_ended": _("ended all partners' links"),
        "person_exported": _("exported a person"),
        "person_erased": _("erased a person"),
        "cases_exported": _("exported cases"),
        "audit_exported": _("exported this log"),
    }


def state_words(row: Channel) -> tuple[str, str, str]:
    """(tone, icon, words) of a channel's health; a hold is said before anything else."""
    if row.state == "off":
        return "", "circle-pause", _("Switched off")
    if row.held_at is not None:
        return "soon", "circle-pause", _("Held: neither fetching nor sending")
    return {
        "active": ("good", "circle-check", _("Works")),
        "failing": ("late", "triangle-alert", _("Failing: %(count)d times in a row") % {"count": row.fail_count}),
        "silent": ("soon", "clock", _("Silent: nothing heard for longer than usual")),
        "unauthorised": ("late", "lock", _("No access: the platform refuses our password or token")),
    }.get(row.state, ("", "info", row.state))


def proof_words(proof: str) -> str:
    """What stands behind the claim that a network works (reference: proof classes A to D)."""
    return {
        "A": _("A: proven against a real server"),
        "B": _("B: proven against an independent simulator and the specification"),
        "C": _("C: proven against the specification and the platform's own examples"),
        "D": _("D: not proven against the platform"),
    }.get(proof, proof)


def window_words(capabilities: Capabilities) -> list[str]:
    """When we may write, surface by surface, in sentences."""
    return [sentence for surface in capabilities.surfaces for sentence in _surface_words(surface)]


def _surface_words(surface: Surface) -> list[str]:
    reach = pgettext("surface", "public") if surface.is_public else pgettext("surface", "private")
    head = f"{_surface_table().get(surface.name, surface.name)} ({reach})"
    if not surface.answer_here:
        return [f"{head}: " + _("cannot be answered here")]
    if surface.reply_rule == "author_must_mention_us":
        return [f"{head}: " + _("can be answered where its author named or quoted the account")]
    if not surface.windows:
        return [f"{head}: " + _("can be answered at any time")]
    return [f"{head}: {_window(window)}" for window in surface.windows]


def _surface_table() -> dict[str, str]:
    return {
        "email": _("E-mail"),
        "chat": _("chat"),
        "post": _("post"),
        "comment": _("comment"),
        "reply": _("reply"),
        "review": _("review"),
        "mention": _("mention"),
        "dm": _("direct message"),
        "group": _("group"),
        "business": _("chat of a business account"),
        "message": _("message"),
        "call": _("call"),
        "counter": _("Counter"),
        "partner": _("Partner"),
    }


def _window(window: Window) -> str:
    opens = {
        "inbound_message": _("after the customer's last message"),
        "inbound_comment": _("after the customer's comment"),
        "ad_click": _("after a click on an advertisement"),
        "subscribe": _("after the customer subscribed"),
    }[window.opens]
    words = _("%(time)s %(opens)s") % {"time": span_words(window.lasts_s), "opens": opens}
    if window.max_messages:
        many = ngettext("at most %(n)d message", "at most %(n)d messages", window.max_messages)
        words += ", " + many % {"n": window.max_messages}
    return words + (", " + _("written by a person") if window.author == "human_only" else "")


def span_words(seconds: int) -> str:
    """7 days, 24 hours, 15 minutes."""
    days, hours, minutes = seconds // 86400, seconds // 3600, seconds // 60
    if days > 1 and seconds % 86400 == 0:
        return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    if hours and seconds % 3600 == 0:
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    if minutes and seconds % 60 == 0:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    return _("%(time)s h") % {"time": timedelta(seconds=seconds)}


def health_words(health: Health) -> str:
    """A live check in plain words; an unknown code is shown with what the network said."""
    table = _check_table()
    return table.get(health.code, _("The live check failed: %(code)s.") % {"code": health.code})


def _check_table() -> dict[str, str]:
    return {**_general_checks(), **_access_checks(), **_mail_checks(), **_feed_checks()}


def _general_checks() -> dict[str, str]:
    unreachable = _("The address could not be reached. Check the host name, the port and the firewall.")
    slow = _("The other side did not answer in time. Check the address and the firewall.")
    return {
        "ok": _("The live check passed."),
        "listens_only": _("It listens. Without an address for answers nothing can be sent from here."),
        "timeout": slow,
        "too_slow": slow,
        "imap_timeout": slow,
        "unreachable": unreachable,
        "port_wrong": unreachable,
        "connection_cut": unreachable,
        "connection_lost": unreachable,
        "address_refused": _("This address is not allowed from here."),
        "not_configured": _("Something is missing. Fill in the fields marked below."),
        "answer_unreadable": _("Something answered, but not what was expected. Check the address and the port."),
    }


def _access_checks() -> dict[str, str]:
    refused = _("The server refuses the user name or password. Enter them again; some providers want an app password.")
    oauth = _("The provider gives no token. Check client, secret, refresh token and scope.")
    return {
        "no_private_access": _(
            "It works in public. Direct messages do not: make a password with access to them, and enter it here."
        ),
        "unauthorised": refused,
        "login_refused": refused,
        "login_impossible": refused,
        "login_busy": _("The server takes no more connections for this user. Try again in a few minutes."),
        "oauth_failed": oauth,
        "oauth_incomplete": oauth,
        "oauth_refused": oauth,
        "oauth_unreachable": oauth,
        "token_refused": _(
            "The platform does not accept this token. Copy it again; one that was revoked has to be replaced by a new one."
        ),
        "account_not_served": _("The token works, but not for this account. Check the account's name."),
        "other_reader": _("Something else fetches the messages of this account. Stop it, or get a new token."),
        "hears_mentions_only": _(
            "It works. In groups it hears only what mentions it, answers it or is a command, until its privacy mode is switched off."
        ),
        "not_a_page_token": _("This is no token of a Page. Take the Page's own one."),
        "app_wrong": _("The token belongs to another app. Token, app ID and app secret must be of the same one."),
        "app_serves_another": _(
            "This app delivers to another address already. Remove that one at the platform, or make an app for this account."
        ),
        "permissions_missing": _(
            "The token works, but lacks permissions: make a new one with all that the page names."
        ),
        "rights_missing": _(
            "The token works, but may not do this with this account. Check its permissions and its role."
        ),
        "message_gone": _("There is no such account, or this token may not see it. Check the IDs."),
        "rate_limited": _("The platform asks us to slow down. Try again in some minutes."),
        "platform_failed": _("The platform has a fault of its own. Try again later."),
        "hook_refused": _(
            "The platform refuses our address for its deliveries. It must be a public one that begins with https://."
        ),
        "hook_invalid": _(
            "The platform no longer delivers: our address did not answer in time. See that it is reachable, and save the channel again."
        ),
        "token_ended": _("The rest is right. The access token has ended; it is renewed when the channel is connected."),
        "app_token_refused": _(
            "The platform does not accept the token of the app. Copy it again; making a new one ends the old one."
        ),
        "credits_used_up": _("The developer account at the platform has no credits left. Buy some there."),
        "hook_missing": _("The platform does not know where to deliver. Save the channel again."),
        "hook_in_the_way": _(
            "The platform delivers to another address, so nothing can be fetched. Save the channel again."
        ),
        "hook_failed_lately": _(
            "It works, but the platform could not deliver to us lately. Check the address, its certificate and the firewall."
        ),
    }


def _mail_checks() -> dict[str, str]:
    unsafe = _("No safe connection: the certificate does not fit this host, or the server offers no TLS.")
    foreign = _("Something answered, but not what was expected. Check the address and the port.")
    return {
        "login_disabled": unsafe,
        "plaintext_refused": unsafe,
        "certificate_wrong": unsafe,
        "starttls_missing": unsafe,
        "tls_failed": unsafe,
        "not_imap": foreign,
        "imap_nonsense": foreign,
        "folder_missing": _("One of the folders does not exist. Check their names."),
        "smtp_failed": _(
            "The mail can be read but not sent: the SMTP server refuses. Check its host, port and password."
        ),
    }


def _feed_checks() -> dict[str, str]:
    return {
        "feeds_none": _("Enter at least one whole web address."),
        "feed_missing": _("There is nothing at one of the addresses. Open it in a browser and copy it again."),
        "feed_gone": _("One of the addresses is gone for good, its server says. Take it off the list."),
        "feed_forbidden": _("One of the addresses is not open to everybody. Only public feeds can be read."),
        "feed_busy": _("One of the servers wants to be asked later. Try again in some minutes."),
        "feed_failing": _("One of the servers has a fault of its own. Try again later."),
        "feed_loops": _("One of the addresses sends us in circles."),
        "feed_too_large": _("One of the feeds is larger than 4 MB. Look for one with fewer items."),
        "feed_unreadable": _("One of the addresses holds neither a feed nor a page."),
        "page_without_feed": _("One of the pages names no feed. Look for its RSS sign, or ask who runs it."),
    }


def reason_words(reason: str) -> str:
    """Why a delivery became a dead letter."""
    return {
        "foreign_payload": _("not a delivery of this network"),
        "crashed": _("Careline stopped while reading it, three times"),
        "normalise_failed": _("could not be read"),
        "digest_failed": _("could not be filed"),
        "unreadable": _("could not be read"),
        "too_large": _("over the size limit"),
        "channel_gone": _("its channel no longer exists"),
    }.get(reason, reason.replace("_", " "))


def change_words(what: str) -> str:
    """A channel's latest change."""
    return {
        "connected": _("connected"),
        "changed": _("changed"),
        "held": _("held"),
        "resumed": _("resumed"),
        "recovered": _("works again"),
        "ending": _("will soon lose its access"),
    }.get(what, what)


def fact_words(facts: dict[str, object]) -> list[tuple[str, str]]:
    """The facts of an audit row, keys and yes or no in the reader's language; other values as they were kept."""
    table = {
        "role": _("role"),
        "from": _("from"),
        "to": _("to"),
        "team": _("team"),
        "is_member": _("member"),
        "address": _("address"),
        "method": _("method"),
        "email": _("e-mail"),
        "network": _("network"),
        "name": _("name"),
        "count": _("count"),
        "rows": _("rows"),
        "kind": _("kind"),
        "channel": _("channel"),
        "keep_raw_days": _("raw deliveries, days"),
        "keep_events_days": _("events, days"),
        "keep_sending_logs_days": _("sending logs, days"),
        "keep_messages_days": _("messages, days"),
    }
    return [(table.get(key, key), _value_words(value)) for key, value in sorted(facts.items())]


def _value_words(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "–" if value is None or value == "" else str(value)
