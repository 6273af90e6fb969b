"""Signatures under the paper and their examination: the only module that knows pyHanko and CMS.

PAdES B-B (ETSI EN 319 142-1) with DocMDP P=1, by a key that stays open between certificates.
"""

import asyncio
import hashlib
import logging
import re
import zlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from io import BytesIO

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.signers.pdf_cms import ExternalSigner
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from certificates.authority import Signer, Trust
from certificates.syntax import RANGE_PLACEHOLDER, TIME_PLACEHOLDER

SIGNATURE_VALUE = re.compile(rb"(30(?:[0-9A-Fa-f]{2}){256,})")
STREAM = re.compile(rb"stream\r?\n(?=\x78)")
LARGEST_INFLATED = 32 * 1024 * 1024
for _name in ("pyhanko", "pyhanko_certvalidator"):  # a forged file is an answer, not an incident
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)


class NothingToSign(ValueError):
    """The file has no empty signature to fill."""


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


def sign(pdf: bytes, signer: Signer, at: datetime) -> bytes:
    """Fill the empty signature of a drawn certificate (PAdES B-B, ETSI EN 319 142-1, 6.3).

    `at` is the real time of signing; it stands in /M, as PAdES wants, and not in the CMS.
    """
    contents = pdf.rfind(b"/Contents<000000")
    if contents < 0:
        raise NothingToSign
    start = contents + len(b"/Contents")
    end = pdf.index(b">", start) + 1
    filled = bytearray(pdf)
    _fill(filled, TIME_PLACEHOLDER, _pdf_time(at))
    _fill(filled, RANGE_PLACEHOLDER, f"[0 {start} {end} {len(pdf) - end}]".encode())
    digest = hashlib.sha256(memoryview(filled)[:start])
    digest.update(memoryview(filled)[end:])
    cms = _writer(signer).write(digest.digest())
    if 2 * len(cms) > end - start - 2:
        raise NothingToSign("the signature is larger than the room kept for it")
    filled[start + 1 : start + 1 + 2 * len(cms)] = cms.hex().encode()
    return bytes(filled)


def _fill(pdf: bytearray, placeholder: bytes, value: bytes) -> None:
    at = pdf.rindex(placeholder)
    pdf[at : at + len(placeholder)] = value.ljust(len(placeholder))


def _pdf_time(at: datetime) -> bytes:
    zone = at.strftime("%z")
    return f"(D:{at:%Y%m%d%H%M%S}{zone[:3]}'{zone[3:5]}')".encode()


class _CmsWriter:
    """Writes a CMS SignedData (RFC 5652, 5) in which only digest and signature vary.

    pyHanko lays out one sample; writing its parts again as DER is forty times faster than
    building each. Every kind of output is validated by pyHanko and pdfsig in the tests.
    """

    def __init__(self, signer: Signer) -> None:
        self._key = signer.key
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register(_asn1(signer.root))
        sampler = ExternalSigner(
            _asn1(signer.certificate), store, signature_value=bytes(72), embed_roots=True
        )
        zero = bytes(hashlib.sha256().digest_size)
        sample = asyncio.run(sampler.async_sign(zero, "sha256", use_pades=True))
        signed = sample["content"]
        info = signed["signer_infos"][0]
        self._before = b"".join(
            signed[name].dump()
            for name in ("version", "digest_algorithms", "encap_content_info", "certificates")
        )
        self._identity = b"".join(
            info[name].dump() for name in ("version", "sid", "digest_algorithm")
        )
        attributes = info["signed_attrs"].untag().dump(force=True)
        self._attributes = attributes.split(_octets(zero))
        self._algorithm = info["signature_algorithm"].dump()
        self._type = sample["content_type"].dump()

    def write(self, digest: bytes) -> bytes:
        """Return the DER of a ContentInfo over a file's digest."""
        attributes = _octets(digest).join(self._attributes)
        signature = self._key.sign(attributes, ec.ECDSA(hashes.SHA256()))
        # RFC 5652, 5.4: signed as a SET OF, embedded with the implicit tag [0].
        info = _sequence(
            self._identity, b"\xa0" + attributes[1:], self._algorithm, _octets(signature)
        )
        signed = _sequence(self._before, _der(0x31, info))
        return _sequence(self._type, _der(0xA0, signed))


