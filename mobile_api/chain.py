"""The canonical form of a mutation, its hash chain and its signature: pure functions."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import orjson
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

ZERO = "0" * 64
_SIGNED = ("seq", "id", "name", "v", "at", "args")


_EXACT = 2**53 - 1
#: How deep values may lie in each other; a fast encoder gives up soon after.
_DEEPEST = 250
_ECDSA = ec.ECDSA(hashes.SHA256())
_UNREADABLE = (
    orjson.JSONEncodeError,
    rfc8785.CanonicalizationError,
    UnicodeEncodeError,
    OverflowError,
)


class NotCanonical(ValueError):
    """A value has no canonical form: an infinite number, no number, half a character, too deep."""


def canonical(mutation: dict[str, Any]) -> bytes:
    """Return the bytes that are hashed and signed (RFC 8785 over the six signed members).

    Raises `NotCanonical`.
    """
    return canonical_json({name: mutation[name] for name in _SIGNED})


def canonical_json(value: Any) -> bytes:
    """Return the canonical JSON of a value (RFC 8785). Raises `NotCanonical`."""
    try:
        if _is_usual(value) or _is_usual(value := _doubles(value)):
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        return rfc8785.dumps(value)
    except _UNREADABLE as error:
        raise NotCanonical(str(error)) from error


def _doubles(value: Any, room: int = _DEEPEST) -> Any:
    """Return the value with each number as JavaScript reads it, where it has no other integers."""
    if room == 0:
        raise NotCanonical("values lie too deep in each other")
    if type(value) is dict:
        return {name: _doubles(item, room - 1) for name, item in value.items()}
    if type(value) is list:
        return [_doubles(item, room - 1) for item in value]
    if type(value) is int and abs(value) > _EXACT:
        return float(value)
    if type(value) is float and value.is_integer() and abs(value) <= _EXACT:
        return int(value)
    return value


def _is_usual(value: Any) -> bool:
    """Tell whether a fast encoder writes the value as RFC 8785 does, which is slow in Python.

    The two agree where names are ASCII (else the order of UTF-16 differs), integers are exact
    in a double, and floats are no integers and need no exponent.
    """
    items, names = [value], set()
    for item in items:  # which grows meanwhile
        kind = type(item)
        if kind is dict:
            names.update(item)
            items.extend(item.values())
        elif kind is list:
            items.extend(item)
        elif kind is int:
            if not -_EXACT <= item <= _EXACT:
                return False
        elif kind is float and not (1e-4 <= abs(item) < 1e15 and not item.is_integer()):
            return False
    return "".join(names).isascii()


def link(previous: str, body: bytes) -> str:
    """Return the chain value after one more mutation."""
    return hashlib.sha256((previous + hashlib.sha256(body).hexdigest()).encode()).hexdigest()


def is_signed(key: ec.EllipticCurvePublicKey, body: bytes, signature: str) -> bool:
    """Tell whether `signature` (base64 of r||s, as WebCrypto has it) is the key's over `body`."""
    try:
        raw = base64.b64decode(signature, validate=True)
    except ValueError:  # no base64, or not even ASCII
        return False
    if len(raw) != 64:
        return False
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    try:
        key.verify(encode_dss_signature(r, s), body, _ECDSA)
    except InvalidSignature:
        return False
    return True
