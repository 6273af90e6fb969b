"""Makes malformed things of well-formed ones: seeded, so that each can be made again."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from random import Random
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

#: Values that readers stumble over.
_ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**63, 1e308, "", " ", "\0", "\ud800".encode("utf-8", "replace").decode()),
    *("𬎆" * 50, "A" * 70_000, "9" * 400, "../../etc/passwd", "2018-02-30", "NaN", [], {}, [[]]),
)


def spoiled(whole: bytes, rng: Random) -> bytes:
    """Return `whole` with one to four kinds of damage: flips, cuts, splices, runs, length lies."""
    body = bytearray(whole)
    for _ in range(rng.randint(1, 4)):
        rng.choice(_DAMAGES)(body, rng)
    return bytes(body)


def spoiled_within(packed: bytes, rng: Random) -> bytes:
    """Return a zip (a spreadsheet) whose wrapping is sound and one of whose parts is spoiled."""
    out = BytesIO()
    with ZipFile(BytesIO(packed)) as whole, ZipFile(out, "w", ZIP_DEFLATED) as made:
        names = whole.namelist()
        victim = rng.choice(names)
        for name in names:
            part = whole.read(name)
            made.writestr(name, spoiled(part, rng) if name == victim else part)
    return out.getvalue()


def _flip(body: bytearray, rng: Random) -> None:
    for _ in range(rng.choice((1, 4, 64))):
        if body:
            body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)


def _cut(body: bytearray, rng: Random) -> None:
    del body[rng.randrange(len(body) + 1) :]


def _drop(body: bytearray, rng: Random) -> None:
    at = rng.randrange(len(body) + 1)
    del body[at : at + rng.choice((1, 16, 1024))]


def _repeat(body: bytearray, rng: Random) -> None:
    at = rng.randrange(len(body) + 1)
    body[at:at] = body[max(0, at - 512) : at] * rng.choice((1, 8, 64))


def _noise(body: bytearray, rng: Random) -> None:
    at = rng.randrange(len(body) + 1)
    body[at:at] = rng.randbytes(rng.choice((1, 4, 512)))


def _lie(body: bytearray, rng: Random) -> None:
    """Overwrite a few bytes with the largest or smallest numbers: lengths, sizes, offsets."""
    at = rng.randrange(len(body) + 1)
    body[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0"))


_DAMAGES: tuple[Callable[[bytearray, Random], None], ...] = (
    *(_flip, _cut, _drop, _repeat, _noise, _lie),
)


def misshapen(document: Any, rng: Random) -> Any:
    """Return a JSON document with one to three of its values odd, missing, doubled or nested.

    It is made long once at most: 600 times 600 times 600 would be gigabytes, too much for a body.
    """
    made, repeats = json.loads(json.dumps(document)), [1, 2, 600]
    for _ in range(rng.randint(1, 3)):
        holder, key = rng.choice(list(_places(made)) or [({}, None)])
        if key is None:
            return rng.choice(_ODD)
        damage = rng.randrange(4)
        if damage == 0:
            del holder[key]
        elif damage == 1 and isinstance(holder, list):
            holder.extend([holder[key]] * rng.choice(repeats))
            repeats = [1]
        elif damage == 2:
            holder[key] = _nested(holder[key], rng.choice((1, 20, 150)))
        else:
            holder[key] = rng.choice(_ODD)
    return made


def _places(node: Any) -> list[tuple[Any, Any]]:
    if isinstance(node, dict):
        inner = [place for value in node.values() for place in _places(value)]
        return [*((node, key) for key in node), *inner]
    if isinstance(node, list):
        inner = [place for value in node for place in _places(value)]
        return [*((node, index) for index in range(len(node))), *inner]
    return []


def _nested(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value
