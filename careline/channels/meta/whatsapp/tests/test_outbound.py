"""What WhatsApp is told: each request by Meta's own schema, and what comes of its answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from careline.channels.base import ChannelError, ChannelView, Introduced, OutgoingFile, TemplateUse
from careline.channels.conformance.acting import with_tools
from careline.channels.meta.calling import proof
from careline.channels.meta.tests import specification
from careline.channels.meta.tests.graph import APP_SECRET, TOKEN, fault
from careline.channels.meta.whatsapp import NETWORK
from careline.channels.meta.whatsapp.rules import TEMPLATE_MEDIA
from careline.channels.meta.whatsapp.tests.cloud import NUMBER
from careline.channels.meta.whatsapp.tests.rig import MARTA, WhatsAppPlatform, WhatsAppRig

RIG = WhatsAppRig()
HOOK = "https://desk.example.org/hooks/whatsapp/t"
# Refused as Meta publishes it, each for a fault of the schema or of the example: see `specification`.
REFUSED_EXAMPLES = 18


def file_of(kind: str, name: str, content: bytes = b"bytes") -> OutgoingFile:
    async def read() -> bytes:
        return content

    return OutgoingFile(name, kind, len(content), read)


def send(platform: WhatsAppPlatform, text: str = "Hola", **more: Any) -> dict[str, Any]:
    """The one message that is asked for, as it went out."""
    outgoing = msgspec.structs.replace(RIG.outgoing(platform.channel, text), **more)
    with_tools(lambda tools: NETWORK.send(outgoing, platform.channel, tools))
    return platform.api.bodies[-1]


def refused(platform: WhatsAppPlatform, **more: Any) -> ChannelError:
    with pytest.raises(ChannelError) as error:
        send(platform, **more)
    return error.value


def test_metas_own_requests_pass_its_schema_once_it_is_mended() -> None:
    """50 examples: published, the schema takes none of them; without `additionalProperties` in its `allOf` 32 by their type."""
    specification.need()
    found = specification.examples(specification.MESSAGES)
    wrong = [name for name, body in found.items() if specification.message_complaints(body)]
    assert (len(found), len(wrong)) == (50, REFUSED_EXAMPLES)


def test_the_schema_refuses_what_is_wrong() -> None:
    specification.need()
    body = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": MARTA, "type": "text"}
    assert specification.message_complaints({**body, "text": {"body": "Hola"}}) == []
    assert specification.message_complaints({**body, "text": {"words": "Hola"}})
    assert specification.message_complaints({**body, "type": "letter", "letter": {}})


def test_an_answer_marks_what_it_answers_as_read_and_quotes_nothing() -> None:
    with RIG.listening() as platform:
        body = send(platform, reply_to="wamid.theirs")
        assert (body["to"], body["text"]["body"]) == (MARTA, "Hola")
        assert "context" not in body
        assert body["biz_opaque_callback_data"] == "key-1"
        assert platform.api.read == ["wamid.theirs"]


def test_the_token_goes_in_a_header_with_the_proof_of_the_app() -> None:
    """appsecret_proof of the vector made by `openssl dgst -sha256 -hmac`."""
    assert proof("a-token", "a-secret") == "e065b57a8dc761d4c268bdfc913d7b1aa37f5dc73f90896d4c8a11c2c4b35ec8"
    with RIG.listening() as platform:
        send(platform)
        assert platform.api.headers[-1]["authorization"] == f"Bearer {TOKEN}"
        assert platform.api.bodies[-1]["appsecret_proof"] == proof(TOKEN, APP_SECRET)


def test_somebody_without_a_number_is_written_to_by_their_id() -> None:
    with RIG.listening() as platform:
        body = send(platform, thread_key="US.13491208655302741918")
        assert body["recipient"] == "US.13491208655302741918"
        assert "to" not in body


def test_a_first_word_goes_to_the_number_that_was_typed() -> None:
    with RIG.listening() as platform:
        use = TemplateUse("bag_found:en_US", "bag_found", "en-US", ("1", "2"), ("Marta", "AB12CD"))
        body = send(platform, thread_key="", recipient="+34600111222", template=use)
        assert body["to"] == "34600111222"
        assert body["template"]["language"]["code"] == "en_US"
        assert platform.posted() == ["Hello Marta, your bag AB12CD is here."]


@pytest.mark.parametrize(
    ("kind", "name", "text", "goes_as"),
    [
        ("image/jpeg", "bag.jpg", "Is it this one?", "image"),
        ("image/webp", "bag.webp", "", "document"),
        ("video/mp4", "bag.mp4", "", "video"),
        ("audio/ogg", "call.ogg", "", "audio"),
        ("audio/ogg", "call.ogg", "Listen", "document"),
        ("application/pdf", "form.pdf", "Please sign", "document"),
    ],
)
def test_a_file_is_uploaded_and_named(kind: str, name: str, text: str, goes_as: str) -> None:
    with RIG.listening() as platform:
        body = send(platform, text=text, files=(file_of(kind, name),))
        assert body["type"] == goes_as
        assert body[goes_as]["id"] == "4490709327384033"
        assert body[goes_as].get("caption", "") == text
        assert body[goes_as].get("filename", name) == name
        assert platform.api.uploaded["4490709327384033"] == b"bytes"


def test_a_caption_is_shorter_than_a_message() -> None:
    with RIG.listening() as platform:
        error = refused(platform, text="x" * 1025, files=(file_of("image/png", "a.png"),))
        assert (error.code, error.permanent) == ("caption_too_long", True)


@pytest.mark.parametrize(
    ("status", "code", "subcode", "word", "fact"),
    [
        (400, 131047, 0, "window_needs_template", "permanent"),
        (400, 131026, 0, "customer_gone", "permanent"),
        (400, 131049, 0, "held_back", "permanent"),
        (400, 132001, 0, "template_wrong", "permanent"),
        (400, 132015, 0, "template_paused", "permanent"),
        (403, 131042, 0, "payment_missing", "permanent"),
        (403, 200, 0, "rights_missing", "permanent"),
        (400, 100, 33, "message_gone", "permanent"),
        (400, 100, 2494010, "refused", "permanent"),
        (400, 190, 463, "token_refused", "unauthorised"),
        (400, 130429, 0, "rate_limited", "later"),
        (400, 131056, 0, "rate_limited", "later"),
        (400, 80007, 0, "rate_limited", "later"),
        (400, 4, 0, "rate_limited", "later"),
        (500, 131000, 0, "platform_failed", "outcome_unknown"),
        (503, 131016, 0, "platform_failed", "outcome_unknown"),
    ],
)
def test_each_code_has_its_meaning(status: int, code: int, subcode: int, word: str, fact: str) -> None:
    with RIG.listening() as platform:
        platform.api.refused = fault(status, code, subcode)
        platform.api.faults.append("refused")
        error = refused(platform)
        facts = {name for name in ("permanent", "unauthorised", "outcome_unknown") if getattr(error, name)}
        assert (error.code, facts) == (word, {fact} - {"later"})


def test_an_upload_that_broke_leaves_no_outcome_open() -> None:
    with RIG.listening() as platform:
        platform.api.faults.append("cut")
        assert not refused(platform, files=(file_of("image/png", "a.png"),)).outcome_unknown


def test_a_file_is_fetched_with_the_token() -> None:
    with RIG.listening() as platform:
        platform.api.media["77"] = b"%PDF"
        place = with_tools(lambda tools: NETWORK.locate_file("whatsapp:77", platform.channel, tools))
        assert place.url.endswith("/bytes/77")
        assert place.headers["authorization"] == f"Bearer {TOKEN}"


def test_only_approved_templates_that_can_be_filled_are_offered() -> None:
    with RIG.listening() as platform:
        found = with_tools(lambda tools: NETWORK.templates(platform.channel, tools))
        assert [(one.name, one.language, one.parameters, one.examples) for one in found] == [
            ("bag_found", "en-US", ("1", "2"), ("Marta", "AB12CD")),
            ("still_there", "es", ("first_name",), ("Marta",)),
            ("with_a_picture", "es", ("1",), ("Marta",)),
            ("your_ticket", "es", (), ()),
            ("see_the_cabin", "es", (), ()),
        ]
        assert [one.media.kind if one.media else "" for one in found] == ["", "", "image", "document", "video"]
        assert (found[0].heading, found[0].footer, found[0].buttons) == ("Your bag", "Aurora Air", ("Thank you",))


@pytest.mark.parametrize(
    ("name", "kind", "file_name", "named"),
    [
        ("with_a_picture", "image/png", "label.png", {}),
        ("see_the_cabin", "video/mp4", "cabin.mp4", {}),
        ("your_ticket", "application/pdf", "ticket.pdf", {"filename": "ticket.pdf"}),
    ],
)
def test_a_template_that_begins_with_a_file_goes_out_with_it(
    name: str, kind: str, file_name: str, named: dict[str, str]
) -> None:
    """Held against Meta's schema by the fake, as every request is."""
    with RIG.listening() as platform:
        found = with_tools(lambda tools: NETWORK.templates(platform.channel, tools))
        one = next(one for one in found if one.name == name)
        assert one.media is not None
        assert kind in one.media.types
        values = ("Eva",) * len(one.parameters)
        use = TemplateUse(one.key, one.name, one.language, one.parameters, values, one.media)
        body = send(platform, template=use, files=(file_of(kind, file_name),))
        heading, *rest = body["template"]["components"]
        shown = {"id": "4490709327384033", **named}
        assert heading == {"type": "header", "parameters": [{"type": one.media.kind, one.media.kind: shown}]}
        assert [part["type"] for part in rest] == ["body"] * bool(values)
        assert platform.api.uploaded["4490709327384033"] == b"bytes"


