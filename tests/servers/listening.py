"""A port that gives answers which no server gives."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

PATIENCE_S = 5.0


class Listening:
    """A port that reads a little of each connection, says one thing, and reads on until the other closes."""

    def __init__(self, says: bytes) -> None:
        self._says = says
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.met = 0
        self.port: int = self._socket.getsockname()[1]

    def _run(self) -> None:
        while True:
            try:
                there, _ = self._socket.accept()
            except OSError:
                return
            self.met += 1
            with there, suppress(OSError):
                there.settimeout(PATIENCE_S)
                there.recv(1 << 16)
                there.sendall(self._says)
                there.shutdown(socket.SHUT_WR)
                while there.recv(1 << 16):
                    pass  # closed on what was not read, the connection would be reset before it is answered

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
