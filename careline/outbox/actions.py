"""What a person does with a delivery: take it back, try it again, say what became of it. All in the caller's unit of
work.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from careline.errors import Conflict, NotFound
from careline.events.recording import UnitOfWork
from careline.kit import clock
from careline.outbox import parting
from careline.outbox.models import Delivery
from careline.outbox.recording import record_state

_UNSENT: Final = ("held", "queued")


def access_delivery(workspace_id: int, delivery_id: int) -> Delivery:
    """A locked delivery with its message. Raises NotFound for a foreign one. One statement."""
    found = Delivery.objects.select_for_update(of=("self",)).select_related("message")
    delivery = found.filter(id=delivery_id, workspace_id=workspace_id).first()
    if delivery is None:
        raise NotFound("delivery_not_found", _("This delivery does not exist."))
    return delivery


def cancel(work: UnitOfWork, delivery: Delivery) -> None:
    """Take back what has not left, all its posts together. Raises Conflict('already_sent') once a sender has it."""
    if delivery.state not in _UNSENT or parting.has_left(delivery):
        raise Conflict("already_sent", _("It has already left and cannot be taken back."))
    parting.cancel_parts(work, delivery)
    _move(work, delivery, "cancelled")


def retry(work: UnitOfWork, delivery: Delivery) -> None:
    """Send a failed one again, now: a real attempt of the same delivery. Of a message of several posts, all that failed.

    Raises Conflict('not_failed').
    """
    if delivery.state != "failed":
        raise Conflict("not_failed", _("Only a failed message can be sent again."))
    if delivery.parts > 1:
        parting.requeue_parts(work, delivery)
        return
    delivery.not_before = clock.now()
    delivery.error_code = delivery.error_detail = ""
    _move(work, delivery, "queued")


def resolve(work: UnitOfWork, delivery: Delivery, *, was_sent: bool) -> None:
    """A person looked on the platform: it is there, or it is not and goes out again. Raises Conflict('not_unknown')."""
    if delivery.state != "unknown":
        raise Conflict("not_unknown", _("The outcome of this message is known by now."))
    delivery.error_code = delivery.error_detail = ""
    delivery.facts = {**delivery.facts, "resolved_by": "person"}
    if was_sent:
        delivery.sent_at = clock.now()
    else:
        delivery.not_before = clock.now()
    _move(work, delivery, "sent" if was_sent else "queued")


def _move(work: UnitOfWork, delivery: Delivery, state: str) -> None:
    delivery.state = state
    delivery.save(update_fields=["state", "not_before", "error_code", "error_detail", "facts", "sent_at"])
    record_state(work, delivery)
