"""Who somebody is, as Meta says it: names in two parts or one, nulls, and refusals that are answers."""

from __future__ import annotations

import pytest

from careline.channels.base import AuthorFacts, UnnamedAuthor
from careline.channels.conformance.acting import with_tools
from careline.channels.meta.facebook import NETWORK
from careline.channels.meta.facebook.tests.page import NAMELESS
from careline.channels.meta.facebook.tests.rig import PagePlatform, PageRig
from careline.channels.meta.profiles import Profile, facts_of
from careline.channels.meta.tests.graph import Reply, fault
from careline.errors import ChannelError

RIG = PageRig()
AUTHOR = UnnamedAuthor(NAMELESS, "dm", NAMELESS, "m_1")


@pytest.mark.parametrize(
    ("told", "facts"),
    [
        (Profile(first_name="Marta", last_name="Ruiz"), AuthorFacts("Marta Ruiz")),
        (Profile(first_name="Marta", last_name=None), AuthorFacts("Marta")),
        (Profile(name="Marta R.", username="marta.r"), AuthorFacts("Marta R.", "@marta.r")),
        (Profile(username="marta.r", profile_pic="https://p.example/1"), AuthorFacts("", "@marta.r", "https://p.example/1")),
        (Profile(name="Mar\0ta"), AuthorFacts("Marta")),
        (Profile(), AuthorFacts()),
    ],
)  # fmt: skip
def test_a_profile_in_our_words(told: Profile, facts: AuthorFacts) -> None:
    assert facts_of(told) == facts


def test_a_page_asks_by_the_scoped_id_with_its_proof() -> None:
    with RIG.listening() as platform:
        told = with_tools(lambda tools: NETWORK.who_is(AUTHOR, platform.channel, tools))
        assert told.name == "Marta Ruiz"
        assert platform.api.requests[-1][:2] == ("GET", NAMELESS)
        assert "appsecret_proof" in platform.api.requests[-1][2]


@pytest.mark.parametrize(
    ("reply", "is_final"),
    [
        (fault(400, 100, 2018218), True),  # no profile available (public reports)
        (fault(400, 100, 33), True),  # no such object, or no right to it
        (fault(403, 230), True),  # no consent, or a right is missing
        (fault(403, 10), True),
        (fault(500, 2), False),
    ],
)
def test_what_meta_does_not_tell_is_an_answer(reply: Reply, is_final: bool) -> None:
    with RIG.listening() as platform:
        error = _refused(platform, reply)
        assert (error.permanent, error.unauthorised, error.retry_after_s) == (is_final, False, None)
        assert not error.outcome_unknown, "a question leaves nothing open"


def _refused(platform: PagePlatform, reply: Reply) -> ChannelError:
    platform.api.name_refused = reply
    platform.plan_naming("refused")
    with pytest.raises(ChannelError) as refused:
        with_tools(lambda tools: NETWORK.who_is(AUTHOR, platform.channel, tools))
    return refused.value