def test_our_heading_has_the_shape_of_metas_own_example() -> None:
    specification.need()
    example = specification.examples(specification.MESSAGES)["Send Message Template Media"]
    heading = example["template"]["components"][0]
    assert heading["type"] == "header"
    assert [one["type"] for one in heading["parameters"]] == ["image"]
    assert set(heading["parameters"][0]) == {"type", "image"}


@pytest.mark.parametrize(
    "heading",
    [
        {"type": "header", "parameters": []},
        {"type": "header", "parameters": [{"type": "image", "document": {"id": "1"}}]},
        {"type": "header", "parameters": [{"type": "document", "document": {"filename": "a.pdf"}}]},
        {"type": "header", "parameters": [{"type": "sticker", "sticker": {"id": "1"}}]},
        {"type": "heading", "parameters": [{"type": "image", "image": {"id": "1"}}]},
    ],
)
def test_metas_schema_notices_a_wrong_heading(heading: dict[str, object]) -> None:
    specification.need()
    use = {"name": "n", "language": {"code": "es"}, "components": [heading]}
    body = {"messaging_product": "whatsapp", "to": "34600111222", "type": "template", "template": use}
    assert specification.message_complaints(body)


def test_a_template_whose_file_is_missing_is_refused_before_the_wire() -> None:
    with RIG.listening() as platform:
        use = TemplateUse("your_ticket:es", "your_ticket", "es", media=TEMPLATE_MEDIA["DOCUMENT"])
        assert refused(platform, template=use).code == "template_wrong"
        assert platform.api.bodies == []


