"""Answers leave signed and idempotent, and every way a receiver can refuse is said as the outbox needs it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from email.utils import format_datetime

import pytest
import standardwebhooks
from aiohttp import web

from careline.channels.base import ChannelError, ModerationAct, OutgoingFile
from careline.channels.generic import NETWORK
from careline.channels.generic.tests.building import SECRET, channel, outgoing, receiver
from careline.kit import clock


def answering(status: int, body: str = "", **headers: str):
    async def answer(request: web.Request, raw: bytes) -> web.Response:
        return web.Response(
            status=status, text=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    return answer


def failure(status: int, **headers: str) -> ChannelError:
    async def go() -> ChannelError:
        async with receiver(answering(status, **headers)) as (one, tools, _):
            with pytest.raises(ChannelError) as caught:
                await NETWORK.send(outgoing(), one, tools)
            return caught.value

    return asyncio.run(go())


def test_an_answer_is_signed_and_carries_the_idempotency_key_as_webhook_id() -> None:
    async def go() -> None:
        async with receiver(answering(200, '{"id": "o-1"}')) as (one, tools, seen):
            sent = await NETWORK.send(outgoing(surface="post"), one, tools)
            headers, body = seen[0]
            assert sent.platform_id == "o-1"
            assert headers["webhook-id"] == "key-5"
            said = standardwebhooks.Webhook(SECRET).verify(body, headers)
            assert (said["type"], said["text"], said["visibility"], said["thread_id"]) == (
                "message",
                "Hoy sale.",
                "public",
                "t-9",
            )

    asyncio.run(go())


def test_the_bytes_of_a_repeated_attempt_are_the_same() -> None:
    async def go() -> None:
        async with receiver(answering(204)) as (one, tools, seen):
            first = await NETWORK.send(outgoing(), one, tools)
            second = await NETWORK.send(outgoing(attempt=2), one, tools)
            assert seen[0][1] == seen[1][1]
            assert first.platform_id == second.platform_id == "key-5"

    asyncio.run(go())


def test_files_go_along_with_their_bytes() -> None:
    async def read() -> bytes:
        return b"hola"

    async def go() -> None:
        async with receiver(answering(200)) as (one, tools, seen):
            await NETWORK.send(outgoing(files=(OutgoingFile("a.txt", "text/plain", 4, read),)), one, tools)
            assert json.loads(seen[0][1])["files"][0] == {
                "name": "a.txt",
                "content_type": "text/plain",
                "size_bytes": 4,
                "content": "aG9sYQ==",
            }

    asyncio.run(go())


@pytest.mark.parametrize(
    ("status", "permanent", "unauthorised"),
    [
        (400, True, False),
        (404, True, False),
        (410, True, False),
        (302, True, False),
        (401, False, True),
        (403, False, True),
        (429, False, False),
        (500, False, False),
        (503, False, False),
    ],
)
def test_a_refusal_is_said_as_what_it_is(status: int, permanent: bool, unauthorised: bool) -> None:
    error = failure(status)
    assert (error.permanent, error.unauthorised, error.outcome_unknown) == (permanent, unauthorised, False)


def test_the_receivers_own_waiting_time_is_kept() -> None:
    assert failure(429, Retry_After="17").retry_after_s == 17
    assert failure(429).retry_after_s is None
    assert failure(503, Retry_After="soon").retry_after_s is None
    dated = failure(503, Retry_After=format_datetime(clock.now() + timedelta(seconds=60), usegmt=True)).retry_after_s
    assert dated is not None and 50 < dated <= 60


def test_a_connection_cut_while_sending_is_an_unknown_outcome_that_may_be_repeated() -> None:
    async def cut(request: web.Request, raw: bytes) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def go() -> None:
        async with receiver(cut) as (one, tools, seen):
            with pytest.raises(ChannelError) as caught:
                await NETWORK.send(outgoing(), one, tools)
            assert caught.value.outcome_unknown and seen

    asyncio.run(go())
    assert NETWORK.capabilities.outbound.unknown_outcome == "safe_retry"


def test_a_private_address_is_refused_unless_granted() -> None:
    async def go() -> None:
        async with receiver(answering(200), allow_private=False) as (one, tools, seen):
            with pytest.raises(ChannelError) as caught:
                await NETWORK.send(outgoing(), one, tools)
            assert caught.value.permanent and caught.value.code == "address_refused" and not seen

    asyncio.run(go())


def test_a_channel_without_address_cannot_answer_and_says_so() -> None:
    async def go() -> None:
        async with receiver(answering(200)) as (_, tools, seen):
            with pytest.raises(ChannelError) as caught:
                await NETWORK.send(outgoing(), channel(""), tools)
            assert caught.value.permanent and not seen
            assert (await NETWORK.check(channel(""), tools)).code == "listens_only"

    asyncio.run(go())


def test_edits_deletions_and_typing_reach_the_receiver_and_two_edits_differ() -> None:
    async def go() -> None:
        async with receiver(answering(200)) as (one, tools, seen):
            await NETWORK.edit("o-1", outgoing("second"), one, tools)
            await NETWORK.edit("o-1", outgoing("third"), one, tools)
            await NETWORK.moderate(ModerationAct("delete", "o-1", "message", "t-9", "key-9"), one, tools)
            await NETWORK.show_typing("t-9", one, tools)
            assert [json.loads(body)["type"] for _, body in seen] == ["edit", "edit", "deletion", "typing"]
            assert seen[0][0]["webhook-id"] != seen[1][0]["webhook-id"]

    asyncio.run(go())


@pytest.mark.parametrize(("status", "ok"), [(204, True), (500, False), (401, False)])
def test_the_live_check_says_whether_the_receiver_answers(status: int, ok: bool) -> None:
    async def go() -> None:
        async with receiver(answering(status)) as (one, tools, _):
            await NETWORK.show_typing("t-9", one, tools)
            assert (await NETWORK.check(one, tools)).ok is ok

    asyncio.run(go())
