"""What everybody does in the storm: tablets that hand in their day, liaisons, administrators."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import urlencode

from benchmarks.line import packed
from benchmarks.lines import Answer, Cut, ShapedLine
from benchmarks.register import NOW, Player, evaluation
from tests.generative.device import Device

SMALLEST, LARGEST, LEAST = 64 * 1024, 1024 * 1024, 4 * 1024
CHUNK_S = 4.0


@dataclass
class Pace:
    """What a tablet sends at once: four seconds of its line, less after each cut.

    The same steps as `Throughput` of the tablet app.
    """

    rate: float | None = None
    most: float = LARGEST

    @property
    def chunk(self) -> int:
        """The bytes to send next; few until the line was measured."""
        fits = SMALLEST if self.rate is None else round(self.rate * CHUNK_S / SMALLEST) * SMALLEST
        return int(min(self.most, LARGEST, max(SMALLEST, fits)))

    def arrived(self, size: int, seconds: float) -> None:
        """Learn from a chunk that came through."""
        rate = size / max(seconds, 0.001)
        self.rate = rate if self.rate is None else (self.rate + rate) / 2
        self.most = min(LARGEST, self.most * 1.125)

    def failed(self) -> None:
        """Learn from a cut."""
        self.most = max(LEAST, self.chunk // 2)
        self.rate = self.rate and self.rate / 2


@dataclass
class Seen:
    """What the generator saw: exchanges' server seconds, errors, bytes that had to be sent."""

    sync: list[float] = field(default_factory=list)
    desk: list[float] = field(default_factory=list)
    files: list[float] = field(default_factory=list)
    needed: int = 0
    errors: list[str] = field(default_factory=list)
    acted: int = 0


@dataclass
class Day:
    """One tablet at 17:00, and when its work was safe, in seconds from then."""

    player: Player
    line: ShapedLine
    files: dict[str, bytes] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    stored: set[str] = field(default_factory=set)
    pace: Pace = field(default_factory=Pace)
    begun: dict[str, str] = field(default_factory=dict)
    here: dict[str, int] = field(default_factory=dict)
    text_safe: float | None = None
    all_safe: float | None = None

    @property
    def device(self) -> Device:
        """The tablet."""
        return self.player.tablet


def finish_the_day(day: Day, photos: Sequence[bytes], signatures: Sequence[bytes]) -> None:
    """Say an evaluation of every visit, with its files; signatures travel before photos."""
    per_visit = len(photos) // len(day.player.visits)
    for index, visit in enumerate(day.player.visits):
        args = evaluation(day.player, visit)
        own = photos[index * per_visit : (index + 1) * per_visit]
        signed = signatures[index * 2 : index * 2 + 2]
        shapes = {one["kind"]: one for one in args["media"]}
        kinds = ["portrait", "whole_body", "environment", "affected_part", "document", "document"]
        media = []
        for kind, content in [
            *zip(kinds, own, strict=False),
            *zip(("signature_resident", "signature_assessor"), signed, strict=True),
        ]:
            name = hashlib.sha256(content).hexdigest()
            day.files[name] = content
            same = shapes.get(kind, args["media"][0])
            media.append(
                {**same, "kind": kind, "sha256": name, "size": len(content), "type": "image/jpeg"}
            )
        args["media"] = media
        day.device.say("submit_evaluation", args, NOW.isoformat())
    ink = {hashlib.sha256(content).hexdigest() for content in signatures}
    day.order = sorted(day.files, key=lambda name: name not in ink)


async def hand_in(day: Day, seen: Seen, choose: Random, began: float, spread: float) -> None:
    """Text first, then signatures, then photos, until the server has verified everything.

    A tablet tries by itself each minute, whenever its minute is over: so they begin at any
    moment within `spread` seconds.
    """
    await asyncio.sleep(choose.uniform(0, spread))
    await _exchange_until(day, seen, choose, lambda: not day.device.outbox())
    day.text_safe = time.perf_counter() - began
    for name in day.order:
        await _patiently(choose, lambda name=name: _upload(day, name, seen))
        day.stored.add(name)
    await _exchange_until(day, seen, choose, lambda: not day.device.state.missing)
    day.all_safe = time.perf_counter() - began


async def _exchange_until(day: Day, seen: Seen, choose: Random, is_done: Any) -> None:
    while True:
        step = await _patiently(choose, lambda: _exchange(day, seen))
        if step == "halted":
            seen.errors.append(f"a tablet came to a halt: {day.device.state.halt}")
            return
        if step == "rest" and is_done():
            return


