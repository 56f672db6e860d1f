"""Invitations: single use, seven days, bound to an e-mail address; the token is shown once and kept only as a hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from careline.errors import Conflict, Forbidden, InputRefused, NotFound
from careline.events.recording import UnitOfWork, unit_of_work
from careline.kit import clock
from careline.workspaces.audit import record_audit
from careline.workspaces.checking import check_locale, check_name, check_password, check_zone
from careline.workspaces.models import Account, Agent, Invitation, Team, Workspace
from careline.workspaces.roles import ROLE_VERBS, check_may
from careline.workspaces.sight import Viewer
from careline.workspaces.tokens import hash_token, is_same_hash, new_link_token

INVITATION_DAYS = 7


@dataclass(frozen=True)
class Invited:
    """What the inviter gets to hand over: the address is shown once."""

    invitation_id: int
    email: str
    url: str
    workspace_name: str


def invite_agent(viewer: Viewer, *, email: str, role: str, team_ids: Sequence[int] = ()) -> Invited:
    """Invite someone by e-mail.

    An earlier open invitation of the same address stops working. Only an owner invites an owner.
    """
    check_may(viewer.role, "manage_agents")
    check_grantable(viewer.role, role)
    return _invite(viewer.workspace_id, email=email, role=role, team_ids=team_ids, by=viewer)


def invite_by_command(workspace_slug: str, *, email: str, role: str) -> Invited:
    """For `careline user invite`: whoever has a shell on the machine may invite any role. Raises NotFound for an
    unknown workspace.
    """
    workspace = Workspace.objects.filter(slug=workspace_slug).first()
    if workspace is None:
        raise NotFound("workspace_not_found", _("There is no workspace named %(slug)s.") % {"slug": workspace_slug})
    check_role(role)
    return _invite(workspace.id, email=email, role=role, team_ids=(), by=None)


def _invite(workspace_id: int, *, email: str, role: str, team_ids: Sequence[int], by: Viewer | None) -> Invited:
    address = _check_new_member(workspace_id, email)
    teams = check_teams(workspace_id, team_ids)
    token, hashed = new_link_token()
    with unit_of_work() as work:
        Invitation.objects.filter(workspace_id=workspace_id, email=address, used_at__isnull=True).delete()
        made = Invitation.objects.create(
            workspace_id=workspace_id,
            email=address,
            role=role,
            team_ids=teams,
            token_hash=hashed,
            invited_by_id=by.agent_id if by else None,
            expires_at=clock.now() + timedelta(days=INVITATION_DAYS),
        )
        agent_id = by.agent_id if by else None
        record_audit(
            work,
            "agent_invited",
            workspace_id=workspace_id,
            agent_id=agent_id,
            subject=f"invitation:{made.id}",
            facts={"role": role, "email": address},
        )
        work.record_event(workspace_id, "settings.changed", facts={"what": "agents"})
    return Invited(made.id, address, f"{settings.BASE_URL}/join/{token}", Workspace.objects.get(id=workspace_id).name)


def _check_new_member(workspace_id: int, email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as refused:
        raise InputRefused(
            "email_wrong", _("Enter an e-mail address such as ana@example.com."), field="email"
        ) from refused
    if Agent.objects.filter(workspace_id=workspace_id, account__email=address, is_active=True).exists():
        raise InputRefused("already_member", _("This person already works here."), field="email")
    return address


def withdraw_invitation(viewer: Viewer, invitation_id: int) -> None:
    """The link stops working at once. Raises NotFound for a foreign, used or unknown one."""
    check_may(viewer.role, "manage_agents")
    with unit_of_work() as work:
        gone, _rows = Invitation.objects.filter(
            id=invitation_id, workspace_id=viewer.workspace_id, used_at__isnull=True
        ).delete()
        if not gone:
            raise NotFound("invitation_not_found", _("This invitation does not exist any more."))
        record_audit(
            work,
            "invitation_withdrawn",
            workspace_id=viewer.workspace_id,
            agent_id=viewer.agent_id,
            subject=f"invitation:{invitation_id}",
        )
        work.record_event(viewer.workspace_id, "settings.changed", facts={"what": "agents"})


def access_invitation(token: str) -> Invitation:
    """The open invitation behind a token.

    Raises NotFound, in the same words, when it is unknown, used or expired. One statement.
    """
    hashed = hash_token(token)
    found = Invitation.objects.select_related("workspace").filter(token_hash=hashed, workspace__isnull=False).first()
    if (
        not token
        or found is None
        or not is_same_hash(found.token_hash, hashed)
        or found.used_at is not None
        or found.expires_at <= clock.now()
    ):
        raise NotFound("link_over", _("This invitation has been used, withdrawn or has expired. Ask for a new one."))
    return found


def has_account(invitation: Invitation) -> bool:
    """Whether the invited address already signs in here: then its own password is asked, and no new one is set. One
    statement.
    """
    return Account.objects.filter(email=invitation.email).exists()


def accept_invitation(token: str, *, name: str, password: str, locale: str, zone: str) -> Agent:
    """A new account and its membership.

    Raises InputRefused with the field's name; Conflict when the address already has an account.
    """
    invitation = access_invitation(token)
    if has_account(invitation):
        raise Conflict("account_exists", _("You already have an account. Sign in, then open the invitation again."))
    check_name(name, "name")
    check_locale(locale)
    check_zone(zone)
    check_password(password, Account(email=invitation.email, name=name))
    with unit_of_work() as work:
        claimed = claim_invitation(token)
        account = Account.objects.create_user(claimed.email, password, name=name.strip(), locale=locale)
        return _join(work, claimed, account, name.strip(), zone)


def accept_as_account(token: str, account_id: int) -> Agent:
    """The membership of someone already signed in.

    Raises NotFound unless the invitation was sent to this very account.
    """
    with unit_of_work() as work:
        claimed = claim_invitation(token)
        account = Account.objects.filter(id=account_id, email=claimed.email, is_active=True).first()
        if account is None:
            raise NotFound("link_over", _("This invitation was sent to another e-mail address."))
        return _join(work, claimed, account, account.name, "")


def claim_invitation(token: str) -> Invitation:
    """Inside a unit of work: lock and mark as used. Of two who come at once, one gets NotFound."""
    hashed = hash_token(token)
    claimed = Invitation.objects.filter(token_hash=hashed, used_at__isnull=True, expires_at__gt=clock.now()).update(
        used_at=clock.now()
    )
    if not claimed:
        raise NotFound("link_over", _("This link has been used or has expired. Ask for a new one."))
    return Invitation.objects.get(token_hash=hashed)


def _join(work: UnitOfWork, invitation: Invitation, account: Account, name: str, zone: str) -> Agent:
    workspace_id = invitation.workspace_id
    if workspace_id is None:
        raise NotFound("link_over", _("This invitation does not exist any more."))
    agent, _created = Agent.objects.update_or_create(
        workspace_id=workspace_id,
        account=account,
        defaults={"role": invitation.role, "is_active": True},
        create_defaults={
            "role": invitation.role,
            "name": (name or account.email)[:80],
            "languages": [account.locale],
            "zone": zone,
        },
    )
    agent.teams.set(Team.objects.filter(workspace_id=workspace_id, id__in=invitation.team_ids))
    facts: dict[str, str | int | float | bool | None] = {"role": invitation.role}
    record_audit(
        work,
        "agent_joined",
        workspace_id=workspace_id,
        agent_id=agent.id,
        account_id=account.id,
        subject=f"agent:{agent.id}",
        facts=facts,
    )
    work.record_event(workspace_id, "agent.changed", agent_id=agent.id, facts={"what": "joined"})
    return agent


def check_role(role: str) -> None:
    """Raises InputRefused for a role that does not exist."""
    if role not in ROLE_VERBS:
        raise InputRefused("role_unknown", _("Choose one of the roles offered."), field="role")


def check_grantable(own_role: str, role: str) -> None:
    """Only an owner makes owners. Raises InputRefused or Forbidden."""
    check_role(role)
    if role == "owner" and own_role != "owner":
        raise Forbidden("owner_only", _("Only an owner can give or take the role of owner."))


def check_teams(workspace_id: int, team_ids: Sequence[int]) -> list[int]:
    """The ids, sorted. Raises InputRefused when one is not a team of this workspace. One statement."""
    found = sorted(Team.objects.filter(workspace_id=workspace_id, id__in=list(team_ids)).values_list("id", flat=True))
    if len(found) != len(set(team_ids)):
        raise InputRefused("team_unknown", _("Choose teams of this workspace."), field="team_ids")
    return found
