"""The form's own words, typed: one note of what a customer said, as it lies in the journal."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Kind = Literal["phone", "counter", "partner"]
SURFACES: dict[Kind, str] = {"phone": "call", "counter": "counter", "partner": "partner"}


class Note(msgspec.Struct, frozen=True):
    """One note, checked. `id` is made by the screen, so that sending it twice keeps it once.

    `phone` is E.164. `is_verified` means the agent made sure the number is the customer's own.
    `logged_by` is the agent's or the partner's name. `call_back_at` is a promise made to the customer.
    """

    id: str
    kind: Kind
    text: str
    at: datetime
    name: str = ""
    phone: str = ""
    email: str = ""
    handle: str = ""
    is_verified: bool = False
    booking_reference: str = ""
    call_back_at: datetime | None = None
    logged_by: str = ""
    logged_by_agent_id: int = 0