def _der(tag: int, *parts: bytes) -> bytes:
    """Encode one DER value (X.690, 8.1)."""
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def _sequence(*parts: bytes) -> bytes:
    return _der(0x30, *parts)


def _octets(data: bytes) -> bytes:
    return _der(0x04, data)


@lru_cache(maxsize=4)
def _writer(signer: Signer) -> _CmsWriter:
    return _CmsWriter(signer)


# ---- examination


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


def examine(pdf: bytes, trust: Trust) -> Examination:
    """Judge a file by its signature, our root and its coverage of the entire file.

    Padding inside /Contents and some trailing bytes escape this, so whoever calls compares the
    file's SHA-256 with the register first: an unknown file that is `INTACT` here is not ours.
    """
    if not _carries_our_signature(pdf, trust.root):
        return FOREIGN
    found = [] if _inflates_too_far(pdf) else _read(pdf, trust)
    ours = [changes for changes in found if changes is not None]
    if not ours:
        return Examination(Verdict.ALTERED, (Change.CONTENT,))
    changes = set().union(*ours) | ({Change.ADDED} if len(found) > 1 else set())
    return Examination(Verdict.ALTERED if changes else Verdict.INTACT, tuple(sorted(changes)))


def _read(pdf: bytes, trust: Trust) -> list[set[Change] | None]:
    try:
        reader = PdfFileReader(BytesIO(pdf), strict=False)
        return [_judge(one, trust) for one in reader.embedded_signatures]
    except Exception:  # a hostile file breaks the parser in any way it likes
        return []


def _inflates_too_far(pdf: bytes) -> bool:
    """Tell whether the file's streams would fill the memory of whoever opens them."""
    left = LARGEST_INFLATED
    for match in STREAM.finditer(pdf):
        opened = zlib.decompressobj()
        with suppress(zlib.error):
            left -= len(opened.decompress(memoryview(pdf)[match.end() :], left))
        if left <= 0:
            return True
    return False


def _judge(embedded: EmbeddedPdfSignature, trust: Trust) -> set[Change] | None:
    """Return what was changed under one signature, or None when its signer is not ours."""
    context = ValidationContext(
        trust_roots=[_asn1(trust.root)], allow_fetching=False, other_certs=[]
    )
    status = validate_pdf_signature(embedded, signer_validation_context=context)
    if not status.trusted:
        return None
    changes: set[Change] = set()
    if not status.intact:
        changes.add(Change.CONTENT)
    if not status.valid:
        changes.add(Change.SIGNATURE)
    if status.coverage != SignatureCoverageLevel.ENTIRE_FILE:
        changes.add(Change.ADDED)
    if not changes and not status.bottom_line:
        changes.add(Change.OUTSIDE)
    return changes


def _carries_our_signature(pdf: bytes, root: x509.Certificate) -> bool:
    """Tell whether a genuine signature of ours stands anywhere in a file, however broken."""
    return any(
        _is_genuine(bytes.fromhex(match[1].decode()), root)
        for match in SIGNATURE_VALUE.finditer(pdf)
    )


def _is_genuine(value: bytes, root: x509.Certificate) -> bool:
    try:
        signed = cms.ContentInfo.load(value)["content"]
        info = signed["signer_infos"][0]
        attributes = info["signed_attrs"].untag().dump(force=True)
        signature = info["signature"].native
        for one in signed["certificates"]:
            leaf = x509.load_der_x509_certificate(one.dump())
            if _is_by(leaf, root, attributes, signature):
                return True
    except (ValueError, TypeError, KeyError, IndexError):
        return False
    return False


def _is_by(leaf: x509.Certificate, root: x509.Certificate, data: bytes, signature: bytes) -> bool:
    public = leaf.public_key()
    if leaf == root or not isinstance(public, ec.EllipticCurvePublicKey):
        return False
    try:
        leaf.verify_directly_issued_by(root)
        public.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
