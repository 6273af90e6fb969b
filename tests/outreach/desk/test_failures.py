"""The machine fails under somebody at work: what they are told, and that nothing is half kept."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from outreach.models import PaperPhoto, StoredBlob, User
from tests import builders
from tests.mobile_api.talking import enrolled
from tests.mobile_api.uploading import CHUNK, digest, jpeg, metadata
from tests.outreach.desk.test_nomination import a_photo

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
PHOTO_FORM = "/cases/nominate/photo/"


@pytest.fixture
def liaison(place: builders.County, sign_in: SignIn, tmp_path: Path, settings: Any) -> Client:
    settings.OUTREACH_FILES = tmp_path / "files"
    browser = sign_in(place.liaison)
    browser.raise_request_exception = False
    return browser


def gone(*_arguments: Any) -> None:
    # The connection is the process edge here: only the driver's answer is replaced.
    raise OperationalError("server closed the connection unexpectedly")


def test_without_a_database_a_page_says_so_and_when_to_come_back(liaison: Client) -> None:
    with connection.execute_wrapper(gone):
        answer = liaison.get("/")
    page = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "登记册暂时没有响应" in page
    assert "The register does not answer" in page
    assert "unexpectedly" not in page


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/v1/sync"), ("POST", "/api/v1/uploads/"), ("GET", "/api/v1/changes")],
)
def test_without_a_database_a_tablet_is_told_to_try_again(
    place: builders.County, tmp_path: Path, method: str, path: str
) -> None:
    tablet, server = enrolled(place, tmp_path), Client(raise_request_exception=False)
    headers = {"Authorization": f"Bearer {tablet.state.token}", "Tus-Resumable": "1.0.0"}
    with connection.execute_wrapper(gone):
        answer = server.generic(method, path, "{}", "application/json", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/busy")
    assert answer.get("Tus-Resumable") == ("1.0.0" if "uploads" in path else None)


def test_on_a_full_disk_a_photo_is_not_half_kept_and_the_page_says_what_to_do(
    liaison: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", full)
    answer = liaison.post(PHOTO_FORM, {"photo-id_card": a_photo()})
    assert answer.status_code == 507
    assert "服务器的磁盘已满" in answer.content.decode()
    assert [file for file in (tmp_path / "files").rglob("*") if file.is_file()] == []
    assert (StoredBlob.objects.count(), PaperPhoto.objects.count()) == (0, 0)


def test_without_the_storage_of_files_the_page_says_so_and_nothing_is_registered(
    liaison: Client, tmp_path: Path, settings: Any
) -> None:
    (tmp_path / "mounted").write_text("no folder any more")
    settings.OUTREACH_FILES = tmp_path / "mounted" / "files"
    answer = liaison.post(PHOTO_FORM, {"photo-id_card": a_photo()})
    assert answer.status_code == 503
    assert "照片和证件文件暂时无法读写" in answer.content.decode()
    assert (StoredBlob.objects.count(), PaperPhoto.objects.count()) == (0, 0)


def test_another_mistake_is_still_told_as_one(
    liaison: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*_arguments: Any) -> None:
        raise ValueError("of the program's")

    with connection.execute_wrapper(mistaken):
        answer = liaison.get("/")
    assert answer.status_code == 500
    assert "这一步没有完成" in answer.content.decode()


def test_a_disk_that_locks_nothing_is_told_as_one_that_is_gone(
    place: builders.County, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTREACH_FILES = tmp_path / "files"
    tablet, server = enrolled(place, tmp_path), Client(raise_request_exception=False)
    photo = jpeg()
    headers = {
        "Authorization": f"Bearer {tablet.state.token}",
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(len(photo)),
        "Upload-Metadata": metadata(digest(photo)),
    }

    def refusing(_file: object, _how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refusing)
    answer = server.generic("POST", "/api/v1/uploads/", photo, CHUNK, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/busy")


class CutLine(BytesIO):
    """A body of which nothing more comes."""

    def read(self, _size: int | None = -1) -> bytes:
        raise ConnectionResetError

    readline = read


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/v1/hand-in", "application/json"),
        ("/api/v1/devices/enrol", "application/json"),
        ("/check/api/", "application/pdf"),
        ("/check/api/", "multipart/form-data; boundary=x"),
    ],
)
def test_a_line_that_is_cut_is_no_failure_of_the_service(
    place: builders.County, path: str, kind: str
) -> None:
    """Whoever watches is called at each answer of 500 and more."""
    cut: dict[str, Any] = {"wsgi.input": CutLine(), "CONTENT_LENGTH": "900"}
    answer = Client(raise_request_exception=False).generic("POST", path, content_type=kind, **cut)
    assert answer.status_code == 400


def test_tries_without_a_database_are_no_wrong_guesses(place: builders.County) -> None:
    case = builders.applied(place)[0]
    signing = {"username": "liaison", "password": "liaisonliaison"}
    asking = {"number": case.number, "digits": case.resident.id_number[-4:]}
    browser = Client(raise_request_exception=False)
    for _ in range(6):
        with connection.execute_wrapper(gone):
            assert browser.post("/sign-in/", signing).status_code == 503
            assert browser.post("/welcome/status/", asking).status_code == 503
    assert browser.post("/welcome/status/", asking).status_code == 200
    assert browser.post("/sign-in/", signing).status_code == 302


@pytest.mark.parametrize(
    "address",
    [
        "/cases/?q=%00",
        "/cases/?village=%00",
        "/trail/?q=a%00",
        "/savings/lines/?by=township&key=%00",
    ],
)
def test_no_address_with_a_null_character_reaches_the_database(
    address: str, place: builders.County, sign_in: SignIn
) -> None:
    """PostgreSQL has no such text: what a scanner sends was an error that calls somebody."""
    assert sign_in(place.auditor).get(address).status_code == 400
