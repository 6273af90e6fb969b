"""The protocol against the store: any sequence of requests, cuts, races and kills.

The model says for each tablet and file which bytes must be there. After every step the
server must agree: no acknowledged byte is lost, none is stored twice or out of place, and
"complete" is said only of verified files that are in the register. To show that the machine
can see, faults are planted in the code and each must be found.
"""

from __future__ import annotations

import io
import itertools
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.http import HttpResponse
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mobile_api.problems import Problem
from mobile_api.tus import blobs, body, views
from mobile_api.tus.store import Store, Upload, upload_id
from mobile_api.tus.views import Uploads
from outreach.files import GrowingFile, photo_name
from outreach.models.sealed import key_ring
from tests.mobile_api.tus.serving import KEEP_FOR, Register, Server
from tests.mobile_api.uploading import checksum, digest

FILES = (bytes(range(64)), b"ten bytes.", b"another one, of thirty-two bytes.", b"!")
TABLETS = ("li", "wang")
Key = tuple[str, bytes]
EVERY = tuple(itertools.product(TABLETS, FILES))
# Mostly what is under way: a step at an upload that is not there teaches little.
keys = st.runner().flatmap(lambda machine: st.sampled_from(machine.under_way() * 16 + EVERY))
sums = st.sampled_from(("none", "none", "right", "wrong"))
something_announced = precondition(lambda machine: machine.parts)
reached: Counter[str] = Counter()


