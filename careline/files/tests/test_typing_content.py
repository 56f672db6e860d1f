"""Files are what their bytes say; nothing a browser could run is ever shown in place; names cannot lie."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from careline.files.typing_content import INLINE_TYPES, image_size, safe_name, type_of


def picture(form: str, size: tuple[int, int] = (40, 30)) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "teal").save(made, form)
    return made.getvalue()


def png_of(width: int, height: int) -> bytes:
    """A PNG that declares a size it does not have."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0")))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


PICTURES = [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WEBP", "image/webp")]


@pytest.mark.parametrize(("form", "kind"), PICTURES)
def test_a_picture_is_known_by_its_bytes_whatever_its_name(form: str, kind: str) -> None:
    content = picture(form)
    assert type_of(content, "invoice.html") == kind
    assert image_size(content, kind) == (40, 30)


MARKUP = [
    b"<!DOCTYPE html><script>alert(1)</script>",
    b"<html><body onload=alert(1)>",
    b"  \n<script>alert(1)</script>",
    b"\xef\xbb\xbf<html><script>alert(1)</script>",
    b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    b'<?xml version="1.0"?><?xml-stylesheet href="javascript:alert(1)"?><x/>',
    b'<html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>',
    b"<!-- x --><HTML><SCRIPT>alert(1)</SCRIPT>",
    "\ufeff<html>".encode("utf-16"),
]


@pytest.mark.parametrize("content", MARKUP)
@pytest.mark.parametrize("name", ["photo.png", "page.html", "drawing.svg", ""])
def test_what_a_browser_could_run_is_plain_bytes(content: bytes, name: str) -> None:
    kind = type_of(content, name)
    assert kind not in INLINE_TYPES
    assert not any(word in kind for word in ("html", "svg", "xml", "script"))


def test_words_are_text_and_anything_else_is_bytes() -> None:
    assert type_of("¿Dónde está mi maleta?".encode()) == "text/plain"
    assert type_of(("a" * 4095 + "ñ").encode()) == "text/plain"
    assert type_of(b"\x00\x01\x02\x03") == "application/octet-stream"
    assert type_of(b"") == "application/octet-stream"
    assert type_of(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n") == "application/pdf"


@given(st.binary(max_size=300), st.sampled_from(PICTURES), st.integers(0, 200))
def test_no_bytes_are_an_error_of_ours(noise: bytes, form: tuple[str, str], place: int) -> None:
    assert "/" in type_of(noise)
    mutated = picture(form[0])[:place] + noise
    assert "/" in type_of(mutated)
    width, height = image_size(mutated, form[1])
    assert (width is None) == (height is None)


def test_a_picture_of_a_billion_pixels_has_no_size() -> None:
    for width, height in ((60_000, 60_000), (8_000, 8_000), (2**31 - 1, 2**31 - 1)):
        assert image_size(png_of(width, height), "image/png") == (None, None)
    assert image_size(png_of(7_000, 7_000), "image/png") == (7_000, 7_000)


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("photo\u202egnp.exe", "photognp.exe"),
        ("a\u2066b\u2069\u200f.png", "ab.png"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\cmd.exe", "cmd.exe"),
        ("C:\\fotos\\maleta.jpg", "maleta.jpg"),
        ("a\r\nSet-Cookie: x=1.png", "aSet-Cookie: x=1.png"),
        ("a\0b.png", "ab.png"),
        ("  .hidden. ", "hidden"),
        ("", "file"),
        ("...", "file"),
        ("/", "file"),
        ("\u202e", "file"),
        ("maleta perdida ñ 👜.jpg", "maleta perdida ñ 👜.jpg"),
    ],
)
def test_a_name_is_what_it_says(given_name: str, shown: str) -> None:
    assert safe_name(given_name) == shown


@given(st.text(max_size=400))
def test_no_name_escapes_its_folder_or_its_length(name: str) -> None:
    shown = safe_name(name)
    assert 0 < len(shown) <= 120
    assert "/" not in shown and "\\" not in shown and shown not in {".", ".."}
    assert shown.isprintable() or all(char.isprintable() or char.isspace() for char in shown)
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\r\n\0")


def test_a_long_name_keeps_its_ending() -> None:
    assert safe_name("x" * 300 + ".jpeg") == "x" * 100 + ".jpeg"
