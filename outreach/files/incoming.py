"""Files that come with a form and are too large for memory: on the disk sealed, without a name."""

from __future__ import annotations

import io
import os
from tempfile import TemporaryFile
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from outreach.flushing import write_all

_BLOCK = 16


class SealedUploadHandler(FileUploadHandler):
    """Takes the place of Django's, which lays a file in clear where a kill leaves it."""

    def new_file(self, *args: Any, **more: Any) -> None:
        """Begin with the next file of the form."""
        super().new_file(*args, **more)
        self.file = _Held()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Hold what comes next."""
        self.file.put(raw_data, start)

    def file_complete(self, file_size: int) -> UploadedFile[bytes]:
        """Return the file as views read it."""
        return UploadedFile(
            io.BufferedReader(self.file),
            self.file_name,
            self.content_type,
            file_size,
            self.charset,
            self.content_type_extra,
        )


class _Held(io.RawIOBase):
    """Bytes on the disk under a key that is not kept, each written once and read in any order."""

    def __init__(self) -> None:
        self._file = TemporaryFile(buffering=0)  # noqa: SIM115  # closed with this one
        self._key = AES(os.urandom(32))

    def put(self, block: bytes, at: int) -> None:
        """Seal a block and write it to its place."""
        write_all(self._file.fileno(), [self._turned(block, at)], at)

    def _turned(self, block: bytes, at: int) -> bytes:
        """Seal what is to be written to a place, or open what was read there."""
        number, inside = divmod(at, _BLOCK)
        cipher = Cipher(self._key, CTR(number.to_bytes(_BLOCK, "big"))).encryptor()
        cipher.update(bytes(inside))
        return cipher.update(block)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        at = self._file.tell()
        sealed = self._file.read(len(buffer))
        buffer[: len(sealed)] = self._turned(sealed, at)
        return len(sealed)

    def close(self) -> None:
        self._file.close()
        super().close()
