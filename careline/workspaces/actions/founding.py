"""First run: a one-time link in the log makes the workspace and its owner; there is no default password."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils.text import slugify
from django.utils.translation import gettext as _

from careline.errors import NotFound
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.workspaces.actions.inviting import claim_invitation
from careline.workspaces.audit import record_audit
from careline.workspaces.checking import check_email, check_locale, check_name, check_password, check_zone
from careline.workspaces.models import Account, Agent, Brand, Calendar, Invitation, Team, Workspace
from careline.workspaces.tokens import hash_token, is_same_hash, new_link_token

LINK_DAYS = 7
RESERVED_SLUGS = frozenset({"api", "accounts", "hooks", "static", "new", "setup", "join", "admin"})
# A working week to begin with, Monday to Friday; the calendar page changes it.
FIRST_HOURS = {str(day): [["09:00", "18:00"]] for day in range(5)}


def make_owner_link() -> str | None:
    """The address of the first-owner page with a fresh token, or None once an owner exists.

    Earlier links stop working: the newest one in the log is the only one. Two statements to write.
    """
    if Agent.objects.filter(role="owner", is_active=True).exists():
        return None
    token, hashed = new_link_token()
    with unit_of_work():
        Invitation.objects.filter(workspace__isnull=True, used_at__isnull=True).delete()
        Invitation.objects.create(role="owner", token_hash=hashed, expires_at=clock.now() + timedelta(days=LINK_DAYS))
    return f"{settings.BASE_URL}/setup/{token}"


def access_owner_invitation(token: str) -> Invitation:
    """The first-owner invitation behind a token.

    Raises NotFound when used, expired, unknown, or when an owner exists.
    """
    found = Invitation.objects.filter(token_hash=hash_token(token), workspace__isnull=True).first()
    is_valid = (
        found is not None
        and is_same_hash(found.token_hash, hash_token(token))
        and found.used_at is None
        and found.expires_at > clock.now()
    )
    if found is None or not is_valid or Agent.objects.filter(role="owner", is_active=True).exists():
        raise NotFound(
            "link_over", _("This link has been used or has expired. Start Careline again to print a new one.")
        )
    return found


def create_owner(
    token: str, *, workspace_name: str, name: str, email: str, password: str, locale: str, zone: str
) -> Agent:
    """The workspace, its owner, a first team, brand and calendar.

    Raises InputRefused with the field's name, NotFound for a spent link.
    """
    access_owner_invitation(token)
    address = check_email(email)
    check_name(workspace_name, "workspace_name")
    check_name(name, "name")
    check_locale(locale)
    check_zone(zone)
    check_password(password, Account(email=address, name=name))
    with unit_of_work() as work:
        invitation = claim_invitation(token)
        workspace = found_workspace(name=workspace_name.strip(), locale=locale, zone=zone)
        account = Account.objects.create_user(address, password, name=name.strip(), locale=locale)
        owner = Agent.objects.create(
            workspace=workspace, account=account, name=name.strip(), role="owner", languages=[locale], zone=zone
        )
        owner.teams.set(Team.objects.filter(workspace=workspace))
        Invitation.objects.filter(id=invitation.id).update(workspace=workspace, email=address)
        record_audit(
            work,
            "owner_created",
            workspace_id=workspace.id,
            agent_id=owner.id,
            account_id=account.id,
            subject=f"workspace:{workspace.id}",
        )
        work.record_event(workspace.id, "settings.changed", facts={"what": "workspace"})
    return owner


def found_workspace(*, name: str, locale: str, zone: str, slug: str = "") -> Workspace:
    """Inside a unit of work: a workspace with one team, one brand and one calendar, so that a channel can be connected
    at once.
    """
    workspace = Workspace.objects.create(slug=_free_slug(slug or name), name=name, locale=locale, zone=zone)
    spanish = locale == "es"
    Team.objects.create(workspace=workspace, name="Atención al cliente" if spanish else "Customer service")
    Brand.objects.create(workspace=workspace, name=name[:80], languages=[locale], zone=zone)
    Calendar.objects.create(
        workspace=workspace, name="Horario de oficina" if spanish else "Office hours", zone=zone, hours=FIRST_HOURS
    )
    Calendar.objects.create(workspace=workspace, name="24/7", zone=zone)
    return workspace


def _free_slug(name: str) -> str:
    base = slugify(name)[:32].strip("-") or "desk"
    base = f"{base}-desk" if base in RESERVED_SLUGS else base
    taken = set(Workspace.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return (
        base
        if base not in taken
        else next(f"{base}-{n}" for n in range(2, len(taken) + 3) if f"{base}-{n}" not in taken)
    )
