"""Sealing of personal data: AES-256-GCM bound to its row, and blind look-up of ID numbers.

A sealed value is `version(1) | key name hash(4) | nonce(12) | ciphertext+tag`. The associated
data names table, column and row, so that a value copied into another row does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE = 12
#: The bytes before a sealed value's nonce: version and the fingerprint of its key's name.
HEAD = 5


class MalformedKey(ValueError):
    """A key of the ring is not `name:base64 of 32 bytes`."""


class SealBroken(Exception):
    """A sealed value does not open: another row's, another key's, or altered."""


@dataclass(frozen=True)
class KeyRing:
    """Named 32-byte keys; the first seals, every one opens."""

    keys: dict[str, bytes]
    index_key: bytes = field(repr=False)

    @classmethod
    def parse(cls, keys: Sequence[str], index_key: str) -> KeyRing:
        """Read keys as the settings write them, or raise `MalformedKey` without showing them."""
        pairs = [_parse_key(text) for text in keys]
        named = dict(pairs)
        if not named:
            raise MalformedKey("no sealing key is set")
        if len(named) < len(pairs):  # only the last one would count
            raise MalformedKey("two sealing keys have the same name")
        return cls(named, _decode(index_key, "index key"))

    @cached_property
    def _by_tag(self) -> dict[bytes, AESGCM]:
        return {_tag(name): AESGCM(key) for name, key in self.keys.items()}

    @cached_property
    def _first(self) -> tuple[bytes, AESGCM]:
        return next(iter(self._by_tag.items()))

    def seal(self, plain: bytes, bound_to: str) -> bytes:
        """Encrypt `plain` so that it opens only for the same `bound_to`."""
        tag, cipher = self._first
        nonce = os.urandom(_NONCE)
        return _VERSION + tag + nonce + cipher.encrypt(nonce, plain, bound_to.encode())

    def seal_all(
        self, plains: Sequence[bytes | None], bound_to: Sequence[str]
    ) -> list[bytes | None]:
        """Seal many values, each for its own `bound_to`; what is None stays None."""
        tag, cipher = self._first
        head, drawn = _VERSION + tag, os.urandom(_NONCE * len(plains))
        nonces = [drawn[at : at + _NONCE] for at in range(0, len(drawn), _NONCE)]
        return [
            None if plain is None else head + nonce + cipher.encrypt(nonce, plain, name.encode())
            for plain, nonce, name in zip(plains, nonces, bound_to, strict=True)
        ]

    def unseal(self, sealed: bytes, bound_to: str) -> bytes:
        """Decrypt what `seal` made, or raise `SealBroken`."""
        cipher = self._by_tag.get(sealed[1:5])
        if sealed[:1] != _VERSION or cipher is None:
            raise SealBroken(f"no key of the ring opens {bound_to.split('|')[0]}")
        nonce, body = sealed[5 : 5 + _NONCE], sealed[5 + _NONCE :]
        try:
            return cipher.decrypt(nonce, body, bound_to.encode())
        except InvalidTag as error:
            raise SealBroken(f"a sealed value of {bound_to.split('|')[0]} is altered") from error

    @property
    def first_tag(self) -> bytes:
        """The fingerprint of the name of the key that seals."""
        return self._first[0]

    @property
    def first_name(self) -> str:
        """The name of the key that seals."""
        return next(iter(self.keys))

    @property
    def first_head(self) -> bytes:
        """What every value begins with that is sealed with the key that seals now."""
        return _VERSION + self.first_tag

    @property
    def heads(self) -> list[bytes]:
        """What every value begins with that a key of the ring sealed."""
        return [_VERSION + tag for tag in self._by_tag]

    def name_of(self, tag: bytes) -> str | None:
        """Return which key of the ring has that fingerprint, or None where none has."""
        return next((name for name in self.keys if _tag(name) == tag), None)

    def file_key(self, tag: bytes, salt: bytes, bound_to: str) -> bytes:
        """Derive the key of one file from the key of that fingerprint (HMAC-SHA-256).

        Raises `SealBroken` where the ring has no such key.
        """
        for name, key in self.keys.items():
            if _tag(name) == tag:
                return hmac.digest(key, b"file|" + salt + bound_to.encode(), hashlib.sha256)
        raise SealBroken(f"no key of the ring opens {bound_to}")

    def blind(self, plain: str, purpose: str) -> str:
        """Return a keyed fingerprint (32 hex digits) by which an equal value can be found."""
        digest = hmac.new(self.index_key, f"{purpose}|{plain}".encode(), hashlib.sha256)
        return digest.hexdigest()[:32]


def _tag(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()[:4]


def _parse_key(text: str) -> tuple[str, bytes]:
    name, _, encoded = text.partition(":")
    return name, _decode(encoded, name)


def _decode(encoded: str, name: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise MalformedKey(f"{name}: not base64") from error
    if len(key) != 32:
        raise MalformedKey(f"{name}: must be 32 bytes in base64")
    return key
