"""The issuing authority: its keys and certificates, their files and their soundness.

A local authority of three P-256 keys: a root, a signer for papers and one for QR credentials.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

Verify = Callable[[bytes, bytes], bool]
DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336
ROOT_YEARS, SIGNER_YEARS = 30, 12
COORDINATE = 32
DEMO_MARK = "演示 DEMO"
KEY_USAGES = [
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
]


class AuthorityMissing(Exception):
    """No signing key stands in the keys folder; `manage.py create_authority` makes one."""


class AuthorityUnsound(Exception):
    """Key, certificate and root in the keys folder do not belong together or are out of date."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the authority's certificates call it."""

    organisation: str
    demo: bool

    def subject(self, role: str) -> x509.Name:
        """Return the X.509 name of the root, the signer or the credential key."""
        mark = f"{DEMO_MARK} " if self.demo else ""
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"{mark}{self.organisation}"),
                x509.NameAttribute(NameOID.COMMON_NAME, f"{mark}{role}"),
            ]
        )


def create_authority(directory: Path, names: Names, *, at: datetime) -> bool:
    """Create root, signer and credential key with their certificates where they are missing.

    What exists is left alone, so that a second run, or a run after a crash, changes nothing it
    should not. Returns whether anything was created.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    root_key, made_root = _key(directory / "root.key.pem")
    root_file = directory / "root.crt.pem"
    if made_root or not root_file.exists():
        _write(root_file, _pem(_root_certificate(root_key, names, at)))
        made_root = True
    root = _read_certificate(root_file)
    made = [
        _create_leaf(directory, role, (root_key, root), names, at)
        for role in ("signer", "credential")
    ]
    return made_root or any(made)


def _create_leaf(
    directory: Path,
    role: str,
    issuer: tuple[ec.EllipticCurvePrivateKey, x509.Certificate],
    names: Names,
    at: datetime,
) -> bool:
    key, made = _key(directory / f"{role}.key.pem")
    file = directory / f"{role}.crt.pem"
    if made or not file.exists():
        _write(file, _pem(_leaf_certificate(key, issuer, names.subject(_ROLES[role]), at)))
        return True
    return False


_ROLES = {"signer": "电子证照签名 Document Signing", "credential": "二维码签名 Credential Signing"}


def _key(file: Path) -> tuple[ec.EllipticCurvePrivateKey, bool]:
    if file.exists():
        return _read_key(file), False
    key = ec.generate_private_key(ec.SECP256R1())
    _write(
        file,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    return key, True


def _write(file: Path, content: bytes) -> None:
    """Write a file readable by its owner only, whole or not at all."""
    beside = file.with_suffix(".new")
    beside.unlink(missing_ok=True)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _read_key(file: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AuthorityUnsound(f"{file.name} is not an elliptic-curve key")
    return key


def _read_certificate(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def _builder(
    key: ec.EllipticCurvePrivateKey, subject: x509.Name, at: datetime, years: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(hours=1))
        .not_valid_after(at + timedelta(days=round(365.25 * years)))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _root_certificate(
    key: ec.EllipticCurvePrivateKey, names: Names, at: datetime
) -> x509.Certificate:
    subject = names.subject("根证书 Root")
    return (
        _builder(key, subject, at, ROOT_YEARS)
        .issuer_name(subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _leaf_certificate(
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[ec.EllipticCurvePrivateKey, x509.Certificate],
    subject: x509.Name,
    at: datetime,
) -> x509.Certificate:
    root_key, root = issuer
    return (
        _builder(key, subject, at, SIGNER_YEARS)
        .issuer_name(root.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True, content_commitment=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([DOCUMENT_SIGNING]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
            critical=False,
        )
        .sign(root_key, hashes.SHA256())
    )


def _usage(**granted: bool) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: granted.get(name, False) for name in KEY_USAGES})


@dataclass(frozen=True, slots=True)
class CredentialKey:
    """Signs the QR credential: ES256, raw r‖s (RFC 9053, 2.1)."""

    key_id: bytes
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Signer:
    """The open keys of the issuing authority."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    root: x509.Certificate
    credential: CredentialKey

    @property
    def is_demo(self) -> bool:
        """Tell whether the authority calls itself a demonstration."""
        return DEMO_MARK in self.certificate.subject.rfc4514_string()


def load_signer(directory: Path) -> Signer:
    """Open the keys in `directory`; they are kept open for the life of the process."""
    return _load_signer(directory, _stamp(directory, "signer.key.pem"))


def _stamp(directory: Path, name: str) -> int:
    file = directory / name
    if not file.is_file():
        raise AuthorityMissing(f"{name} is missing: run manage.py create_authority")
    return file.stat().st_mtime_ns


@lru_cache(maxsize=4)
def _load_signer(directory: Path, _stamp: int) -> Signer:
    key = _read_key(directory / "signer.key.pem")
    credential = _read_key(directory / "credential.key.pem")
    return Signer(
        key=key,
        certificate=_read_certificate(directory / "signer.crt.pem"),
        root=_read_certificate(directory / "root.crt.pem"),
        credential=CredentialKey(
            key_id(_read_certificate(directory / "credential.crt.pem")),
            lambda data: _raw(credential.sign(data, ec.ECDSA(hashes.SHA256()))),
        ),
    )


def key_id(certificate: x509.Certificate) -> bytes:
    """Return the first eight bytes of the certificate's SHA-256, as health certificates do."""
    return certificate.fingerprint(hashes.SHA256())[:8]


def _raw(signature: bytes) -> bytes:
    r, s = decode_dss_signature(signature)
    return r.to_bytes(COORDINATE, "big") + s.to_bytes(COORDINATE, "big")


@dataclass(frozen=True, slots=True)
class Trust:
    """What is believed: our root for papers, our keys for QR credentials, nothing else."""

    root: x509.Certificate
    credential_keys: Mapping[bytes, Verify]


def load_trust(directory: Path) -> Trust:
    """Read the public side of the authority in `directory`."""
    _stamp(directory, "root.crt.pem")
    files = sorted(directory.glob("credential*.crt.pem"))  # former keys stay trusted
    keys = dict(_credential_key(_read_certificate(file)) for file in files)
    return Trust(_read_certificate(directory / "root.crt.pem"), keys)


def _credential_key(certificate: x509.Certificate) -> tuple[bytes, Verify]:
    public = certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)

    def verify(data: bytes, signature: bytes) -> bool:
        half = len(signature) // 2
        r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        try:
            public.verify(encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return len(signature) == 2 * COORDINATE

    return key_id(certificate), verify


def check_authority(directory: Path, *, at: datetime) -> datetime:
    """Return when the signer's certificate ends; raise where key, chain or dates are wrong."""
    signer = load_signer(directory)
    leaf, root = signer.certificate, signer.root
    if leaf.public_key() != signer.key.public_key():
        raise AuthorityUnsound("signer.crt.pem is not the certificate of signer.key.pem")
    try:
        leaf.verify_directly_issued_by(root)
        root.verify_directly_issued_by(root)
    except (InvalidSignature, ValueError, TypeError) as error:
        raise AuthorityUnsound("signer.crt.pem was not issued by root.crt.pem") from error
    if not leaf.not_valid_before_utc <= at <= leaf.not_valid_after_utc:
        raise AuthorityUnsound("signer.crt.pem is not valid today")
    return leaf.not_valid_after_utc
