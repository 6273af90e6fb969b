"""What cryptography alone can say of a file: by our root, whole, and with nothing added.

A hostile file breaks a parser in any way it likes, so one is only looked into when a genuine
signature of ours stands in it, and a stranger's by a process of its own (`certificates.apart`).
"""

import logging
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from io import BytesIO
from pathlib import Path

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import (
    DocumentTimestampStatus,
    PdfSignatureStatus,
    SignatureCoverageLevel,
)
from pyhanko_certvalidator import ValidationContext

from certificates import apart
from certificates.authority import Trust, load_trust
from certificates.keys import verifies
from certificates.signing import as_asn1

HEXADECIMAL = re.compile(rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{514,}")
"""A run of digits in which a signature may stand; begun once, so that it takes no longer than its
length."""
for _name in ("pyhanko", "pyhanko_certvalidator"):  # a forged file is an answer, not an incident
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)


class Verdict(StrEnum):
    """What cryptography alone can say of a file."""

    INTACT = "intact"
    ALTERED = "altered"
    FOREIGN = "foreign"


class Change(StrEnum):
    """What was done to a file that carries our signature."""

    CONTENT = "content"
    ADDED = "added"
    SIGNATURE = "signature"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Examination:
    """The verdict on one file, and what was changed where it was altered."""

    verdict: Verdict
    changes: tuple[Change, ...] = ()


FOREIGN = Examination(Verdict.FOREIGN)
BEYOND = Examination(Verdict.ALTERED, (Change.CONTENT,))
"""What is said of a file that takes more to look into than any paper of ours."""


def examined(pdf: bytes, folder: Path) -> Examination:
    """Judge a file by a process of its own, as `examine` does by the roots in a folder of keys.

    Raises `OSError` where that cannot be done now.
    """
    said = apart.run("certificates.examination", str(folder.resolve()), content=pdf)
    if said is None:
        return BEYOND
    verdict, *changes = said.split()
    return Examination(Verdict(verdict), tuple(map(Change, changes)))


def examine(pdf: bytes, trust: Trust) -> Examination:
    """Judge a file by its signature, our roots and the coverage of the entire file.

    Padding inside /Contents and some trailing bytes escape this, so whoever calls compares the
    file's SHA-256 with the register first: an unknown file that is `INTACT` here is not ours.
    Time-stamps that `archiving` appended must cover what stands before them, and the last the
    entire file.
    """
    if not carries_our_signature(pdf, trust):
        return FOREIGN
    ours = _read(pdf, trust)
    if not ours:
        return BEYOND
    changes = set().union(*ours)
    return Examination(Verdict.ALTERED if changes else Verdict.INTACT, tuple(sorted(changes)))


def _read(pdf: bytes, trust: Trust) -> list[set[Change]]:
    try:
        reader = PdfFileReader(BytesIO(pdf), strict=False)
        signatures = list(reader.embedded_regular_signatures)
        stamps = list(reader.embedded_timestamp_signatures)
        judged = [_judge(one, trust, is_last=not stamps) for one in signatures]
        ours = [changes for changes in judged if changes is not None]
        if ours and len(signatures) > 1:
            ours.append({Change.ADDED})
        return ours and ours + [_judge_stamp(one, one is stamps[-1]) for one in stamps]
    except Exception:  # a hostile file breaks the parser in any way it likes
        return []


def _judge(embedded: EmbeddedPdfSignature, trust: Trust, *, is_last: bool) -> set[Change] | None:
    """Return what was changed under one signature, or None when its signer is not ours."""
    context = _context(trust, embedded.signer_cert)
    status = validate_pdf_signature(
        embedded, signer_validation_context=context, ts_validation_context=context
    )
    if not status.trusted or not _is_ours(embedded, trust):
        return None
    changes = _broken(status)
    if not _is_covered(status, is_last):
        changes.add(Change.ADDED)
    stamp = status.timestamp_validity
    if stamp is not None and not (stamp.intact and stamp.valid):
        changes.add(Change.SIGNATURE)
    if not changes and not (status.docmdp_ok and status.seed_value_ok):
        changes.add(Change.OUTSIDE)
    return changes


def _is_ours(embedded: EmbeddedPdfSignature, trust: Trust) -> bool:
    chain = (embedded.signer_cert, *embedded.other_embedded_certs)
    leaf, *others = (x509.load_der_x509_certificate(one.dump()) for one in chain)
    return leaf in trust.ours((leaf, *others))


def _judge_stamp(embedded: EmbeddedPdfSignature, is_last: bool) -> set[Change]:
    """Return what was changed under a time-stamp over the document, whoever's time it is."""
    context = ValidationContext(trust_roots=[], allow_fetching=False)
    status = validate_pdf_timestamp(embedded, validation_context=context)
    return _broken(status) | (set() if _is_covered(status, is_last) else {Change.ADDED})


def _broken(status: PdfSignatureStatus | DocumentTimestampStatus) -> set[Change]:
    changes = set() if status.intact else {Change.CONTENT}
    return changes if status.valid else changes | {Change.SIGNATURE}


def _is_covered(status: PdfSignatureStatus | DocumentTimestampStatus, is_last: bool) -> bool:
    if status.coverage == SignatureCoverageLevel.ENTIRE_FILE:
        return True
    level = status.modification_level
    return not is_last and level is not None and level <= ModificationLevel.LTA_UPDATES


def _context(trust: Trust, leaf: asn1_x509.Certificate) -> ValidationContext:
    """Trust our roots only, as long as the signer's certificate lasted: papers outlive it."""
    moment = min(datetime.now(UTC), leaf.not_valid_after - timedelta(seconds=1))
    return ValidationContext(
        trust_roots=[as_asn1(one) for one in (*trust.roots, *trust.time_roots)],
        allow_fetching=False,
        moment=moment,
    )


def carries_our_signature(pdf: bytes, trust: Trust) -> bool:
    """Tell whether a genuine signature of ours stands anywhere in a file, however broken."""
    return any(_is_genuine(value, trust) for value in _values(pdf))


def _values(pdf: bytes) -> Iterator[bytes]:
    """Yield what may be a signature: DER that begins with a sequence (X.690, 8.9)."""
    for run in HEXADECIMAL.findall(pdf):
        _before, begin, rest = run.partition(b"30")
        digits = begin + rest
        yield bytes.fromhex(digits[: len(digits) // 2 * 2].decode())


def _is_genuine(value: bytes, trust: Trust) -> bool:
    try:
        signed = cms.ContentInfo.load(value)["content"]
        info = signed["signer_infos"][0]
        attributes = info["signed_attrs"].untag().dump(force=True)
        signature = info["signature"].native
        chain = {x509.load_der_x509_certificate(one.dump()) for one in signed["certificates"]}
        ours = trust.ours(chain)
        return any(verifies(one.public_key(), signature, attributes) for one in ours)
    except Exception:  # as in `_read`: bytes that look like a signature can be anything
        return False


if __name__ == "__main__":
    _found = examine(apart.given(), load_trust(Path(sys.argv[1])))
    sys.stdout.write(" ".join((_found.verdict, *_found.changes)))
