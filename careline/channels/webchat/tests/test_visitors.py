"""Who a visitor is: names nobody can forge, proofs only the site can make, and no look at another's conversation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careline.channels.base import SignInRequired
from careline.channels.webchat.tests.building import SITE, channel, jwt
from careline.channels.webchat.visitors import (
    LIVE_LASTS_S,
    SiteUser,
    arrive,
    identity_hash,
    open_visitor,
    prove,
)
from careline.kit import clock

MARTA = {"sub": "c-4", "email": "Marta@Example.com", "name": "Marta Ruiz"}
NOBODY = SiteUser()


def user(**claims: object) -> SiteUser:
    return SiteUser(token=jwt({**MARTA, **claims}))


def test_a_visitor_keeps_the_same_name_from_visit_to_visit() -> None:
    first = arrive(channel(), SITE, (), NOBODY)
    again = arrive(channel(), SITE, first.tokens, NOBODY)
    assert again.visitor.id == first.visitor.id
    assert arrive(channel(), SITE, (), NOBODY).visitor.id != first.visitor.id


def test_a_live_token_opens_the_conversation_until_it_is_over_and_only_on_its_channel() -> None:
    arrival = arrive(channel(), SITE, (), NOBODY)
    assert open_visitor(channel(), arrival.token).thread_key == f"visitor:{arrival.visitor.id}"
    with pytest.raises(SignInRequired):
        open_visitor(channel(channel_id=6), arrival.token)
    with clock.travel(timedelta(seconds=LIVE_LASTS_S + 1)), pytest.raises(SignInRequired) as over:
        open_visitor(channel(), arrival.token)
    assert over.value.code == "ticket_over"


@given(st.integers(min_value=0, max_value=400), st.integers(min_value=1, max_value=255))
def test_a_token_with_any_changed_character_opens_nothing(place: int, change: int) -> None:
    token = arrive(channel(), SITE, (), NOBODY).token
    place %= len(token)
    forged = token[:place] + chr((ord(token[place]) ^ change) % 128) + token[place + 1 :]
    try:
        opened = open_visitor(channel(), forged)
    except SignInRequired:
        return
    # The last character of base64 has bits that say nothing.
    assert opened == open_visitor(channel(), token)


def test_a_kept_token_opens_nothing_by_itself() -> None:
    with pytest.raises(SignInRequired):
        open_visitor(channel(), arrive(channel(), SITE, (), NOBODY).tokens[0])


def test_a_conversation_goes_on_when_its_visitor_signs_in_to_the_site() -> None:
    before = arrive(channel(), SITE, (), NOBODY)
    after = arrive(channel(), SITE, before.tokens, user())
    assert after.visitor.id == before.visitor.id
    assert after.visitor.proven == (("customer", "c-4"), ("email", "marta@example.com"))


def test_after_signing_out_the_next_person_at_the_screen_sees_nothing_of_it() -> None:
    signed_in = arrive(channel(), SITE, (), user())
    signed_out = arrive(channel(), SITE, signed_in.tokens, NOBODY)
    other = arrive(channel(), SITE, signed_out.tokens, user(sub="c-9", email=""))
    assert len({one.visitor.id for one in (signed_in, signed_out, other)}) == 2
    assert signed_in.visitor.id not in {signed_out.visitor.id, other.visitor.id}
    back = arrive(channel(), SITE, other.tokens, user())
    assert back.visitor.id == signed_in.visitor.id


def test_a_proven_user_has_one_conversation_on_all_devices() -> None:
    assert arrive(channel(), SITE, (), user()).visitor.id == arrive(channel(), SITE, (), user()).visitor.id
    assert arrive(channel(channel_id=6), SITE, (), user()).visitor.id != arrive(channel(), SITE, (), user()).visitor.id


def test_the_hashed_form_proves_id_and_address_together() -> None:
    secret = channel().secrets["identity_secret"]
    good = SiteUser(
        id="c-4", email="marta@example.com", name="Marta", hash=identity_hash(secret, "c-4", "marta@example.com")
    )
    assert prove(channel(), good).proven == (("customer", "c-4"), ("email", "marta@example.com"))
    for wrong in (
        SiteUser(id="c-4", email="ana@example.com", hash=good.hash),
        SiteUser(id="c-5", email=good.email, hash=good.hash),
        SiteUser(id="c-4", email=good.email, hash=""),
        SiteUser(hash=identity_hash(secret, "", "")),
        SiteUser(id="c-4", hash="ñ"),
    ):
        with pytest.raises(SignInRequired):
            prove(channel(), wrong)


@pytest.mark.parametrize(
    "token",
    [
        jwt(MARTA, secret="somebody else's"),
        jwt(MARTA, alg="none"),
        jwt(MARTA, alg="RS256"),
        jwt({**MARTA, "exp": 1}),
        jwt({**MARTA, "nbf": 9_999_999_999}),
        jwt({"email": "marta@example.com"}),
        jwt({**MARTA, "sub": ""}),
        jwt(MARTA).rpartition(".")[0] + ".",
        "",
        "a.b.c",
        "....",
        "ñ.ñ.ñ",
        "A" * 3000,
    ],
)
def test_a_token_the_site_did_not_sign_for_now_proves_nobody(token: str) -> None:
    with pytest.raises(SignInRequired):
        prove(channel(), SiteUser(token=token, id="x"))


def test_an_unverified_address_in_a_token_proves_only_the_customer() -> None:
    assert prove(channel(), user(email_verified=False)).proven == (("customer", "c-4"),)


def test_without_an_identity_secret_nobody_is_proven() -> None:
    with pytest.raises(SignInRequired):
        prove(channel(secret=""), SiteUser(token=jwt(MARTA, secret="")))


def test_forged_and_foreign_kept_tokens_are_forgotten() -> None:
    foreign = arrive(channel(channel_id=6), SITE, (), NOBODY)
    arrival = arrive(channel(), SITE, (*foreign.tokens, "nonsense", "", "a.b"), NOBODY)
    assert arrival.visitor.id != foreign.visitor.id and len(arrival.tokens) == 1