# ---- connecting


def introduce(platform: WhatsAppPlatform, hook_url: str = HOOK, **settings: object) -> Introduced:
    known = msgspec.structs.replace(
        platform.channel, settings={**platform.channel.settings, **settings}, account_key=""
    )
    return with_tools(lambda tools: NETWORK.introduce(known, hook_url, tools))


def test_the_number_says_who_it_is_and_gets_an_address_of_its_own() -> None:
    with RIG.listening() as platform:
        platform.api.token["expires_at"] = 1_800_000_000
        known = introduce(platform)
        assert (known.account_key, known.name, known.handle) == (NUMBER, "Aurora Air", "+1 555-078-3881")
        assert known.secrets_end_at == datetime.fromtimestamp(1_800_000_000, UTC)
        assert platform.api.apps[0]["override_callback_uri"] == HOOK
        assert [one["callback_url"] for one in platform.api.subscriptions] == [HOOK]


def test_before_there_is_somebody_to_answer_the_knock_nothing_is_subscribed() -> None:
    with RIG.listening() as platform:
        known = introduce(platform, hook_url="")
        assert known.secrets["verify_token"]
        assert (platform.api.apps, platform.api.subscriptions) == ([], [])


def test_the_apps_own_address_is_never_taken_away() -> None:
    with RIG.listening() as platform:
        theirs = {"object": "whatsapp_business_account", "callback_url": "https://else.example/", "active": True}
        platform.api.subscriptions = [theirs]
        introduce(platform)
        assert platform.api.subscriptions == [theirs]
        assert platform.api.apps[0]["override_callback_uri"] == HOOK


def check(channel: ChannelView) -> str:
    return with_tools(lambda tools: NETWORK.check(channel, tools)).code


def test_the_live_check_says_what_is_wrong() -> None:
    with RIG.listening() as platform:
        assert check(platform.channel) == "hook_missing"
        introduce(platform)
        assert check(platform.channel) == "ok"
        platform.api.token["scopes"] = ["whatsapp_business_messaging"]
        assert check(platform.channel) == "permissions_missing"
        platform.api.token["app_id"] = "another"
        assert check(platform.channel) == "app_wrong"
        platform.api.token["is_valid"] = False
        assert check(platform.channel) == "token_refused"
    assert check(RIG.channel) == "unreachable"


@pytest.mark.parametrize(("typed", "problem"), [("+34 600 111 222", ""), ("ES.42a", ""), ("marta", "address_wrong")])
def test_who_can_be_written_to_first(typed: str, problem: str) -> None:
    assert NETWORK.address_problem(typed) == problem
