"""The QR credential: a CWT (RFC 8392) in a COSE_Sign1 (RFC 9052), base45 (RFC 9285).

It can be verified with no network by whoever holds the issuer's public key. Short claims keep
the code at QR version 10, readable from a 150-dpi print.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, Protocol
from uuid import UUID

import base45
import cbor2

from certificates.content import CATEGORY_DIGITS, CertificateFacts

PREFIX = "DPC1:"
SIGN1_TAG = 18
ALGORITHM, ES256, TYPE, KEY_ID = 1, -7, 3, 4
ISSUER, EXPIRES, ISSUED, TOKEN_ID, HOLDER = 1, 4, 6, 7, -65537
CHINA = timezone(timedelta(hours=8))
CATEGORIES = {digit: category for category, digit in CATEGORY_DIGITS.items()}

Verify = Callable[[bytes, bytes], bool]


class CredentialKey(Protocol):
    """A key that signs credentials."""

    @property
    def key_id(self) -> bytes:
        """Name the key (COSE `kid`)."""

    @property
    def sign(self) -> Callable[[bytes], bytes]:
        """Sign bytes as ES256, raw r‖s (RFC 9053, 2.1)."""


class MalformedCredential(ValueError):
    """The text is not a credential of this kind."""

    def __init__(self) -> None:
        super().__init__("this code is not a certificate's code")


class UntrustedCredential(ValueError):
    """The credential is signed by a key that is not ours, or the signature does not fit."""

    def __init__(self) -> None:
        super().__init__("this code was not signed by us, or was altered")


@dataclass(frozen=True, slots=True)
class Credential:
    """What a verified code says."""

    certificate: UUID
    issuer: str
    name: str
    number: str
    category: str
    grade: int
    issued_on: date
    valid_until: date
    demo: bool


def write_credential(facts: CertificateFacts, certificate: UUID, key: CredentialKey) -> str:
    """Return the text of the QR code: at most 301 characters for ordinary names."""
    holder = [facts.name, facts.number, int(CATEGORY_DIGITS[facts.category]), facts.grade]
    claims = {
        ISSUER: facts.issuer_name,
        EXPIRES: _moment(facts.valid_until, time(23, 59, 59)),
        ISSUED: _moment(facts.issued_on, time(0)),
        TOKEN_ID: certificate.bytes,
        HOLDER: [*holder, facts.demo],
    }
    return f"{PREFIX}{base45.b45encode(write_message(claims, key)).decode()}"


def write_message(
    claims: Mapping[int, Any], key: CredentialKey, *, content_type: str = ""
) -> bytes:
    """Return a COSE_Sign1 over claims; the content type keeps kinds of messages apart."""
    header = {ALGORITHM: ES256, KEY_ID: key.key_id} | ({TYPE: content_type} if content_type else {})
    protected, payload = cbor2.dumps(header), cbor2.dumps(claims)
    signature = key.sign(_signed_bytes(protected, payload))
    return cbor2.dumps(cbor2.CBORTag(SIGN1_TAG, [protected, {}, payload, signature]))


def read_credential(text: str, keys: Mapping[bytes, Verify]) -> Credential:
    """Verify the text of a QR code; raise `MalformedCredential` or `UntrustedCredential`."""
    if not text.startswith(PREFIX):
        raise MalformedCredential
    try:
        message = base45.b45decode(text[len(PREFIX) :])
    except ValueError as error:
        raise MalformedCredential from error
    return _credential(open_message(message, keys))


def open_message(message: bytes, keys: Mapping[bytes, Verify], *, content_type: str = "") -> Any:
    """Verify a COSE_Sign1 of ours and return its claims.

    Raises `MalformedCredential` or `UntrustedCredential`.
    """
    protected, payload, signature = _parts(message)
    header = _load(protected)
    if not isinstance(header, dict) or header.get(ALGORITHM) != ES256:
        raise MalformedCredential
    if header.get(TYPE, "") != content_type:
        raise MalformedCredential
    name = header.get(KEY_ID)
    verify = keys.get(name) if isinstance(name, bytes) else None
    if verify is None or not verify(_signed_bytes(protected, payload), signature):
        raise UntrustedCredential
    return _load(payload)


def key_of(message: bytes) -> bytes:
    """Return which key a message of ours says to be signed by; nothing is verified."""
    named: bytes = _load(_parts(message)[0])[KEY_ID]
    return named


def _moment(day: date, clock: time) -> int:
    return int(datetime.combine(day, clock, CHINA).timestamp())


def _signed_bytes(protected: bytes, payload: bytes) -> bytes:
    """Return the Sig_structure (RFC 9052, 4.4)."""
    return cbor2.dumps(["Signature1", protected, b"", payload])


def _parts(encoded: bytes) -> tuple[bytes, bytes, bytes]:
    message = _load(encoded)
    parts = message.value if isinstance(message, cbor2.CBORTag) else None
    if not isinstance(parts, list | tuple) or len(parts) != 4 or message.tag != SIGN1_TAG:
        raise MalformedCredential
    protected, unprotected, payload, signature = parts
    bodies = (protected, payload, signature)
    if unprotected != {} or not all(isinstance(body, bytes) for body in bodies):
        raise MalformedCredential
    return bodies


def _load(data: bytes) -> Any:
    """Decode exactly one CBOR item."""
    try:
        item = cbor2.loads(data)
        again = cbor2.dumps(item)
    except (cbor2.CBORError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise MalformedCredential from error
    if again != data:  # trailing bytes or another encoding of the same claims
        raise MalformedCredential
    return item


def _credential(claims: Mapping[int, Any]) -> Credential:
    """Read claims that we signed ourselves."""
    name, number, category, grade, demo = claims[HOLDER]
    return Credential(
        certificate=UUID(bytes=claims[TOKEN_ID]),
        issuer=claims[ISSUER],
        name=name,
        number=number,
        category=CATEGORIES[str(category)],
        grade=grade,
        issued_on=datetime.fromtimestamp(claims[ISSUED], CHINA).date(),
        valid_until=datetime.fromtimestamp(claims[EXPIRES], CHINA).date(),
        demo=demo,
    )
