"""Show what is hidden in a message, to one agent, for a reason that is written down."""

from __future__ import annotations

from typing import Final

import msgspec
from django.utils.translation import gettext as _

from careline.cases.queries.framing import sees_message
from careline.cases.queries.visible import access_case
from careline.errors import InputRefused, NotFound
from careline.events.recording import unit_of_work
from careline.threads.models import Message
from careline.threads.personal import hidden_kinds
from careline.triage.queries import masked_kinds
from careline.workspaces.audit import record_audit
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

# Codes, so that the log holds no sentence about a customer.
REASONS: Final = ("identify", "solve", "fraud", "request")


class Revealed(msgspec.Struct, frozen=True):
    """The words as the customer wrote them."""

    text: str
    quoted_text: str


def reveal_message(viewer: Viewer, number: int, message_id: int, reason: str) -> Revealed:
    """The whole words of a message of a case; who looked, when and why stands in the audit log before they are shown.

    Raises InputRefused('reason_wrong'), NotFound.
    """
    check_may(viewer.role, "manage_case")
    if reason not in REASONS:
        raise InputRefused("reason_wrong", _("Choose why you need to see it."), field="reason")
    case = access_case(viewer, number)
    message = Message.objects.filter(id=message_id, workspace_id=viewer.workspace_id, deleted_at__isnull=True).first()
    if message is None or not sees_message(viewer, message):
        raise NotFound("message_not_found", _("This message does not exist, or you may not see it."))
    kinds = hidden_kinds(message.personal, masked_kinds(viewer.workspace_id))
    with unit_of_work() as work:
        record_audit(
            work,
            "personal_revealed",
            workspace_id=viewer.workspace_id,
            agent_id=viewer.agent_id,
            account_id=viewer.account_id,
            subject=f"message:{message.id}",
            facts={"case": case.number, "reason": reason, "kinds": ",".join(kinds)},
        )
    return Revealed(message.text, message.quoted_text)
