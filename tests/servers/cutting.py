"""A proxy that cuts a TCP connection where it hurts."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable


class CuttingProxy:
    """TCP between a client and a server. `cut_when(bytes from the client so far, bytes from the server so far)` ends
    both sides at once.

    What fulfils the condition is passed on first when `passes_last`, so that a server may act on it while its answer is
    lost.
    """

    def __init__(self, target_port: int, cut_when: Callable[[bytes, bytes], bool], *, passes_last: bool = True) -> None:
        self._target_port, self._cut_when, self._passes_last = target_port, cut_when, passes_last
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.was_cut = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                upstream = socket.create_connection(("127.0.0.1", self._target_port))
                seen: dict[str, bytes] = {"client": b"", "server": b""}
                for name, source, sink in (("client", client, upstream), ("server", upstream, client)):
                    threading.Thread(target=self._pump, args=(name, source, sink, seen), daemon=True).start()

    def _pump(self, name: str, source: socket.socket, sink: socket.socket, seen: dict[str, bytes]) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                seen[name] += piece
                is_cut = self._cut_when(seen["client"], seen["server"])
                if not is_cut or (self._passes_last and name == "client"):
                    sink.sendall(piece)
                if is_cut:
                    self.was_cut.set()
                    break
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
