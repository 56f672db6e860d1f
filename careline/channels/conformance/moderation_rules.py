"""Rules for acts on messages that stand, for texts of several posts, and for a private answer to a public word. A network that declares
none of them keeps them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final, cast

import msgspec
import pytest

from careline.channels.base import Moderated, ModerationAct, ModerationVerb, Said
from careline.channels.capabilities import Surface
from careline.channels.conformance.acting import with_tools
from careline.channels.conformance.core import Core
from careline.channels.conformance.inbound_rules import normalised, words
from careline.channels.conformance.outbound_rules import send
from careline.channels.conformance.rig import (
    RETRY_AFTER_S,
    ActsPlatform,
    Fault,
    LinkedPlatform,
    OpensPlatform,
    Platform,
    Rig,
)
from careline.errors import ChannelError
from careline.kit import clock
from careline.outbox.models import Moderation

_PAIRS: Final[tuple[tuple[ModerationVerb, ModerationVerb, str], ...]] = (
    ("hide", "unhide", "hidden"),
    ("like", "unlike", "liked"),
    ("react", "unreact", "👍"),
)
_ROUNDS: Final = 4


def declared(surface: Surface) -> set[str]:
    """The verbs a surface declares."""
    found = {"hide", "unhide"} if surface.moderation.hide else set()
    found |= {"like", "unlike"} if surface.moderation.like else set()
    found |= {"react", "unreact"} if surface.reactions.outbound else set()
    return found | ({"delete"} if surface.delete.out else set())


def emoji_of(surface: Surface) -> str:
    """A reaction the surface knows."""
    return surface.reactions.allowed[0] if surface.reactions.allowed else "👍"


def act_on(platform: ActsPlatform, surface: Surface, verb: ModerationVerb, *, mark: str = "") -> ModerationAct:
    """An act on a message of the rig's: ours for a deletion, the customer's for everything else."""
    heard = platform.standing(surface.name, ours=verb == "delete")
    emoji = emoji_of(surface) if verb in {"react", "unreact"} else ""
    return ModerationAct(verb, heard.platform_id, surface.name, heard.thread_key, f"key-{verb}", emoji=emoji, mark=mark)


def moderate(rig: Rig, platform: Platform, act: ModerationAct) -> Moderated:
    """One attempt."""
    return with_tools(lambda tools: rig.network.moderate(act, platform.channel, tools))


class ModerationRules:
    """What a network promises of acts on messages, of parts, and of the way from public to private."""

    def test_each_act_is_done_and_taken_back(self, rig: Rig) -> None:
        for surface in rig.network.capabilities.surfaces:
            verbs = declared(surface)
            for verb, inverse, shows in _PAIRS:
                if verb not in verbs:
                    continue
                with _acting(rig) as platform:
                    done = moderate(rig, platform, act := act_on(platform, surface, verb))
                    shown = emoji_of(surface) if verb == "react" else shows
                    assert shown in platform.done_to(act.platform_id), f"{surface.name}: {verb} did nothing"
                    moderate(rig, platform, act_on(platform, surface, inverse, mark=done.mark))
                    assert shown not in platform.done_to(act.platform_id), f"{surface.name}: {inverse} did nothing"

    def test_what_is_ours_is_deleted(self, rig: Rig) -> None:
        for surface in rig.network.capabilities.surfaces:
            if "delete" not in declared(surface):
                continue
            with _acting(rig) as platform:
                act = act_on(platform, surface, "delete")
                moderate(rig, platform, act)
                assert "deleted" in platform.done_to(act.platform_id)

    def test_an_act_is_harmless_to_repeat_where_that_is_declared(self, rig: Rig) -> None:
        for surface in rig.network.capabilities.surfaces:
            if not surface.moderation.repeatable:
                continue
            for verb in sorted(declared(surface) & {"hide", "like", "react", "delete"}):
                with _acting(rig) as platform:
                    act = act_on(platform, surface, cast(ModerationVerb, verb))
                    moderate(rig, platform, act)
                    once = platform.done_to(act.platform_id)
                    moderate(rig, platform, msgspec.structs.replace(act, attempt=2))
                    assert platform.done_to(act.platform_id) == once

    def test_an_act_that_is_not_declared_is_refused_for_good(self, rig: Rig) -> None:
        for surface in rig.network.capabilities.surfaces:
            for verb in ("hide", "like", "react", "delete"):
                if verb in declared(surface):
                    continue
                act = ModerationAct(verb, "m-1", surface.name, "t1", "key-1", emoji="👍")
                listening = rig.listening()
                if listening is None:
                    self._is_refused(rig, None, act)
                    continue
                with listening as platform:
                    self._is_refused(rig, platform, act)

    @pytest.mark.parametrize("fault", ["failing", "cut"])
    def test_an_act_that_broke_midway_is_unknown_or_harmless_to_repeat(self, rig: Rig, fault: Fault) -> None:
        found = self._broken_act(rig, fault)
        if found is not None:
            surface, error = found
            assert not error.permanent, "what may have been done did not surely fail"
            assert error.outcome_unknown or surface.moderation.repeatable

    def test_an_act_that_meets_429_waits_as_long_as_it_says(self, rig: Rig) -> None:
        found = self._broken_act(rig, "rate_limited")
        if found is not None:
            _, error = found
            assert (error.permanent, error.outcome_unknown) == (False, False)
            assert error.retry_after_s == pytest.approx(RETRY_AFTER_S, abs=2)

    def test_an_act_with_a_revoked_token_is_said_to_be_one(self, rig: Rig) -> None:
        found = self._broken_act(rig, "revoked")
        assert found is None or (found[1].unauthorised and not found[1].outcome_unknown)

    @pytest.mark.parametrize("fault", ["", "failing", "cut"])
    @pytest.mark.django_db
    def test_an_act_through_the_outbox_is_shown_once_it_is_done(self, rig: Rig, core: Core, fault: Fault | str) -> None:
        """Or it waits for a person, where it may not be repeated; it is never shown as done when it is not."""
        surface = _first_with(rig, {"hide", "like", "react", "delete"})
        if surface is None:
            return
        verb = cast(ModerationVerb, sorted(declared(surface) & {"like", "react", "hide", "delete"})[-1])
        with _acting(rig) as platform:
            core.point_at(platform)
            act = act_on(platform, surface, verb)
            row = core.queue_act(act)
            if fault:
                platform.plan(cast(Fault, fault))
            self._act_until_settled(core, row)
            is_there = bool(platform.done_to(act.platform_id))
        repeatable = rig.network.effective(platform.channel).surface(surface.name).moderation.repeatable
        assert row.state == ("unknown" if fault and not repeatable else "done")
        assert is_there or row.state == "unknown"

    @pytest.mark.parametrize("fault", ["", "cut"])
    @pytest.mark.django_db
    def test_the_posts_of_a_long_text_go_out_in_order_each_once(self, rig: Rig, core: Core, fault: Fault | str) -> None:
        """Whatever breaks in the middle. A post whose outcome only a person can tell holds the ones after it."""
        core.receive([rig.say(words("heard", author="otro")), rig.say(words("mine"))])
        for heard in core.messages(direction="inbound"):
            rule = rig.network.capabilities.surface(heard.surface).text
            listening = rig.listening()
            if rule.on_overflow != "multi_post" or listening is None:
                continue
            text = " ".join(f"Frase {number} de una respuesta larga." for number in range(rule.max_length // 14))
            parts = rule.parts(text)
            with listening as platform:
                core.point_at(platform)
                deliveries = core.queue_parts(core.rename(heard, platform), text, parts)
                if fault:
                    platform.plan(cast(Fault, fault))
                core.send_until_settled(deliveries)
                posted = platform.posted()
            must_ask = bool(fault) and rig.network.effective(platform.channel).outbound.unknown_outcome == "never_retry"
            assert posted == (parts[:1] if must_ask else parts)
            assert all(rule.fits(part) for part in posted)

    def test_a_public_word_is_answered_in_private_as_often_as_declared(self, rig: Rig) -> None:
        """A conversation opens for somebody who only spoke in public; where it is once per comment, the second is refused."""
        for public in rig.network.capabilities.surfaces:
            if not public.private_surface:
                continue
            private = rig.network.capabilities.surface(public.private_surface)
            listening = rig.listening()
            assert listening is not None, "a private way without a way to send"
            with listening as platform:
                if public.private_way == "link":
                    self._check_private_link(rig, cast(LinkedPlatform, platform), private)
                else:
                    self._check_private_answer(rig, cast(OpensPlatform, platform), private)

    @staticmethod
    def _check_private_link(rig: Rig, platform: LinkedPlatform, private: Surface) -> None:
        """Who follows it says in private which thread they come from; a link that we did not make says nothing."""
        link = rig.network.private_link(platform.channel, 4177)
        assert link
        (arrived,) = normalised(rig, platform.followed(link))
        assert isinstance(arrived, Said)
        assert (arrived.continues, arrived.surface) == (4177, private.name)
        theirs = msgspec.structs.replace(platform.channel, signing_key=b"another channel's key of 32 byte")
        forged = normalised(rig, platform.followed(rig.network.private_link(theirs, 4177)))
        assert not any(isinstance(one, Said) and one.continues for one in forged)

    @staticmethod
    def _check_private_answer(rig: Rig, platform: OpensPlatform, private: Surface) -> None:
        comment = platform.commented()
        first = msgspec.structs.replace(
            rig.outgoing(platform.channel, "En privado", surface=private.name),
            thread_key="",
            recipient=comment.author_key,
            answers_comment=comment.platform_id,
        )
        assert send(rig, first, platform.channel).thread_key, "the conversation that began has a name"
        if any(window.opens == "inbound_comment" and window.max_messages == 1 for window in private.windows):
            with pytest.raises(ChannelError) as refused:
                send(rig, msgspec.structs.replace(first, idempotency_key="key-2", text="Otra vez"), platform.channel)
            assert refused.value.permanent
            assert not refused.value.outcome_unknown
        assert platform.posted() == ["En privado"]

    def _broken_act(self, rig: Rig, fault: Fault) -> tuple[Surface, ChannelError] | None:
        """What an act that meets a fault says; None where the network knows no acts."""
        surface = _first_with(rig, {"hide", "like", "react", "delete"})
        if surface is None:
            return None
        with _acting(rig) as platform:
            act = act_on(
                platform, surface, cast(ModerationVerb, sorted(declared(surface) - {"unhide", "unlike", "unreact"})[0])
            )
            platform.plan(fault)
            with pytest.raises(ChannelError) as broken:
                moderate(rig, platform, act)
        return surface, broken.value

    @staticmethod
    def _is_refused(rig: Rig, platform: Platform | None, act: ModerationAct) -> None:
        channel = platform.channel if platform is not None else rig.channel
        with pytest.raises(ChannelError) as refused:
            with_tools(lambda tools: rig.network.moderate(act, channel, tools))
        assert refused.value.permanent
        assert not refused.value.outcome_unknown

    @staticmethod
    def _act_until_settled(core: Core, row: Moderation) -> None:
        for number in range(_ROUNDS):
            with clock.travel(timedelta(minutes=number * 30)):
                core.act_due()
                row.refresh_from_db()


def _first_with(rig: Rig, verbs: set[str]) -> Surface | None:
    return next((one for one in rig.network.capabilities.surfaces if declared(one) & verbs), None)


@contextmanager
def _acting(rig: Rig) -> Iterator[ActsPlatform]:
    """The platform of a network that declares acts, listening."""
    listening = rig.listening()
    assert listening is not None, "acts without a platform to do them on"
    with listening as platform:
        yield cast(ActsPlatform, platform)
