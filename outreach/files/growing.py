"""A sealed file that is still being received: what arrived lies on the disk sealed, to the byte.

    <path>    head | frame | frame | …            as the finished file has them
    <tail>    offset(8) length(4) nonce(12) bytes+tag(16) | …   what came after the last frame

Nothing of it ever lies in clear, and once its last frame is there it is the sealed file that is
kept: it need not be written again. A frame broken off by a kill counts as not there, a record of
the tail that is torn ends it, and records that frames hold by now are passed over. The tail begins
again for each frame, once the frames that hold what was in it are on the disk.

Whoever appends holds a lock on the file; here nobody waits for anybody.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from struct import Struct
from typing import TYPE_CHECKING, BinaryIO

from outreach.files.stream import (
    CHUNK,
    FRAME,
    HEADER,
    MAGIC,
    Sealer,
    opened,
    place_of,
    sealed_size,
)
from outreach.flushing import Flush, write_all
from outreach.sealing import KeyRing, SealBroken

if TYPE_CHECKING:
    from _typeshed import StrPath

_RECORD = Struct(">QI")
_OVERHEAD = 28  # of a sealed record: nonce and tag


class GrowingFile:
    """The open file `handle` and the tail beside it, of `length` plain bytes in the end."""

    def __init__(self, handle: int, tail: StrPath, length: int, ring: KeyRing, name: str) -> None:
        self._handle, self._tail, self.length = handle, tail, length
        self._ring, self._name = ring, name
        self._known: Sealer | None = None

    def offset(self) -> int:
        """Return how many plain bytes are here."""
        sealer = self._sealer()
        if sealer is None:
            return 0
        frames = self._frames()
        begun, _end = self._begun(sealer, frames)
        return min(frames * CHUNK, self.length) + len(begun)

    def is_whole(self) -> bool:
        """Tell whether the last frame is here."""
        return os.fstat(self._handle).st_size == sealed_size(self.length)

    @property
    def salt(self) -> bytes:
        """What tells this file from any other under the same name; none before its first byte."""
        sealer = self._sealer()
        return sealer.head if sealer else b""

    def is_under_the_first_key(self) -> bool:
        """Tell whether the key that seals now has sealed it."""
        return self.salt[: len(MAGIC) + 4] == MAGIC + self._ring.first_tag

    def append(self, offset: int, block: bytes) -> bool:
        """Seal what comes next, or return False where it does not begin where the file ends.

        It must not reach beyond the whole file.
        """
        sealer = self._sealer() or self._begin()
        frames = self._frames()
        begun, end = self._begun(sealer, frames)
        start = frames * CHUNK
        if offset != min(start, self.length) + len(begun):
            return False
        plain = memoryview(begun + block if begun else block)
        is_last = start + len(plain) == self.length
        whole = len(plain) if is_last else len(plain) // CHUNK * CHUNK
        if whole:
            self._write_frames(sealer, frames, plain[:whole])
        rest = plain[whole or len(begun) :]
        if rest:
            goes_on = end if begun and not whole else 0
            self._write_record(sealer, start + len(plain) - len(rest), rest, goes_on)
        return True

    def has_tail(self) -> bool:
        """Tell whether some of what is here lies in the tail."""
        sealer = self._sealer()
        return sealer is not None and bool(self._begun(sealer, self._frames())[0])

    def flushes(self, *, with_tail: bool) -> list[Flush]:
        """Return what forces the file, and its tail where it has one, to the disk."""
        own = partial(os.fdatasync, self._handle)
        return [own, partial(_flush_file, self._tail)] if with_tail else [own]

    def plain(self) -> BinaryIO:
        """Open the whole file in plain; raises `SealBroken`."""
        raw = os.fdopen(os.dup(self._handle), "rb")
        try:
            raw.seek(0)
            return opened(raw, os.fstat(self._handle).st_size, self._ring, self._name)
        except BaseException:
            raw.close()
            raise

    def lies_in_clear(self) -> bool:
        """Tell whether an older version received it, which sealed a file once it was whole."""
        head = os.pread(self._handle, len(MAGIC), 0)
        return not MAGIC.startswith(head)

    def seal_what_lies_in_clear(self) -> None:
        """Seal what an older version received, unless somebody just did."""
        if not self.lies_in_clear():
            return
        content = os.pread(self._handle, self.length, 0)
        os.ftruncate(self._handle, 0)
        self.append(0, content)

    def _sealer(self) -> Sealer | None:
        """Return the file's sealer, or None where nothing of it can be used."""
        if self._known is None:
            head = os.pread(self._handle, HEADER, 0)
            if len(head) == HEADER and head.startswith(MAGIC):
                with suppress(SealBroken):  # its key has left the ring: it begins anew
                    self._known = Sealer(head, self._ring, self._name)
        return self._known

    def _begin(self) -> Sealer:
        os.ftruncate(self._handle, 0)
        self._known = Sealer.new(self._ring, self._name)
        write_all(self._handle, [self._known.head], 0)
        return self._known

    def _frames(self) -> int:
        """Return how many frames are here to their end."""
        size = os.fstat(self._handle).st_size
        if size == sealed_size(self.length):
            return -(-self.length // CHUNK)
        return max(0, size - HEADER) // FRAME

    def _write_frames(self, sealer: Sealer, number: int, plain: memoryview) -> None:
        where, sealed = HEADER + number * FRAME, list[bytes]()
        for at in range(0, len(plain), CHUNK):
            frame = plain[at : at + CHUNK]
            last = number * CHUNK + len(frame) == self.length
            sealed += sealer.seal(frame, place_of(number, last=last))
            number += 1
        write_all(self._handle, sealed, where)

    def _begun(self, sealer: Sealer, frames: int) -> tuple[bytes, int]:
        """Return what the tail holds beyond so many frames, and where the tail ends."""
        tail = contents(self._tail)
        reached, found, at = frames * CHUNK, [], 0
        while at + _RECORD.size <= len(tail):
            offset, length = _RECORD.unpack_from(tail, at)
            end = at + _RECORD.size + length + _OVERHEAD
            if end > len(tail) or offset > reached:
                break
            if offset == reached:
                try:
                    sealed = tail[at + _RECORD.size : end]
                    found.append(sealer.unseal(sealed, tail[at : at + _RECORD.size]))
                except SealBroken:  # torn, or of a file that was here before
                    break
                reached += length
            at = end
        return b"".join(found), at

    def _write_record(self, sealer: Sealer, offset: int, plain: memoryview, end: int) -> None:
        told = _RECORD.pack(offset, len(plain))
        handle = os.open(self._tail, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(handle).st_size
            if size and not end:
                self._force()
            if size != end:
                os.ftruncate(handle, end)
            write_all(handle, [told, *sealer.seal(plain, told)], end)
        finally:
            os.close(handle)

    def _force(self) -> None:
        """Force the frames to the disk; where it fails, which may show them still, begin anew."""
        try:
            os.fdatasync(self._handle)
        except OSError:
            os.ftruncate(self._handle, 0)
            raise


def contents(path: StrPath) -> bytes:
    """Return what a small file holds, or nothing; pathlib takes thrice as long."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    try:
        return os.read(handle, os.fstat(handle).st_size)
    finally:
        os.close(handle)


def _flush_file(path: StrPath) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fdatasync(handle)
    finally:
        os.close(handle)
