"""Request bodies: small blocks on slow lines, bounded memory, and checked chunks in one piece."""

from __future__ import annotations

import hashlib
import resource
import time
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_api.problems import Problem
from mobile_api.tus import body
from mobile_api.tus.protocol import Checksum
from outreach.files.spool import Spool


class SlowLine:
    """Hands out whole blocks, as a WSGI server does, at so many bytes a second."""

    def __init__(self, bytes_per_second: int, total: int) -> None:
        self._rate, self._left = bytes_per_second, total
        self.asked: list[int] = []

    def read(self, size: int, /) -> bytes:
        self.asked.append(size)
        size = min(size, self._left)
        self._left -= size
        time.sleep(size / self._rate)
        return bytes(size)


def test_blocks_stay_small_on_a_slow_line():
    line = SlowLine(bytes_per_second=16_000, total=20_000)

    assert sum(map(len, body.blocks(line))) == 20_000
    assert max(line.asked) == body.SMALLEST_BLOCK


def test_blocks_grow_on_a_fast_line():
    line = SlowLine(bytes_per_second=10**9, total=2_000_000)

    assert sum(map(len, body.blocks(line))) == 2_000_000
    assert max(line.asked) == body.LARGEST_BLOCK


class Clock:
    """Time that passes only while a line is waited for."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let the lines and the bodies of a test go by a clock of their own."""
    own = Clock()
    monkeypatch.setattr("tests.mobile_api.tus.test_body.time", own)
    monkeypatch.setattr(body, "time", own)
    return own


def test_a_slow_line_s_blocks_are_held_for_a_few_seconds_only(clock: Clock):
    line, given_at = SlowLine(bytes_per_second=10_000, total=200_000), []

    for _block in body.blocks(line):
        given_at.append(clock.now)

    assert given_at[-1] == pytest.approx(20)
    waited = [at - before for before, at in zip([0, *given_at], given_at, strict=False)]
    assert max(waited) < body.HELD_S + 1
    assert len(given_at) == 5


def test_the_time_that_the_taker_needs_is_not_the_line_s(clock: Clock):
    line = SlowLine(bytes_per_second=10**9, total=2_000_000)

    for _block in body.blocks(line):
        clock.sleep(60)

    assert clock.now == pytest.approx(60 * 8, abs=1)


def test_what_comes_within_a_few_seconds_comes_at_once(clock: Clock):
    slow, fast = (SlowLine(bytes_per_second=rate, total=150_000) for rate in (20_000, 60_000))

    assert len(body.at_once(body.blocks(fast), 150_000)) == 150_000
    assert 80_000 <= len(body.at_once(body.blocks(slow), 150_000)) < 90_000


def test_what_is_not_wanted_passes_by_as_far_as_a_client_waits_for(clock: Clock):
    line = SlowLine(bytes_per_second=10_000_000, total=6_000_000)
    arriving = body.blocks(line)

    body.let_pass(arriving, 3_000_000)

    assert 3_000_000 - body.LARGEST_BLOCK <= 6_000_000 - sum(map(len, arriving)) <= 3_500_000


def parts(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


@given(st.binary(max_size=50), st.integers(1, 9), st.integers(0, 60))
def test_skipping_leaves_out_exactly_the_first_bytes(content: bytes, size: int, count: int):
    assert b"".join(body.skip(parts(content, size), count)) == content[count:]


def checked(content: bytes, digest: bytes, room: int) -> bytes | str:
    checksum = Checksum("sha256", digest)
    try:
        with body.checked(parts(content, 1000), checksum, room) as chunk:
            return b"".join(chunk)
    except Problem as problem:
        return problem.slug


@pytest.mark.parametrize("size", [0, 1, 5000, body.HELD_IN_MEMORY + 5000])
def test_a_chunk_that_matches_comes_out_as_it_went_in(size: int):
    content = bytes(size)

    assert checked(content, hashlib.sha256(content).digest(), size) == content


def test_a_chunk_that_does_not_match_never_comes_out():
    assert checked(b"data", hashlib.sha256(b"other").digest(), 4) == "upload-checksum"


def test_a_chunk_is_not_held_past_the_room_there_is():
    content = bytes(5000)

    assert checked(content, hashlib.sha256(content).digest(), 4999) == "too-large"


def test_what_is_held_on_the_disk_is_sealed():
    blocks = [b"a face, a name" * 1000] * 5
    with Spool(20_000) as spool:
        for block in blocks:
            spool.write(block)
        spool._file.seek(0)
        lying = spool._file.read()

        assert len(lying) > 4 * 14_000
        assert b"a face" not in lying
        assert list(spool.blocks()) == list(spool.blocks()) == blocks


def test_what_a_full_disk_takes_half_of_is_told_as_such():
    """It was noticed when the chunk was read back, as one that does not open."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Spool(0) as spool:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
        try:
            with pytest.raises(OSError, match="too large"):
                spool.write(bytes(14_000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_large_checked_chunk_is_held_in_bounded_memory():
    size = 12 * 1024 * 1024
    expected = hashlib.sha256(bytes(size)).digest()
    tracemalloc.start()

    with body.checked((bytes(65536) for _ in range(192)), Checksum("sha256", expected), size) as it:
        taken = sum(map(len, it))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken == size
    assert peak < 3 * 1024 * 1024
