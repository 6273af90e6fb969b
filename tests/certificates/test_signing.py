"""Signatures: valid to pyHanko, pdfsig and OpenSSL's eyes; every alteration is found."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, NameObject, StreamObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from certificates.authority import Signer, Trust
from certificates.examination import Change, Examination, Verdict, examine
from certificates.signing import NothingToSign, as_asn1, sign
from tests.certificates.kinds import KINDS
from tests.certificates.making import SIGNED_AT, drawn, run, signed

CASES = 2000 if os.environ.get("OUTREACH_LONG") == "1" else 60
INTACT = Examination(Verdict.INTACT)
FOREIGN = Examination(Verdict.FOREIGN)


def status_of(pdf: bytes, signer: Signer) -> Any:
    embedded = PdfFileReader(io.BytesIO(pdf)).embedded_signatures[0]
    context = ValidationContext(trust_roots=[as_asn1(signer.root)], allow_fetching=False)
    return validate_pdf_signature(embedded, context)


def signature_value(pdf: bytes) -> tuple[int, int]:
    """Return where the hexadecimal signature starts and ends, padding included."""
    found = re.search(rb"/Contents<([0-9a-f]+)>", pdf)
    assert found
    return found.span(1)


@pytest.mark.parametrize("changes", KINDS.values(), ids=KINDS)
def test_pyhanko_finds_every_kind_of_paper_valid_and_wholly_covered(
    signer: Signer, changes: dict[str, Any]
) -> None:
    status = status_of(signed(signer, **changes), signer)
    assert status.bottom_line
    assert status.coverage == SignatureCoverageLevel.ENTIRE_FILE


def test_no_change_is_permitted_after_signing(certificate: bytes) -> None:
    reader = PdfFileReader(io.BytesIO(certificate))
    permission = reader.root["/Perms"]["/DocMDP"]["/Reference"][0]["/TransformParams"]["/P"]
    assert permission == 1


@pytest.mark.parametrize("changes", KINDS.values(), ids=KINDS)
def test_pdfsig_calls_the_signature_of_every_kind_valid(
    signer: Signer, changes: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "certificate.pdf"
    file.write_bytes(signed(signer, **changes))
    said = run("pdfsig", "-nocert", file)
    assert "Signature is Valid." in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said


def test_the_signing_time_is_the_moment_given_and_stands_outside_the_cms(
    certificate: bytes,
) -> None:
    start, end = signature_value(certificate)
    info = cms.ContentInfo.load(bytes.fromhex(certificate[start:end].decode()))
    attributes = info["content"]["signer_infos"][0]["signed_attrs"]
    assert {one["type"].native for one in attributes} == {
        "content_type",
        "message_digest",
        "signing_certificate_v2",
    }
    assert b"/M(D:20261124093000+00'00')" in certificate


def test_our_writer_lays_a_cms_out_as_its_parser_does(certificate: bytes) -> None:
    start, end = signature_value(certificate)
    raw = bytes.fromhex(certificate[start:end].decode())
    parsed = cms.ContentInfo.load(raw)
    written = parsed.dump(force=True)
    assert raw == written + bytes(len(raw) - len(written))


def test_a_paper_without_an_empty_signature_is_not_signed(
    certificate: bytes, signer: Signer
) -> None:
    with pytest.raises(NothingToSign):
        sign(certificate, signer, SIGNED_AT)
    with pytest.raises(NothingToSign):
        sign(b"%PDF-1.7", signer, SIGNED_AT)


def test_an_untouched_certificate_is_intact(certificate: bytes, trust: Trust) -> None:
    assert examine(certificate, trust) == INTACT


def test_an_authority_of_the_same_name_is_foreign(impostor: Signer, trust: Trust) -> None:
    assert examine(signed(impostor), trust) == FOREIGN


@pytest.mark.parametrize("pdf", [b"", b"%PDF-1.7", b"\0" * 5000, b"<" + b"30" * 600 + b">"])
def test_what_is_no_certificate_at_all_is_foreign(pdf: bytes, trust: Trust) -> None:
    assert examine(pdf, trust) == FOREIGN


def test_an_unsigned_drawing_is_foreign(trust: Trust) -> None:
    assert examine(drawn(), trust) == FOREIGN


def test_a_removed_signature_leaves_a_foreign_file(certificate: bytes, trust: Trust) -> None:
    start, end = signature_value(certificate)
    bare = certificate[:start] + b"0" * (end - start) + certificate[end:]
    assert examine(bare, trust) == FOREIGN


def test_a_signature_moved_to_another_paper_is_found(
    certificate: bytes, signer: Signer, trust: Trust
) -> None:
    other = signed(signer, name="王大明")
    start, end = signature_value(certificate)
    there = signature_value(other)
    moved = other[: there[0]] + certificate[start:end] + other[there[1] :]
    assert examine(moved, trust) == Examination(Verdict.ALTERED, (Change.CONTENT,))


def white_box(pdf: bytes) -> bytes:
    """Return the file with a white box drawn over the name by an incremental update."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    page = writer.root["/Pages"]["/Kids"][0]
    box = StreamObject(stream_data=b"1 1 1 rg 60 615 240 30 re f")
    reference = writer.add_object(box)
    page[NameObject("/Contents")] = ArrayObject([*page["/Contents"], reference])
    writer.update_container(page)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def flipped(pdf: bytes, at: int, bit: int = 0) -> bytes:
    """Return the file with one bit flipped."""
    altered = bytearray(pdf)
    altered[at] ^= 1 << bit
    return bytes(altered)


def note_beside(pdf: bytes) -> bytes:
    """Return the file with another document information dictionary appended."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    writer.root[NameObject("/Note")] = DictionaryObject()
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize("change", [white_box, note_beside])
def test_an_incremental_update_is_found(change: Any, certificate: bytes, trust: Trust) -> None:
    altered = change(certificate)
    assert altered.startswith(certificate)
    assert examine(altered, trust) == Examination(Verdict.ALTERED, (Change.ADDED,))


def test_what_is_appended_is_found(certificate: bytes, trust: Trust) -> None:
    assert examine(certificate + b"\n% note\n", trust).verdict == Verdict.ALTERED


@settings(max_examples=CASES)
@given(data=st.data())
def test_one_flipped_bit_in_the_signed_bytes_is_found(
    certificate: bytes, trust: Trust, data: st.DataObject
) -> None:
    start, end = signature_value(certificate)
    at = data.draw(st.integers(0, len(certificate) - 1).filter(lambda i: not start <= i < end))
    altered = bytearray(certificate)
    altered[at] ^= 1 << data.draw(st.integers(0, 7))
    assert examine(bytes(altered), trust).verdict == Verdict.ALTERED


@settings(max_examples=CASES // 3)
@given(data=st.data())
def test_a_truncated_file_is_found(certificate: bytes, trust: Trust, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, len(certificate) - 1))
    assert examine(certificate[:length], trust).verdict != Verdict.INTACT
