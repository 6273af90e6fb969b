"""/check/: anybody drops a file and reads what it is."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from certificates.actions import renew
from certificates.founding import create_authority
from certificates.models import Certificate
from certificates.views import LARGEST
from tests import builders
from tests.certificates.conftest import NAMES
from tests.certificates.issuing import ISSUED_AT, issued, paper_of
from tests.certificates.making import SIGNED_AT, picture, run

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


@pytest.mark.parametrize("content", [b"hello", b"%PDF-1.7\n%"])
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


@pytest.mark.parametrize("spoiling", ["gone", "in another form"])
def test_papers_of_ours_are_not_called_strange_while_the_keys_are_away(
    paper: bytes, settings: Any, tmp_path: Path, spoiling: str
) -> None:
    """As on a server that was restored without them, or after a slip of who keeps the folder."""
    code = photo_of(paper, tmp_path)
    settings.OUTREACH_KEYS_DIR = keys = tmp_path / "keys"
    if spoiling != "gone":
        create_authority(keys, NAMES, at=SIGNED_AT)
        (keys / "tsa.crt.pem").write_bytes(b"0\x82")
    for content in (code, paper + b"%"):
        status, page = ask(content)
        assert (status, "cannot be checked at the moment" in page) == (503, True)
    assert "This certificate is ours, unchanged and valid." in ask(paper)[1]


@pytest.fixture(autouse=True)
def nobody_asked_before() -> None:
    cache.clear()


def photo_of(paper: bytes, tmp_path: Path) -> bytes:
    """Return a picture of the paper as it is printed, at 150 dpi."""
    (tmp_path / "paper.pdf").write_bytes(paper)
    run(
        "pdftoppm",
        "-r",
        "150",
        "-png",
        "-f",
        "1",
        "-l",
        "1",
        tmp_path / "paper.pdf",
        tmp_path / "p",
    )
    (found,) = tmp_path.glob("p*.png")
    return found.read_bytes()


def test_a_picture_of_the_qr_code_is_enough(paper: bytes, tmp_path: Path) -> None:
    _, page = ask(photo_of(paper, tmp_path))
    assert "This certificate is ours, unchanged and valid." in page
    assert "赵青山" in page
    Certificate.objects.update(state="cancelled")
    assert "This certificate is ours, but was cancelled." in ask(photo_of(paper, tmp_path))[1]


def test_a_telephones_picture_is_larger_than_any_paper_and_is_read(
    paper: bytes, tmp_path: Path
) -> None:
    """Fifty million pixels and more bytes than a paper has, as they come from a camera."""
    with Image.open(BytesIO(photo_of(paper, tmp_path))) as page:
        taken = Image.effect_noise((6200, 8200), 22)
        taken.paste(page.convert("L").resize((4000, 5657)), (900, 1200))
    out = BytesIO()
    taken.save(out, "JPEG", quality=60)
    assert LARGEST < len(out.getvalue()) < 2 * LARGEST
    assert "This certificate is ours, unchanged and valid." in ask(out.getvalue())[1]


@pytest.mark.parametrize(("kind", "mode"), [("TIFF", "L"), ("TIFF", "I;16"), ("BMP", "L")])
def test_a_scanners_picture_of_the_paper_is_read(
    paper: bytes, tmp_path: Path, kind: str, mode: str
) -> None:
    grey, out = Image.open(BytesIO(photo_of(paper, tmp_path))).convert("L"), BytesIO()
    scan = grey if mode == "L" else grey.convert("I").point(lambda dot: dot * 257).convert(mode)
    scan.save(out, kind)
    assert "This certificate is ours, unchanged and valid." in ask(out.getvalue())[1]


@pytest.mark.parametrize(
    "content",
    [b"\0\0\0\x18ftypheic" + bytes(LARGEST), b"\x89PNG\r\n\x1a\n"],
)
def test_a_picture_that_nobody_here_can_read_is_no_foreign_certificate(
    content: bytes, files: Path
) -> None:
    """As a telephone's HEIC: it may be of a paper of ours."""
    status, page = ask(content)
    assert (status, "This kind of picture cannot be read here" in page) == (200, True)


def test_a_scan_in_a_pdf_is_asked_for_as_a_picture(files: Path) -> None:
    assert "If it is a scan of the paper, send it as a picture" in ask(b"%PDF-1.4\n%")[1]


