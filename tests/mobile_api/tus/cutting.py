"""A line that dies: a proxy on the loopback that cuts each time so many bytes went up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

BLOCK = 4096


@dataclass
class Line:
    """Where to connect to, what went up over it, and after which totals it is still to be cut."""

    port: int
    cut_after: list[int]
    sent: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def carry(self, near: socket.socket, server_port: int) -> None:
        """Carry one connection to the server until it ends or is cut."""
        with near, socket.create_connection(("127.0.0.1", server_port)) as far:
            back = threading.Thread(target=_pump, args=(far, near))
            back.start()
            while (block := _received(near)) and not self._is_cut(len(block)):
                far.sendall(block)
            for end in (far, near):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            back.join()

    def _is_cut(self, size: int) -> bool:
        with self._lock:
            self.sent += size
            if not self.cut_after or self.sent < self.cut_after[0]:
                return False
            del self.cut_after[0]
            return True


@contextmanager
def cutting_line(server_port: int, cut_after: list[int]) -> Iterator[Line]:
    """Serve a line to the server that dies each time it has carried one of these totals."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        line = Line(listening.getsockname()[1], cut_after)
        threading.Thread(target=_accept, args=(listening, line, server_port), daemon=True).start()
        yield line
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, line: Line, server_port: int) -> None:
    with suppress(OSError):
        while True:
            near, _ = listening.accept()
            threading.Thread(target=line.carry, args=(near, server_port), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := _received(source):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(BLOCK)
    except OSError:
        return b""
