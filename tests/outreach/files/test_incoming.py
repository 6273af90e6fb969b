"""What comes with a form, as a photo of an ID card or a list of names, never lies in clear."""

from __future__ import annotations

import os
import random
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.test import RequestFactory

SIZE = 3 * 1024 * 1024


def sent(*contents: bytes) -> list[UploadedFile[bytes]]:
    """Return the files of a form as a view gets them."""
    files = [SimpleUploadedFile(f"{n}.jpg", one, "image/jpeg") for n, one in enumerate(contents)]
    found = RequestFactory().post("/", {"photos": files}).FILES.getlist("photos")
    return [one for one in found if isinstance(one, UploadedFile)]


def lying_in(folder: Path) -> list[bytes]:
    """Return what lies in a folder, also of open files without a name."""
    names = [one for one in folder.rglob("*") if one.is_file()]
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the handle by which the folder itself is read
            if handle.readlink().is_relative_to(folder):
                names.append(handle)
    return [name.read_bytes() for name in names]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where what is held for a moment lies."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_it_lies_on_the_disk_sealed_and_a_kill_leaves_no_file(folder: Path) -> None:
    """A photo or list of over a megabyte lay there in clear, and stayed where the server died."""
    content = b"110101199003070000" * (SIZE // 18)
    [file] = sent(content)
    [lying] = lying_in(folder)
    assert (len(lying), b"19900307" in lying) == (len(content), False)
    assert list(folder.iterdir()) == []
    assert file.read() == content
    file.close()
    assert lying_in(folder) == []


def test_it_is_read_in_any_order_as_it_came(folder: Path) -> None:
    contents = [random.Random(seed).randbytes(SIZE + seed) for seed in (1, 2)]
    files = sent(*contents)
    assert [(one.name, one.size) for one in files] == [("0.jpg", SIZE + 1), ("1.jpg", SIZE + 2)]
    for file, content in zip(files, contents, strict=True):
        assert b"".join(file.chunks()) == content
        for at in (SIZE - 5, 0, 17, 70_001):
            assert (file.seek(at), file.tell()) == (at, at)
            assert file.read(33) == content[at : at + 33]
        assert file.seek(-7, os.SEEK_END) == len(content) - 7
        assert (file.read(), file.read()) == (content[-7:], b"")
        file.close()


def test_a_small_one_is_held_in_memory(folder: Path) -> None:
    [file] = sent(b"small")
    assert (lying_in(folder), file.read()) == ([], b"small")
