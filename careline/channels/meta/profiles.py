"""Who wrote in private: Messenger and Instagram tell an id alone, and the name when asked.

Sources, read 2026-11-22, under developers.facebook.com/documentation: business-messaging/messenger-platform/identity/user-profile (updated 2026-03-18: GET by the
page-scoped id; allowed once the person wrote; apps of businesses also need the feature Business Asset User Profile Access; some ids have no profile) and
instagram-platform/instagram-api-with-instagram-login/messaging-api/user-profile (updated 2025-01-21: GET by the Instagram-scoped id; consent is writing to the
account, a comment alone is refused; nothing of whoever blocked us; the picture's address ends after a few days, and either may be null). Neither page says which
code a refusal has: subcode 2018218, no profile, and code 230, no consent, are public reports. All are final here.
"""

from __future__ import annotations

import msgspec

from careline.channels.base import AuthorFacts
from careline.channels.meta.calling import Graph
from careline.channels.meta.hooks import storable

MESSENGER = "first_name,last_name,profile_pic"
INSTAGRAM = "name,username,profile_pic"


class Profile(msgspec.Struct, frozen=True):
    """Messenger gives first and last name, Instagram name and user name; null is none."""

    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    username: str | None = None
    profile_pic: str | None = None


async def profile(key: str, fields: str, graph: Graph) -> AuthorFacts:
    """What Meta says of a scoped id. Raises ChannelError, permanent where it does not tell."""
    return facts_of(await graph.get(key, Profile, fields=fields))


def facts_of(told: Profile) -> AuthorFacts:
    """A profile in the contract's words."""
    parts = (told.first_name or "", told.last_name or "")
    name = told.name or " ".join(part for part in parts if part)
    handle = f"@{told.username}" if told.username else ""
    return AuthorFacts(storable(name), storable(handle), told.profile_pic or "")
