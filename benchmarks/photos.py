"""Photos a second through the server, beside a copy with SHA-256 and fsync, and one that seals."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from PIL import Image

from benchmarks.line import Line
from benchmarks.register import players
from benchmarks.serving import Bench, spent
from tests.builders import County

MEGABYTE = 1024 * 1024
FRAME = 64 * 1024
CHUNKS = (64 * 1024, 256 * 1024, MEGABYTE)


@dataclass(frozen=True)
class Sent:
    """One row of the table."""

    size: int
    chunk: int
    mb_per_second: float
    raw_mb_per_second: float
    sealed_mb_per_second: float
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


def send(bench: Bench, place: County, side: int, chunk: int, wanted: int) -> Sent:
    """Upload pictures one after another in chunks, and copy as many, turn by turn.

    A tablet knows a photo's SHA-256 since it was taken, so the client's is not in the time.
    """
    [player] = players(place, 1, 0)
    line = Line(bench.port, player.tablet.state.token)
    files = pictures(wanted, side, seed=chunk)
    small = pictures(1, 64, seed=chunk)[0]
    _upload(line, small, hashlib.sha256(small).hexdigest(), chunk)
    through, beside, sealed = 0.0, 0.0, 0.0
    used = dict.fromkeys(bench.cpu(), 0.0)
    for content in files:
        name = hashlib.sha256(content).hexdigest()
        before, began = bench.cpu(), time.perf_counter()
        _upload(line, content, name, chunk)
        through += time.perf_counter() - began
        used = {name: used[name] + took for name, took in spent(before, bench.cpu()).items()}
        began = time.perf_counter()
        _copy(bench.folder, content)
        beside += time.perf_counter() - began
        began = time.perf_counter()
        _copy(bench.folder, content, AESGCM(AESGCM.generate_key(256)))
        sealed += time.perf_counter() - began
    line.close()
    total = sum(map(len, files)) / MEGABYTE
    return Sent(
        len(files[0]),
        chunk,
        total / through,
        total / beside,
        total / sealed,
        used["server"] * 1e6 / wanted,
        used["client"] * 1e6 / wanted,
    )


def _copy(folder: Path, content: bytes, cipher: AESGCM | None = None) -> None:
    """Write a file in megabytes with its SHA-256, force it to the disk and put it in its place.

    With a cipher it is sealed in frames, as the files of the register are.
    """
    draft = folder / "raw.part"
    digest = hashlib.sha256()
    with draft.open("wb", buffering=0) as file:
        for at in range(0, len(content), MEGABYTE):
            block = content[at : at + MEGABYTE]
            file.write(_sealed(block, cipher) if cipher else block)
            digest.update(block)
        os.fsync(file.fileno())
    draft.replace(folder / f"raw-{digest.hexdigest()}")


def _sealed(block: bytes, cipher: AESGCM) -> bytes:
    sealed = []
    for at in range(0, len(block), FRAME):
        nonce = os.urandom(12)
        sealed += [nonce, cipher.encrypt(nonce, block[at : at + FRAME], None)]
    return b"".join(sealed)


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
