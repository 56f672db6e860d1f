"""Rules for names that are told only when asked: each is asked for once, a refusal is an answer, and the person is called by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import cast

import pytest

from careline.channels.base import UnnamedAuthor
from careline.channels.conformance.acting import with_tools
from careline.channels.conformance.core import Core
from careline.channels.conformance.rig import RETRY_AFTER_S, Fault, NamesPlatform, Rig
from careline.errors import ChannelError
from careline.events.models import Event
from careline.kit import clock
from careline.people.models import Identity, NameQuestion
from careline.threads.models import Message


class NamingRules:
    """What a network promises of authors who come without a name."""

    @pytest.mark.django_db
    def test_who_comes_without_a_name_is_asked_for_and_named(self, rig: Rig, core: Core) -> None:
        """The identity, the person and what they said; and screens are told."""
        with _platform(rig, core) as platform:
            if platform is None:
                return
            for surface in _asked(rig):
                heard = _hear(core, platform, surface)
                assert heard.author_name == _author(heard).key
                core.ask_names()
                heard.refresh_from_db()
                author, called = _author(heard), platform.called(surface)
                assert called == (author.name or author.handle)
                assert (author.person.name, heard.author_name) == (called, called)
                told = Event.objects.filter(kind="person.changed", person_id=author.person_id)
                assert "named" in [one.facts["what"] for one in told]

    @pytest.mark.django_db
    def test_a_name_is_asked_for_once(self, rig: Rig, core: Core) -> None:
        """However often somebody writes."""
        with _platform(rig, core) as platform:
            if platform is None:
                return
            for _ in range(2):
                for _ in range(2):
                    _hear(core, platform, _asked(rig)[0])
                core.ask_names()
            with clock.travel(timedelta(days=30)):
                core.ask_names()
            assert platform.names_asked() == 1

    @pytest.mark.django_db
    def test_a_refused_name_is_no_failure(self, rig: Rig, core: Core) -> None:
        """They did not consent, or blocked us: the message stands, the channel works, and they are not asked about again at once."""
        with _platform(rig, core) as platform:
            if platform is None:
                return
            heard = _hear_into(rig, core, platform, "refused")
            assert (core.channel.state, core.channel.fail_count, core.channel.last_error) == ("active", 0, "")
            assert _author(heard).person.name == _author(heard).key
            with clock.travel(timedelta(days=1)):
                _hear(core, platform, _asked(rig)[0])
                core.ask_names()
            assert platform.names_asked() == 1

    @pytest.mark.django_db
    def test_a_name_asked_for_with_a_revoked_token_stops_the_channel(self, rig: Rig, core: Core) -> None:
        """And the question waits until somebody enters a new one."""
        with _platform(rig, core) as platform:
            if platform is None:
                return
            heard = _hear_into(rig, core, platform, "revoked")
            assert core.channel.state == "unauthorised"
            assert NameQuestion.objects.get(identity=heard.author_identity).state == "open"
            with clock.travel(timedelta(days=1)):
                core.ask_names()
            assert platform.names_asked() == 1

    @pytest.mark.django_db
    def test_a_name_waits_as_long_as_the_platform_says(self, rig: Rig, core: Core) -> None:
        with _platform(rig, core) as platform:
            if platform is None:
                return
            heard = _hear_into(rig, core, platform, "rate_limited")
            core.ask_names()
            assert (platform.names_asked(), core.channel.state) == (1, "active")
            row = NameQuestion.objects.get(identity=heard.author_identity)
            assert row.state == "open"
            assert abs(row.not_before - clock.now() - timedelta(seconds=RETRY_AFTER_S)) < timedelta(seconds=3)
            with clock.travel(timedelta(minutes=1)):
                core.ask_names()
            assert _author(heard).person.name == platform.called(heard.surface)


def _asked(rig: Rig) -> list[str]:
    """Surfaces on which names are told only when asked, of those where somebody can be heard without one."""
    surfaces = rig.network.effective(rig.channel).surfaces
    return [surface.name for surface in surfaces if surface.identity.names == "asked"]


@contextmanager
def _platform(rig: Rig, core: Core) -> Iterator[NamesPlatform | None]:
    """The platform to ask, with the core pointed at it; None where names come along, which is declared and a question refused for good."""
    listening = rig.listening()
    if not _asked(rig):
        with pytest.raises(ChannelError) as refused:
            with_tools(lambda tools: rig.network.who_is(UnnamedAuthor("k", "s", "t", "m"), rig.channel, tools))
        assert refused.value.permanent
        yield None
        return
    assert listening is not None, "names that must be asked for need a platform to ask"
    with listening as answering:
        core.point_at(answering)
        yield cast(NamesPlatform, answering)


def _hear(core: Core, platform: NamesPlatform, surface: str) -> Message:
    """A word of somebody who comes without a name."""
    known = {one.id for one in core.messages()}
    core.receive([platform.stranger(surface)])
    (heard,) = (one for one in core.messages() if one.id not in known)
    return heard


def _hear_into(rig: Rig, core: Core, platform: NamesPlatform, fault: Fault) -> Message:
    """The same, and the first question for their name meets a fault."""
    heard = _hear(core, platform, _asked(rig)[0])
    platform.plan_naming(fault)
    core.ask_names()
    assert platform.names_asked() == 1
    return heard


def _author(heard: Message) -> Identity:
    """Who said it, as they are known now."""
    return Identity.objects.select_related("person").get(id=heard.author_identity_id or 0)
