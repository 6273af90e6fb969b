"""A sector that a disk lost costs the file that lies on it, and keeps nobody from the others."""

from __future__ import annotations

import errno
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from mobile_api.photos import keep_photo
from mobile_api.problems import Problem
from mobile_api.tus.blobs import Blobs
from outreach.actions.resealing import UNKNOWN, files_by_key, reseal_files
from outreach.files import Folder, files, photo_name
from tests.mobile_api.uploading import jpeg

pytestmark = pytest.mark.django_db
KEY_OF_TOMORROW = "t2:QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="


class Unreadable(BytesIO):
    def read(self, *_size: Any) -> bytes:
        raise OSError(errno.EIO, "Input/output error")


@pytest.fixture
def lose(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function after which the disk does not read a file any more."""
    settings.OUTREACH_FILES = tmp_path / "files"
    lost, opened = set[str](), Folder.open

    def opening(place: Folder, name: str) -> Any:
        return Unreadable() if name in lost else opened(place, name)

    monkeypatch.setattr(Folder, "open", opening)
    return lost.add


def two_photos() -> list[str]:
    return [keep_photo(BytesIO(jpeg(400, 300, seed=seed)), files()) for seed in (1, 2)]


def test_another_key_seals_the_others_and_names_it(
    lose: Callable[[str], None], settings: Any
) -> None:
    gone, _read = two_photos()
    lose(photo_name(gone))
    settings.OUTREACH_SEALING_KEYS = [KEY_OF_TOMORROW, *settings.OUTREACH_SEALING_KEYS]

    told = reseal_files(files(), lambda *_: None)

    assert (told.done, dict(told.broken)) == (1, {photo_name(gone): 1})
    assert files_by_key(files()) == {"t2": 1, UNKNOWN: 1}


def test_a_tablet_that_has_it_still_brings_it_again(lose: Callable[[str], None]) -> None:
    gone, _read = two_photos()
    lose(photo_name(gone))

    with pytest.raises(Problem, match="checksum"):
        Blobs(files()).verified(gone)
    assert not files().exists(photo_name(gone))