class Machine(RuleBasedStateMachine):
    """Two tablets and three files before one server that is killed at will."""

    @initialize()
    def start(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.server = Server(Path(self._folder.name), Register())
        self.parts: dict[Key, bytes] = {}
        self.expires: dict[Key, datetime] = {}
        self.swept_at: datetime | None = None
        self.blobs: set[bytes] = set()
        self.complete: set[bytes] = set()

    def teardown(self) -> None:
        if hasattr(self, "_folder"):
            self._folder.cleanup()

    # What the tablets do

    @rule(key=st.sampled_from(EVERY), sent=st.sampled_from((0, 0, 3, 7, 16)), check=sums)
    def create(self, key: Key, sent: int, check: str) -> None:
        tablet, content = key
        self._sweep()
        chunk, is_new = content[:sent], self._is_new(key)
        answer = self.server.create(tablet, content, chunk, **self._sum(chunk, check))
        self.expires[key] = self.server.now + KEEP_FOR
        held = self.parts.setdefault(key, b"")
        if content not in self.blobs and check == "wrong":
            assert answer.status_code == 460
        elif content not in self.blobs and self._becomes_damaged(key, chunk[len(held) :]):
            assert answer.status_code == 460
            self._forget(key)
        else:
            self._take(key, chunk[len(held) :])
            assert (answer.status_code, answer["Upload-Offset"]) == (201, str(self._offset(key)))
            if is_new and chunk == content and check == "none":
                self._came_in_one_piece(key)

    @rule(
        key=st.sampled_from(EVERY), missing=st.sampled_from((0, 0, 0, 1, 5)), garbage=st.booleans()
    )
    def create_with_all_of_it(self, key: Key, missing: int, garbage: bool) -> None:
        """Send the whole file with its announcement, perhaps another one, perhaps cut."""
        tablet, content = key
        self._sweep()
        sent = bytes(255 - byte for byte in content) if garbage else content
        arrived, is_new = sent[: max(len(sent) - missing, 0)], self._is_new(key)
        line = {"wsgi.input": io.BytesIO(arrived), "CONTENT_LENGTH": str(len(sent))}
        answer = self.server.create(tablet, content, environ=line)
        held = self.parts.setdefault(key, b"")
        self.expires[key] = self.server.now + KEEP_FOR
        status = self._take(key, arrived[len(held) :])
        reached[f"whole {status}"] += 1
        assert answer.status_code == {204: 201}.get(status, status)
        if status == 204:
            assert answer["Upload-Offset"] == str(self._offset(key))
            if is_new and arrived == content:
                self._came_in_one_piece(key)

    def _is_new(self, key: Key) -> bool:
        return key not in self.parts and key[1] not in self.blobs

    def _came_in_one_piece(self, key: Key) -> None:
        """Expect the file to be complete, and no upload that could be asked about."""
        self._forget(key)
        self.complete.add(key[1])
        reached["in one piece"] += 1

    @something_announced
    @rule(key=keys, size=st.integers(1, 9), missing=st.sampled_from((0, 0, 1, 4)), check=sums)
    def patch(self, key: Key, size: int, missing: int, check: str) -> None:
        """Send the next chunk, perhaps over a line that is cut before its last bytes."""
        at = self._offset(key) or 0
        chunk = key[1][at : at + size]
        self._patch(key, at, chunk, chunk[: max(len(chunk) - missing, 0)], check)

    @something_announced
    @rule(key=keys, shift=st.sampled_from((-2, -1, 1)), size=st.integers(1, 9))
    def patch_elsewhere(self, key: Key, shift: int, size: int) -> None:
        """Send a chunk that was sent before, or one too early."""
        at = max((self._offset(key) or 0) + shift, 0)
        chunk = key[1][at : at + size]
        self._patch(key, at, chunk, chunk, "none")

    @something_announced
    @rule(key=keys, size=st.integers(1, 20))
    def patch_garbage(self, key: Key, size: int) -> None:
        """Send bytes that are not the file's, perhaps more of them than it has."""
        self._patch(key, self._offset(key) or 0, b"?" * size, b"?" * size, "none")

    def _patch(self, key: Key, at: int, chunk: bytes, arrived: bytes, check: str) -> None:
        line = {"wsgi.input": io.BytesIO(arrived), "CONTENT_LENGTH": str(len(chunk))}
        told = {**self._sum(chunk, check), "environ": line}
        answer = self.server.patch(key[0], self._id(key), b"", at, **told)
        expected = self._expected(key, at, chunk, arrived, check)
        reached[f"patch {expected}"] += 1
        assert answer.status_code == expected
        if expected == 204:
            assert answer["Upload-Offset"] == str(self._offset(key))

    @something_announced
    @rule(key=keys, size=st.integers(1, 16))
    def race(self, key: Key, size: int) -> None:
        offset = self._offset(key)
        if offset is None or offset == len(key[1]):
            return
        chunk = key[1][offset : offset + size]
        with ThreadPoolExecutor(3) as pool:
            send = partial(self.server.patch, key[0], self._id(key), chunk, offset)
            codes = Counter(one.result().status_code for one in [pool.submit(send) for _ in "123"])
        if self._take(key, chunk) == 204:
            assert codes == {204: 1, 409: 2}
        else:
            assert codes[460] == 1
            assert codes[404] + codes[409] == 2
        reached["race"] += 1

    @something_announced
    @rule(key=keys)
    def delete(self, key: Key) -> None:
        there = self._offset(key) is not None
        answer = self.server.ask("DELETE", key[0], self._id(key))
        assert answer.status_code == (204 if there else self._gone(key))
        if there:
            self._forget(key)

    # What happens to the server

    @rule()
    def kill(self) -> None:
        """Lose everything that is not on the disk or in the database."""
        self.server = Server(self.server.root, self.server.register, self.server.now)

    @something_announced
    @rule(key=keys, size=st.sampled_from((1, 5, 64)), moved=st.booleans())
    def kill_inside_a_chunk(self, key: Key, size: int, moved: bool) -> None:
        """Leave bytes on the disk for which no answer was sent and no last step done."""
        offset = self._offset(key)
        if offset is None or key[1] in self.blobs:
            return
        chunk = key[1][offset : offset + size]
        self._receive_unseen(key, offset, chunk)
        self.parts[key] += chunk
        if self.parts[key] == key[1]:
            self.blobs.add(key[1])
            if moved:
                self._move_unseen(key)
            reached["kill before the register"] += 1
        self.kill()
        # Until its own tablet asks, nobody finishes the file; the others would still send it.
        self._agree(key)
        reached["kill inside a chunk"] += 1

    def _receive_unseen(self, key: Key, offset: int, chunk: bytes) -> None:
        with self._growing(key) as (growing, _part):
            assert growing.append(offset, chunk)

    def _move_unseen(self, key: Key) -> None:
        """Name the part as a blob, and end before its old name is gone."""
        with self._growing(key) as (growing, part):
            adopt = self.server.store.blobs.adopt
            adopt(growing, part, digest(key[1]), None, lambda _: None)

    @contextmanager
    def _growing(self, key: Key) -> Iterator[tuple[GrowingFile, Path]]:
        part = self.server.root / "uploads" / f"{self._id(key)}.part"
        name = photo_name(digest(key[1]))
        with part.open("r+b") as file:
            tail, ring = part.with_suffix(".tail"), key_ring()
            yield GrowingFile(file.fileno(), tail, len(key[1]), ring, name), part

    @rule(hours=st.sampled_from((1, 2, 2, 20, 40)))
    def wait(self, hours: int) -> None:
        self.server.now += timedelta(hours=hours)

    # What must hold

    @invariant()
    def the_server_agrees_with_the_model(self) -> None:
        for key in EVERY:
            self._agree(key)
        kept = self.server.store.blobs
        assert {path.name: kept.open(path.name).read() for path in self._files("blobs")} == {
            digest(content): content for content in self.blobs
        }
        assert self.server.register.entered >= {digest(content) for content in self.complete}
        assert [path for path in self._files("uploads") if path.suffix == ".tmp"] == []

    # The model

    def under_way(self) -> tuple[Key, ...]:
        return tuple(key for key in self.parts if key[1] not in self.blobs)

    def _agree(self, key: Key) -> None:
        stranger = "wang" if key[0] == "li" else "li"
        assert self.server.ask("HEAD", stranger, self._id(key)).status_code == 404
        answer = self.server.ask("HEAD", key[0], self._id(key))
        offset = self._offset(key)
        if offset is None:
            assert answer.status_code == self._gone(key)
        elif self._becomes_damaged(key, b""):
            assert answer.status_code == 460
            self._forget(key)
        else:
            assert (answer.status_code, answer["Upload-Offset"]) == (200, str(offset))
            if offset == len(key[1]):
                self.complete.add(key[1])
                reached["complete"] += 1

    def _files(self, folder: str) -> Iterator[Path]:
        return (path for path in (self.server.root / folder).rglob("*") if path.is_file())

    def _id(self, key: Key) -> Any:
        return upload_id(key[0], digest(key[1]), len(key[1]))

    def _sum(self, chunk: bytes, check: str) -> dict[str, str]:
        sums = {"none": {}, "right": {"Upload_Checksum": checksum(chunk)}}
        return sums.get(check, {"Upload_Checksum": checksum(chunk + b"!")})

    def _offset(self, key: Key) -> int | None:
        if key not in self.parts or self.expires[key] <= self.server.now:
            return None
        return len(key[1]) if key[1] in self.blobs else len(self.parts[key])

    def _gone(self, key: Key) -> int:
        return 410 if key in self.parts else 404

    def _sweep(self) -> None:
        now = self.server.now
        if self.swept_at is None or now - self.swept_at >= timedelta(hours=1):
            self.swept_at = now
            for key in [key for key, expires_at in self.expires.items() if expires_at <= now]:
                self._forget(key)
                reached["swept"] += 1

    def _becomes_damaged(self, key: Key, chunk: bytes) -> bool:
        whole = self.parts[key] + chunk
        return key[1] not in self.blobs and len(whole) == len(key[1]) and whole != key[1]

    def _expected(self, key: Key, at: int, chunk: bytes, arrived: bytes, check: str) -> int:
        offset = self._offset(key)
        if offset is None:
            return self._gone(key)
        if at != offset:
            return 409
        if at + len(chunk) > len(key[1]):
            return 413
        damaged = check == "wrong" or (check == "right" and arrived != chunk)
        if damaged and offset < len(key[1]):
            return 460
        return self._take(key, arrived)

    def _take(self, key: Key, chunk: bytes) -> int:
        """Add what arrived; a whole file that is not the declared one is forgotten."""
        if self._becomes_damaged(key, chunk):
            self._forget(key)
            return 460
        if key[1] not in self.blobs:
            self.parts[key] += chunk
        if self.parts[key] == key[1]:
            self.blobs.add(key[1])
        return 204

    def _forget(self, key: Key) -> None:
        self.parts.pop(key, None)
        self.expires.pop(key, None)


SHORT = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
ONCE = settings(SHORT, max_examples=3000, report_multiple_bugs=False, phases=(Phase.generate,))
#: Far below what a run by itself reaches: Hypothesis also draws from the constants of all modules
#: that are loaded, so that among other tests it draws otherwise.
FLOORS = {
    "complete": 800,
    "race": 25,
    "kill inside a chunk": 15,
    "kill before the register": 4,
    "swept": 1,
    "whole 204": 60,
    "whole 460": 5,
    "in one piece": 30,
    "patch 204": 20,
    "patch 409": 15,
    "patch 413": 5,
    "patch 460": 15,
}


def test_any_sequence_of_requests_cuts_races_and_kills_is_survived():
    reached.clear()

    run_state_machine_as_test(Machine, settings=SHORT)

    # A machine that reaches nothing proves nothing.
    assert {name: reached[name] for name in FLOORS if reached[name] < FLOORS[name]} == {}


def appended_anywhere(
    _self: Store, growing: GrowingFile, _part: int, _offset: int, block: bytes
) -> None:
    growing.append(growing.offset(), block)


@contextmanager
def unchecked(arriving: Iterator[bytes], _checksum: object, _room: int) -> Iterator[Any]:
    yield arriving


def described_at_once(_request: object, uploads: Uploads, upload: Upload) -> HttpResponse:
    offset = uploads.store.offset(upload)
    return HttpResponse(headers={"Upload-Offset": str(offset)})


def anyones(_request: object, uploads: Uploads, identifier: UUID) -> Upload:
    upload = uploads.store.find(identifier)
    if upload is None:
        raise Problem("not-found")
    return upload


def created_from_nothing(self: Store, upload: Upload) -> None:
    self.discard(upload.id)
    create(self, upload)


def removed_in_any_case(self: Store, identifier: UUID, _unwanted: object) -> None:
    self._remove(identifier)


create = Store.create
FAULTS: dict[str, tuple[object, str, object]] = {
    "a chunk goes wherever the file ends": (Store, "_append_block", appended_anywhere),
    "the whole file is not verified": (blobs, "_check_digest", lambda *_: None),
    "a checksum is not compared": (body, "checked", unchecked),
    "what arrived before is sent again": (body, "skip", lambda arriving, _count: arriving),
    "a creation forgets what had arrived": (Store, "create", created_from_nothing),
    "a sweep takes what is still young": (Store, "_remove_if", removed_in_any_case),
    "an upload is anyone's and for ever": (views, "_own_upload", anyones),
    "HEAD tells without finishing": (views, "_head", described_at_once),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(*FAULTS[fault])

    with pytest.raises((AssertionError, KeyError, Flaky)):
        run_state_machine_as_test(Machine, settings=ONCE)
