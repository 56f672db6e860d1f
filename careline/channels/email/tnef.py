"""winmail.dat: the text and files Outlook packs into TNEF (MS-OXTNEF, read 2026-11-21). Reads outward only: every count
and length is checked first.

Why not tnefparse: a property count of four bytes makes it loop four thousand million times over nothing, and each
object copies the rest of the stream. One mail of 60 bytes would stop the digest for hours.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from careline.channels.email.charsets import decode_bytes

CONTENT_TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
MAX_BYTES = 64 * 1024 * 1024
MAX_FILES = 60
_MAX_OBJECTS = 20_000
_MAX_PROPERTIES = 20_000
_MAX_EMBEDDED = 2
_SIGNATURE = 0x223E9F78
# Attribute ids (MS-OXTNEF 2.1.3.2) and property ids (MS-OXPROPS).
_ATTACH_DATA, _ATTACH_TITLE, _ATTACH_REND_DATA, _MAPI_PROPS, _ATTACHMENT, _BODY, _OEM_CODEPAGE = (
    0x800F,
    0x8010,
    0x9002,
    0x9003,
    0x9005,
    0x800C,
    0x9007,
)
_P_BODY, _P_RTF, _P_HTML, _P_CODEPAGE, _P_DATA, _P_FILENAME, _P_LONG_NAME, _P_DISPLAY, _P_CONTENT_ID = (
    0x1000, 0x1009, 0x1013, 0x3FDE, 0x3701, 0x3704, 0x3707, 0x3001, 0x3712,
)  # fmt: skip
_FIXED = {
    0x0002: 4,
    0x000B: 4,
    0x0003: 4,
    0x0004: 4,
    0x000A: 4,
    0x0001: 4,
    0x0005: 8,
    0x0006: 8,
    0x0007: 8,
    0x0014: 8,
    0x0040: 8,
    0x0048: 16,
}
_VARIABLE = frozenset({0x001E, 0x001F, 0x000D, 0x0102})
_OBJECT, _UNICODE = 0x000D, 0x001F
_IMESSAGE = bytes.fromhex("0703020000000000c000000000000046")
# The dictionary every compressed RTF starts from (MS-OXRTFCP 2.1.2.1).
_RTF_START = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
    b"MS Sans SerifSymbolArial"
    b"Times New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_MAX_RTF = 8 * 1024 * 1024


class TnefFile(msgspec.Struct, frozen=True):
    """A file out of a winmail.dat."""

    name: str
    content: bytes
    content_id: str = ""


class TnefContent(msgspec.Struct, frozen=True):
    """What a winmail.dat held. `is_readable` is False where nothing could be made of the bytes."""

    text: str = ""
    html: str = ""
    rtf: bytes = b""
    files: tuple[TnefFile, ...] = ()
    is_readable: bool = True


class _Damaged(ValueError):
    """The bytes end early or count more than they hold."""


class _Property(msgspec.Struct, frozen=True):
    kind: int
    id: int
    value: bytes


def read_tnef(content: bytes) -> TnefContent:
    """The content of a winmail.dat; what comes before damage is kept. Never raises."""
    return _read(content, 0)


def _read(content: bytes, depth: int) -> TnefContent:
    if not 6 < len(content) <= MAX_BYTES or int.from_bytes(content[:4], "little") != _SIGNATURE:
        return TnefContent(is_readable=False)
    state = _State(depth)
    try:
        for attribute, data in _objects(memoryview(content)):
            state.take(attribute, data)
    except _Damaged:
        state.is_damaged = True
    return state.finish()


def _objects(content: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Attribute id and data of each object: level 1 byte, id 2, type 2, length 4, data, checksum 2."""
    at = 6
    for _ in range(_MAX_OBJECTS):
        if at + 11 > len(content):
            return
        length = _u32(content, at + 5)
        if at + 9 + length > len(content):
            raise _Damaged
        yield _u16(content, at + 1), content[at + 9 : at + 9 + length]
        at += 11 + length


