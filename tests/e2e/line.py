"""The line between a tablet and the office: as slow, and cut as often, as a valley makes it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random

BLOCK = 1024
#: The share of the pieces of an answer at which a line with dice breaks.
LOST = 0.25


@dataclass
class Line:
    """A line on the loopback. Everything may be changed while it carries.

    `bytes_per_second` slows what goes up over all connections together; `cut_every` cuts the
    connection on which so many bytes more went up; with `dice` each cut comes after a random number
    of them, up to `cut_every`, and some answers break off too; `swapped` answers a path by itself.
    """

    port: int
    server_port: int
    is_down: bool = False
    bytes_per_second: float = 0
    cut_every: int = 0
    dice: Random | None = None
    swapped: dict[str, bytes] = field(default_factory=dict)
    sent: int = 0
    cuts: int = 0
    lost_answers: int = 0
    _since_cut: int = 0
    _next_cut: int = 0
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
            back = threading.Thread(target=self._bring_back, args=(far, near), daemon=True)
            back.start()
            while (block := near.recv(BLOCK)) and not self._answers(block, near):
                if self.is_down or self._is_cut(len(block)):
                    break
                far.sendall(block)
            for end in (far, near):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            back.join()

    def _falls(self, size: int) -> bool:
        """Count bytes towards the next cut, and tell whether it is now."""
        self._since_cut += size
        if not self.cut_every or self._since_cut < (self._next_cut or self.cut_every):
            return False
        self._since_cut = 0
        self._next_cut = self.dice.randint(1, self.cut_every) if self.dice else 0
        self.cuts += 1
        return True

    def _bring_back(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while block := source.recv(65536):
                if self._is_lost():
                    target.sendall(block[: len(block) // 2])
                    target.shutdown(socket.SHUT_RDWR)
                    return
                target.sendall(block)
            target.shutdown(socket.SHUT_WR)

    def _is_lost(self) -> bool:
        with self._lock:
            is_lost = self.dice is not None and self.dice.random() < LOST
            self.lost_answers += is_lost
            return is_lost

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
            if self._falls(size):
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
