"""A web chat channel for tests."""

from __future__ import annotations

import base64
import json

from careline.channels.base import ChannelView
from careline.kit import clock, signing

SITE = "https://www.air.example"
SECRET = "known to the site alone"


def channel(*, channel_id: int = 5, origins: str = SITE, secret: str = SECRET, **settings: str) -> ChannelView:
    return ChannelView(
        channel_id,
        7,
        "webchat",
        "chat",
        "Chat",
        "",
        {"origins": origins, **settings},
        {"identity_secret": secret} if secret else {},
        brand_name="Aurora Air",
        signing_key=f"{channel_id}".encode() * 32,
    )


def jwt(claims: dict[str, object], *, secret: str = SECRET, alg: str = "HS256") -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    signed = f"{part({'alg': alg, 'typ': 'JWT'})}.{part({'exp': clock.epoch_s() + 60, **claims})}"
    return f"{signed}.{base64.urlsafe_b64encode(signing.sign(secret.encode(), signed.encode())).decode().rstrip('=')}"
