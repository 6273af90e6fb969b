"""A request body as it arrives: in blocks, cut short without complaint, or held to its checksum."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from django.http import HttpRequest, UnreadablePostError

from mobile_api.problems import Problem
from mobile_api.tus.protocol import Checksum
from outreach.files.spool import Spool

SMALLEST_BLOCK = 4 * 1024
LARGEST_BLOCK = 256 * 1024
#: A block that came sooner is followed by a larger one.
FAST_S = 0.1
HELD_IN_MEMORY = 1024 * 1024
#: So long, and so much, a body may be waited for before what came of it goes to the disk. As long
#: as a tablet's chunk takes, so that a kill costs what a cut may.
HELD_S = 4.0
LET_PASS = 4 * 1024 * 1024
#: Up to so many bytes a whole file is held in memory; a tablet's photo has a fifth of them.
AT_ONCE = 1024 * 1024


class Readable(Protocol):
    """Anything that hands out bytes until there are none."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""


def announced_length(request: HttpRequest) -> int | None:
    """Return Content-Length, or None for a chunked body, whose end alone tells."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        return None
    return int(request.META.get("CONTENT_LENGTH") or 0)


def body_of(request: HttpRequest) -> Readable:
    """Return the body as a stream; a chunked one comes from the server as it is.

    Django reads nothing of a body without Content-Length, but a server that sets
    `wsgi.input_terminated` ends it by itself.
    """
    if announced_length(request) is None and request.META.get("wsgi.input_terminated"):
        source: Readable = request.META["wsgi.input"]
        return source
    return request


def blocks(source: Readable, first: int | None = None) -> Iterator[bytes]:
    """Yield the bytes of a body until it ends or its line is cut.

    The server hands out a block once it is full, and a cut loses the block it waits for. So
    blocks are read small and grow only while they fill fast: a second's worth on a slow line.
    They are joined to `LARGEST_BLOCK` (the very first to `first`), or for `HELD_S`, before they
    are given on: keeping each by itself costs more than the rest of a photo. What is held is lost
    by a kill, and missed where a line falls silent.
    """
    size, room = SMALLEST_BLOCK, first or LARGEST_BLOCK
    held: list[bytes] = []
    asked = since = time.monotonic()
    while True:
        try:
            block = source.read(min(size, room))
        except (OSError, UnreadablePostError):
            break
        if not block:
            break
        now = time.monotonic()
        size = _next_size(size, now - asked)
        held.append(block)
        room -= len(block)
        if room == 0 or now - since >= HELD_S:
            yield b"".join(held)
            held, room = [], room or LARGEST_BLOCK
            now = since = time.monotonic()
        asked = now
    if held:
        yield b"".join(held)


def _next_size(size: int, took: float) -> int:
    if took < FAST_S:
        return min(size * 4, LARGEST_BLOCK)
    return max(size // 2, SMALLEST_BLOCK) if took > 0.5 else size


def at_once(arriving: Iterator[bytes], wanted: int) -> bytes:
    """Return what comes within `HELD_S`, or sooner once `wanted` bytes are there.

    What comes later is still in `arriving`.
    """
    return b"".join(_soon(arriving, wanted))


def let_pass(arriving: Iterator[bytes], wanted: int) -> None:
    """Read what comes within `HELD_S`, or sooner once `wanted` bytes or `LET_PASS` came by."""
    for _block in _soon(arriving, min(wanted, LET_PASS)):
        pass


def _soon(arriving: Iterator[bytes], wanted: int) -> Iterator[bytes]:
    until = time.monotonic() + HELD_S
    for block in arriving:
        yield block
        wanted -= len(block)
        if wanted <= 0 or time.monotonic() > until:
            return


@contextmanager
def checked(
    arriving: Iterator[bytes], checksum: Checksum | None, room: int
) -> Iterator[Iterator[bytes]]:
    """Give the blocks on as they arrive, or, under a checksum, once all of them match it.

    A chunk that is cut short does not match either: nothing of it is kept (tus: checksum).
    """
    if checksum is None:
        yield arriving
        return
    with Spool(HELD_IN_MEMORY) as held:
        if not hmac.compare_digest(_hold(arriving, checksum, room, held), checksum.digest):
            raise Problem("upload-checksum", "the chunk was discarded; send it again")
        yield held.blocks()


def _hold(arriving: Iterator[bytes], checksum: Checksum, room: int, held: Spool) -> bytes:
    running = hashlib.new(checksum.algorithm, usedforsecurity=False)
    for block in arriving:
        room -= len(block)
        if room < 0:
            raise Problem("too-large", "the chunk goes past Upload-Length")
        running.update(block)
        held.write(block)
    return running.digest()


def skip(arriving: Iterator[bytes], count: int) -> Iterator[bytes]:
    """Leave out the first `count` bytes, which an earlier request has stored."""
    if not count:
        yield from arriving
        return
    for block in arriving:
        if len(block) > count:
            yield block[count:]
        count = max(count - len(block), 0)
