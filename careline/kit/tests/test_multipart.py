"""Another implementation reads our forms as they were meant."""

from __future__ import annotations

import asyncio

import aiohttp
from aiohttp.test_utils import make_mocked_request

from careline.kit import multipart
from careline.kit.multipart import Upload

HOSTILE = 'a"b\r\nX-Own: 1.png'


def test_a_reader_finds_every_field_and_file() -> None:
    async def read() -> list[tuple[str | None, str | None, bytes]]:
        kind, body = multipart.encode({"note": "¿qué?".encode()}, [Upload("file", HOSTILE, "image/png", b"\r\n--\0")])
        stream = aiohttp.StreamReader(make_mocked_request("POST", "/").protocol, 2**16)
        stream.feed_data(body)
        stream.feed_eof()
        found = []
        reader = aiohttp.MultipartReader({"Content-Type": kind}, stream)
        while isinstance(part := await reader.next(), aiohttp.BodyPartReader):
            found.append((part.name, part.filename, bytes(await part.read())))
        return found

    note, file = asyncio.run(read())
    assert note == ("note", None, "¿qué?".encode())
    assert (file[0], file[2]) == ("file", b"\r\n--\0")
    assert "\n" not in str(file[1]) and "X-Own" in str(file[1])
