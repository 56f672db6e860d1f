"""Adapters that are wrong on purpose, one fault each, named by the rules that must notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar

import msgspec

from careline.channels.base import (
    AuthorFacts,
    ChannelView,
    ConnectionView,
    Deleted,
    Edited,
    Fetched,
    Happening,
    HookRequest,
    KnownMessage,
    MessageTemplate,
    Moderated,
    ModerationAct,
    Outgoing,
    Part,
    ReceiptSeen,
    Said,
    Sent,
    Tools,
    UnnamedAuthor,
)
from careline.channels.capabilities import Capabilities, Window
from careline.channels.simulated import SimulatedNetwork
from careline.errors import ChannelError, ForeignPayload, SignInRequired, UnknownEvent
from careline.kit import ids, signing


class Broken(SimulatedNetwork):
    """`fails` names rules of ChannelConformance, each of which must fail on this adapter."""

    fails: ClassVar[tuple[str, ...]] = ()


class TrustsAnybody(Broken):
    fails = ("test_a_bad_signature_is_refused", "test_a_flipped_bit_is_refused", "test_a_stale_timestamp_is_refused")

    def verify(self, request: HookRequest, connection: ConnectionView) -> None:
        return None


class TrustsNobody(Broken):
    fails = ("test_what_is_signed_and_fresh_is_let_in",)

    def verify(self, request: HookRequest, connection: ConnectionView) -> None:
        raise SignInRequired("never")


class ForgetsTheTime(Broken):
    fails = ("test_a_stale_timestamp_is_refused",)

    def verify(self, request: HookRequest, connection: ConnectionView) -> None:
        headers = request.headers
        try:
            stamp = int(headers.get("webhook-timestamp", ""))
        except ValueError as wrong:
            raise SignInRequired("stamp") from wrong
        secret = connection.secrets["hook_secret"]
        again = signing.webhook_headers(secret, headers.get("webhook-id", ""), request.body, at_s=stamp)
        if again["webhook-signature"] != headers.get("webhook-signature"):
            raise SignInRequired("signature")


class VerifiesWhatItParsed(Broken):
    """Mends the body before it verifies, so that damaged bytes pass."""

    fails = ("test_a_flipped_bit_is_refused",)

    def verify(self, request: HookRequest, connection: ConnectionView) -> None:
        begin = b'{"delivery":"d-1"'
        mended = begin + request.body[len(begin) :]
        signing.check_webhook(connection.secrets["hook_secret"], request.headers, mended)


class SwallowsAnything(Broken):
    fails = ("test_a_foreign_payload_is_refused",)

    def split(self, request: HookRequest, connection: ConnectionView) -> list[Part]:
        try:
            return super().split(request, connection)
        except ForeignPayload:
            return []


class StumblesOverNews(Broken):
    fails = ("test_an_unknown_event_is_accepted_and_counted", "test_an_unknown_event_stops_nothing")

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        try:
            return super().normalise(part, channel)
        except UnknownEvent as unknown:
            raise ForeignPayload(str(unknown)) from unknown


class ReadsOnlyTheFirst(Broken):
    fails = ("test_a_batch_of_several_is_cut_whole",)

    def split(self, request: HookRequest, connection: ConnectionView) -> list[Part]:
        return super().split(request, connection)[:1]


class MakesUpIds(Broken):
    fails = ("test_a_repeated_event_keeps_its_id",)

    def split(self, request: HookRequest, connection: ConnectionView) -> list[Part]:
        parts = super().split(request, connection)
        return [msgspec.structs.replace(part, platform_event_id=str(ids.new_id())) for part in parts]


class MakesUpMessages(MakesUpIds):
    """New ids for the event and its message at each delivery: nothing can be recognised."""

    fails = ("test_a_replay_makes_no_second_message", "test_a_duplicate_in_one_batch_makes_no_second_message")

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        found = super().normalise(part, channel)
        return [
            msgspec.structs.replace(one, platform_id=str(ids.new_id())) if isinstance(one, Said) else one
            for one in found
        ]


class MixesThreads(Broken):
    fails = ("test_events_of_one_thread_share_an_order",)

    def split(self, request: HookRequest, connection: ConnectionView) -> list[Part]:
        parts = super().split(request, connection)
        return [msgspec.structs.replace(part, order_key=part.platform_event_id) for part in parts]


class Remembers(Broken):
    """Counts what it has seen, so that the second reading differs."""

    fails = ("test_translating_is_pure",)
    seen: ClassVar[list[bytes]] = []

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        self.seen.append(part.raw)
        found = super().normalise(part, channel)
        return [
            msgspec.structs.replace(one, text=f"{len(self.seen)}") if isinstance(one, Said) else one for one in found
        ]


class StampsArrival(Broken):
    """Says the time of reading instead of the platform's."""

    fails = ("test_disorder_leaves_the_thread_in_the_platforms_order",)

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        from careline.kit import clock

        found = super().normalise(part, channel)
        return [msgspec.structs.replace(one, at=clock.now()) if isinstance(one, Said) else one for one in found]


