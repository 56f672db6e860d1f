"""Who a visitor is: a signed token the browser keeps, and what the site may prove about its own user.

A visitor without proof is a random name. A site proves its user with a JWT (HS256, RFC 7519 of May 2015) or with a hash
over id and e-mail; both are made on the site's server with the channel's identity secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

import msgspec

from careline.channels.base import ChannelView, SignInRequired
from careline.kit import clock, ids, signing

KEPT_LASTS_S, LIVE_LASTS_S = 400 * 24 * 3600, 12 * 3600
MOST_TOKENS = 4
_KEPT, _LIVE = "webchat-kept", "webchat-live"


class Visitor(msgspec.Struct, frozen=True):
    """A visitor as a token says. `host` is the origin of the page; `subject` the site's user id when proven."""

    id: str
    host: str
    subject: str = ""
    name: str = ""
    proven: tuple[tuple[str, str], ...] = ()

    @property
    def thread_key(self) -> str:
        """The one conversation of this visitor."""
        return f"visitor:{self.id}"


class SiteUser(msgspec.Struct, frozen=True):
    """What the page says of its user: a JWT alone, or the four parts of the hashed form."""

    token: str = ""
    id: str = ""
    email: str = ""
    name: str = ""
    hash: str = ""

    @property
    def is_given(self) -> bool:
        return bool(self.token or self.id or self.hash)


class Proof(msgspec.Struct, frozen=True):
    """A proven user of the site."""

    subject: str
    name: str = ""
    proven: tuple[tuple[str, str], ...] = ()


class Arrival(msgspec.Struct, frozen=True):
    """The visitor of this page view; `token` opens the conversation for some hours; `tokens` are what the browser keeps.

    A kept token opens nothing by itself: a proven user's conversation is shown only with a fresh proof.
    """

    visitor: Visitor
    token: str
    tokens: tuple[str, ...]


def arrive(channel: ChannelView, host: str, tokens: tuple[str, ...], user: SiteUser) -> Arrival:
    """Find the visitor among the tokens the browser kept, or make one.

    With a proven user: the token already theirs, else an anonymous one (the conversation goes on after signing in), else the
    same new name on every device. Without: an anonymous one; another user's conversation is never shown, yet its token is kept.
    Raises SignInRequired for a proof that does not hold.
    """
    known = [one for one in (_kept(channel, token, host) for token in tokens[:MOST_TOKENS]) if one is not None]
    proof = prove(channel, user) if user.is_given else None
    visitor = _anonymous(known, host) if proof is None else _proven(channel, known, host, proof)
    others = [one for one in known if one.id != visitor.id and one.subject != visitor.subject]
    keep = (visitor, *others[: MOST_TOKENS - 1])
    return Arrival(
        visitor,
        _seal(channel, _LIVE, visitor, LIVE_LASTS_S),
        tuple(_seal(channel, _KEPT, one, KEPT_LASTS_S) for one in keep),
    )


def _kept(channel: ChannelView, token: str, host: str) -> Visitor | None:
    try:
        visitor = _open(channel, _KEPT, token)
    except SignInRequired:
        return None
    return msgspec.structs.replace(visitor, host=host)


def _anonymous(known: list[Visitor], host: str) -> Visitor:
    return next((one for one in known if not one.subject), None) or Visitor(ids.new_token(15), host)


def _proven(channel: ChannelView, known: list[Visitor], host: str, proof: Proof) -> Visitor:
    own = next((one for one in known if one.subject == proof.subject), None) or next(
        (one for one in known if not one.subject), None
    )
    visitor_id = (
        own.id
        if own is not None
        else signing.short_tag(channel.signing_key, "webchat-user", proof.subject, size_bytes=15)
    )
    return Visitor(visitor_id, host, proof.subject, proof.name, proof.proven)


def open_visitor(channel: ChannelView, token: str) -> Visitor:
    """The visitor of a live token. Raises SignInRequired for one that is forged, over, merely kept, or of another channel."""
    return _open(channel, _LIVE, token)


def _seal(channel: ChannelView, purpose: str, visitor: Visitor, lasts_s: int) -> str:
    return signing.seal(channel.signing_key, purpose, msgspec.to_builtins(visitor), lasts_s=lasts_s)


def _open(channel: ChannelView, purpose: str, token: str) -> Visitor:
    claims = signing.unseal(channel.signing_key, purpose, token)
    try:
        return msgspec.convert(claims, Visitor)
    except msgspec.ValidationError as wrong:
        raise SignInRequired("ticket_wrong", "This address is not valid.") from wrong


def prove(channel: ChannelView, user: SiteUser) -> Proof:
    """What the site proved. Raises SignInRequired when the channel has no identity secret or the proof does not hold."""
    secret = channel.secrets.get("identity_secret", "").encode()
    if not secret:
        raise SignInRequired("identity_off", "This channel has no identity secret.")
    return _prove_jwt(secret, user.token) if user.token else _prove_hash(secret, user)


def identity_hash(secret: str, user_id: str, email: str = "") -> str:
    """What a site writes into `data-user-hash`: hex HMAC-SHA256 over the id, a line feed and the e-mail address."""
    return hmac.new(secret.encode(), f"{user_id}\n{email}".encode(), hashlib.sha256).hexdigest()


def _prove_hash(secret: bytes, user: SiteUser) -> Proof:
    expected = hmac.new(secret, f"{user.id}\n{user.email}".encode(), hashlib.sha256).hexdigest()
    if not user.id or not hmac.compare_digest(expected.encode(), user.hash.encode()):
        raise SignInRequired("identity_wrong", "The user's hash does not fit.")
    return Proof(user.id[:200], user.name[:160], _keys(user.id, user.email, ""))


class _Claims(msgspec.Struct, frozen=True):
    sub: str | int
    exp: float
    nbf: float = 0
    email: str = ""
    email_verified: bool = True
    phone_number: str = ""
    name: str = ""


class _Head(msgspec.Struct, frozen=True):
    alg: str


def _prove_jwt(secret: bytes, token: str) -> Proof:
    signed, _, signature = token.rpartition(".")
    head, _, body = signed.partition(".")
    try:
        genuine = hmac.compare_digest(signing.sign(secret, signed.encode()), _unb64(signature))
        if not genuine or msgspec.json.decode(_unb64(head), type=_Head).alg != "HS256":
            raise SignInRequired("identity_wrong", "The user's token does not fit.")
        claims = msgspec.json.decode(_unb64(body), type=_Claims)
    except (ValueError, msgspec.DecodeError, RecursionError) as wrong:
        raise SignInRequired("identity_wrong", "The user's token cannot be read.") from wrong
    if not claims.nbf - signing.TOLERANCE_S <= clock.epoch_s() < claims.exp:
        raise SignInRequired("identity_over", "The user's token has expired.")
    subject = str(claims.sub)
    if not subject:
        raise SignInRequired("identity_wrong", "The user's token names nobody.")
    email = claims.email if claims.email_verified else ""
    return Proof(subject[:200], claims.name[:160], _keys(subject, email, claims.phone_number))


def _keys(subject: str, email: str, phone: str) -> tuple[tuple[str, str], ...]:
    found = (
        ("customer", subject[:200]),
        ("email", email.strip().lower()[:254]),
        ("phone", phone if phone.startswith("+") else ""),
    )
    return tuple((kind, value) for kind, value in found if value)


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
