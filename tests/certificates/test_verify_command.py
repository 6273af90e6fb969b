"""manage.py verify_certificate: 0 ours and valid, 1 not."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from certificates.models import Certificate
from tests import builders
from tests.certificates.issuing import issued, paper_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(place: builders.County, files: Path, tmp_path: Path) -> Path:
    target = tmp_path / "certificate.pdf"
    target.write_bytes(paper_of(issued(place, files)[0]))
    return target


def verify(file: Path) -> tuple[int, str]:
    """Run the command; return its exit status and the first word it says."""
    out = io.StringIO()
    try:
        call_command("verify_certificate", str(file), stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue().split(":")[0]
    return 0, out.getvalue().split(":")[0]


def test_our_untouched_certificate_passes(file: Path) -> None:
    assert verify(file) == (0, "ours_unchanged")


def test_one_changed_byte_is_told(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert verify(file) == (1, "altered")


def test_a_cancelled_certificate_does_not_pass(file: Path) -> None:
    Certificate.objects.update(state="cancelled")
    assert verify(file) == (1, "ours_but_cancelled")


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"\xff" * 100])
def test_another_file_does_not_pass(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert verify(file) == (1, "not_ours")


def test_a_file_that_is_not_there_is_an_error(file: Path) -> None:
    with pytest.raises(CommandError, match=r"missing\.pdf cannot be read"):
        call_command("verify_certificate", str(file.with_name("missing.pdf")))


def test_what_is_said_never_contains_the_number(file: Path) -> None:
    out = io.StringIO()
    call_command("verify_certificate", str(file), stdout=out)
    assert Certificate.objects.get().number not in out.getvalue()
