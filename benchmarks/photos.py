"""Photos a second through the server, beside plain and promising copies, and a bare server."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from benchmarks.line import Line
from benchmarks.register import players
from benchmarks.serving import Bench, spent
from tests.builders import County

MEGABYTE = 1024 * 1024
CHUNKS = (64 * 1024, 256 * 1024, MEGABYTE)


@dataclass(frozen=True)
class Sent:
    """One row of the table."""

    at_once: int
    size: int
    chunk: int
    mb_per_second: float
    raw_mb_per_second: float
    promising_mb_per_second: float
    bare_mb_per_second: float
    server_us: float
    client_us: float


def pictures(wanted: int, side: int, seed: int = 0) -> list[bytes]:
    """Return whole JPEGs of noise that differ in a comment."""
    noise = random.Random(seed).randbytes(side * side * 3)
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), noise).save(out, "JPEG", quality=75)
    whole, made = out.getvalue(), []
    for _ in range(wanted):
        note = os.urandom(16)
        made.append(whole[:2] + b"\xff\xfe\x00\x12" + note + whole[2:])
    return made


def send(
    bench: Bench, bare: Bench, place: County, side: int, chunk: int, wanted: int, at_once: int = 1
) -> Sent:
    """Upload pictures in chunks, so many at once, to both servers and copy as many, turn by turn.

    A tablet knows a photo's SHA-256 since it was taken, so the client's is not in the time.
    """
    lines = [Line(bench.port, one.tablet.state.token) for one in players(place, at_once, 0)]
    bares = [Line(bare.port) for _ in lines]
    for line, other, small in zip(lines, bares, pictures(at_once, 64, seed=chunk), strict=True):
        _upload(line, small, hashlib.sha256(small).hexdigest(), chunk)
        _upload_bare(other, small, chunk)
    through, beside, promising, barely = 0.0, 0.0, 0.0, 0.0
    used = dict.fromkeys(bench.cpu(), 0.0)
    files = pictures(wanted * at_once, side, seed=chunk)
    with ThreadPoolExecutor(at_once) as pool:
        each: Callable[..., Iterable[None]] = pool.map if at_once > 1 else map
        for at in range(0, len(files), at_once):
            turn = files[at : at + at_once]
            names = [hashlib.sha256(content).hexdigest() for content in turn]
            before, began = bench.cpu(), time.perf_counter()
            list(each(_upload, lines, turn, names, [chunk] * at_once))
            through += time.perf_counter() - began
            used = {name: used[name] + took for name, took in spent(before, bench.cpu()).items()}
            began = time.perf_counter()
            list(each(_copy, [bench.folder] * at_once, turn))
            beside += time.perf_counter() - began
            began = time.perf_counter()
            list(each(_promising_copy, [bench.folder] * at_once, turn, [chunk] * at_once))
            promising += time.perf_counter() - began
            began = time.perf_counter()
            list(each(_upload_bare, bares, turn, [chunk] * at_once))
            barely += time.perf_counter() - began
    for line in lines + bares:
        line.close()
    total = sum(map(len, files)) / MEGABYTE
    return Sent(
        at_once,
        len(files[0]),
        chunk,
        total / through,
        total / beside,
        total / promising,
        total / barely,
        used["server"] * 1e6 / len(files),
        used["client"] * 1e6 / len(files),
    )


def _copy(folder: Path, content: bytes) -> None:
    """Write a file in megabytes with its SHA-256, force it to the disk and put it in its place."""
    _written(folder, content, MEGABYTE)


def _promising_copy(folder: Path, content: bytes, chunk: int) -> None:
    """Copy a file so that a power cut loses no chunk once the next is asked for, nor its name."""
    _written(folder, content, chunk, promises=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(handle)
    os.close(handle)


def _written(folder: Path, content: bytes, chunk: int, *, promises: bool = False) -> None:
    draft = folder / f"raw-{os.urandom(8).hex()}.part"
    digest = hashlib.sha256()
    with draft.open("wb", buffering=0) as file:
        for at in range(0, len(content), chunk):
            block = content[at : at + chunk]
            file.write(block)
            digest.update(block)
            if promises or at + chunk >= len(content):
                os.fsync(file.fileno())
    draft.replace(folder / f"raw-{digest.hexdigest()}")


def _upload(line: Line, content: bytes, sha256: str, chunk: int) -> None:
    """Send a file by tus, its first chunk with the creation, as the tablets do."""
    name = base64.b64encode(sha256.encode()).decode()
    kind = base64.b64encode(b"image/jpeg").decode()
    told = {"Tus_Resumable": "1.0.0", "Content_Type": "application/offset+octet-stream"}
    status, headers, body = line.send(
        "POST",
        "/api/v1/uploads/",
        content[:chunk],
        Upload_Length=str(len(content)),
        Upload_Metadata=f"sha256 {name},type {kind}",
        **told,
    )
    offset = min(chunk, len(content))
    while status in (201, 204) and offset < len(content):
        status, _, body = line.send(
            "PATCH",
            headers["location"],
            content[offset : offset + chunk],
            Upload_Offset=str(offset),
            **told,
        )
        offset += chunk
    if status not in (201, 204):
        raise RuntimeError(f"{status}: {body[:300]!r}")


def _upload_bare(line: Line, content: bytes, chunk: int) -> None:
    """Send a file to the bare server, in the same chunks."""
    where = f"/{os.urandom(8).hex()}"
    for at in range(0, len(content), chunk):
        status, _, body = line.send(
            "PATCH", where, content[at : at + chunk], Upload_Length=str(len(content))
        )
        if status != 204:
            raise RuntimeError(f"{status}: {body[:300]!r}")
