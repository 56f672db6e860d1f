"""Rules for what arrives: signatures, cutting apart, translating. Pure: no database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import cast

import msgspec
import pytest

from careline.channels.base import (
    ChannelView,
    Deleted,
    Edited,
    Fetched,
    Happening,
    HookRequest,
    KnownMessage,
    Part,
    ReceiptSeen,
    Said,
)
from careline.channels.conformance.acting import with_tools
from careline.channels.conformance.rig import Rig, VanishingPlatform, Words
from careline.errors import ForeignPayload, SignInRequired, UnknownEvent
from careline.kit import clock

STALE_S = 3600


def words(key: str, **more: object) -> Words:
    """An utterance of now."""
    return Words(**({"key": key, "at": clock.now().replace(microsecond=0)} | more))  # type: ignore[arg-type]


def normalised(rig: Rig, event: bytes) -> list[Happening]:
    """What the network makes of one event."""
    return rig.network.normalise(rig.fetch(event), rig.channel)


def said(rig: Rig, event: bytes) -> Said:
    """The one message in an event."""
    found = [one for one in normalised(rig, event) if isinstance(one, Said)]
    assert len(found) == 1, "an utterance becomes exactly one message"
    return found[0]


class InboundRules:
    """What a network promises of everything that reaches it."""

    def test_what_is_signed_and_fresh_is_let_in(self, rig: Rig) -> None:
        request = self._delivery(rig)
        if request is not None:
            rig.network.verify(request, rig.connection)
            assert rig.network.split(request, rig.connection)

    def test_a_bad_signature_is_refused(self, rig: Rig) -> None:
        forged = rig.deliver([rig.say(words("a"))], secret="whsec_" + "Zm9yZ2VkLXNlY3JldC1mb3JnZWQtc2VjcmV0LTAwMDA=")
        if forged is None:
            self._takes_no_webhooks(rig)
            return
        bare = msgspec.structs.replace(forged, headers={})
        for request in (forged, bare):
            with pytest.raises(SignInRequired):
                rig.network.verify(request, rig.connection)

    def test_a_stale_timestamp_is_refused(self, rig: Rig) -> None:
        now_s = int(clock.epoch_s())
        for at_s in (now_s - STALE_S, now_s + STALE_S):
            request = rig.deliver([rig.say(words("a"))], at_s=at_s)
            if request is None:
                self._takes_no_webhooks(rig)
            elif rig.network.capabilities.inbound.signed_bytes in {"ts_body", "jwt"}:
                with pytest.raises(SignInRequired):
                    rig.network.verify(request, rig.connection)
            else:
                rig.network.verify(request, rig.connection)

    def test_a_flipped_bit_is_refused(self, rig: Rig) -> None:
        request = self._delivery(rig)
        if request is None:
            return
        places = range(0, len(request.body), max(1, len(request.body) // 50))
        flipped = [self._flip_header(request, name) for name in rig.signed_headers]
        if rig.network.capabilities.inbound.signed_bytes != "shared_secret":
            # A secret that is only shown says nothing of the body.
            flipped += [self._flip_body(request, at) for at in places]
            assert len(flipped) > len(rig.signed_headers)
        assert flipped
        for one in flipped:
            with pytest.raises(SignInRequired):
                rig.network.verify(one, rig.connection)

    def test_a_foreign_payload_is_refused(self, rig: Rig) -> None:
        """Signed, but bytes of something else: nothing is guessed into it."""
        request = self._delivery(rig)
        if request is not None:
            for body in (rig.foreign(), b"", b"\x00\xff", b"[]", b'"words"'):
                with pytest.raises(ForeignPayload):
                    rig.network.split(msgspec.structs.replace(request, body=body), rig.connection)
        part = rig.fetch(rig.say(words("a")))
        with pytest.raises(ForeignPayload):
            rig.network.normalise(msgspec.structs.replace(part, raw=rig.foreign()), rig.channel)

    def test_an_unknown_event_is_accepted_and_counted(self, rig: Rig) -> None:
        """UnknownEvent while cutting or while translating, never an error that stops the platform's queue."""
        novelty = rig.novelty()
        if novelty is None:
            assert rig.network.capabilities.inbound.modes in {("form",), ("poll",), ("stream",), ("socket", "form")}
            return
        with pytest.raises(UnknownEvent):
            normalised(rig, novelty)

    def test_a_batch_of_several_is_cut_whole(self, rig: Rig) -> None:
        accounts = len(rig.connection.accounts)
        several = [words(f"k{number}", thread=f"t{number % 2}", account=number % accounts) for number in range(5)]
        if not rig.network.capabilities.inbound.batch and rig.deliver([rig.say(several[0])]) is not None:
            self._is_cut_one_by_one(rig, several)
            return
        request = rig.deliver([rig.say(one) for one in several])
        if request is None:
            self._takes_no_webhooks(rig)
            return
        parts = rig.network.split(request, rig.connection)
        assert rig.network.capabilities.inbound.batch
        assert len({part.platform_event_id for part in parts}) == len(several)
        names = list(rig.connection.accounts)
        assert [part.account_key for part in parts] == [names[one.account] for one in several]
        texts = [one for part in parts for one in rig.network.normalise(part, rig.channel)]
        assert len(texts) == len(several)

    def test_a_repeated_event_keeps_its_id(self, rig: Rig) -> None:
        """The journal knows an event by its id: the same event in another delivery, or fetched again, is the same."""
        event = rig.say(words("a"))
        alone, among = rig.deliver([event]), rig.deliver([rig.say(words("b")), event])
        if alone is None or among is None or not rig.network.capabilities.inbound.batch:
            assert rig.fetch(event).platform_event_id == rig.fetch(event).platform_event_id
            return
        first = rig.network.split(alone, rig.connection)[0]
        again = rig.network.split(among, rig.connection)[1]
        assert first.platform_event_id == again.platform_event_id
        assert first.order_key == again.order_key

    def test_events_of_one_thread_share_an_order(self, rig: Rig) -> None:
        """Rows of one order key are digested in order: an edit must never overtake what it changes."""
        first = words("a")
        events = [rig.say(first), rig.say(words("b")), rig.edit(first, "new"), rig.delete(first)]
        keys = {rig.fetch(one).order_key for one in events if one is not None}
        assert len(keys) == 1
        assert rig.fetch(rig.say(words("c", thread="t2"))).order_key not in keys

    def test_translating_is_pure(self, rig: Rig) -> None:
        """A row may be digested again after a crash, in any order: the outcome is the same."""
        events = [rig.say(words("a")), rig.say(words("b", author="otro"))]
        forth = [normalised(rig, one) for one in events]
        back = [normalised(rig, one) for one in reversed(events)]
        assert forth == list(reversed(back))

    def test_a_message_carries_what_the_desk_needs(self, rig: Rig) -> None:
        one = words("a", text="¿Dónde está mi maleta? 🧳")
        message = said(rig, rig.say(one))
        assert message.text == one.text
        assert message.platform_id
        assert message.thread_key
        assert message.author.key
        assert not message.author.is_us
        assert message.at.tzinfo is not None
        assert abs(message.at - one.at) < timedelta(minutes=5)
        assert message.surface in {surface.name for surface in rig.network.capabilities.surfaces}

    def test_who_names_nobody_summons_nobody(self, rig: Rig) -> None:
        """Where the platform takes answers only to those who named or quoted us; elsewhere every word may be answered."""
        surfaces = rig.network.capabilities.surfaces
        wants = any(surface.reply_rule == "author_must_mention_us" for surface in surfaces)
        mine, theirs = (normalised(rig, rig.say(words("a", author=author))) for author in ("marta", "otro"))
        assert all(one.is_summons for one in mine if isinstance(one, Said))
        assert all(one.is_summons != wants for one in theirs if isinstance(one, Said))

    def test_an_edit_names_the_message_it_changes(self, rig: Rig) -> None:
        one = words("a")
        event = rig.edit(one, "new words")
        declared = any(surface.edit.in_event for surface in rig.network.capabilities.surfaces)
        assert declared == (event is not None), "edit.in_event says whether edits arrive"
        if event is not None:
            happened = normalised(rig, event)
            (edited,) = [one for one in happened if isinstance(one, Edited)]
            told = {one.platform_id for one in happened if isinstance(one, Said)}
            assert told <= {edited.platform_id}, (
                "beside the change stands at most the whole message, for desks that never had it"
            )
            assert (edited.platform_id, edited.text) == (said(rig, rig.say(one)).platform_id, "new words")

    def test_a_deletion_names_the_message_it_takes_back(self, rig: Rig) -> None:
        one = words("a")
        event = rig.delete(one)
        declared = any(surface.delete.in_event for surface in rig.network.capabilities.surfaces)
        assert declared == (event is not None), "delete.in_event says whether deletions arrive"
        if event is not None:
            (deleted,) = normalised(rig, event)
            assert isinstance(deleted, Deleted)
            assert deleted.platform_id == said(rig, rig.say(one)).platform_id

    @pytest.mark.parametrize("state", ["sent", "delivered", "read", "failed"])
    def test_receipts_are_those_that_are_declared(self, rig: Rig, state: str) -> None:
        event = rig.receipt("p-1", "key-1", state)
        field = "failed_async" if state == "failed" else state
        declared = any(getattr(surface.receipts, field) for surface in rig.network.capabilities.surfaces)
        if event is None:
            # A network may settle `sent` by its own answer, without an event.
            assert not declared or state == "sent", f"receipts.{field} is declared, but no such event exists"
            return
        assert declared, f"receipts.{field} arrives without being declared"
        # A bounce may stay visible as a message beside its receipt.
        (seen,) = [one for one in normalised(rig, event) if isinstance(one, ReceiptSeen)]
        assert seen.state == state
        assert "p-1" in seen.platform_id or seen.idempotency_key == "key-1" or seen.thread_key

    def test_our_own_post_made_elsewhere_comes_back_as_ours(self, rig: Rig) -> None:
        if not rig.network.capabilities.inbound.self_echo:
            assert "self_echo" not in rig.network.capabilities.auth
            return
        message = said(rig, rig.say(words("a", author="us")))
        assert message.author.is_us
        assert message.idempotency_key == ""

    def test_after_an_outage_the_gap_is_filled(self, rig: Rig) -> None:
        """`listen` goes on from the cursor that was committed; what was fetched before does not come again."""
        gap = rig.network.capabilities.inbound.gap
        listening = rig.listening()
        if listening is None or not rig.network.listens(rig.channel):
            assert gap in {"replay", "none"}, "a gap that we must fetch needs a network that listens"
            return
        with listening as platform:
            missed, late = words("a", text="missed"), words("b", text="late")
            platform.happen_unseen(missed)
            first = _fetch_once(rig, platform.channel, {})
            platform.happen_unseen(late)
            second = _fetch_once(rig, platform.channel, dict(first.cursor))
        assert _texts(rig, first)[-1:] == ["missed"]
        assert _texts(rig, second) == ["late"]

    @staticmethod
    def _is_cut_one_by_one(rig: Rig, several: list[Words]) -> None:
        """Where the platform posts each event alone."""
        requests = [rig.deliver([rig.say(one)]) for one in several]
        cut = [rig.network.split(one, rig.connection) for one in requests if one is not None]
        assert [len(parts) for parts in cut] == [1] * len(several)
        assert len({parts[0].platform_event_id for parts in cut}) == len(several)

    def test_asking_again_finds_what_is_gone_and_nothing_else(self, rig: Rig) -> None:
        """Where a deletion is told to nobody; a network without that duty finds nothing."""
        surfaces = rig.network.capabilities.surfaces
        surface = next((one for one in surfaces if one.delete.duty == "recheck"), None)
        if surface is None:
            assert _recheck(rig, rig.channel, KnownMessage("m-1", "t1", surfaces[0].name)) == []
            return
        listening = rig.listening()
        assert listening is not None, "a duty to ask without a platform to ask"
        with listening as answering:
            platform = cast(VanishingPlatform, answering)
            there = platform.standing(surface.name, ours=False)
            known = KnownMessage(there.platform_id, there.thread_key, surface.name)
            assert _recheck(rig, platform.channel, known) == []
            platform.vanish(there.platform_id)
            (gone,) = _recheck(rig, platform.channel, known)
        assert isinstance(gone, Deleted)
        assert gone.platform_id == there.platform_id

    def _delivery(self, rig: Rig) -> HookRequest | None:
        request = rig.deliver([rig.say(words("a"))])
        if request is None:
            self._takes_no_webhooks(rig)
        return request

    @staticmethod
    def _takes_no_webhooks(rig: Rig) -> None:
        """Nothing is pushed: declared so, and whoever knocks is sent away."""
        assert "webhook" not in rig.network.capabilities.inbound.modes
        with pytest.raises((SignInRequired, ForeignPayload)):
            rig.network.verify(HookRequest("POST", "/hooks", {}, b"{}"), rig.connection)
            rig.network.split(HookRequest("POST", "/hooks", {}, b"{}"), rig.connection)

    @staticmethod
    def _flip_body(request: HookRequest, at: int) -> HookRequest:
        body = bytearray(request.body)
        body[at] ^= 1
        return msgspec.structs.replace(request, body=bytes(body))

    @staticmethod
    def _flip_header(request: HookRequest, name: str) -> HookRequest:
        value = request.headers[name]
        # In the middle: the last characters of base64 hold bits that decode to nothing.
        middle = len(value) // 2
        other = "2" if value[middle] != "2" else "3"
        changed = value[:middle] + other + value[middle + 1 :]
        return msgspec.structs.replace(request, headers={**request.headers, name: changed})


def _recheck(rig: Rig, channel: ChannelView, known: KnownMessage) -> list[Happening]:
    parts = with_tools(lambda tools: rig.network.recheck((known,), channel, tools))
    return [one for part in parts for one in rig.network.normalise(_as_row(part), rig.channel)]


def _fetch_once(rig: Rig, channel: ChannelView, cursor: dict[str, object]) -> Fetched:
    return with_tools(lambda tools: asyncio.wait_for(anext(rig.network.listen(channel, cursor, tools)), 10))


def _texts(rig: Rig, fetched: Fetched) -> list[str]:
    happened = [one for part in fetched.parts for one in rig.network.normalise(_as_row(part), rig.channel)]
    return [one.text for one in happened if isinstance(one, Said)]


def _as_row(part: Part) -> Part:
    """A part as it comes back from the journal: bytes and keys, nothing else."""
    return Part(part.account_key, part.platform_event_id[:300], part.order_key[:300], bytes(part.raw))