async def _exchange(day: Day, seen: Seen) -> str:
    request = day.device.request()
    body = packed(request)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", **_token(day)}
    answer = await day.line.ask("POST", "/api/v1/sync", headers, body)
    seen.sync.append(answer.server)
    seen.needed += len(body)
    _note(seen, answer, "sync")
    return day.device.receive(request, (answer.status, json.loads(answer.body)))


async def _upload(day: Day, name: str, seen: Seen) -> None:
    """Send a file, its first chunk with the announcement; after a cut ask where to go on."""
    content, offset = day.files[name], 0
    told = {"Tus-Resumable": "1.0.0", **_token(day)}
    if name in day.begun:
        answer = await day.line.ask("HEAD", day.begun[name], told)
        offset = _offset(day, name, answer, seen, "head")
    else:
        encoded = base64.b64encode(name.encode()).decode()
        kind = base64.b64encode(b"image/jpeg").decode()
        announced = {
            "Upload-Length": str(len(content)),
            "Upload-Metadata": f"sha256 {encoded},type {kind}",
        }
        answer = await _send(day, "POST", "/api/v1/uploads/", told | announced, content)
        offset = _offset(day, name, answer, seen, "create")
        day.begun[name] = answer.headers["location"]
    while offset < len(content):
        headers = {**told, "Upload-Offset": str(offset)}
        answer = await _send(day, "PATCH", day.begun[name], headers, content[offset:])
        offset = _offset(day, name, answer, seen, "patch")


async def _send(day: Day, method: str, where: str, headers: dict[str, str], left: bytes) -> Answer:
    """Send the next chunk of what is left."""
    body, began = left[: day.pace.chunk], time.perf_counter()
    headers["Content-Type"] = "application/offset+octet-stream"
    try:
        answer = await day.line.ask(method, where, headers, body)
    except Cut:
        day.pace.failed()
        raise
    day.pace.arrived(len(body), time.perf_counter() - began)
    return answer


def _offset(day: Day, name: str, answer: Answer, seen: Seen, what: str) -> int:
    """Return how far the upload is, or give up for now where the server says something else."""
    _note(seen, answer, what)
    if answer.status not in (200, 201, 204):
        raise Cut
    seen.files.append(answer.server)
    offset = int(answer.headers["upload-offset"])
    seen.needed += max(offset - day.here.get(name, 0), 0)
    day.here[name] = offset
    return offset


def _note(seen: Seen, answer: Answer, what: str) -> None:
    if answer.status >= 500:
        seen.errors.append(f"{what}: {answer.status}")


def _token(day: Day) -> dict[str, str]:
    return {"Authorization": f"Bearer {day.device.state.token}"}


async def _patiently(choose: Random, act: Any) -> Any:
    """Try until it succeeds, with back-off and jitter."""
    wait = 0.5
    while True:
        try:
            return await act()
        except Cut:
            await asyncio.sleep(wait * choose.uniform(0.5, 1.5))
            wait = min(wait * 2, 8.0)


async def at_the_desk(
    line: ShapedLine, session: str, pages: Sequence[str], seen: Seen, choose: Random, pause: float
) -> None:
    """Open pages one after another, as long as the storm lasts; move visits where one can."""
    while True:
        await asyncio.sleep(choose.uniform(0.5, 1.5) * pause)
        page = choose.choice(list(pages))
        try:
            answer = await line.ask("GET", page, {"Cookie": f"sessionid={session}"})
            seen.desk.append(answer.server)
            _note(seen, answer, f"desk {page}")
            if page.endswith("/move/") and answer.status == 200:
                await _move(line, session, page, answer, seen, choose)
        except Cut:
            continue


async def _move(
    line: ShapedLine, session: str, page: str, form: Answer, seen: Seen, choose: Random
) -> None:
    """Send the form of a page back with another appointment."""
    secret = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', form.body)
    cookie = form.headers.get("set-cookie", "").partition(";")[0]
    if not secret:
        return
    before = re.search(rb'name="seen" value="([^"]*)"', form.body)
    on = NOW.date() + timedelta(days=choose.choice([1, 2, 3, 7, 8]))
    start = f"{choose.randrange(8, 17):02}:{choose.randrange(0, 60):02}"
    fields = {
        "csrfmiddlewaretoken": secret.group(1).decode(),
        "on": on.isoformat(),
        "start": start,
        "minutes": "5",
        "reason": "",
        "seen": before[1].decode() if before else "",
    }
    answer = await line.ask(
        "POST",
        page,
        {
            "Cookie": f"sessionid={session}; {cookie}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        urlencode(fields).encode(),
    )
    seen.desk.append(answer.server)
    _note(seen, answer, "move")
    seen.acted += answer.status == 303
