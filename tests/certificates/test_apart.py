"""What a stranger wraps into a file, or a holder appends to a genuine paper: answered, and soon."""

from __future__ import annotations

import re
import resource
import zlib
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from time import process_time

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image

from certificates import apart
from certificates.authority import Trust
from certificates.examination import Change, Examination, Verdict, examine, examined
from certificates.scanning import codes_in
from certificates.signing import as_asn1
from tests.certificates.making import SIGNED_AT
from tests.certificates.test_signing import FOREIGN, INTACT, signature_value, white_box


def circle(count: int) -> bytes:
    """Return a signature beside certificates of one name and key, of which each vouches for all."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    made = (
        x509.CertificateBuilder(name, name, key.public_key())
        .serial_number(number + 1)
        .not_valid_before(SIGNED_AT)
        .not_valid_after(SIGNED_AT + timedelta(days=1))
        .sign(key, hashes.SHA256())
        for number in range(count)
    )
    attributes = cms.CMSAttributes([cms.CMSAttribute({"type": "content_type", "values": ["data"]})])
    how = {"algorithm": "sha256"}
    info = cms.SignerInfo(
        {
            "version": "v3",
            "sid": cms.SignerIdentifier({"subject_key_identifier": b"x"}),
            "digest_algorithm": how,
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256())),
        }
    )
    signed = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [how],
            "encap_content_info": {"content_type": "data"},
            "certificates": [as_asn1(one) for one in made],
            "signer_infos": [info],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump())


def test_many_certificates_that_vouch_for_each_other_occupy_nobody(trust: Trust) -> None:
    """Each was followed through all others: five megabytes of them for hours."""
    pdf = b"%%PDF-1.7\n/Contents<%b>" % circle(200).hex().encode()
    began = process_time()
    assert examine(pdf, trust) == FOREIGN
    assert process_time() - began < 1


def test_digits_that_begin_no_signature_are_read_once(trust: Trust) -> None:
    began = process_time()
    assert examine((b"30" * 255 + b" ") * 5_000, trust) == FOREIGN
    assert process_time() - began < 0.3


def without_end(certificate: bytes) -> bytes:
    """Append a table of two billion places, which stands in no byte of the file."""
    root = re.search(rb"/Root (\d+ 0 R)", certificate)
    before = re.findall(rb"startxref\s+(\d+)", certificate)[-1]
    assert root
    return certificate + (
        b"\n9999 0 obj\n<</Type/XRef/Size 2000000000/W[0 0 0]/Index[0 2000000000]/Root %b"
        b"/Prev %b/Length 0>>\nstream\n\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n"
        % (root[1], before, len(certificate) + 1)
    )


def bomb(certificate: bytes) -> bytes:
    """Wrap our signature beside a stream that unpacks to 200 megabytes."""
    start, end = signature_value(certificate)
    packed = zlib.compress(bytes(200_000_000), 9)
    return b"%%PDF-1.7\n1 0 obj\n<<>>\nstream\n%b\nendstream\n<%b>" % (
        packed,
        certificate[start:end],
    )


@pytest.mark.parametrize("hostile", [without_end, bomb])
def test_what_would_fill_the_memory_was_altered(
    hostile: object, certificate: bytes, keys: Path
) -> None:
    """A paper of 140 kB took 20 GB of the server's memory, and its other work with it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = examined(hostile(certificate), keys)  # type: ignore[operator]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert found == Examination(Verdict.ALTERED, (Change.CONTENT,))
    assert after.ru_utime - before.ru_utime < apart.SECONDS + 1
    assert after.ru_maxrss * 1024 < apart.ROOM


def test_a_picture_made_to_be_looked_through_for_hours_has_no_code() -> None:
    """A picture of 30 kB, full of the corners of codes, held a processor for minutes."""
    corner = Image.new("1", (8, 8), 1)
    corner.paste(0, (0, 0, 7, 7))
    corner.paste(1, (1, 1, 6, 6))
    corner.paste(0, (2, 2, 5, 5))
    full = Image.new("1", (2000, 2000))
    for at in range(0, 2000, 8):
        full.paste(corner, (at, 0))
    row = full.crop((0, 0, 2000, 8))
    for at in range(8, 2000, 8):
        full.paste(row, (0, at))
    file = BytesIO()
    full.save(file, "PNG")
    assert codes_in(file.getvalue()) == []


def test_an_ordinary_file_is_judged_as_by_itself(certificate: bytes, keys: Path) -> None:
    assert examined(certificate, keys) == INTACT
    altered = Examination(Verdict.ALTERED, (Change.ADDED,))
    assert examined(white_box(certificate), keys) == altered


def test_where_it_cannot_be_looked_into_nothing_is_said_of_a_file(
    certificate: bytes, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match=r"root\.crt\.pem"):
        examined(certificate, tmp_path)
