"""The form for somebody who moved here: everything wrong at once, and nothing of it is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from certificates.models import MoveIn
from outreach import clock
from outreach.actions import applications
from outreach.files import local_files, photo_name
from outreach.models import Application, Evaluation, StoredBlob, User
from tests import builders
from tests.outreach.desk.reading import compared_on

SignIn = Callable[[User], Client]


def scan(shade: int, size: tuple[int, int] = (420, 590), kind: str = "JPEG") -> SimpleUploadedFile:
    """Return an uploaded picture."""
    out = BytesIO()
    Image.new("RGB", size, (shade, 120, 90)).save(out, kind)
    return SimpleUploadedFile("scan.jpg", out.getvalue(), f"image/{kind.lower()}")


def said(place: builders.County, **changes: Any) -> dict[str, Any]:
    """Return the form as an administrator fills it in."""
    return {
        "name": "赵青山",
        "id_number": builders.id_number(),
        "village": place.village.code,
        "address": "任家祠村一组",
        "telephone": "13900000000",
        "ethnicity": "汉族",
        "household_seen": "on",
        "office": "蓬安县残疾人联合会",
        "issued_on": "2014-03-05",
        "valid_until": "2024-03-05",
        "suffix": "B1",
        "grade_physical": "2",
        "portrait": scan(200),
        "document": scan(90, (1600, 1100), "PNG"),
        "consent_by": "resident",
        "consent_name": "赵青山",
        **changes,
    }


@pytest.fixture
def office(place: builders.County, sign_in: SignIn, tmp_path: Path, settings: Any) -> Client:
    settings.OUTREACH_FILES = tmp_path
    clock.advance_to(builders.notice_over())
    return sign_in(place.administrator)


def test_the_person_the_certificate_and_both_pictures_are_kept(
    place: builders.County, office: Client, tmp_path: Path
) -> None:
    answer = office.post("/cases/move-in/", said(place))
    case, found = Application.objects.get(), Evaluation.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/evaluations/{found.pk}/")
    assert (case.state, case.categories, case.papers_missing) == ("noticed", ["physical"], [])
    left = MoveIn.objects.get()
    assert (left.office, left.issued_on, left.valid_until, left.suffix) == (
        "蓬安县残疾人联合会",
        date(2014, 3, 5),
        date(2024, 3, 5),
        "B1",
    )
    kinds = {photo.kind: photo for photo in found.photos.all()}
    assert set(kinds) == {"portrait", "document"}
    for photo in kinds.values():
        assert local_files(tmp_path).holds(photo_name(photo.sha256), photo.size)
        assert StoredBlob.objects.filter(pk=photo.sha256).exists()
    assert not list(tmp_path.glob("*.new"))


def test_the_review_shows_the_file_and_passes_it_on_to_the_approver(
    place: builders.County, office: Client, sign_in: SignIn
) -> None:
    office.post("/cases/move-in/", said(place))
    case, found = Application.objects.get(), Evaluation.objects.get()
    page = office.get(f"/evaluations/{found.pk}/").content.decode()
    assert "外县档案转入" in page
    assert "蓬安县残疾人联合会" in page
    assert "外县档案转入" in office.get("/review/").content.decode()
    office.post("/review/", {"ids": [case.pk]})
    case.refresh_from_db()
    assert case.state == "reviewed"
    assert "外县档案转入" in sign_in(place.approver).get("/sign/").content.decode()


def test_the_file_goes_back_with_a_reason(place: builders.County, office: Client) -> None:
    office.post("/cases/move-in/", said(place))
    case = Application.objects.get()
    assert "档案退回迁出地" in office.get(f"/cases/{case.pk}/").content.decode()
    office.post(f"/cases/{case.pk}/step/return_file/", {"note": "原证已注销"})
    case.refresh_from_db()
    assert (case.state, case.events.last().note) == ("closed", "原证已注销")  # type: ignore[union-attr]


def test_a_case_of_this_county_offers_no_such_step(place: builders.County, office: Client) -> None:
    (case,) = builders.noticed(place)
    assert "档案退回迁出地" not in office.get(f"/cases/{case.pk}/").content.decode()
    assert office.get(f"/cases/{case.pk}/step/return_file/").status_code == 404


def test_everything_wrong_is_told_at_once_and_nothing_is_kept(
    place: builders.County, office: Client, tmp_path: Path
) -> None:
    answer = office.post("/cases/move-in/", {"portrait": scan(1)})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "malformed-form")
    assert set(answer.context["form"].errors) == {
        *("name", "id_number", "village", "household_seen", "office"),
        *("issued_on", "valid_until", "grade_vision", "document", "consent_by", "consent_name"),
    }
    assert "请重新选择图片" in answer.content.decode()
    assert not list(tmp_path.rglob("*.*"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"portrait": scan(1, (120, 160))}, "portrait"),
        ({"portrait": SimpleUploadedFile("a.jpg", b"\xff\xd8\xff no picture")}, "portrait"),
        ({"document": SimpleUploadedFile("a.pdf", b"%PDF-1.7")}, "document"),
        ({"document": SimpleUploadedFile("a.jpg", b"")}, "document"),
        ({"issued_on": "2019-01-01", "valid_until": "2024-01-01"}, "issued_on"),
        ({"valid_until": "2013-01-01"}, "valid_until"),
        ({"grade_physical": "7"}, "grade_physical"),
        ({"grade_mental": "2"}, "guardian_name"),
        ({"suffix": "B99"}, "suffix"),
    ],
)
def test_bad_input_is_named_at_its_field(
    place: builders.County, office: Client, changes: dict[str, Any], field: str
) -> None:
    answer = office.post("/cases/move-in/", said(place, **changes))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Application.objects.exists()


def test_whom_a_rule_refuses_leaves_no_picture_behind(
    place: builders.County, office: Client, tmp_path: Path
) -> None:
    answer = office.post("/cases/move-in/", said(place, valid_until="2026-03-05"))
    assert (answer.status_code, answer["X-Refusal"]) == (422, "dates-disagree")
    assert "残疾人证有效期最长十年" in answer.content.decode()
    assert not (tmp_path / "blobs").exists()


def test_whom_the_register_knows_otherwise_is_asked_about_before_they_are_changed(
    place: builders.County, office: Client
) -> None:
    [known] = builders.applied(place, name="钱大海")
    applications.advance([known], "withdraw", by=place.liaison, at=builders.START)
    form = said(place, id_number=known.resident.id_number)
    told = office.post("/cases/move-in/", form)
    page = told.content.decode()
    assert (told.status_code, told["X-Refusal"], "钱＊＊" in page) == (422, "known-otherwise", True)
    known.resident.refresh_from_db()
    assert known.resident.name == "钱大海"
    seen = {"compared": compared_on(page), "portrait": scan(200), "document": scan(90)}
    assert office.post("/cases/move-in/", form | seen).status_code == 303
