"""The canonical form of a mutation, its hash chain and its signature: pure functions."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

ZERO = "0" * 64
_SIGNED = ("seq", "id", "name", "v", "at", "args")


def canonical(mutation: dict[str, Any]) -> bytes:
    """Return the bytes that are hashed and signed (RFC 8785 over the six signed members)."""
    return rfc8785.dumps({name: mutation[name] for name in _SIGNED})


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
        key.verify(encode_dss_signature(r, s), body, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
