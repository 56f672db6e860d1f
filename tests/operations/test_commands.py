"""Every command, typed while the server runs: on SQLite the server carries it out over its local socket, on PostgreSQL the command itself."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from careline.controlling import NAME, Request, ask
from careline.errors import Conflict
from tests.edge.asking import ask as ask_http
from tests.edge.asking import signed, spoken
from tests.edge.conftest import seed
from tests.servers.installations import BOTH, fresh
from tests.servers.processes import Careline


@pytest.mark.parametrize("kind", BOTH)
def test_every_command_works_beside_the_running_server(kind: str, tmp_path: Path) -> None:
    careline = fresh(tmp_path, kind)
    seeded = seed(careline)
    hook = seeded["channels"]["air.simulated"]["hook"]
    careline.start().wait_ready()
    try:
        body = spoken("where is my bag?", author="xenia")
        assert ask_http(careline.port, "POST", hook, body, signed(body)).status == 200
        _check_channels(careline)
        invited = careline.run("user", "invite", "air", "new@air.test", "--role", "lead").strip()
        assert invited.startswith(careline.address)
        assert careline.run("user", "reset", "ana@air.test").startswith(careline.address)
        assert careline.run("user", "owner-link").strip()
        assert careline.run("resume").strip() == "Nothing was held."
        assert "where is my bag" not in careline.run("trace", json.loads(body)["events"][0]["message"]["id"])
        assert "messages" in careline.run("backup", str(tmp_path / "b.tar")) and (tmp_path / "b.tar").exists()
        with pytest.raises(AssertionError, match="careline: There is no workspace named nowhere"):
            careline.run("user", "invite", "nowhere", "x@air.test")
        with pytest.raises(AssertionError, match="ended with 2"):
            careline.run("channel", "hold", "x")
        assert careline.stop() == 0
    finally:
        careline.kill()


def _check_channels(careline: Careline) -> None:
    listed = next(line for line in careline.run("channel", "list").splitlines() if "simulated" in line)
    number = listed.split()[0]
    assert "held" in careline.run("channel", "hold", number)
    assert "held" in next(line for line in careline.run("channel", "list").splitlines() if line.startswith(number))
    assert "active" in careline.run("channel", "resume", number)
    with pytest.raises(AssertionError, match="careline: There is no such channel"):
        careline.run("channel", "hold", "1")


def test_the_doctor_asks_the_running_server_and_keeps_its_exit_code(tmp_path: Path) -> None:
    careline = fresh(tmp_path)
    careline.start().wait_ready()
    try:
        with pytest.raises(AssertionError, match=r"doctor.*ended with 1: (?s:.*)LOOK"):
            careline.run("doctor")
    finally:
        careline.kill()


def test_the_socket_is_private_refuses_garbage_and_outlives_it(tmp_path: Path) -> None:
    careline = fresh(tmp_path / ("long" * 20) / ("path" * 20))
    careline.start().wait_ready()
    try:
        path = careline.data / NAME
        assert stat.S_IMODE(path.stat().st_mode) == 0o600 and len(str(path)) > 107
        for sent in (b"", b"\n", b"x" * 200_000, b'{"name": 1}\n', b'{"name": "rm", "arguments": {}}\n'):
            _speak(path, sent)
        said: list[str] = []
        assert ask(careline.data, Request("channel_list"), said.append) == 0
        with pytest.raises(Conflict, match="does not know the command rm"):
            ask(careline.data, Request("rm"), said.append)
        with pytest.raises(Conflict, match="failed inside the running Careline"):
            ask(careline.data, Request("invite", {"nonsense": 1}), said.append)
        assert careline.stop() == 0 and not path.exists()
    finally:
        careline.kill()


def _speak(path: Path, sent: bytes) -> None:
    folder = os.open(path.parent, os.O_PATH)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.connect(f"/proc/self/fd/{folder}/{path.name}")
        try:
            link.sendall(sent)
            link.shutdown(socket.SHUT_WR)
            link.recv(4096)
        except (BrokenPipeError, ConnectionResetError):
            pass
    os.close(folder)


def test_after_a_kill_commands_work_alone_and_the_next_server_listens_again(tmp_path: Path) -> None:
    careline = fresh(tmp_path)
    careline.start().wait_ready()
    careline.kill()
    assert (careline.data / NAME).exists()
    assert careline.run("resume").strip() == "Nothing was held."
    careline.start().wait_ready()
    try:
        assert careline.run("resume").strip() == "Nothing was held."
        with pytest.raises(AssertionError, match="already runs on"):
            careline.run("migrate")
    finally:
        careline.kill()


def test_several_commands_at_once_are_answered_one_after_the_other(tmp_path: Path) -> None:
    careline = fresh(tmp_path)
    careline.start().wait_ready()
    answers: list[int] = []
    try:
        askers = [
            threading.Thread(target=lambda: answers.append(ask(careline.data, Request("resume"), lambda line: None)))
            for _ in range(6)
        ]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join(30)
        assert answers == [0] * 6
    finally:
        careline.kill()
