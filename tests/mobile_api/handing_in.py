"""Hand-ins as a tablet seals and signs them."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mobile_api.chain import canonical_json
from mobile_api.federation import FederationKeys


def sealed(plain: bytes, recipient: str) -> dict[str, str]:
    """Seal as a tablet does."""
    theirs = serialization.load_der_public_key(base64.b64decode(recipient))
    assert isinstance(theirs, ec.EllipticCurvePublicKey)
    ours = ec.generate_private_key(ec.SECP256R1())
    form = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    ephemeral, point = ours.public_key().public_bytes(*form), theirs.public_bytes(*form)
    salt = ephemeral + point
    shared = ours.exchange(ec.ECDH(), theirs)
    key = HKDF(hashes.SHA256(), 32, salt=salt, info=b"outreach tablet v1").derive(shared)
    iv = os.urandom(12)
    spelled = {"ephemeral": ephemeral, "iv": iv, "wrapped": AESGCM(key).encrypt(iv, plain, None)}
    return {
        "recipient": recipient,
        **{name: base64.b64encode(value).decode() for name, value in spelled.items()},
    }


def signed_part(
    key: ec.EllipticCurvePrivateKey,
    replica: str,
    keys: FederationKeys,
    plain: object,
    /,
    **changes: Any,
) -> dict[str, Any]:
    """Return a part of a hand-in, sealed to the federation and signed by the tablet's key."""
    public = keys.public()
    assert public is not None
    said: dict[str, Any] = {
        "hand_in": "0188a7f0-0000-7000-8000-000000000001",
        "replica": replica,
        "reason": "revoked",
        "n": 0,
        "of": 1,
        "kind": "log",
        "sealed": sealed(json.dumps(plain).encode(), public),
        "at": "2018-06-12T09:00:00.000Z",
    } | changes
    r, s = decode_dss_signature(key.sign(canonical_json(said), ec.ECDSA(hashes.SHA256())))
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return said | {"sig": base64.b64encode(raw).decode()}
