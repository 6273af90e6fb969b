"""Signatures under the paper, by a key that stays open between certificates.

PAdES B-B (ETSI EN 319 142-1) with DocMDP P=1; `archiving` adds time-stamps, `examination` judges.
"""

import asyncio
import hashlib
from datetime import datetime
from functools import lru_cache

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pyhanko.sign.signers.pdf_cms import ExternalSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from certificates.authority import Signer
from certificates.syntax import RANGE_PLACEHOLDER, TIME_PLACEHOLDER

LONGEST_ECDSA = 72
"""Bytes of a DER sequence of two 256-bit numbers."""


class NothingToSign(ValueError):
    """The file has no empty signature to fill."""


def as_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    """Return a certificate as pyHanko wants it."""
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
        self._sign = signer.key.sign
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        for one in (*signer.between, signer.root):
            store.register(as_asn1(one))
        public = signer.certificate.public_key()
        size = public.key_size // 8 if isinstance(public, rsa.RSAPublicKey) else LONGEST_ECDSA
        sampler = ExternalSigner(
            as_asn1(signer.certificate), store, signature_value=bytes(size), embed_roots=True
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
        signature = self._sign(attributes)
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