class LosesEmoji(Broken):
    fails = ("test_a_message_carries_what_the_desk_needs",)

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        found = super().normalise(part, channel)
        return [
            msgspec.structs.replace(one, text=one.text.encode("ascii", "ignore").decode())
            if isinstance(one, Said)
            else one
            for one in found
        ]


class IgnoresEdits(Broken):
    fails = ("test_an_edit_names_the_message_it_changes", "test_an_edit_is_kept_as_a_revision")

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        return [one for one in super().normalise(part, channel) if not isinstance(one, Edited)]


class IgnoresDeletions(Broken):
    fails = ("test_a_deletion_names_the_message_it_takes_back", "test_a_deletion_leaves_no_words")

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        return [one for one in super().normalise(part, channel) if not isinstance(one, Deleted)]


class ReadsEveryReceiptAsRead(Broken):
    fails = ("test_receipts_are_those_that_are_declared", "test_a_receipt_moves_the_delivery")

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        found = super().normalise(part, channel)
        return [msgspec.structs.replace(one, state="sent") if isinstance(one, ReceiptSeen) else one for one in found]


class TakesItselfForACustomer(Broken):
    fails = (
        "test_our_own_post_made_elsewhere_comes_back_as_ours",
        "test_our_own_post_made_elsewhere_opens_no_case",
        "test_the_echo_of_our_answer_is_no_second_message",
    )

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        found = super().normalise(part, channel)
        return [
            msgspec.structs.replace(one, author=msgspec.structs.replace(one.author, is_us=False), idempotency_key="")
            if isinstance(one, Said)
            else one
            for one in found
        ]