@pytest.mark.parametrize("state", ["lost", "cancelled"])
def test_a_void_paper_is_not_asked_for_once_more(paper: bytes, state: str) -> None:
    """It is the original, perhaps in the hands of who found it."""
    Certificate.objects.update(state=state)
    page = ask(paper)[1]
    assert "Do not accept it, and tell the federation that issued it." in page
    assert "Ask the holder for the original file" not in page


def drawing(side: int) -> bytes:
    """Return a PNG that says it has so many pixels a side."""
    size = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", size), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    "content",
    [
        *(picture(), b"RIFF0000WEBPVP8 "),
        *(drawing(5_000), drawing(11_000), drawing(20_000)),
    ],
)
def test_a_picture_without_our_code_is_answered_clearly(content: bytes, files: Path) -> None:
    assert "There is no QR code of a certificate in it." in ask(content)[1]


def ask_number(number: str, issued: str) -> tuple[int, str]:
    browser = Client(headers={"accept-language": "en"})
    response = browser.post("/check/number/", {"number": number, "issued": issued})
    return response.status_code, response.content.decode()


def test_whoever_changes_the_language_of_an_answer_comes_to_the_form() -> None:
    """The browser showed a page of its own: there was none at the address of the answer."""
    answer = Client(headers={"accept-language": "en"}).get("/check/number/")
    assert answer.status_code == 200
    assert 'name="issued"' in answer.content.decode()


def test_a_number_is_answered_with_the_day_that_stands_beside_it(paper: bytes) -> None:
    number = Certificate.objects.get().number
    spaced = f"{number[:6]} {number[6:].lower()}"
    for said in (number, spaced):
        assert "This certificate is ours, unchanged and valid." in ask_number(said, "06-13")[1]
    wide = number.translate({n: n + 0xFEE0 for n in range(0x30, 0x3A)})
    assert "This certificate is ours, unchanged and valid." in ask_number(wide, "０６１３")[1]


def test_the_number_of_a_paper_that_another_one_replaced_is_answered_by_its_own_day(
    paper: bytes,
) -> None:
    """A renewal has the same number: each is told by the day that stands on it."""
    old = Certificate.objects.get()
    late = ISSUED_AT.replace(year=2027, month=7)
    (new,) = renew([old], by=old.issued_by, at=late)
    assert new.number == old.number
    assert "a newer one replaces it" in ask_number(old.number, "0613")[1]
    assert "ours, unchanged and valid" in ask_number(old.number, f"{late:%m%d}")[1]


def test_whoever_knows_only_the_number_learns_nothing(paper: bytes) -> None:
    number = Certificate.objects.get().number
    right, wrong = number, number[:-2] + "42"
    answers = {ask_number(right, "0614")[1], ask_number(wrong, "0613")[1]}
    said = "We issued no certificate with this number on that day."
    assert [said in answer for answer in answers] == [True] * len(answers)
    assert "2028-06-13" not in "".join(answers)


@pytest.mark.parametrize(("number", "issued"), [("1", "0613"), ("5" * 20, "6"), ("", "")])
def test_a_malformed_number_is_answered_clearly(
    number: str, issued: str, place: builders.County
) -> None:
    status, page = ask_number(number, issued)
    assert status == 422
    assert 'role="alert"' in page


def test_guessing_is_slowed_down(paper: bytes) -> None:
    number = Certificate.objects.get().number
    statuses = [ask_number(number, f"01{day:02d}")[0] for day in range(1, 13)]
    assert statuses == [200] * 10 + [429] * 2
    assert "Too many checks at once" in ask_number(number, "0613")[1]


def test_one_number_is_asked_about_a_few_times_a_day_from_wherever(paper: bytes) -> None:
    number, statuses = Certificate.objects.get().number, []
    for host in range(22):
        browser = Client(REMOTE_ADDR=f"10.0.0.{host}")
        statuses.append(
            browser.post("/check/number/", {"number": number, "issued": "0101"}).status_code
        )
    assert statuses == [200] * 20 + [429] * 2


def test_files_are_slowed_down_too(files: Path) -> None:
    assert [ask(b"hello")[0] for _ in range(31)] == [200] * 30 + [429]
