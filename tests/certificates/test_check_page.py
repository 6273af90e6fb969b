"""/check/: anybody drops a file and reads what it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from certificates.models import Certificate
from certificates.views import LARGEST
from tests import builders
from tests.certificates.issuing import issued, paper_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def paper(place: builders.County, files: Path) -> bytes:
    return paper_of(issued(place, files)[0])


def ask(content: bytes, language: str = "en") -> tuple[int, str]:
    """Send a file as a stranger; return the status and the page."""
    file = SimpleUploadedFile("a.pdf", content, "application/pdf")
    browser = Client(headers={"accept-language": language})
    response = browser.post(reverse("certificates:check"), {"file": file})
    return response.status_code, response.content.decode()


def test_the_page_is_open_to_everybody(client: Client) -> None:
    assert reverse("certificates:check") == "/check/"
    assert client.get("/check/").status_code == 200


def test_our_certificate_is_recognised(paper: bytes) -> None:
    status, page = ask(paper)
    assert status == 200
    assert "This certificate is ours, unchanged and valid." in page
    assert "2028-06-13" in page
    assert Certificate.objects.get().number not in page


def test_the_answer_is_given_in_chinese_too(paper: bytes) -> None:
    assert "此证由本机关签发，未被改动，有效。" in ask(paper, "zh-hans")[1]


def test_an_altered_file_says_what_was_done(paper: bytes) -> None:
    _, page = ask(paper + b"%")
    assert "This file was altered after we signed it." in page
    assert "Something was added to it after signing." in page


@pytest.mark.parametrize("content", [b"hello", b"%PDF-1.7\n%", b"\x89PNG\r\n\x1a\n"])
def test_another_file_is_not_ours(content: bytes, files: Path) -> None:
    assert "This file is not a certificate of ours." in ask(content)[1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "This file is empty."),
        (b"0" * (LARGEST + 1), "This file is larger than any certificate of ours."),
    ],
)
def test_an_unfit_file_is_answered_clearly(content: bytes, said: str, files: Path) -> None:
    status, page = ask(content)
    assert status == 422
    assert said in page


def test_no_file_at_all_is_answered_clearly(client: Client, files: Path) -> None:
    response = client.post("/check/", {}, headers={"accept-language": "en"})
    assert response.status_code == 422
    assert "Choose the certificate&#x27;s PDF file first." in response.content.decode()


def test_an_office_without_keys_has_issued_nothing(settings: object, tmp_path: Path) -> None:
    settings.OUTREACH_KEYS_DIR = tmp_path / "none"  # type: ignore[attr-defined]
    assert "This file is not a certificate of ours." in ask(b"%PDF-1.7")[1]
