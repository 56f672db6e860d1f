"""What the desk tells Mastodon. Each request is held against its OpenAPI description by the fake that takes it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from careline.channels.base import ChannelError, ChannelView, Health, ModerationAct, OutgoingFile, Sent
from careline.channels.conformance.acting import with_tools
from careline.channels.mastodon import NETWORK, lengths, rules
from careline.channels.mastodon.tests import openapi
from careline.channels.mastodon.tests.platform import DOMAIN, MARTA, OTRO, US, FakeMastodon, Json, number_of, status
from careline.channels.mastodon.tests.rig import MastodonRig, channel_view
from careline.kit import clock

RIG = MastodonRig()


@pytest.fixture
def platform() -> Iterator[FakeMastodon]:
    with RIG.listening() as found:
        yield found


def stands(platform: FakeMastodon, key: str, who: str = "marta", **more: Any) -> str:
    """A post on the platform; gives its id."""
    platform.statuses[number_of(key)] = status(number_of(key), who, "words", clock.now(), **({"names": ("us",)} | more))
    return number_of(key)


def send(platform: FakeMastodon, text: str, **more: Any) -> Sent:
    outgoing = msgspec.structs.replace(RIG.outgoing(platform.channel, text, surface=more.pop("surface", "")), **more)
    return with_tools(lambda tools: NETWORK.send(outgoing, platform.channel, tools))


def taken(platform: FakeMastodon) -> Json:
    """The last post as it was asked for."""
    return next(body for verb, path, body in reversed(platform.calls) if (verb, path) == ("POST", "/api/v1/statuses"))


def code_of(run: Any) -> str:
    with pytest.raises(ChannelError) as refused:
        run()
    return refused.value.code


# ---- in public


@pytest.mark.parametrize("visibility", ["public", "unlisted", "private"])
def test_an_answer_is_as_visible_as_what_it_answers(platform: FakeMastodon, visibility: str) -> None:
    send(platform, "Hola", reply_to=stands(platform, "a", visibility=visibility), language="es-ES")
    expected = {"status": "@marta@lejos.test Hola", "visibility": visibility, "language": "es"}
    assert taken(platform) == {**expected, "in_reply_to_id": number_of("a")}
    assert platform.headers[-1]["idempotency-key"] == "key-1"


def test_an_answer_names_the_customer_first_and_those_who_take_part_once(platform: FakeMastodon) -> None:
    above = stands(platform, "a", "otro", names=("us", "marta"))
    send(platform, "Hola @otro, gracias", reply_to=above)
    assert taken(platform)["status"] == "@marta@lejos.test Hola @otro, gracias"
    send(platform, "Hola", reply_to=above, idempotency_key="key-2")
    assert taken(platform)["status"] == "@marta@lejos.test @otro Hola"


def test_where_there_is_no_room_only_the_customer_is_named(platform: FakeMastodon) -> None:
    platform.channel = msgspec.structs.replace(
        platform.channel, settings={**platform.channel.settings, "max_characters": 60}
    )
    above = stands(platform, "a", "marta", names=("us", "otro"))
    send(platform, "x" * 20, reply_to=above)
    assert taken(platform)["status"] == f"@marta@lejos.test @otro {'x' * 20}"
    long_name = f"{'m' * 45}@lejos.test"
    assert code_of(lambda: send(platform, "x" * 20, reply_to=above, recipient=long_name)) == "text_too_long"
    middle = f"{'m' * 33}@lejos.test"
    send(platform, "x" * 20, reply_to=above, recipient=middle, idempotency_key="key-2")
    assert taken(platform)["status"] == f"@{middle} {'x' * 20}"


def test_a_warning_is_taken_over_where_there_is_room(platform: FakeMastodon) -> None:
    above = stands(platform, "a", spoiler_text="enfado")
    send(platform, "Hola", reply_to=above)
    assert taken(platform)["spoiler_text"] == "enfado"
    above = stands(platform, "b", spoiler_text="e" * 490)
    send(platform, "Hola", reply_to=above, idempotency_key="key-2")
    assert "spoiler_text" not in taken(platform)


def test_what_was_answered_and_is_gone_is_said_to_be(platform: FakeMastodon) -> None:
    platform.vanish(number_of("a"))
    assert code_of(lambda: send(platform, "Hola", reply_to=number_of("a"))) == "message_gone"
    assert platform.posted() == []


# ---- in private


def test_a_private_answer_to_a_public_post_is_a_mention_of_its_author_alone(platform: FakeMastodon) -> None:
    comment = stands(platform, "a", "otro", names=("us", "marta"))
    more = {"thread_key": "", "recipient": OTRO, "answers_comment": comment}
    sent = send(platform, "¿Su reserva?", surface="dm", **more)
    assert taken(platform) == {"status": "@otro ¿Su reserva?", "visibility": "direct", "in_reply_to_id": comment}
    assert sent.thread_key == f"direct:{OTRO}"


def test_a_conversation_goes_on_with_all_who_are_in_it(platform: FakeMastodon) -> None:
    sent = send(platform, "Hola", surface="dm", thread_key=f"direct:{MARTA},{OTRO}")
    assert taken(platform) == {"status": "@marta@lejos.test @otro Hola", "visibility": "direct"}
    assert sent.thread_key == f"direct:{MARTA},{OTRO}"


def test_a_private_text_that_names_somebody_else_is_refused(platform: FakeMastodon) -> None:
    for name in ("@otro", "@someone@other.test", f"@OTRO@{DOMAIN}"):
        assert code_of(lambda: send(platform, f"Pregunte a {name}", surface="dm")) == "names_another"  # noqa: B023
    assert platform.posted() == []
    send(platform, "Escríbanos a @aurora o a atencion@aurora.example, @marta@lejos.test", surface="dm")
    assert platform.posted() != []


def test_a_conversation_outlives_the_word_it_answers(platform: FakeMastodon) -> None:
    platform.vanish(number_of("a"))
    send(platform, "Hola", surface="dm", reply_to=number_of("a"))
    assert "in_reply_to_id" not in taken(platform)


# ---- files


def picture(content: bytes = b"\x89PNG", alt: str = "una maleta") -> OutgoingFile:
    async def read() -> bytes:
        return content

    return OutgoingFile("maleta.png", "image/png", len(content), read, alt_text=alt)


def test_files_go_up_first_with_their_descriptions(platform: FakeMastodon) -> None:
    send(platform, "Hola", files=(picture(), picture(b"two", "")))
    one, two = platform.forms
    assert one == {"description": ("", b"una maleta"), "file": ("maleta.png", b"\x89PNG")}
    assert two == {"file": ("maleta.png", b"two")}
    assert taken(platform)["media_ids"] == ["1", "2"]


def test_a_file_that_is_still_worked_on_is_waited_for(platform: FakeMastodon) -> None:
    platform.slow_files = 2
    send(platform, "Hola", files=(picture(),))
    asked = [path for verb, path, _ in platform.calls if verb == "GET" and "media" in path]
    assert asked == ["/api/v1/media/1", "/api/v1/media/1"]
    assert taken(platform)["media_ids"] == ["1"]


def test_an_upload_that_failed_posted_nothing_and_may_be_repeated(platform: FakeMastodon) -> None:
    platform.plan("failing")
    with pytest.raises(ChannelError) as broken:
        send(platform, "Hola", files=(picture(),))
    assert (broken.value.outcome_unknown, broken.value.permanent) == (False, False)
    assert platform.posted() == []


# ---- once


def test_the_same_key_posts_once(platform: FakeMastodon) -> None:
    first, second = send(platform, "Hola"), send(platform, "Hola", attempt=2)
    assert first.platform_id == second.platform_id
    assert platform.posted() == ["Hola"]


def test_a_look_up_finds_our_words_below_the_same_post_only(platform: FakeMastodon) -> None:
    sent = send(platform, "Hola", reply_to=stands(platform, "a"))

    def find(text: str, **more: Any) -> Sent | None:
        given = {"reply_to": number_of("a"), "written_at": clock.now(), **more}
        outgoing = msgspec.structs.replace(RIG.outgoing(platform.channel, text), **given)
        return with_tools(lambda tools: NETWORK.look_up(outgoing, platform.channel, tools))

    found = find("Hola")
    assert found is not None and found.platform_id == sent.platform_id
    assert find("Adiós") is None
    assert find("Hola", reply_to=number_of("b")) is None
    assert find("Hola", written_at=clock.now() + timedelta(hours=1)) is None
    assert find("Hola", surface="dm") is None


# ---- what stands


def test_an_edit_keeps_names_files_warning_and_language(platform: FakeMastodon) -> None:
    media = [{"id": "77", "type": "image", "url": "https://files.test/1.png"}]
    more = {"names": ("marta",), "media_attachments": media, "spoiler_text": "enfado", "sensitive": True}
    ours = stands(platform, "a", "us", **more)
    outgoing = RIG.outgoing(platform.channel, "Otra vez")
    with_tools(lambda tools: NETWORK.edit(ours, outgoing, platform.channel, tools))
    verb, path, body = platform.calls[-1]
    assert (verb, path) == ("PUT", f"/api/v1/statuses/{ours}")
    expected = {"status": "@marta@lejos.test Otra vez", "media_ids": ["77"], "spoiler_text": "enfado"}
    assert body == {**expected, "sensitive": True, "language": "es"}


def test_what_is_gone_already_counts_as_deleted_and_cannot_be_liked(platform: FakeMastodon) -> None:
    platform.vanish(number_of("a"))

    def act(verb: Any) -> None:
        one = ModerationAct(verb, number_of("a"), "reply", "t", "key")
        with_tools(lambda tools: NETWORK.moderate(one, platform.channel, tools))

    act("delete")
    act("unlike")
    assert code_of(lambda: act("like")) == "message_gone"


# ---- the account


def check(channel: ChannelView) -> Health:
    return with_tools(lambda tools: NETWORK.check(channel, tools))


def test_connecting_reads_who_the_account_is_and_what_its_server_allows(platform: FakeMastodon) -> None:
    known = with_tools(lambda tools: NETWORK.introduce(platform.channel, "", tools))
    assert (known.account_key, known.handle) == (US, f"@{US}")
    limits = {"max_characters": 500, "link_weight": 23, "max_files": 4, "image_bytes": 16_777_216}
    assert known.settings.items() >= {"account_id": "1", "domain": DOMAIN, **limits}.items()


def test_the_servers_limits_decide(platform: FakeMastodon) -> None:
    settings = {"max_characters": 5000, "max_files": 10, "image_bytes": 1, "video_bytes": 2, "poll_s": 60}
    channel = msgspec.structs.replace(platform.channel, settings=settings)
    surface = NETWORK.effective(channel).surface("reply")
    assert surface.text.max_length == 5000 - rules.ROOM_FOR_NAMES
    assert surface.attachments.per_message == 10
    assert [kind.max_bytes for kind in surface.attachments.kinds] == [1, 2, 2]
    assert surface.delete.recheck_every_s == 1200


def test_the_live_check_says_in_a_code_what_is_wrong(platform: FakeMastodon) -> None:
    assert check(platform.channel) == Health(ok=True)
    replace = msgspec.structs.replace
    assert check(replace(platform.channel, account_key=OTRO)).code == "account_not_served"
    assert check(replace(platform.channel, secrets={"access_token": "x"})).code == "token_refused"
    nobody = {**platform.channel.settings, "server": "http://127.0.0.1:9"}
    assert check(replace(platform.channel, settings=nobody)).code == "unreachable"
    elsewhere = {**platform.channel.settings, "server": f"{platform.channel.setting('server')}/blog"}
    platform.wrong.clear()
    found = check(replace(platform.channel, settings=elsewhere)).code
    assert found == "answer_unreadable"
    assert bool(platform.wrong) == openapi.IS_HERE
    platform.wrong.clear()


def test_a_token_that_may_not_write_is_found_before_anybody_answers(platform: FakeMastodon) -> None:
    platform.scopes_missing = True
    assert check(platform.channel) == Health(False, "permissions_missing", "The token may not do this.")
    assert code_of(lambda: send_edit(platform)) == "permissions_missing"


def send_edit(platform: FakeMastodon) -> None:
    outgoing = RIG.outgoing(platform.channel, "x")
    with_tools(lambda tools: NETWORK.edit(number_of("a"), outgoing, platform.channel, tools))


def test_a_server_typed_without_https_is_asked_by_https() -> None:
    from careline.channels.mastodon import calling

    channel = msgspec.structs.replace(channel_view(), settings={"server": " mastodon.example/ "})
    assert calling.host_of(channel) == "https://mastodon.example"
    assert NETWORK.capabilities.surface("dm").text.unit == lengths.UNIT
