"""What we say of a file: the register's word first, cryptography second."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certificates.authority import Signer
from certificates.models import Certificate
from certificates.verdicts import Answer, Finding, judge
from tests import builders
from tests.certificates.issuing import issued, paper_of
from tests.certificates.making import signed
from tests.certificates.test_signing import white_box

pytestmark = pytest.mark.django_db
ON = date(2018, 7, 1)
CASES = 2000 if os.environ.get("OUTREACH_LONG") == "1" else 60


@pytest.fixture
def made(place: builders.County, files: Path) -> Certificate:
    return issued(place, files)[0]


@pytest.fixture
def paper(made: Certificate) -> bytes:
    return paper_of(made)


@pytest.mark.parametrize(
    ("state", "on", "finding"),
    [
        ("valid", ON, Finding.UNCHANGED),
        ("valid", date(2028, 6, 13), Finding.UNCHANGED),
        ("valid", date(2028, 6, 14), Finding.EXPIRED),
        ("replaced", ON, Finding.REPLACED),
        ("frozen", ON, Finding.FROZEN),
        ("cancelled", ON, Finding.CANCELLED),
        ("cancelled", date(2030, 1, 1), Finding.CANCELLED),
    ],
)
def test_the_register_says_how_our_file_stands(
    made: Certificate, paper: bytes, state: str, on: date, finding: Finding
) -> None:
    Certificate.objects.update(state=state)
    answer = judge(paper, on=on)
    assert (answer.finding, answer.certificate) == (finding, made)
    assert answer.is_valid == (finding == Finding.UNCHANGED)


def test_our_file_stays_ours_when_the_signing_key_is_gone(
    paper: bytes, settings: object, tmp_path: Path
) -> None:
    settings.OUTREACH_KEYS_DIR = tmp_path / "lost"  # type: ignore[attr-defined]
    assert judge(paper, on=ON).is_valid


def test_changed_padding_within_the_signature_is_found(paper: bytes) -> None:
    found = re.search(rb"/Contents<[0-9a-f]+>", paper)
    assert found
    padded = paper[: found.end() - 2] + b"1" + paper[found.end() - 1 :]
    assert judge(padded, on=ON).finding == Finding.ALTERED


@pytest.mark.parametrize("tail", [b"\n", b"%", b"\0" * 10, b"%%EOF\n"])
def test_trailing_bytes_are_found(paper: bytes, tail: bytes) -> None:
    assert judge(paper + tail, on=ON).finding == Finding.ALTERED


def test_a_white_box_over_the_name_is_found(paper: bytes) -> None:
    answer = judge(white_box(paper), on=ON)
    assert answer.finding == Finding.ALTERED
    assert [str(change) for change in answer.changes] != []


def test_a_file_we_signed_but_never_entered_is_refused(made: Certificate, signer: Signer) -> None:
    assert judge(signed(signer), on=ON).finding == Finding.ALTERED


def test_an_authority_of_the_same_name_is_not_ours(made: Certificate, impostor: Signer) -> None:
    assert judge(signed(impostor), on=ON) == Answer(Finding.NOT_OURS)


@pytest.mark.usefixtures("looked_into_here")
@settings(max_examples=CASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_changed_byte_anywhere_is_found(paper: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(paper) - 1))
    altered = bytearray(paper)
    altered[at] ^= data.draw(st.integers(1, 255))
    assert judge(bytes(altered), on=ON).finding in (Finding.ALTERED, Finding.NOT_OURS)
