"""POST /check/api/: the public check for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from certificates.authority import Signer
from certificates.credential import write_credential
from certificates.models import Certificate
from certificates.views import LARGEST
from tests import builders
from tests.certificates.issuing import issued, paper_of
from tests.certificates.making import facts

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_asked_before() -> None:
    cache.clear()


@pytest.fixture
def held(place: builders.County, files: Path) -> Certificate:
    return issued(place, files)[0]


def post(body: Any, content_type: str = "application/json") -> tuple[int, dict[str, Any]]:
    browser = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    answer = browser.post("/check/api/", body, content_type=content_type)
    return answer.status_code, answer.json()


def test_our_file_is_recognised(held: Certificate) -> None:
    status, said = post(paper_of(held), "application/pdf")
    assert (status, said) == (
        200,
        {
            "finding": "ours_unchanged",
            "is_valid": True,
            "text": "This certificate is ours, unchanged and valid.",
            "changes": [],
            "sm2": None,
            "issued_on": "2018-06-13",
            "valid_until": "2028-06-13",
        },
    )


def test_a_form_with_a_file_is_read_too(held: Certificate) -> None:
    file = SimpleUploadedFile("a.pdf", paper_of(held), "application/pdf")
    assert Client().post("/check/api/", {"file": file}).json()["finding"] == "ours_unchanged"
    assert Client().post("/check/api/", {"ids": "1"}).status_code == 400
    huge = SimpleUploadedFile("a.pdf", b"0" * (LARGEST + 1), "application/pdf")
    assert Client().post("/check/api/", {"file": huge}).status_code == 413


def test_an_altered_file_says_what_was_done(held: Certificate) -> None:
    _, said = post(paper_of(held) + b"%", "application/pdf")
    assert (said["finding"], said["changes"]) == (
        "altered",
        ["Something was added to it after signing."],
    )


def test_codes_and_numbers_are_answered(held: Certificate, signer: Signer) -> None:
    code = write_credential(facts(), held.pk, signer.credential)
    assert post({"code": code})[1]["finding"] == "ours_unchanged"
    assert post({"code": "DPC1:X"})[1]["finding"] == "no_code"
    assert post({"number": held.number, "issued": "0613"})[1]["finding"] == "ours_unchanged"
    assert post({"number": held.number, "issued": "0614"})[1]["finding"] == "unknown_number"


@pytest.mark.parametrize(
    "body", ["{", "[]", "null", "{}", '{"code": 1}', '{"number": []}', "[" * 100_000]
)
def test_what_cannot_be_checked_is_answered_clearly(body: str, files: Path) -> None:
    status, said = post(body)
    assert (status, said["status"]) == (400, 400)
    assert said["detail"]


def test_while_the_keys_are_away_a_program_is_told_to_come_again(
    held: Certificate, signer: Signer, settings: Any, tmp_path: Path
) -> None:
    code = write_credential(facts(), held.pk, signer.credential)
    settings.OUTREACH_KEYS_DIR = tmp_path / "away"
    assert post({"code": code})[0] == 503
    assert post({"number": held.number, "issued": "0613"})[1]["finding"] == "ours_unchanged"


def test_an_empty_and_a_huge_body_are_answered_clearly(files: Path) -> None:
    assert post(b"", "application/pdf")[0] == 400
    assert post(b"0" * (4 * 1024 * 1024 + 1), "application/pdf")[0] == 413


def test_programs_are_slowed_down_too(files: Path) -> None:
    assert [post({"code": "x"})[0] for _ in range(31)] == [200] * 30 + [429]