class _State:
    """Collects the message while its objects go by; each rendering object opens a new attachment."""

    def __init__(self, depth: int) -> None:
        self.is_damaged = False
        self._depth = depth
        self._codepage = "cp1252"
        self._text, self._html, self._rtf = "", "", b""
        self._files: list[dict[str, bytes]] = []
        self._embedded: list[TnefContent] = []

    def take(self, attribute: int, data: memoryview) -> None:
        if attribute == _OEM_CODEPAGE and len(data) >= 4:
            self._codepage = f"cp{_u32(data, 0)}"
        elif attribute == _BODY:
            self._text = self._text or self._decode(bytes(data))
        elif attribute == _MAPI_PROPS:
            self._take_message(list(_properties(data)))
        elif attribute == _ATTACH_REND_DATA and len(self._files) < MAX_FILES:
            self._files.append({})
        elif self._files and attribute == _ATTACH_TITLE:
            self._files[-1]["title"] = bytes(data)
        elif self._files and attribute == _ATTACH_DATA:
            self._files[-1]["data"] = bytes(data)
        elif self._files and attribute == _ATTACHMENT:
            self._take_attachment(list(_properties(data)))

    def _take_message(self, properties: list[_Property]) -> None:
        codepage = next((int.from_bytes(one.value[:4], "little") for one in properties if one.id == _P_CODEPAGE), 0)
        label = {0: self._codepage, 65001: "utf-8"}.get(codepage, f"cp{codepage}")
        for one in properties:
            if one.id == _P_BODY:
                self._text = _string(one, label)
            elif one.id == _P_HTML:
                self._html = _string(one, label)
            elif one.id == _P_RTF:
                self._rtf = decompress_rtf(one.value)

    def _take_attachment(self, properties: list[_Property]) -> None:
        file = self._files[-1]
        names = {_P_LONG_NAME: "long", _P_FILENAME: "title", _P_DISPLAY: "display", _P_CONTENT_ID: "id"}
        for one in properties:
            if one.id in names:
                file[names[one.id]] = _string(one, self._codepage).encode()
            elif one.id == _P_DATA and one.kind == _OBJECT and one.value.startswith(_IMESSAGE):
                if self._depth < _MAX_EMBEDDED:
                    self._embedded.append(_read(one.value[16:], self._depth + 1))
            elif one.id == _P_DATA:
                file["data"] = one.value[16:] if one.kind == _OBJECT else one.value

    def _decode(self, raw: bytes) -> str:
        return decode_bytes(raw.rstrip(b"\0"), self._codepage)

    def finish(self) -> TnefContent:
        files = [self._file(one) for one in self._files if one.get("data")]
        for inner in self._embedded:
            files.extend(inner.files)
            if inner.text:
                files.append(TnefFile("message.txt", inner.text.encode()))
        found = bool(self._text or self._html or self._rtf or files)
        return TnefContent(
            self._text, self._html, self._rtf, tuple(files[:MAX_FILES]), is_readable=found or not self.is_damaged
        )

    def _file(self, one: dict[str, bytes]) -> TnefFile:
        name = (
            decode_bytes(one["long"])
            if "long" in one
            else self._decode(one.get("title", b"") or one.get("display", b""))
        )
        return TnefFile(
            name.strip("\0 ") or "attachment.bin", one["data"], decode_bytes(one.get("id", b"")).strip("<>\0 ")
        )


def _properties(data: memoryview) -> Iterator[_Property]:
    """MS-OXTNEF 2.1.3.4: count, then type, id, optional name, value. Only the first value of a list matters here."""
    count, at = _u32(data, 0), 4
    for _ in range(min(count, _MAX_PROPERTIES)):
        if at >= len(data):
            return
        kind, identifier = _u16(data, at), _u16(data, at + 2)
        at = _skip_name(data, at + 4) if identifier >= 0x8000 else at + 4
        values = 1
        if kind & 0x1000:
            kind &= ~0x1000
            values, at = (1, at) if kind in _VARIABLE else (_u32(data, at), at + 4)
        if kind in _FIXED:
            width = _FIXED[kind] * values
            _need(data, at, width)
            yield _Property(kind, identifier, bytes(data[at : at + min(width, 16)]))
            at += width
        elif kind in _VARIABLE:
            value, at = _first_value(data, at)
            yield _Property(kind, identifier, value)
        else:
            raise _Damaged


def _skip_name(data: memoryview, at: int) -> int:
    """A named property: GUID, kind, then a number or a padded name."""
    if _u32(data, at + 16) == 0:
        _need(data, at, 24)
        return at + 24
    length = _padded(_u32(data, at + 20))
    _need(data, at + 24, length)
    return at + 24 + length


def _first_value(data: memoryview, at: int) -> tuple[bytes, int]:
    count, at = _u32(data, at), at + 4
    first = b""
    for number in range(count):
        length = _u32(data, at)
        _need(data, at + 4, length)
        if number == 0:
            first = bytes(data[at + 4 : at + 4 + length])
        at += 4 + _padded(length)
    return first, at


def _string(one: _Property, codepage: str) -> str:
    if one.kind == _UNICODE:
        return one.value.decode("utf-16-le", "replace").rstrip("\0")
    return decode_bytes(one.value.rstrip(b"\0"), codepage)


def _padded(length: int) -> int:
    return length + (-length % 4)


def _need(data: memoryview, at: int, width: int) -> None:
    if at + width > len(data):
        raise _Damaged


def _u16(data: memoryview, at: int) -> int:
    _need(data, at, 2)
    return int.from_bytes(data[at : at + 2], "little")


def _u32(data: memoryview, at: int) -> int:
    _need(data, at, 4)
    return int.from_bytes(data[at : at + 4], "little")


def decompress_rtf(packed: bytes) -> bytes:
    """MS-OXRTFCP 2.2: LZFu with a 4 KB ring, or stored bytes. Damaged input gives what came before the damage."""
    if len(packed) < 16:
        return b""
    kind, size = packed[8:12], min(int.from_bytes(packed[4:8], "little"), _MAX_RTF)
    if kind == b"MELA":
        return packed[16 : 16 + size]
    if kind != b"LZFu":
        return b""
    ring = bytearray(_RTF_START.ljust(4096, b"\0"))
    out, write, at = bytearray(), len(_RTF_START), 16
    while at < len(packed) and len(out) < size:
        control, at = packed[at], at + 1
        for bit in range(8):
            if control >> bit & 1:
                if at + 1 >= len(packed):
                    return bytes(out)
                token, at = packed[at] << 8 | packed[at + 1], at + 2
                read, length = token >> 4, (token & 15) + 2
                if read == write % 4096:
                    return bytes(out)
                for step in range(length):
                    _copy(ring, out, read + step, write + step)
                write += length
            elif at < len(packed):
                ring[write % 4096] = packed[at]
                out.append(packed[at])
                write, at = write + 1, at + 1
    return bytes(out[:size])


def _copy(ring: bytearray, out: bytearray, read: int, write: int) -> None:
    byte = ring[read % 4096]
    ring[write % 4096] = byte
    out.append(byte)
