"""A disk loses a bit, or a file: the command that reads them all says so before backups end."""

from __future__ import annotations

import errno
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from mobile_api.photos import keep_photo
from outreach import clock
from outreach.files import SealedStorage, files, photo_name
from outreach.models import StoredBlob
from tests import builders
from tests.certificates.conftest import keys as keys
from tests.certificates.issuing import issued
from tests.mobile_api.uploading import jpeg

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.OUTREACH_FILES = tmp_path / "files"
    return tmp_path / "files"


def photo(seed: int) -> str:
    content = jpeg(400, 300, seed=seed)
    sha256 = keep_photo(BytesIO(content), files())
    sizes = {"size": len(content), "width": 400, "height": 300}
    StoredBlob.objects.create(
        sha256=sha256, content_type="image/jpeg", stored_at=clock.now(), **sizes
    )
    return photo_name(sha256)


def verified() -> tuple[str, str]:
    """Return what the command prints, and what it ends with."""
    out = StringIO()
    try:
        call_command("verify_files", stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


def test_what_is_whole_is_counted(
    place: builders.County, folder: Path, keys: Path, settings: Any
) -> None:
    settings.OUTREACH_KEYS_DIR = keys
    issued(place, folder)
    StoredBlob.objects.all().delete()  # which the builders only note
    photo(1)
    assert verified() == ("2 files, all whole.\n", "")


def test_a_bit_that_rotted_a_file_that_is_gone_and_another_in_its_place_are_named(
    place: builders.County, folder: Path
) -> None:
    rotten, gone, another, _whole, erased = (photo(seed) for seed in range(5))
    body = bytearray((folder / rotten).read_bytes())
    body[len(body) // 2] ^= 1
    (folder / rotten).write_bytes(body)
    (folder / gone).unlink()
    (folder / another).write_bytes(jpeg(seed=9))
    StoredBlob.objects.filter(pk=Path(erased).name).update(erased_at=clock.now())
    (folder / erased).unlink()

    said, ended = verified()

    expected = {f"missing: {gone}", f"damaged: {rotten}", f"damaged: {another}"}
    assert set(said.splitlines()) == expected
    assert ended.startswith("3 of 4 files are not what they were")


def test_a_file_that_the_disk_does_not_read_any_more_is_named_and_the_others_are_looked_at(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ended at the first, without its name: the next ones were never looked at."""
    lost, _whole = sorted((photo(1), photo(2)))
    read = SealedStorage.read

    def reading(storage: SealedStorage, name: str) -> Any:
        if name == lost:
            raise OSError(errno.EIO, "Input/output error")
        return read(storage, name)

    monkeypatch.setattr(SealedStorage, "read", reading)
    told, ended = verified()
    assert told == f"damaged: {lost}\n"
    assert ended.startswith("1 of 2 files are not what they were")
