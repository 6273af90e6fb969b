"""Lines as the hills have them: slow, far, lossy, and cut every minute or two.

The shape is in the client, on a real connection over the loopback: bytes are handed over at the
line's rate, a round trip waits its delay, a lost packet waits for its retransmission, and a cut
closes the connection wherever it is. So the time between the last byte of a request and the
first of its answer is the server's own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

PIECE = 4096
PATIENCE = 90.0


class Cut(Exception):
    """The line is gone; whatever was under way may have arrived or not."""


@dataclass(frozen=True)
class Shape:
    """Bytes a second, round trip in seconds, share of packets lost, seconds between cuts."""

    rate: float
    round_trip: float
    loss: float = 0.0
    cuts: tuple[float, float] | None = None


def hills(choose: Random) -> Shape:
    """Return a line between 64 kbit/s and 2 Mbit/s, 300 to 1,000 ms, cut every 30 to 120 s."""
    rate = 64_000 / 8 * (2_000 / 64) ** choose.random()
    return Shape(rate, choose.uniform(0.3, 1.0), 0.01, (30.0, 120.0))


OFFICE = Shape(2_500_000, 0.02)


@dataclass
class Answer:
    """Status, headers, body, and the seconds the server took."""

    status: int
    headers: dict[str, str]
    body: bytes
    server: float


@dataclass
class Tally:
    """What all lines carried: bytes of bodies, answers by status, cuts."""

    sent: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    cuts: int = 0


@dataclass(frozen=True)
class Proxy:
    """Who serves behind the one address that everybody knows; see `deploy/nginx.conf`."""

    port: int
    exchanges: int

    def behind(self, where: str) -> int:
        """Return the port that serves a path."""
        return self.exchanges if where == "/api/v1/sync" else self.port


class ShapedLine:
    """One tablet's line: up until it is cut, then opened again."""

    def __init__(self, proxy: Proxy, shape: Shape, choose: Random, tally: Tally) -> None:
        self._proxy, self.shape, self._choose, self._tally = proxy, shape, choose, tally
        self._open: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        self._cut_at = float("inf")
        self.under_way = 0  # bytes of a body that nobody answered yet

    async def ask(
        self, method: str, where: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """Send a request and return its answer, or raise `Cut`."""
        try:
            async with asyncio.timeout(PATIENCE + len(body) / self.shape.rate):
                return await self._ask(method, where, headers, body)
        except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
            self.hang_up()
            raise Cut from error

    async def _ask(
        self, method: str, where: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        reader, writer = await self._connected(self._proxy.behind(where))
        told = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        whole = f"{method} {where} HTTP/1.1\r\n{head}\r\n".encode() + body
        for at in range(0, len(whole), PIECE):
            piece = whole[at : at + PIECE]
            await self._carry(len(piece))
            writer.write(piece)
            await writer.drain()
            carried = max(at + len(piece) - max(at, len(whole) - len(body)), 0)
            self._tally.sent += carried
            self.under_way += carried
        began = time.perf_counter()
        status = int((await reader.readline()).partition(b" ")[2][:3])
        took = time.perf_counter() - began
        self.under_way = 0
        await asyncio.sleep(self.shape.round_trip)
        answer = Answer(status, {}, b"", took)
        while (line := (await reader.readline()).decode("latin-1").strip()) != "":
            name, _, value = line.partition(":")
            answer.headers[name.strip().lower()] = value.strip()
        answer.body = await self._body(reader, answer.headers, method)
        self._tally.statuses[status] = self._tally.statuses.get(status, 0) + 1
        return answer

    async def _body(
        self, reader: asyncio.StreamReader, headers: Mapping[str, str], method: str
    ) -> bytes:
        if method == "HEAD":
            return b""
        if headers.get("transfer-encoding") == "chunked":
            whole = b""
            while size := int(await reader.readline(), 16):
                whole += await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
            await self._carry(len(whole))
            return whole
        whole = await reader.readexactly(int(headers.get("content-length", "0")))
        await self._carry(len(whole))
        return whole

    async def _carry(self, size: int) -> None:
        wait = size / self.shape.rate
        if self._choose.random() < self.shape.loss:
            wait += max(self.shape.round_trip, 0.2)
        if time.monotonic() + wait > self._cut_at:
            await asyncio.sleep(max(self._cut_at - time.monotonic(), 0))
            self._tally.cuts += 1
            raise EOFError
        await asyncio.sleep(wait)

    async def _connected(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self._open = {to: one for to, one in self._open.items() if not one[1].is_closing()}
        if not self._open:
            await asyncio.sleep(1.5 * self.shape.round_trip)
            if self.shape.cuts:
                self._cut_at = time.monotonic() + self._choose.uniform(*self.shape.cuts)
        if port not in self._open:
            self._open[port] = await asyncio.open_connection("127.0.0.1", port)
        return self._open[port]

    def hang_up(self) -> None:
        """Close the connection, whatever is on it."""
        for _, writer in self._open.values():
            writer.transport.abort()
        self._open = {}
        self._cut_at = float("inf")
        self.under_way = 0
