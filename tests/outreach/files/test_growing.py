"""A sealed file that grows: any blocks, cuts and torn writes, and never a byte lost or doubled."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.files import GrowingFile
from outreach.files.stream import CHUNK, HEADER, sealed_size
from outreach.sealing import KeyRing

RING = KeyRing({"k1": b"1" * 32}, b"i" * 32)
CONTENT = Random(3).randbytes(3 * CHUNK + 700)
#: Around the ends of frames, where it can go wrong.
sizes = st.one_of(
    st.integers(1, 40),
    st.integers(1, 2 * CHUNK),
    st.sampled_from((CHUNK, CHUNK - 1, CHUNK + 1, 2 * CHUNK, len(CONTENT))),
)


class Place:
    """A folder with one file in it, opened by one process after the other."""

    def __init__(self, folder: Path, length: int = len(CONTENT)) -> None:
        self.part, self.tail = folder / "a.part", folder / "a.tail"
        self.length = length
        self.part.touch()

    @contextmanager
    def opened(self, ring: KeyRing = RING) -> Iterator[GrowingFile]:
        with self.part.open("r+b") as file:
            yield GrowingFile(file.fileno(), self.tail, self.length, ring, "blobs/a")

    def whole(self) -> bytes:
        with self.opened() as growing, growing.plain() as plain:
            return plain.read()


@settings(max_examples=60, deadline=None)
@given(st.lists(sizes, min_size=1, max_size=12), st.booleans())
def test_any_blocks_make_the_file(blocks: list[int], one_process: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place, at = Place(Path(folder)), 0
        with place.opened() as first:
            for size in [*blocks, len(CONTENT)]:
                with place.opened() as other:
                    growing = first if one_process else other
                    block = CONTENT[at : at + size]
                    if block:
                        assert growing.append(at, block)
                    at += len(block)
                    assert other.offset() == first.offset() == at
        assert place.part.stat().st_size == sealed_size(len(CONTENT))
        assert place.whole() == CONTENT


@settings(max_examples=60, deadline=None)
@given(st.lists(sizes, min_size=1, max_size=6), st.data())
def test_a_kill_inside_a_write_loses_that_write_at_most(
    blocks: list[int], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place, at = Place(Path(folder)), 0
        for size in blocks:
            block = CONTENT[at : at + size]
            before = _held(place)
            if block:
                with place.opened() as growing:
                    assert growing.append(at, block)
            if data.draw(st.booleans()):
                _tear(place, before, data)
            with place.opened() as growing:
                reached = growing.offset()
            assert at <= reached <= at + len(block)
            at = reached
        with place.opened() as growing:
            assert at == len(CONTENT) or growing.append(at, CONTENT[at:])
        assert place.whole() == CONTENT


def _held(place: Place) -> dict[Path, bytes]:
    files = (place.part, place.tail)
    return {file: file.read_bytes() if file.exists() else b"" for file in files}


def _tear(place: Place, before: dict[Path, bytes], data: st.DataObject) -> None:
    """Cut the last write short: the tail is written after the frames are on the disk."""
    after = _held(place)
    last = place.part if after[place.tail] == before[place.tail] else place.tail
    goes_on = after[last].startswith(before[last])
    began = len(before[last]) if goes_on else 0
    os.truncate(last, data.draw(st.integers(began, len(after[last]))))


def test_a_block_that_begins_elsewhere_changes_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with place.opened() as growing:
        assert growing.append(0, CONTENT[: CHUNK + 5])
        before = _held(place)

        assert not growing.append(CHUNK, CONTENT[CHUNK : CHUNK + 9])
        assert not growing.append(CHUNK + 6, b"later")

    assert _held(place) == before


def test_the_tail_begins_again_for_each_frame(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with place.opened() as growing:
        for at in range(0, len(CONTENT), 5000):
            assert growing.append(at, CONTENT[at : at + 5000])
            assert len(_held(place)[place.tail]) < CHUNK + 14 * 40

    assert place.whole() == CONTENT


def test_a_tail_of_a_file_that_was_here_before_is_passed_over(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with place.opened() as growing:
        growing.append(0, b"another")
    place.part.write_bytes(b"")

    with place.opened() as growing:
        assert growing.offset() == 0
        assert growing.append(0, CONTENT[:3])
        assert growing.offset() == 3


def test_a_frame_that_is_sealed_again_has_another_nonce(tmp_path: Path) -> None:
    place, nonces = Place(tmp_path, CHUNK), set()
    for _ in range(5):
        with place.opened() as growing:
            assert growing.append(0, CONTENT[:CHUNK])
        nonces.add(place.part.read_bytes()[HEADER : HEADER + 12])
        os.truncate(place.part, HEADER + 1000)

    assert len(nonces) == 5


@pytest.mark.parametrize("length", [1, CHUNK, 2 * CHUNK, 2 * CHUNK + 1])
def test_a_file_of_any_length_ends_with_its_last_frame(tmp_path: Path, length: int) -> None:
    place = Place(tmp_path, length)
    with place.opened() as growing:
        growing.append(0, CONTENT[: length - 1] or b"")
        assert not growing.is_whole()
        growing.append(length - 1, CONTENT[length - 1 : length])
        assert growing.is_whole()

    assert place.whole() == CONTENT[:length]


def test_frames_that_the_disk_failed_to_force_are_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path)

    def failing(_handle: int) -> None:
        raise OSError(errno.EIO, "the disk fails")

    with place.opened() as growing:
        growing.append(0, CONTENT[:10])
        with monkeypatch.context() as disk:
            disk.setattr(os, "fdatasync", failing)
            with pytest.raises(OSError, match="the disk fails"):
                growing.append(10, CONTENT[10 : CHUNK + 5])
    with place.opened() as growing:
        assert growing.offset() == 0
        assert growing.append(0, CONTENT)
    assert place.whole() == CONTENT
