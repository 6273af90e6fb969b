"""A folder of files: what one request could not force to the disk is nobody else's either."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from pathlib import Path

import pytest

from outreach.files.places import Folder

NAME = "blobs/ab/cd/photo"
Naming = Callable[[Folder, Path], object]


def put_new(folder: Folder, _part: Path) -> object:
    return folder.put_new(NAME, [b"photo"])


def take_over(folder: Folder, part: Path) -> object:
    return folder.take_over(NAME, part)


@pytest.mark.parametrize("first", [put_new, take_over])
def test_what_a_second_request_answers_for_outlives_the_firsts_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: Naming
) -> None:
    """The disk fails for the first of two; the second has found the file, and forces it too."""
    part = tmp_path / "part"
    part.write_bytes(b"photo")
    folder, pool, answers = Folder(tmp_path), ThreadPoolExecutor(1), list[Future[None]]()
    working = os.fdatasync

    def failing(handle: int) -> None:
        if answers:
            return working(handle)
        answers.append(pool.submit(Folder(tmp_path).assure, NAME))
        with suppress(NotYet):
            answers[0].result(timeout=0.5)
        raise OSError(errno.EIO, "the disk fails")

    monkeypatch.setattr(os, "fdatasync", failing)
    with pytest.raises(OSError, match="the disk fails"):
        first(folder, part)
    pool.shutdown()
    is_answered_for = answers[0].exception() is None
    assert (is_answered_for, folder.path(NAME).exists()) in {(True, True), (False, False)}
    part.write_bytes(b"photo")
    assert first(folder, part) is True  # whoever comes next brings it
    assert folder.path(NAME).read_bytes() == b"photo"
