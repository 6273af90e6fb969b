"""The line between a tablet and the office: as slow, and cut as often, as a valley makes it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

BLOCK = 1024


@dataclass
class Line:
    """A line on the loopback. Everything may be changed while it carries.

    `bytes_per_second` slows what goes up over all connections together; `cut_every` cuts the
    connection on which so many bytes more went up; `swapped` answers a path by itself.
    """

    port: int
    server_port: int
    is_down: bool = False
    bytes_per_second: float = 0
    cut_every: int = 0
    swapped: dict[str, bytes] = field(default_factory=dict)
    sent: int = 0
    cuts: int = 0
    _since_cut: int = 0
    _free_at: float = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def address(self) -> str:
        """Where the tablet finds the office."""
        return f"http://127.0.0.1:{self.port}"

    def carry(self, near: socket.socket) -> None:
        """Carry one connection until it ends or is cut."""
        if self.is_down:
            near.close()
            return
        there = ("127.0.0.1", self.server_port)
        with near, suppress(OSError), socket.create_connection(there) as far:
            back = threading.Thread(target=_pump, args=(far, near), daemon=True)
            back.start()
            while (block := near.recv(BLOCK)) and not self._answers(block, near):
                if self.is_down or self._is_cut(len(block)):
                    break
                far.sendall(block)
            for end in (far, near):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            back.join()

    def _answers(self, block: bytes, near: socket.socket) -> bool:
        path = block.split(b" ", 2)[1].decode() if block.startswith(b"GET ") else ""
        body = self.swapped.get(path)
        if body is None:
            return False
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: text/javascript\r\nCache-Control: no-cache\r\n"
            f"Service-Worker-Allowed: /tablet/\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n"
        )
        near.sendall(head.encode() + body)
        return True

    def _is_cut(self, size: int) -> bool:
        with self._lock:
            self.sent += size
            self._since_cut += size
            if self.cut_every and self._since_cut >= self.cut_every:
                self._since_cut = 0
                self.cuts += 1
                return True
            now = time.monotonic()
            self._free_at = max(now, self._free_at)
            wait = self._free_at - now
            if self.bytes_per_second:
                self._free_at += size / self.bytes_per_second
        time.sleep(wait)
        return False


@contextmanager
def a_line(server_port: int) -> Iterator[Line]:
    """Lay a line to the server on this port of the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        line = Line(listening.getsockname()[1], server_port)
        threading.Thread(target=_accept, args=(listening, line), daemon=True).start()
        yield line
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, line: Line) -> None:
    with suppress(OSError):
        while True:
            near, _ = listening.accept()
            threading.Thread(target=line.carry, args=(near,), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)
