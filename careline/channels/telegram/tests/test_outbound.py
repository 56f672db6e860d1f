"""What leaves: every request held against the Bot API's own description, every refusal in the outbox's terms."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from careline.channels.base import ChannelError, ModerationAct, OutgoingFile, Sent
from careline.channels.conformance.acting import with_tools
from careline.channels.telegram import NETWORK
from careline.channels.telegram.rules import CAPABILITIES, EMOJI
from careline.channels.telegram.tests import specification
from careline.channels.telegram.tests.bot_api import TOKEN
from careline.channels.telegram.tests.rig import GROUP, SECRET, TelegramPlatform, TelegramRig

RIG = TelegramRig()
HOOK = "https://desk.example.org/hooks/telegram/t"


def post(platform: TelegramPlatform, text: str, *, surface: str = "dm", **more: object) -> Sent:
    outgoing = msgspec.structs.replace(RIG.outgoing(platform.channel, text, surface=surface), **more)
    return with_tools(lambda tools: NETWORK.send(outgoing, platform.channel, tools))


def file(name: str, content_type: str, content: bytes = b"\x00\xff--bytes\r\n") -> OutgoingFile:
    async def read() -> bytes:
        return content

    return OutgoingFile(name, content_type, len(content), read)


def refused(platform: TelegramPlatform, fault: str, **more: Any) -> ChannelError:
    platform.api.faults.append(fault)
    with pytest.raises(ChannelError) as error:
        post(platform, "Hola", **more)
    return error.value


def test_the_judge_is_here_and_judges() -> None:
    specification.need()
    assert specification.complaints("sendMessage", {"chat_id": 1, "text": "a"}) == []
    assert specification.complaints("sendMessage", {"chat_id": 1}) == ["sendMessage.text: missing"]
    assert specification.complaints("sendMessage", {"chat_id": 1, "text": "a", "cat": 1}) == [
        "sendMessage.cat: unknown"
    ]
    assert specification.complaints("sendMessage", {"chat_id": True, "text": 7})
    assert specification.complaints("sendPhoto", {"chat_id": 1, "photo": "attach://a"})
    assert specification.complaints("sendPhoto", {"chat_id": 1, "photo": "attach://a"}, frozenset({"a"})) == []


def test_the_allowed_reactions_are_exactly_those_described() -> None:
    specification.need()
    words = specification.described()["types"]["ReactionTypeEmoji"]["fields"][1]["description"]
    assert tuple(words.split('"')[1::2]) == EMOJI


def test_limits_are_those_described() -> None:
    specification.need()
    methods = specification.described()["methods"]
    texts = {one["name"]: one["description"] for one in methods["sendMessage"]["fields"]}
    captions = {one["name"]: one["description"] for one in methods["sendPhoto"]["fields"]}
    assert "1-4096 characters" in texts["text"]
    assert "0-1024 characters" in captions["caption"]
    assert "less than 48 hours" in " ".join(methods["deleteMessage"]["description"])
    assert CAPABILITIES.surface("dm").delete.within_s == 48 * 3600


def test_an_answer_in_private_stands_alone_and_one_in_public_hangs_on_what_it_answers() -> None:
    with RIG.listening() as platform:
        post(platform, "Privado", reply_to="4201:8")
        post(platform, "Público", surface="group")
        post(platform, "Bajo el post", surface="comment", reply_to="")
        post(platform, "En el tema", surface="group", thread_key=f"{GROUP}/7", reply_to="")
        post(platform, "Negocio", surface="business")
        private, public, comment, topic, business = platform.api.posted
    assert "reply_parameters" not in private
    assert public["reply_parameters"] == {"message_id": 30, "allow_sending_without_reply": True}
    assert comment["reply_parameters"]["message_id"] == 12
    assert topic["message_thread_id"] == 7
    assert (business["business_connection_id"], business["chat_id"]) == ("BC1", 4201)


@pytest.mark.parametrize(
    ("name", "content_type", "method"),
    [
        ("p.jpg", "image/jpeg", "sendPhoto"),
        ("v.mp4", "video/mp4", "sendVideo"),
        ("a.mp3", "audio/mpeg", "sendAudio"),
        ("t.pdf", "application/pdf", "sendDocument"),
        ("g.gif", "image/gif", "sendDocument"),
    ],
)
def test_a_file_goes_as_what_it_is_with_its_caption(name: str, content_type: str, method: str) -> None:
    with RIG.listening() as platform:
        post(platform, "Aquí está", files=(file(name, content_type),))
        assert platform.api.requests[-1][0] == method
        assert platform.api.posted[0]["caption"] == "Aquí está"
        assert platform.api.uploaded == {"file0": b"\x00\xff--bytes\r\n"}


def test_several_files_are_one_album_and_mixed_ones_are_documents() -> None:
    photo, video, pdf = file("p.jpg", "image/jpeg"), file("v.mp4", "video/mp4"), file("t.pdf", "application/pdf")
    with RIG.listening() as platform:
        sent = post(platform, "Mire", surface="group", files=(photo, video))
        post(platform, "", files=(photo, pdf))
        albums = [given["media"] for method, given in platform.api.requests if method == "sendMediaGroup"]
    assert [one["type"] for one in albums[0]] == ["photo", "video"]
    assert [one.get("caption") for one in albums[0]] == ["Mire", None]
    assert [one["type"] for one in albums[1]] == ["document", "document"]
    assert (sent.platform_id, sent.aliases) == (f"{GROUP}:5001", (f"{GROUP}:5002",))


def test_words_too_long_for_a_caption_are_refused_before_anything_is_sent() -> None:
    with RIG.listening() as platform:
        with pytest.raises(ChannelError) as long:
            post(platform, "x" * 1025, files=(file("p.jpg", "image/jpeg"),))
        assert (long.value.code, long.value.permanent, platform.api.requests) == ("caption_too_long", True, [])


def test_emoji_count_as_utf16_does() -> None:
    rule = CAPABILITIES.surface("dm").text
    assert rule.length("🧳") == 2
    assert [rule.fits("🧳" * n) for n in (2048, 2049)] == [True, False]


def test_a_group_that_became_a_supergroup_gets_the_answer_once() -> None:
    with RIG.listening() as platform:
        platform.api.moved[GROUP] = -100999
        sent = post(platform, "Hola", surface="group")
        assert [one["chat_id"] for one in platform.api.posted] == [-100999]
        assert "reply_parameters" not in platform.api.posted[0]
    assert sent.platform_id == "-100999:5001"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("403:Forbidden: bot was blocked by the user", "customer_blocked_us"),
        ("403:Forbidden: bot can't initiate conversation with a user", "customer_must_begin"),
        ("403:Forbidden: user is deactivated", "customer_gone"),
        ("403:Forbidden: bot was kicked from the supergroup chat", "removed_from_chat"),
        ("400:Bad Request: chat not found", "thread_gone"),
        ("400:Bad Request: message thread not found", "thread_gone"),
        ("400:Bad Request: not enough rights to send text messages to the chat", "rights_missing"),
        ("400:Bad Request: something new", "refused"),
        ("413:Request Entity Too Large", "too_large"),
    ],
)
def test_final_refusals_have_a_word(said: str, code: str) -> None:
    with RIG.listening() as platform:
        error = refused(platform, said)
    assert (error.code, error.permanent, error.outcome_unknown, error.unauthorised) == (code, True, False, False)


def test_a_wrong_token_a_conflict_and_a_failure_are_told_apart() -> None:
    with RIG.listening() as platform:
        assert refused(platform, "401:Unauthorized").unauthorised
        assert refused(platform, "404:Not Found").unauthorised
        conflict = refused(platform, "409:Conflict: terminated by other getUpdates request")
        assert (conflict.code, conflict.permanent, conflict.outcome_unknown) == ("other_reader", False, False)
        assert refused(platform, "502:Bad Gateway").outcome_unknown


def test_a_malformed_api_address_gives_no_token_away() -> None:
    channel = msgspec.structs.replace(RIG.channel, settings={"api": "gopher://nowhere"})
    with pytest.raises(ChannelError) as error:
        with_tools(lambda tools: NETWORK.send(RIG.outgoing(channel, "Hola"), channel, tools))
    assert TOKEN not in f"{error.value.code} {error.value.message}"


def test_our_message_is_edited_and_what_says_so_already_is_done() -> None:
    with RIG.listening() as platform:
        outgoing = RIG.outgoing(platform.channel, "Mejor así")
        photo = msgspec.structs.replace(outgoing, files=(file("p.jpg", "image/jpeg"),))
        with_tools(lambda tools: NETWORK.edit("4201:31", outgoing, platform.channel, tools))
        with_tools(lambda tools: NETWORK.edit("b:BC1:4201:31", photo, platform.channel, tools))
        platform.api.faults.append("400:Bad Request: message is not modified")
        with_tools(lambda tools: NETWORK.edit("4201:31", outgoing, platform.channel, tools))
        platform.api.faults.append("400:Bad Request: message can't be edited")
        with pytest.raises(ChannelError):
            with_tools(lambda tools: NETWORK.edit("4201:31", outgoing, platform.channel, tools))
        assert [method for method, _ in platform.api.requests[:2]] == ["editMessageText", "editMessageCaption"]
        assert platform.api.requests[1][1]["business_connection_id"] == "BC1"


def test_a_deletion_that_comes_too_late_says_so_and_one_of_what_is_gone_is_done() -> None:
    act = ModerationAct("delete", "4201:31", "dm", "4201", "key-1")
    with RIG.listening() as platform:
        platform.api.faults.append("400:Bad Request: message can't be deleted for everyone")
        with pytest.raises(ChannelError) as late:
            with_tools(lambda tools: NETWORK.moderate(act, platform.channel, tools))
        platform.api.faults.append("400:Bad Request: message to delete not found")
        with_tools(lambda tools: NETWORK.moderate(act, platform.channel, tools))
    assert (late.value.code, late.value.permanent) == ("too_late_to_delete", True)


def test_typing_is_shown_where_someone_waits_and_fails_silently() -> None:
    with RIG.listening() as platform:
        with_tools(lambda tools: NETWORK.show_typing("b:BC1:4201", platform.channel, tools))
        platform.api.faults.append("403:Forbidden: bot was blocked by the user")
        with_tools(lambda tools: NETWORK.show_typing("4201", platform.channel, tools))
        with_tools(lambda tools: NETWORK.show_typing("no place", platform.channel, tools))
        assert [given["action"] for _, given in platform.api.requests] == ["typing", "typing"]


def test_a_bot_is_introduced_by_its_own_word_and_asks_for_its_messages() -> None:
    with RIG.listening() as platform:
        platform.api.hook = {"url": "https://elsewhere.example.org"}
        known = with_tools(lambda tools: NETWORK.introduce(platform.channel, HOOK, tools))
        assert platform.api.hook["url"] == ""
    assert (known.account_key, known.name, known.handle) == ("777", "Aurora", "@AuroraAirBot")
    assert (known.settings["username"], known.secrets) == ("AuroraAirBot", {})


def test_a_webhook_is_set_with_a_secret_that_stays() -> None:
    with RIG.listening() as platform:
        hooked = msgspec.structs.replace(platform.channel, settings={**platform.channel.settings, "mode": "webhook"})
        first = msgspec.structs.replace(hooked, secrets={"token": TOKEN})
        made = with_tools(lambda tools: NETWORK.introduce(first, HOOK, tools))
        again = with_tools(lambda tools: NETWORK.introduce(hooked, HOOK, tools))
        assert "message_reaction" in platform.api.hook["allowed_updates"]
        assert (platform.api.hook["url"], platform.api.hook["secret_token"]) == (HOOK, SECRET)
        platform.api.faults.append("400:Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        with pytest.raises(ChannelError) as error:
            with_tools(lambda tools: NETWORK.introduce(hooked, "http://desk", tools))
    assert len(made.secrets["hook_secret"]) >= 32
    assert again.secrets["hook_secret"] == SECRET
    assert (error.value.code, NETWORK.listens(hooked), NETWORK.listens(RIG.channel)) == ("hook_refused", False, True)


def test_the_live_check_says_what_is_wrong() -> None:
    def checked(platform: TelegramPlatform, **settings: object) -> str:
        channel = msgspec.structs.replace(platform.channel, settings={**platform.channel.settings, **settings})
        return with_tools(lambda tools: NETWORK.check(channel, tools)).code

    with RIG.listening() as platform:
        assert checked(platform) == "hears_mentions_only"
        platform.api.reads_all = True
        assert checked(platform) == "ok"
        assert checked(platform, mode="webhook") == "hook_missing"
        platform.api.hook = {"url": HOOK}
        assert checked(platform) == "hook_in_the_way"
        assert checked(platform, mode="webhook") == "ok"
        platform.api.hook = {"url": HOOK, "last_error_message": "Connection refused"}
        assert checked(platform, mode="webhook") == "hook_failed_lately"
        assert checked(platform, api="http://127.0.0.1:9") == "unreachable"
        wrong = msgspec.structs.replace(platform.channel, secrets={"token": "777:wrong"})
        assert with_tools(lambda tools: NETWORK.check(wrong, tools)).code == "token_refused"
