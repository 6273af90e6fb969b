"""The federation's key to which tablets seal what they hand in (ECDH-ES on P-256, AES-256-GCM).

The public half lies beside the authority's keys and goes out to every tablet; the private half
opens a hand-in and may be kept away from the server.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from certificates.keys import making_keys, read_private, write, write_private

_INFO = b"outreach tablet v1"
_PRIVATE, _PUBLIC = "hand-in.key.pem", "hand-in.pub.pem"


class CannotOpen(ValueError):
    """What was sealed is not for this key, or was changed since."""


class NoKey(OSError):
    """The private half is not in the folder; another disk's trouble is none of this."""


@dataclass(frozen=True)
class FederationKeys:
    """The two halves as files in a folder."""

    folder: Path

    def create(self) -> bool:
        """Make what is missing of the pair; tell whether anything was.

        A private half without its public one, as a kill or a restored folder leaves it, stays: what
        was handed in opens with it alone.
        """
        private, public = self.folder / _PRIVATE, self.folder / _PUBLIC
        with making_keys(self.folder):
            if public.exists():
                return False
            if not private.exists():
                write_private(private, ec.generate_private_key(ec.SECP256R1()))
            write(
                public,
                read_private(private)
                .public_key()
                .public_bytes(
                    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
                ),
            )
            return True

    def public(self) -> str | None:
        """Return the public key as base64 of its SPKI, or nothing where there is none."""
        file = self.folder / _PUBLIC
        try:
            return _told(file, file.stat().st_mtime_ns)
        except OSError:
            return None

    def open(self, sealed: dict[str, str]) -> bytes:
        """Return what was sealed to the key. Raises `CannotOpen`, or `NoKey`."""
        try:
            pem = (self.folder / _PRIVATE).read_bytes()
        except OSError as error:
            raise NoKey(str(error)) from error
        private = serialization.load_pem_private_key(pem, None)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        ours = _point(private.public_key())
        try:
            point = base64.b64decode(sealed["ephemeral"])
            theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            shared = private.exchange(ec.ECDH(), theirs)
            key = HKDF(hashes.SHA256(), 32, salt=point + ours, info=_INFO).derive(shared)
            iv, wrapped = base64.b64decode(sealed["iv"]), base64.b64decode(sealed["wrapped"])
            return AESGCM(key).decrypt(iv, wrapped, None)
        except (KeyError, ValueError, InvalidTag) as error:
            raise CannotOpen("sealed to another key, or changed") from error


@lru_cache(maxsize=4)
def _told(file: Path, _changed: int) -> str:
    """Return a public key's file as base64 of its SPKI; each answer to a tablet carries it."""
    key = serialization.load_pem_public_key(file.read_bytes())
    spki = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(spki).decode()


def open_record(data_key: bytes, store: str, key: str | int, sealed: bytes) -> Any:
    """Return a record of a locked tablet: AES-GCM, bound to its store, key and schema."""
    bound = f"{store}|{key}|1".encode()
    try:
        plain = AESGCM(data_key).decrypt(sealed[1:13], sealed[13:], bound)
    except InvalidTag as error:
        raise CannotOpen(f"a record of {store} was changed") from error
    return plain if store.endswith("_bytes") else json.loads(plain)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
