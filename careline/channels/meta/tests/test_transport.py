"""What all of Meta's networks share: the signature by another hand, the envelope's edges, and how long a limit lasts."""

from __future__ import annotations

import json
import subprocess

import pytest

from careline.channels.base import ConnectionView, ForeignPayload, HookRequest, SignInRequired
from careline.channels.meta import calling, hooks
from careline.channels.meta.facebook import NETWORK
from careline.kit.http import Answer

CONNECTION = ConnectionView(1, 1, "facebook", {"app_secret": "s3cr3t"}, {"1": 7})


def by_openssl(body: bytes, secret: str = "s3cr3t") -> str:
    command = ["openssl", "dgst", "-sha256", "-hmac", secret, "-hex"]
    return subprocess.run(command, input=body, capture_output=True, check=True).stdout.decode().split()[-1]


def request(body: bytes, signature: str) -> HookRequest:
    return HookRequest("POST", "/hooks/facebook/t", {"x-hub-signature-256": signature}, body)


def test_a_signature_made_by_openssl_is_let_in() -> None:
    body = b'{"object":"page","entry":[{"id":"1","note":"\\u00e4\\ud83e\\uddf3 <>/\\/"}]}'
    NETWORK.verify(request(body, f"sha256={by_openssl(body)}"), CONNECTION)


def test_the_bytes_are_signed_and_not_what_they_mean() -> None:
    """Meta escapes what is beyond ASCII: the same object written anew has another signature."""
    body = b'{"object":"page","entry":[],"note":"\\u00e4"}'
    written_anew = json.dumps(json.loads(body), ensure_ascii=False).encode()
    with pytest.raises(SignInRequired):
        NETWORK.verify(request(written_anew, f"sha256={by_openssl(body)}"), CONNECTION)


@pytest.mark.parametrize("signature", ["", "sha256=", "sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709", "sha256=ß"])
def test_anything_else_is_not(signature: str) -> None:
    with pytest.raises(SignInRequired):
        NETWORK.verify(request(b"{}", signature), CONNECTION)


def test_another_apps_secret_is_not_ours() -> None:
    with pytest.raises(SignInRequired):
        NETWORK.verify(request(b"{}", f"sha256={by_openssl(b'{}', 'another')}"), CONNECTION)
    with pytest.raises(SignInRequired):
        bare = ConnectionView(1, 1, "facebook", {}, {"1": 7})
        NETWORK.verify(request(b"{}", f"sha256={by_openssl(b'{}', 'x')}"), bare)


@pytest.mark.parametrize(
    "body", [b'{"object":"page"}', b'{"object":"page","entry":{}}', b'{"object":"page","entry":[1]}', b"[" * 9000]
)
def test_bytes_of_no_delivery_are_foreign(body: bytes) -> None:
    with pytest.raises(ForeignPayload):
        NETWORK.split(request(body, ""), CONNECTION)


def test_a_change_that_is_not_written_as_meta_writes_it_is_foreign() -> None:
    body = b'{"object":"page","entry":[{"id":"1","changes":[{"field":"feed","value":{"item":5}}]}]}'
    with pytest.raises(ForeignPayload):
        NETWORK.split(request(body, ""), CONNECTION)


def refusal(headers: dict[str, str], status: int = 400, code: int = 4) -> float | None:
    body = json.dumps({"error": {"message": "x", "code": code}}).encode()
    error = calling.refusal(Answer(status, headers, body, ""))
    assert (error.code, error.permanent) == ("rate_limited", False)
    return error.retry_after_s


def test_a_limit_lasts_as_long_as_the_headers_say() -> None:
    """Retry-After in seconds; X-Business-Use-Case-Usage in minutes, the longest of all."""
    usage = {"178": [{"type": "messenger", "call_count": 100, "estimated_time_to_regain_access": 19}], "2": [{}]}
    assert refusal({"x-business-use-case-usage": json.dumps(usage)}) == 19 * 60
    assert refusal({"retry-after": "30", "x-business-use-case-usage": json.dumps(usage)}) == 30
    assert refusal({"x-business-use-case-usage": "nonsense"}) is None
    assert refusal({}, status=429, code=0) is None


def test_an_answer_that_is_no_json_of_metas_is_judged_by_its_status() -> None:
    for status, fact in ((502, "outcome_unknown"), (401, "unauthorised"), (400, "permanent")):
        error = calling.refusal(Answer(status, {}, b"<html>", ""))
        assert getattr(error, fact)


def test_a_refusal_repeats_nothing_that_meta_said() -> None:
    body = json.dumps({"error": {"message": "Marta's words", "code": 100, "error_user_msg": "Marta"}}).encode()
    assert "Marta" not in str(calling.refusal(Answer(400, {}, body, "")))


def test_ids_made_of_hashes_differ_by_every_part() -> None:
    assert len({hooks.digest("a", "b"), hooks.digest("ab", ""), hooks.digest("a", "b", "")}) == 3
