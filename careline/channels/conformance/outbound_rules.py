"""Rules for what leaves: over-long texts, refusals, and an outcome that nobody may guess. No database."""

from __future__ import annotations

import msgspec
import pytest

from careline.channels.base import ChannelView, Outgoing, OutgoingFile, Sent, TemplateUse
from careline.channels.capabilities import AttachmentKind, Surface
from careline.channels.conformance.acting import with_tools
from careline.channels.conformance.rig import RETRY_AFTER_S, Fault, Platform, Rig
from careline.errors import ChannelError


def send(rig: Rig, outgoing: Outgoing, channel: ChannelView) -> Sent:
    """One attempt."""
    return with_tools(lambda tools: rig.network.send(outgoing, channel, tools))


def wants_templates(surface: Surface) -> bool:
    """Whether an approved text is all that may be sent there at times."""
    return surface.templates_required_after_window or surface.initiate == "template"


def a_file(kind: AttachmentKind) -> OutgoingFile:
    """A file of this kind."""

    async def read() -> bytes:
        return b"bytes of a file"

    return OutgoingFile(f"a-{kind.kind}", kind.types[0], 15, read)


class OutboundRules:
    """What a network promises of everything it is given to send."""

    def test_what_the_platform_took_is_said_with_its_id(self, rig: Rig) -> None:
        listening = rig.listening()
        if listening is None:
            self._sends_nothing(rig)
            return
        with listening as platform:
            sent = send(rig, rig.outgoing(platform.channel, "Hola Marta"), platform.channel)
            assert platform.posted() == ["Hola Marta"]
        by_receipt = rig.network.capabilities.outbound.result == "async_status"
        assert sent.platform_id or by_receipt

    def test_an_over_long_text_is_never_cut_off_unsaid(self, rig: Rig) -> None:
        """Refused for good (several posts are the outbox's to make), or divided so that every word stands and each part fits."""
        for surface in rig.network.capabilities.surfaces:
            rule = surface.text
            if not surface.answer_here or not rule.max_length:
                continue
            unit = "palabra 👩‍👩‍👧‍👦 "
            text = (unit * (2 * rule.max_length // max(1, rule.length(unit)) + 2)).strip()
            assert not rule.fits(text)
            listening = rig.listening()
            assert listening is not None, "a limit without a way to send"
            with listening as platform:
                outgoing = rig.outgoing(platform.channel, text, surface=surface.name)
                if rule.on_overflow in {"reject", "multi_post"}:
                    self._is_refused_whole(rig, platform, outgoing)
                elif rule.on_overflow == "split":
                    send(rig, outgoing, platform.channel)
                    assert all(rule.fits(part) for part in platform.posted())
                    assert " ".join(platform.posted()).split() == text.split()

    def test_approved_templates_are_told_and_sent_with_their_values(self, rig: Rig) -> None:
        """Where a closed window leaves nothing else, they are there; elsewhere there are none. One that begins with a file goes with it."""
        listening = rig.listening()
        if listening is None:
            assert with_tools(lambda tools: rig.network.templates(rig.channel, tools)) == ()
            return
        with listening as platform:
            found = with_tools(lambda tools: rig.network.templates(platform.channel, tools))
            named = [one.name for one in rig.network.effective(platform.channel).surfaces if wants_templates(one)]
            assert bool(found) == bool(named)
            for one in found:
                assert all("{{" + name + "}}" in one.body for name in one.parameters)
                values = tuple(f"value {number}" for number in range(len(one.parameters)))
                words = one.filled(dict(zip(one.parameters, values, strict=True)))
                use = TemplateUse(one.key, one.name, one.language, one.parameters, values, one.media)
                plain = rig.outgoing(platform.channel, words, surface=named[0])
                files = (a_file(one.media),) if one.media else ()
                mine = msgspec.structs.replace(plain, template=use, files=files, idempotency_key=f"key-of-{one.key}")
                send(rig, mine, platform.channel)
                assert platform.posted()[-1] == words

    def test_a_final_refusal_is_permanent(self, rig: Rig) -> None:
        """A closed window, a gone thread: trying again cannot help, and nothing may be repeated."""
        error = self._error(rig, "refused")
        assert error is None or (error.permanent and not error.outcome_unknown and not error.unauthorised)

    def test_429_with_retry_after_says_when(self, rig: Rig) -> None:
        error = self._error(rig, "rate_limited")
        if error is not None:
            assert (error.permanent, error.outcome_unknown) == (False, False)
            assert error.retry_after_s == pytest.approx(RETRY_AFTER_S, abs=2)

    def test_429_without_retry_after_leaves_the_time_to_us(self, rig: Rig) -> None:
        error = self._error(rig, "rate_limited_silently")
        if error is not None:
            assert (error.permanent, error.outcome_unknown, error.retry_after_s) == (False, False, None)

    @pytest.mark.parametrize("fault", ["failing", "cut"])
    def test_what_broke_mid_send_is_unknown_or_harmless_to_repeat(self, rig: Rig, fault: Fault) -> None:
        listening = rig.listening()
        if listening is None:
            self._sends_nothing(rig)
            return
        with listening as platform:
            platform.plan(fault)
            outgoing = rig.outgoing(platform.channel, "once")
            with pytest.raises(ChannelError) as broken:
                send(rig, outgoing, platform.channel)
            self._check_unknown(rig, platform, outgoing, broken.value)

    def test_a_revoked_token_is_said_to_be_one(self, rig: Rig) -> None:
        error = self._error(rig, "revoked")
        if error is not None:
            assert error.unauthorised
            assert not error.outcome_unknown

    def test_an_error_tells_no_secret(self, rig: Rig) -> None:
        error = self._error(rig, "refused")
        if error is not None:
            told = f"{error.code} {error.message}"
            hidden = [secret for secret in (*rig.connection.secrets.values(), *rig.channel.secrets.values()) if secret]
            assert not any(secret in told for secret in hidden)
            assert "confidential words" not in told

    def _error(self, rig: Rig, fault: Fault) -> ChannelError | None:
        listening = rig.listening()
        if listening is None:
            self._sends_nothing(rig)
            return None
        with listening as platform:
            platform.plan(fault)
            with pytest.raises(ChannelError) as broken:
                send(rig, rig.outgoing(platform.channel, "confidential words"), platform.channel)
            assert platform.posted() == []
            return broken.value

    @staticmethod
    def _is_refused_whole(rig: Rig, platform: Platform, outgoing: Outgoing) -> None:
        with pytest.raises(ChannelError) as refused:
            send(rig, outgoing, platform.channel)
        assert refused.value.permanent
        assert not refused.value.outcome_unknown
        assert platform.posted() == []

    @staticmethod
    def _check_unknown(rig: Rig, platform: Platform, outgoing: Outgoing, error: ChannelError) -> None:
        """By the declared rule: asking finds it; repeating does not double it; or it waits for its echo or a person."""
        rule = rig.network.effective(platform.channel).outbound.unknown_outcome
        assert not error.permanent, "what may have been posted did not surely fail"
        assert error.outcome_unknown or rule == "safe_retry", "the outcome is not known"
        if rule == "lookup":
            found = with_tools(lambda tools: rig.network.look_up(outgoing, platform.channel, tools))
            assert (found is not None) == bool(platform.posted())
        if rule == "safe_retry":
            send(rig, outgoing, platform.channel)
            assert platform.posted() == ["once"]

    @staticmethod
    def _sends_nothing(rig: Rig) -> None:
        """No wire, no unknown outcome: the customer reads our own tables, or the surface cannot be answered."""
        answerable = [one for one in rig.network.capabilities.surfaces if one.answer_here and one.reply_rule != "none"]
        assert not answerable or rig.network.capabilities.outbound.unknown_outcome == "safe_retry"
