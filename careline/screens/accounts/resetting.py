"""Password reset by command: `careline user reset EMAIL` prints a one-time link, for when no system mail is set up."""

from __future__ import annotations

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.urls import reverse
from django.utils.translation import gettext as _

from careline.errors import NotFound
from careline.events.recording import unit_of_work
from careline.workspaces.audit import record_audit
from careline.workspaces.models import Account, Agent


def reset_link(email: str) -> str:
    """An address where a new password can be set, once, within CARELINE's reset time (a day).

    Audited. Raises NotFound.
    """
    account = Account.objects.filter(email=email.strip().lower(), is_active=True).first()
    if account is None:
        raise NotFound("account_not_found", _("No account has this e-mail address."))
    token = default_token_generator.make_token(account)
    with unit_of_work() as work:
        for workspace_id, agent_id in Agent.objects.filter(account=account).values_list("workspace_id", "id"):
            record_audit(
                work, "reset_link_made", workspace_id=workspace_id, account_id=account.id, subject=f"agent:{agent_id}"
            )
    return reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(account), "key": token})
