"""The canonical form of a mutation, its hash chain and its signature: pure functions."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

ZERO = "0" * 64
_SIGNED = ("seq", "id", "name", "v", "at", "args")


_EXACT = 2**53 - 1
_ECDSA = ec.ECDSA(hashes.SHA256())


class NotCanonical(ValueError):
    """A value has no canonical form: an infinite number, no number, or half a character."""


class _Unusual(Exception):
    """Python's own encoder might write this value differently from RFC 8785."""


def canonical(mutation: dict[str, Any]) -> bytes:
    """Return the bytes that are hashed and signed (RFC 8785 over the six signed members).

    Raises `NotCanonical`.
    """
    return canonical_json({name: mutation[name] for name in _SIGNED})


def canonical_json(value: Any) -> bytes:
    """Return the canonical JSON of a value (RFC 8785). Raises `NotCanonical`."""
    try:
        return _encode(_usual(value)).encode()
    except (_Unusual, UnicodeEncodeError):
        pass
    try:
        return rfc8785.dumps(_doubles(value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, OverflowError) as error:
        raise NotCanonical(str(error)) from error


def _doubles(value: Any) -> Any:
    """Return the value with each number as JavaScript reads it, where it has no other integers."""
    if type(value) is dict:
        return {name: _doubles(item) for name, item in value.items()}
    if type(value) is list:
        return [_doubles(item) for item in value]
    if type(value) is int and abs(value) > _EXACT:
        return float(value)
    return value


_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":")
).encode


def _usual(value: Any) -> Any:
    """Return the value for Python's encoder, five times as fast as RFC 8785 in Python.

    The two agree where names are ASCII (else the order of UTF-16 differs), integers are exact
    in a double, and floats need no exponent; raises `_Unusual` elsewhere.
    """
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return value
    if kind is dict:
        if not "".join(value).isascii():
            raise _Unusual
        return {name: item if type(item) is str else _usual(item) for name, item in value.items()}
    if kind is list:
        return [_usual(item) for item in value]
    if kind is int and -_EXACT <= value <= _EXACT:
        return value
    if kind is float and 1e-4 <= abs(value) < 1e15:
        return int(value) if value.is_integer() else value
    raise _Unusual


def link(previous: str, body: bytes) -> str:
    """Return the chain value after one more mutation."""
    return hashlib.sha256((previous + hashlib.sha256(body).hexdigest()).encode()).hexdigest()


def is_signed(key: ec.EllipticCurvePublicKey, body: bytes, signature: str) -> bool:
    """Tell whether `signature` (base64 of r||s, as WebCrypto has it) is the key's over `body`."""
    try:
        raw = base64.b64decode(signature, validate=True)
    except binascii.Error:
        return False
    if len(raw) != 64:
        return False
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    try:
        key.verify(encode_dss_signature(r, s), body, _ECDSA)
    except InvalidSignature:
        return False
    return True
