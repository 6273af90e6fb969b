"""Receipts: what the server acknowledged, signed, so that a tablet can prove it later.

A receipt is the exact text that is signed (ECDSA on P-256 with SHA-256) and the signature as
WebCrypto has it. Its chain value covers every record up to `last_seq`, so the newest receipt of a
tablet proves all of them; `missing` counts the declared files that were not here yet.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from certificates.keys import making_keys, write, write_private
from mobile_api.chain import is_signed

_PRIVATE = "receipt.key.pem"


class NotOurs(ValueError):
    """A receipt that no key of this service signed, or that was changed since."""


@dataclass(frozen=True)
class ReceiptKeys:
    """The private half in use, and the public halves of all that ever were, as files."""

    folder: Path

    def create(self) -> bool:
        """Make the key where it is missing; tell whether it was."""
        file = self.folder / _PRIVATE
        with making_keys(self.folder):
            if file.exists():
                return False
            key = ec.generate_private_key(ec.SECP256R1())
            pem = key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            write(self.folder / f"receipt-{_name(_spki(key.public_key()))}.pub.pem", pem)
            write_private(file, key)
            return True

    def public(self) -> str | None:
        """Return the public half in use as base64 of its SPKI, or nothing where there is none."""
        key = self._key()
        return base64.b64encode(key.spki).decode() if key else None

    def sign(self, said: Mapping[str, Any]) -> dict[str, str] | None:
        """Return `said` as a receipt: text, signature, name of the key; nothing without a key."""
        key = self._key()
        if key is None:
            return None
        text = json.dumps(said, separators=(",", ":"), sort_keys=True)
        r, s = decode_dss_signature(key.private.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        sig = base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()
        return {"said": text, "sig": sig, "key": key.name}

    def verified(self, receipt: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a receipt says. Raises `NotOurs`."""
        for file in sorted(self.folder.glob("receipt-*.pub.pem")):
            key = serialization.load_pem_public_key(file.read_bytes())
            said, sig = receipt.get("said"), receipt.get("sig")
            if not isinstance(said, str) or not isinstance(sig, str):
                break
            if isinstance(key, ec.EllipticCurvePublicKey) and is_signed(key, said.encode(), sig):
                found: dict[str, Any] = json.loads(said)
                return found
        raise NotOurs("signed by no key of this service, or changed since")

    def _key(self) -> _Key | None:
        file = self.folder / _PRIVATE
        try:
            return _loaded(file, file.stat().st_mtime_ns)
        except FileNotFoundError:
            return None


@dataclass(frozen=True)
class _Key:
    """The key in use, with what every answer says of it."""

    private: ec.EllipticCurvePrivateKey
    spki: bytes
    name: str


@lru_cache(maxsize=4)
def _loaded(file: Path, _changed: int) -> _Key:
    private = serialization.load_pem_private_key(file.read_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    spki = _spki(private.public_key())
    return _Key(private, spki, _name(spki))


def _spki(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _name(spki: bytes) -> str:
    return hashlib.sha256(spki).hexdigest()[:16]
