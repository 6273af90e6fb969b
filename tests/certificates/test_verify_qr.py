"""manage.py verify_qr, and verify_certificate on a folder."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from certificates.authority import Signer
from certificates.credential import write_credential
from certificates.models import Certificate
from outreach.models.ids import new_id
from tests import builders
from tests.certificates.issuing import issued, paper_of
from tests.certificates.making import facts, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(place: builders.County, files: Path) -> Certificate:
    return issued(place, files)[0]


def told(command: str, argument: object) -> tuple[int, str]:
    """Run a command; return its exit status and what it said."""
    out, status = StringIO(), 0
    try:
        call_command(command, str(argument), stdout=out)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, out.getvalue()


def code_of(held: Certificate, signer: Signer, **changes: object) -> str:
    said = {"number": held.number, "category": "physical", "grade": 1, **changes}
    return write_credential(facts(**said), held.pk, signer.credential)


def test_a_valid_code_is_told_by_exit_status_and_words(held: Certificate, signer: Signer) -> None:
    status, said = told("verify_qr", code_of(held, signer))
    assert (status, said.splitlines()[0].partition(":")[0]) == (0, "ours_unchanged")


def test_a_cancelled_certificate_is_not_valid(held: Certificate, signer: Signer) -> None:
    Certificate.objects.update(state="cancelled")
    status, said = told("verify_qr", code_of(held, signer))
    assert (status, said.partition(":")[0]) == (1, "ours_but_cancelled")


def test_codes_of_others_and_altered_codes_are_refused(
    held: Certificate, signer: Signer, impostor: Signer
) -> None:
    code = code_of(held, signer)
    last = "0" if code[-1] != "0" else "1"
    wanted = {
        code_of(held, impostor): "code_not_ours",
        "https://example.org": "no_code",
        "DPC1:": "no_code",
    }
    assert {text: told("verify_qr", text)[1].partition(":")[0] for text in wanted} == wanted
    assert told("verify_qr", code[:-1] + last)[1].partition(":")[0] in ("code_not_ours", "no_code")


def test_a_code_that_the_register_does_not_know_is_refused(files: Path, signer: Signer) -> None:
    code = write_credential(facts(), new_id(), signer.credential)
    status, said = told("verify_qr", code)
    assert (status, said.partition(":")[0]) == (1, "code_not_ours")


def test_a_picture_will_do(held: Certificate, tmp_path: Path) -> None:
    (tmp_path / "paper.pdf").write_bytes(paper_of(held))
    run("pdftoppm", "-r", "150", "-png", "-l", "1", tmp_path / "paper.pdf", tmp_path / "page")
    (page,) = tmp_path.glob("page*.png")
    assert told("verify_qr", page)[0] == 0


def test_a_folder_is_told_file_by_file(held: Certificate, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    (folder / "more").mkdir(parents=True)
    (folder / "good.pdf").write_bytes(paper_of(held))
    status, said = told("verify_certificate", folder)
    assert (status, said.splitlines()[-1]) == (0, "1 of 1 are ours, unchanged and valid.")
    (folder / "more" / "bad.pdf").write_bytes(paper_of(held) + b" ")
    status, said = told("verify_certificate", folder)
    assert (status, said.splitlines()[-1]) == (1, "1 of 2 are ours, unchanged and valid.")
    assert [line.split(":")[:2] for line in said.splitlines() if ".pdf" in line] == [
        ["ours_unchanged", " good.pdf"],
        ["altered", " bad.pdf"],
    ]


def test_an_empty_folder_is_said(tmp_path: Path, files: Path) -> None:
    with pytest.raises(CommandError, match="no PDF file"):
        call_command("verify_certificate", str(tmp_path))
