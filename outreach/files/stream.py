"""A sealed file: AES-256-GCM in frames, so that it streams and opens anywhere in the middle.

    magic(8) | key name hash(4) | salt(16) | frame | frame | … | last frame
    frame: nonce(12) | bytes | tag(16)

Each frame holds 64 KiB of the plain file, the last one the rest (it may be empty). As in the
STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015) a frame is bound to its number and
to whether it is the last, so that none can be left out, doubled, moved or cut off. The nonce is
drawn, not counted: a frame that a cut broke off is sealed again, perhaps with other bytes, and no
nonce may be used twice under one key. The key of a file is derived from the ring's key, the salt
and the file's name, so that a file copied to another name does not open.

Files of the first version, whose nonces were counted and not written down, are read as before.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from outreach.sealing import KeyRing, SealBroken

MAGIC = b"\x8eOSEAL\x02\n"  # no picture, PDF or text begins so
COUNTED = b"\x8eOSEAL\x01\n"
CHUNK = 64 * 1024
_SALT = 16
_NONCE = 12
_TAG = 16
HEADER = len(MAGIC) + 4 + _SALT
#: A frame of so many bytes holds `CHUNK` of them.
FRAME = _NONCE + CHUNK + _TAG
_COUNTED_FRAME = CHUNK + _TAG
#: Gives at most so many bytes, and none only at the end.
Read = Callable[[int], bytes]
Bytes = bytes | memoryview


class Sealer:
    """Seals and opens the frames of one file under its own key."""

    def __init__(self, head: bytes, ring: KeyRing, name: str) -> None:
        """Derive the key of the file that begins with `head`, or raise `SealBroken`."""
        self.head, self._name = head, name
        self._cipher = AESGCM(ring.file_key(key_tag(head), head[len(MAGIC) + 4 :], name))

    @classmethod
    def new(cls, ring: KeyRing, name: str) -> Sealer:
        """Return the sealer of a new file under the ring's first key."""
        return cls(MAGIC + ring.first_tag + os.urandom(_SALT), ring, name)

    def seal(self, plain: Bytes, bound_to: bytes) -> tuple[bytes, bytes]:
        """Return a fresh nonce and the sealed bytes with their tag."""
        nonce = os.urandom(_NONCE)
        return nonce, self._cipher.encrypt(nonce, plain, bound_to)

    def unseal(self, sealed: Bytes, bound_to: bytes) -> bytes:
        """Open what `seal` returned, its two parts one after the other, or raise `SealBroken`."""
        return self._opened(bytes(sealed[:_NONCE]), sealed[_NONCE:], bound_to)

    def unseal_frame(self, sealed: Bytes, number: int, *, last: bool) -> bytes:
        """Open a frame of the file as its version has them, or raise `SealBroken`."""
        if self.head.startswith(COUNTED):
            return self._opened(number.to_bytes(11, "big") + bytes([last]), sealed, None)
        return self.unseal(sealed, place_of(number, last=last))

    def _opened(self, nonce: bytes, sealed: Bytes, bound_to: bytes | None) -> bytes:
        try:
            return self._cipher.decrypt(nonce, sealed, bound_to)
        except (InvalidTag, ValueError) as error:
            raise SealBroken(f"{self._name} is altered, cut, or another file's") from error


def place_of(number: int, *, last: bool) -> bytes:
    """Return what a frame is bound to: its number, and whether the file ends with it."""
    return number.to_bytes(8, "big") + bytes([last])


def sealed_blocks(read: Read, ring: KeyRing, name: str) -> Iterator[bytes]:
    """Yield the sealed file of what `read` gives, in pieces of any size."""
    sealer = Sealer.new(ring, name)
    yield sealer.head
    number, chunk = 0, _whole(read)
    while len(chunk) == CHUNK and (following := _whole(read)):
        yield from sealer.seal(chunk, place_of(number, last=False))
        number, chunk = number + 1, following
    yield from sealer.seal(chunk, place_of(number, last=True))


def sealed_size(plain: int) -> int:
    """Return how many bytes a plain file of that many has once it is sealed."""
    return _size(plain, FRAME)


def possible_sizes(plain: int) -> tuple[int, int, int]:
    """Return how many bytes such a file may have: sealed, sealed in the first version, in clear."""
    return _size(plain, FRAME), _size(plain, _COUNTED_FRAME), plain


def is_sealed(head: bytes) -> bool:
    """Tell by its first bytes whether a file is sealed."""
    return head.startswith((MAGIC, COUNTED))


def key_tag(head: bytes) -> bytes:
    """Return the fingerprint of the key's name that a sealed file was sealed with."""
    return head[len(MAGIC) : len(MAGIC) + 4]


def opened(raw: BinaryIO, size: int, ring: KeyRing, name: str) -> BinaryIO:
    """Return a file of `size` bytes for reading in plain; one that was never sealed as it is.

    Nothing is deciphered before it is read. Raises `SealBroken` then, or at once where the
    ring has no such key.
    """
    head = raw.read(HEADER)
    if not is_sealed(head):
        raw.seek(0)
        return raw
    return io.BufferedReader(_Opened(raw, size, Sealer(head, ring, name), name), CHUNK)


class _Opened(io.RawIOBase):
    """Deciphers the frame that is read from, and no other."""

    def __init__(self, raw: BinaryIO, size: int, sealer: Sealer, name: str) -> None:
        self._raw, self._sealer, self._at = raw, sealer, 0
        self._frame = FRAME if sealer.head.startswith(MAGIC) else _COUNTED_FRAME
        self._length = _plain_size(size, self._frame)
        self._last = max(0, -(-self._length // CHUNK) - 1)
        self._kept: tuple[int, bytes] = (-1, b"")
        if self._length < 0:
            raise SealBroken(f"{name} is cut")
        self._chunk(self._last)  # so that a cut one is found before its first byte is given

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self._at >= self._length:
            return 0
        number, inside = divmod(self._at, CHUNK)
        found = self._chunk(number)[inside : inside + len(buffer)]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

    def _chunk(self, number: int) -> bytes:
        if self._kept[0] != number:
            self._raw.seek(HEADER + number * self._frame)
            sealed = self._raw.read(self._frame)
            plain = self._sealer.unseal_frame(sealed, number, last=number == self._last)
            self._kept = (number, plain)
        return self._kept[1]

    def close(self) -> None:
        self._raw.close()
        super().close()


def _size(plain: int, frame: int) -> int:
    return HEADER + plain + (frame - CHUNK) * max(1, -(-plain // CHUNK))


def _plain_size(sealed: int, frame: int) -> int:
    body = sealed - HEADER
    return body - (frame - CHUNK) * max(1, -(-body // frame))


def _whole(read: Read) -> bytes:
    """Read a whole chunk, or what is left."""
    first = read(CHUNK)
    if len(first) in (0, CHUNK):
        return first
    parts = [first]
    while (room := CHUNK - sum(map(len, parts))) and (more := read(room)):
        parts.append(more)
    return b"".join(parts)
