"""Bytes that are held for a moment: in memory, and beyond that sealed in a file without a name."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from outreach.flushing import write_all

_TAG = 16


class Spool:
    """Holds so many bytes in memory and the others on the disk, under a key that is not kept."""

    def __init__(self, in_memory: int) -> None:
        self._room = in_memory
        self._held: list[bytes] = []
        self._sizes: list[int] = []
        self._end = 0
        self._file = TemporaryFile(buffering=0)  # noqa: SIM115  # closed with the spool
        self._cipher = AESGCM(AESGCM.generate_key(256))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._file.close()

    def write(self, block: bytes) -> None:
        """Hold what comes next."""
        self._room -= len(block)
        if self._room >= 0 and not self._sizes:
            self._held.append(block)
            return
        sealed = self._cipher.encrypt(self._nonce(len(self._sizes)), block, None)
        write_all(self._file.fileno(), [sealed], self._end)  # a disk that fills takes a part first
        self._end += len(sealed)
        self._sizes.append(len(block))

    def blocks(self) -> Iterator[bytes]:
        """Yield what was written, in order."""
        yield from self._held
        self._file.seek(0)
        for number, size in enumerate(self._sizes):
            sealed = self._file.read(size + _TAG)
            yield self._cipher.decrypt(self._nonce(number), sealed, None)

    @staticmethod
    def _nonce(number: int) -> bytes:
        return number.to_bytes(12, "big")
