"""The least that a server can do with a photo: keep its chunks and its name through a power cut.

Started as ours is, beside it: it knows no tablet, looks at nothing, seals nothing and has no
register. So the distance from a plain copy to this is the price of HTTP and of the promise, and
the one from here to ours the price of everything else.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_FOLDER = Path(os.environ["OUTREACH_DATA"]) / "bare"
_BLOCK = 256 * 1024
#: What is still arriving: the open file and the SHA-256 so far.
_arriving: dict[str, tuple[int, Any]] = {}


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    """Append a chunk to the file that the address names; the one up to `Upload-Length` ends it."""
    name = environ["PATH_INFO"].rpartition("/")[2]
    handle, digest = _arriving.pop(name, None) or (_begun(name), hashlib.sha256())
    for block in _blocks(environ):
        os.write(handle, block)
        digest.update(block)
    os.fdatasync(handle)
    if os.fstat(handle).st_size == int(environ["HTTP_UPLOAD_LENGTH"]):
        os.close(handle)
        _name(name, digest.hexdigest())
    else:
        _arriving[name] = handle, digest
    start_response("204 No Content", [])
    return []


def _begun(name: str) -> int:
    _FOLDER.mkdir(exist_ok=True)
    return os.open(_FOLDER / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _blocks(environ: dict[str, Any]) -> Iterator[bytes]:
    left = int(environ["CONTENT_LENGTH"])
    while left and (block := environ["wsgi.input"].read(min(left, _BLOCK))):
        left -= len(block)
        yield block


def _name(name: str, sha256: str) -> None:
    (_FOLDER / name).replace(_FOLDER / sha256)
    folder = os.open(_FOLDER, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(folder)
    os.close(folder)
