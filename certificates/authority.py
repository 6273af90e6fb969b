"""The issuing authority as it stands in its folder: its open keys, whom it trusts, its soundness.

    signer.crt.pem      who signs the papers, followed by the CAs between it and the root
    credential.crt.pem  who signs the QR codes
    root.crt.pem        whom those who verify believe; former ones as root-NAME.crt.pem
    tsa*.crt.pem        whose time-stamps are believed
    *.crl.der           revocation lists that cannot be fetched

Keys are described in `certificates.keys`; `certificates.founding` makes such a folder.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from certificates.keys import (
    KeyMissing,
    KeyUnusable,
    SigningKey,
    check_kind,
    key_file,
    open_key,
    verifies,
)

Verify = Callable[[bytes, bytes], bool]
COORDINATE = 32
DEMO_MARK = "演示 DEMO"
#: New keys beside papers that were issued would be a stranger's to them.
_PUT_BACK = "put the office's keys back, or in a new register run manage.py create_authority"
PROBE = b"does this key belong to this certificate?"


class AuthorityMissing(Exception):
    """No signing key stands in the keys folder; `manage.py create_authority` makes one."""


class AuthorityUnsound(Exception):
    """Key, certificate and root in the keys folder do not belong together or are out of date."""


class AuthorityEnded(AuthorityUnsound):
    """Key, certificate and root belong together, and one of them has ended."""


@dataclass(frozen=True, slots=True)
class CredentialKey:
    """Signs the QR credential: ES256, raw r‖s (RFC 9053, 2.1)."""

    key_id: bytes
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Signer:
    """The open keys of the issuing authority; `between` are the CAs from signer to root."""

    key: SigningKey
    certificate: x509.Certificate
    between: tuple[x509.Certificate, ...]
    root: x509.Certificate
    credential: CredentialKey

    @property
    def ends_at(self) -> datetime:
        """Return when the first certificate of its chain ends."""
        chain = (self.certificate, *self.between, self.root)
        return min(one.not_valid_after_utc for one in chain)

    @property
    def is_demo(self) -> bool:
        """Tell whether the authority calls itself a demonstration."""
        return DEMO_MARK in self.certificate.subject.rfc4514_string()


def load_signer(directory: Path) -> Signer:
    """Open the keys in `directory`; they are kept open for the life of the process.

    Raises `AuthorityMissing` where there are none, `AuthorityUnsound` where they cannot be used.
    """
    try:
        stamps = tuple(
            file.stat().st_mtime_ns
            for role in ("signer", "credential")
            for file in (key_file(directory, role), _needed(directory, f"{role}.crt.pem"))
        )
        return _load_signer(directory, stamps)
    except KeyMissing as error:
        raise AuthorityMissing(f"{error}: {_PUT_BACK}") from error
    except KeyUnusable as error:
        raise AuthorityUnsound(str(error)) from error


def _needed(directory: Path, name: str) -> Path:
    file = directory / name
    if not file.is_file():
        raise AuthorityMissing(f"{name} is missing: {_PUT_BACK}")
    return file


@lru_cache(maxsize=4)
def _load_signer(directory: Path, _stamps: tuple[int, ...]) -> Signer:
    leaf, *between = read_certificates(directory / "signer.crt.pem")
    credential = read_certificate(directory / "credential.crt.pem")
    public = credential.public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise AuthorityUnsound("credential.crt.pem is not for a P-256 key, which QR codes need")
    key = open_key(directory, "credential", public)
    signer = open_key(directory, "signer", leaf.public_key())
    check_pair(leaf, signer)  # also while a rotation has replaced only one of the two
    return Signer(
        key=signer,
        certificate=leaf,
        between=tuple(between),
        root=read_certificate(directory / "root.crt.pem"),
        credential=CredentialKey(key_id(credential), lambda data: _raw(key.sign(data))),
    )


def read_certificates(file: Path) -> list[x509.Certificate]:
    """Read all certificates of a PEM file."""
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except ValueError as error:
        raise AuthorityUnsound(f"{file.name} holds no certificate in PEM") from error
    except FileNotFoundError as error:
        raise AuthorityMissing(f"{file.name} is missing: {_PUT_BACK}") from error


def read_certificate(file: Path) -> x509.Certificate:
    """Read the first certificate of a PEM file."""
    return read_certificates(file)[0]


def key_id(certificate: x509.Certificate) -> bytes:
    """Return the first eight bytes of the certificate's SHA-256, as health certificates do."""
    return certificate.fingerprint(hashes.SHA256())[:8]


def _raw(signature: bytes) -> bytes:
    r, s = decode_dss_signature(signature)
    return r.to_bytes(COORDINATE, "big") + s.to_bytes(COORDINATE, "big")


