"""The running server's local socket: on SQLite one process has the database, so commands are carried out by it.

A stream socket `careline.sock` in the data folder, for the server's own user and root. One request a connection, a JSON line
`{"name", "arguments"}`; the answer is JSON lines: any number of `{"line"}`, then `{"exit"}` or `{"error"}`.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
import structlog

from careline import commanding
from careline.errors import CarelineError, Conflict
from careline.kit.connections import refresh_connections
from careline.kit.places import place_of

NAME: Final = "careline.sock"
# A server that is just starting holds the database before it listens.
PATIENCE_S: Final = 5.0
REQUEST_BYTES: Final = 65_536
_log = structlog.get_logger()


class Request(msgspec.Struct, frozen=True):
    """A command by its name, with the arguments of its function in `commanding`."""

    name: str
    arguments: dict[str, str | int | bool] = {}


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the answer; the last has `exit` or `error`."""

    line: str | None = None
    exit: int | None = None
    error: str | None = None


@contextmanager
def _short_address(path: Path) -> Iterator[str]:
    """An address of few characters for a path of any length: a socket's may have 107 (unix(7), read 2026-11-22)."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class Control:
    """Listens in a thread of its own; one command at a time."""

    def __init__(self, data: Path) -> None:
        self._path = data / NAME
        self._listener: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Begin to listen. A socket a dead process left is replaced: whoever holds the database is the only one."""
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _short_address(self._path) as address:
            self._listener.bind(address)
        self._path.chmod(0o600)
        self._listener.listen(8)
        self._thread.start()

    def stop(self) -> None:
        """Finish the command at work, then listen no more."""
        if self._listener is None:
            return
        self._path.unlink(missing_ok=True)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=15)
        self._listener.close()

    def _run(self) -> None:
        assert self._listener is not None
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:  # closed
                return
            with link:
                link.settimeout(PATIENCE_S)
                refresh_connections()
                try:
                    _serve(link)
                except OSError:  # whoever asked has gone
                    continue


def _serve(link: socket.socket) -> None:
    if not _is_ours(link):
        _tell(link, Reply(error="Only the user Careline runs as may command it."))
        return
    try:
        asked = msgspec.json.decode(_read_line(link), type=Request)
    except msgspec.DecodeError:
        _tell(link, Reply(error="This is not a command of this version of Careline."))
        return
    try:
        code = commanding.run(asked.name, asked.arguments, lambda line: _tell(link, Reply(line=line)))
        _tell(link, Reply(exit=code))
    except CarelineError as error:
        _tell(link, Reply(error=error.message))
    except OSError:
        raise
    except Exception as error:  # the worker loop: a command's fault must not end the room
        _log.error("command_failed", command=asked.name, error=place_of(error))
        _tell(link, Reply(error=f"The command failed inside the running Careline ({place_of(error)})."))


def _is_ours(link: socket.socket) -> bool:
    """SO_PEERCRED: process, user and group of the other side, set by the kernel (unix(7), read 2026-11-22)."""
    _, user, _ = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return user in {0, os.geteuid()}


def _read_line(link: socket.socket) -> bytes:
    with link.makefile("rb") as lines:
        return lines.readline(REQUEST_BYTES)


def _tell(link: socket.socket, reply: Reply) -> None:
    link.sendall(msgspec.json.encode(reply) + b"\n")


def ask(data: Path, request: Request, say: Callable[[str], None]) -> int:
    """Let the server of this data folder run a command; the exit code. Raises Conflict when it does not answer, or with what it said."""
    with _connect(data / NAME) as link, link.makefile("rb") as lines:
        link.sendall(msgspec.json.encode(request) + b"\n")
        for line in lines:
            reply = msgspec.json.decode(line, type=Reply)
            if reply.line is not None:
                say(reply.line)
            if reply.error is not None:
                raise Conflict("command_refused", reply.error)
            if reply.exit is not None:
                return reply.exit
    raise Conflict("server_gone", "The running Careline stopped before the command ended. Try again.")


def _connect(path: Path) -> socket.socket:
    end_s = time.monotonic() + PATIENCE_S
    while True:
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _short_address(path) as address:
                link.connect(address)
            return link
        except OSError as refused:
            link.close()
            if time.monotonic() > end_s:
                raise Conflict(
                    "server_silent",
                    f"Careline runs on {path.parent} but takes no commands yet. Try again in a moment.",
                ) from refused
            time.sleep(0.1)
