"""A sealed file: AES-256-GCM in chunks, so that it streams and opens anywhere in the middle.

    magic(8) | key name hash(4) | salt(16) | chunk+tag | chunk+tag | … | last chunk+tag

Each chunk holds 64 KiB of the plain file, the last one the rest (it may be empty). This is the
STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): the nonce of a chunk is its number
and whether it is the last, so that none can be left out, doubled, moved or cut off. The key of a
file is derived from the ring's key, the salt and the file's name, so that a file copied to
another name does not open, and no nonce is ever used twice under one key.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from outreach.sealing import KeyRing, SealBroken

MAGIC = b"\x8eOSEAL\x01\n"  # no picture, PDF or text begins so
CHUNK = 64 * 1024
_SALT = 16
_TAG = 16
HEADER = len(MAGIC) + 4 + _SALT
#: Gives at most so many bytes, and none only at the end.
Read = Callable[[int], bytes]


def sealed_blocks(read: Read, ring: KeyRing, name: str) -> Iterator[bytes]:
    """Yield the sealed file of what `read` gives, block by block."""
    tag, salt = ring.first_tag, os.urandom(_SALT)
    cipher = AESGCM(ring.file_key(tag, salt, name))
    yield MAGIC + tag + salt
    number, chunk = 0, _whole(read)
    while len(chunk) == CHUNK and (following := _whole(read)):
        yield cipher.encrypt(_nonce(number, last=False), chunk, None)
        number, chunk = number + 1, following
    yield cipher.encrypt(_nonce(number, last=True), chunk, None)


def sealed_size(plain: int) -> int:
    """Return how many bytes a plain file of that many has once it is sealed."""
    return HEADER + plain + _TAG * max(1, -(-plain // CHUNK))


def plain_size(sealed: int) -> int:
    """Return how many bytes are in a sealed file of that size."""
    body = sealed - HEADER
    return body - _TAG * max(1, -(-body // (CHUNK + _TAG)))


def is_sealed(head: bytes) -> bool:
    """Tell by its first bytes whether a file is sealed."""
    return head.startswith(MAGIC)


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
    return io.BufferedReader(_Opened(raw, head, size, ring, name), CHUNK)


class _Opened(io.RawIOBase):
    """Deciphers the chunk that is read from, and no other."""

    def __init__(self, raw: BinaryIO, head: bytes, size: int, ring: KeyRing, name: str) -> None:
        salt = head[len(MAGIC) + 4 :]
        self._cipher = AESGCM(ring.file_key(key_tag(head), salt, name))
        self._raw, self._name, self._at = raw, name, 0
        self._length = plain_size(size)
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
        if self._kept[0] == number:
            return self._kept[1]
        self._raw.seek(HEADER + number * (CHUNK + _TAG))
        sealed = self._raw.read(CHUNK + _TAG)
        try:
            plain = self._cipher.decrypt(_nonce(number, last=number == self._last), sealed, None)
        except (InvalidTag, ValueError) as error:
            raise SealBroken(f"{self._name} is altered, cut, or another file's") from error
        self._kept = (number, plain)
        return plain

    def close(self) -> None:
        self._raw.close()
        super().close()


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _whole(read: Read) -> bytes:
    """Read a whole chunk, or what is left."""
    first = read(CHUNK)
    if len(first) in (0, CHUNK):
        return first
    parts = [first]
    while (room := CHUNK - sum(map(len, parts))) and (more := read(room)):
        parts.append(more)
    return b"".join(parts)