@dataclass(frozen=True, slots=True)
class Trust:
    """What is believed: our roots for papers, our keys for QR codes, authorities of time.

    A CA's root has issued to others, too: under it only `signers` are ours. Under one of
    `own_roots` everything is.
    """

    roots: tuple[x509.Certificate, ...]
    credential_keys: Mapping[bytes, Verify]
    time_roots: tuple[x509.Certificate, ...] = ()
    own_roots: frozenset[x509.Certificate] = frozenset()
    signers: frozenset[x509.Certificate] = frozenset()

    def ours(self, certificates: Iterable[x509.Certificate]) -> set[x509.Certificate]:
        """Return those among certificates that are ours."""
        given, found = set(certificates), set[x509.Certificate]()
        for root in self.roots:
            issued = issued_under(root, given)
            found |= issued if root in self.own_roots else issued & self.signers
        return found


def load_trust(directory: Path) -> Trust:
    """Read the public side of the authority in `directory`; what it was formerly stays trusted."""
    roots = [read_certificate(_needed(directory, "root.crt.pem"))]
    roots += [read_certificate(file) for file in sorted(directory.glob("root-*.crt.pem"))]
    codes = [read_certificate(file) for file in sorted(directory.glob("credential*.crt.pem"))]
    times = (one for f in sorted(directory.glob("tsa*.crt.pem")) for one in read_certificates(f))
    signers = [read_certificate(f) for f in directory.glob("signer*.crt.pem")]
    signers += [read_certificate(f) for f in directory.glob("revoked-*.crt.pem")]
    return Trust(
        tuple(roots),
        dict(map(_credential_key, codes)),
        tuple(times),
        own_roots=frozenset(root for root in roots if issued_under(root, codes)),
        signers=frozenset(signers),
    )


def _credential_key(certificate: x509.Certificate) -> tuple[bytes, Verify]:
    public = certificate.public_key()

    def verify(data: bytes, signature: bytes) -> bool:
        half = len(signature) // 2
        r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        return len(signature) == 2 * COORDINATE and verifies(
            public, encode_dss_signature(r, s), data
        )

    return key_id(certificate), verify


def issued_under(
    root: x509.Certificate, certificates: Iterable[x509.Certificate]
) -> set[x509.Certificate]:
    """Return those to which a chain of CAs among them leads from the root (RFC 5280, 6.1, names
    and signatures only; dates and usages are for whoever validates a paper).

    From the root down: what a stranger puts among them is looked at once, and leads nowhere.
    """
    left, found, issuers = set(certificates) - {root}, set[x509.Certificate](), [root]
    while issuers:
        issuer = issuers.pop()
        issued = {one for one in left if _issued(one, issuer)}
        left -= issued
        found |= issued
        issuers += issued
    return found


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Soundness:
    """What a check found in order, and the certificate that ends first, with its day."""

    name: str
    ends_at: datetime


def check_authority(directory: Path, *, at: datetime) -> Soundness:
    """Say what ends first; raise where key, chain or dates are wrong.

    Every key is made to sign, so that a token that does not answer is noticed at the start.
    """
    signer, trust = load_signer(directory), load_trust(directory)
    chain = (signer.certificate, *signer.between)
    check_chain(chain, signer.root, signer.key, at=at)
    _check_credential(signer, trust)
    dated = [(one.not_valid_after_utc, "signer.crt.pem") for one in chain]
    dated.append((signer.root.not_valid_after_utc, "root.crt.pem"))
    dated += [(one.not_valid_after_utc, "tsa.crt.pem") for one in trust.time_roots]
    ends, name = min(dated)
    return Soundness(name, ends)


def check_chain(
    chain: tuple[x509.Certificate, ...],
    root: x509.Certificate,
    key: SigningKey,
    *,
    at: datetime,
) -> None:
    """Raise `AuthorityUnsound` unless key, certificate, chain and dates belong together."""
    leaf = chain[0]
    check_pair(leaf, key)
    if leaf not in issued_under(root, chain):
        raise AuthorityUnsound("no chain leads from signer.crt.pem to root.crt.pem")
    for one in (*chain, root):
        name = one.subject.rfc4514_string()
        if at > one.not_valid_after_utc:
            raise AuthorityEnded(f"the signer's chain has ended: {name}")
        if at < one.not_valid_before_utc:
            raise AuthorityUnsound(f"the signer's chain is not valid yet: {name}")


def check_pair(certificate: x509.Certificate, key: SigningKey) -> None:
    """Raise `AuthorityUnsound` unless a key signs, and what it signs fits the certificate."""
    try:
        check_kind(certificate.public_key(), "signer.crt.pem")
        signature = key.sign(PROBE)
    except KeyUnusable as error:
        raise AuthorityUnsound(str(error)) from error
    if not verifies(certificate.public_key(), signature, PROBE):
        raise AuthorityUnsound("signer.crt.pem is not the certificate of the signer's key")


def _check_credential(signer: Signer, trust: Trust) -> None:
    verify = trust.credential_keys[signer.credential.key_id]
    try:
        signature = signer.credential.sign(PROBE)
    except KeyUnusable as error:
        raise AuthorityUnsound(str(error)) from error
    if not verify(PROBE, signature):
        raise AuthorityUnsound("credential.crt.pem is not the certificate of the credential key")