class ForgetsItsPlace(Broken):
    fails = ("test_after_an_outage_the_gap_is_filled",)

    async def listen(self, channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
        async for fetched in super().listen(channel, {}, tools):
            yield fetched


class GuessesDeletions(Broken):
    fails = ("test_asking_again_finds_what_is_gone_and_nothing_else",)

    async def recheck(self, known: Sequence[KnownMessage], channel: ChannelView, tools: Tools) -> tuple[Part, ...]:
        gone = {"id": "e", "account": "aurora", "kind": "message.deleted", "thread": "t1", "at": "2026-11-21T10:00:00Z"}
        return tuple(
            Part("aurora", "e", one.thread_key, msgspec.json.encode({**gone, "message_id": one.platform_id}))
            for one in known
        )


class CutsOff(Broken):
    fails = ("test_an_over_long_text_is_never_cut_off_unsaid",)

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        short = msgspec.structs.replace(outgoing, text=outgoing.text[:200])
        return await super().send(short, channel, tools)


class Renames(Broken):
    """Overrides what each refusal says; subclasses choose the lie."""

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        try:
            return await super().send(outgoing, channel, tools)
        except ChannelError as error:
            raise self.lie(error, outgoing, channel) from error

    def lie(self, error: ChannelError, outgoing: Outgoing, channel: ChannelView) -> ChannelError:
        return error


class TriesForEver(Renames):
    fails = ("test_a_final_refusal_is_permanent", "test_a_final_refusal_fails_and_is_not_repeated")

    def lie(self, error: ChannelError, outgoing: Outgoing, channel: ChannelView) -> ChannelError:
        return ChannelError("try_again")


class DoesNotWait(Renames):
    fails = ("test_429_with_retry_after_says_when", "test_429_waits_and_then_posts_once")

    def lie(self, error: ChannelError, outgoing: Outgoing, channel: ChannelView) -> ChannelError:
        return ChannelError(error.code, retry_after_s=0.0 if error.retry_after_s else None)


class InventsATime(Renames):
    fails = ("test_429_without_retry_after_leaves_the_time_to_us",)

    def lie(self, error: ChannelError, outgoing: Outgoing, channel: ChannelView) -> ChannelError:
        return ChannelError(error.code, retry_after_s=error.retry_after_s or 3600.0)


class SaysItSurelyFailed(Renames):
    """Takes a cut connection for a failure, so that the answer is posted again."""

    fails = (
        "test_what_broke_mid_send_is_unknown_or_harmless_to_repeat",
        "test_what_broke_mid_send_is_never_posted_twice",
    )

    def lie(self, error: ChannelError, outgoing: Outgoing, channel: ChannelView) -> ChannelError:
        return ChannelError(error.code)


class DoesNotKnowRevoked(Renames):
    fails = ("test_a_revoked_token_is_said_to_be_one", "test_a_revoked_token_stops_the_channel_and_keeps_the_answer")

    def lie(self, error: ChannelError, outgoing: Outgoing, channel: ChannelView) -> ChannelError:
        return ChannelError(error.code, permanent=True)


class TellsTheToken(Renames):
    fails = ("test_an_error_tells_no_secret",)

    def lie(self, error: ChannelError, outgoing: Outgoing, channel: ChannelView) -> ChannelError:
        return ChannelError("refused", f"refused: {outgoing.text} with {channel.secrets['token']}", permanent=True)


class SaysNothing(Broken):
    """Claims to have sent without sending."""

    fails = (
        "test_what_the_platform_took_is_said_with_its_id",
        "test_the_posts_of_a_long_text_go_out_in_order_each_once",
    )

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        await asyncio.sleep(0)
        return Sent(platform_id="m-1")


class NeverTakesBack(Broken):
    fails = ("test_each_act_is_done_and_taken_back",)

    async def moderate(self, act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
        return Moderated() if act.verb.startswith("un") else await super().moderate(act, channel, tools)


class SaysItDidWithoutDoing(Broken):
    fails = (
        "test_what_is_ours_is_deleted",
        "test_an_act_through_the_outbox_is_shown_once_it_is_done",
        "test_an_act_that_is_not_declared_is_refused_for_good",
    )

    async def moderate(self, act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
        await asyncio.sleep(0)
        return Moderated()


class StumblesOverItsOwnTrace(Broken):
    """Takes what is hidden or gone already for an error."""

    fails = ("test_an_act_is_harmless_to_repeat_where_that_is_declared",)

    async def moderate(self, act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
        if act.attempt > 1:
            raise ChannelError("already_so", permanent=True)
        return await super().moderate(act, channel, tools)


class RenamesActs(Broken):
    """Overrides what a refused act says; subclasses choose the lie."""

    async def moderate(self, act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
        try:
            return await super().moderate(act, channel, tools)
        except ChannelError as error:
            raise self.lie(error) from error

    def lie(self, error: ChannelError) -> ChannelError:
        return error


class SaysTheActSurelyFailed(RenamesActs):
    fails = ("test_an_act_that_broke_midway_is_unknown_or_harmless_to_repeat",)

    def lie(self, error: ChannelError) -> ChannelError:
        return ChannelError(error.code, permanent=True)


class ActsAtOnceAgain(RenamesActs):
    fails = ("test_an_act_that_meets_429_waits_as_long_as_it_says",)

    def lie(self, error: ChannelError) -> ChannelError:
        return ChannelError(error.code, retry_after_s=0.0)


class ActsWithoutAToken(RenamesActs):
    fails = ("test_an_act_with_a_revoked_token_is_said_to_be_one",)

    def lie(self, error: ChannelError) -> ChannelError:
        return ChannelError(error.code)


class ForgetsTheComment(Broken):
    """Writes in private without saying which public word it answers."""

    fails = ("test_a_public_word_is_answered_in_private_as_often_as_declared",)

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        return await super().send(msgspec.structs.replace(outgoing, answers_comment=""), channel, tools)


def _swapped(window: Window) -> Window:
    return msgspec.structs.replace(window, author="human_only" if window.author == "any" else "any")


class LetsMachinesWriteLonger(Broken):
    """Declares its windows with the authors the wrong way round."""

    fails = ("test_a_closed_window_is_closed_for_the_outbox",)
    capabilities: Capabilities = msgspec.structs.replace(
        SimulatedNetwork.capabilities,
        surfaces=tuple(
            msgspec.structs.replace(surface, windows=tuple(_swapped(window) for window in surface.windows))
            for surface in SimulatedNetwork.capabilities.surfaces
        ),
    )


class FeelsCalledByNobody(Broken):
    """Says of every word that its author did not name us."""

    fails = ("test_who_names_nobody_summons_nobody",)

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        found = super().normalise(part, channel)
        return [msgspec.structs.replace(one, is_summons=False) if isinstance(one, Said) else one for one in found]


class KeepsItsTemplates(Broken):
    fails = ("test_approved_templates_are_told_and_sent_with_their_values",)

    async def templates(self, channel: ChannelView, tools: Tools) -> tuple[MessageTemplate, ...]:
        return ()


class DropsValues(Broken):
    fails = ("test_approved_templates_are_told_and_sent_with_their_values",)

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        bare = msgspec.structs.replace(outgoing.template, values=()) if outgoing.template else None
        return await super().send(msgspec.structs.replace(outgoing, template=bare), channel, tools)


class KeepsNamesToItself(Broken):
    """Says that names are told when asked, and tells none."""

    fails = ("test_who_comes_without_a_name_is_asked_for_and_named",)

    async def who_is(self, author: UnnamedAuthor, channel: ChannelView, tools: Tools) -> AuthorFacts:
        return AuthorFacts()


class AsksTwice(Broken):
    fails = ("test_a_name_is_asked_for_once",)

    async def who_is(self, author: UnnamedAuthor, channel: ChannelView, tools: Tools) -> AuthorFacts:
        await super().who_is(author, channel, tools)
        return await super().who_is(author, channel, tools)


class RenamesQuestions(Broken):
    """Overrides what a refused question for a name says; subclasses choose the lie."""

    async def who_is(self, author: UnnamedAuthor, channel: ChannelView, tools: Tools) -> AuthorFacts:
        try:
            return await super().who_is(author, channel, tools)
        except ChannelError as error:
            raise self.lie(error) from error

    def lie(self, error: ChannelError) -> ChannelError:
        return error


class InsistsOnAName(RenamesQuestions):
    """Takes a refusal for a fault that may pass."""

    fails = ("test_a_refused_name_is_no_failure",)

    def lie(self, error: ChannelError) -> ChannelError:
        return ChannelError(error.code)


class AsksWithoutAToken(RenamesQuestions):
    fails = ("test_a_name_asked_for_with_a_revoked_token_stops_the_channel",)

    def lie(self, error: ChannelError) -> ChannelError:
        return ChannelError(error.code, permanent=True)


class AsksAtOnceAgain(RenamesQuestions):
    fails = ("test_a_name_waits_as_long_as_the_platform_says",)

    def lie(self, error: ChannelError) -> ChannelError:
        return ChannelError(error.code, retry_after_s=0.0)


class LeavesTheFileOut(Broken):
    """Sends a template without the file it begins with."""

    fails = ("test_approved_templates_are_told_and_sent_with_their_values",)

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        return await super().send(msgspec.structs.replace(outgoing, files=()), channel, tools)
