"""Makes and changes an authority's folder: a local authority, key rotation, revocation lists.

A local authority has three keys: a root, a signer for papers and one for QR credentials. Where
the signer's certificate comes from an authority of the state, `request` and `install` take the
place of the local root.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID, ObjectIdentifier

from certificates.authority import (
    DEMO_MARK,
    AuthorityMissing,
    AuthorityUnsound,
    check_chain,
    issued_under,
    key_id,
    read_certificate,
)
from certificates.keys import (
    ALGORITHMS,
    KeyMissing,
    KeyUnusable,
    PrivateKey,
    key_file,
    making_keys,
    open_key,
    pem,
    read_private,
    write,
    write_private,
)

DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336
ROOT_YEARS, SIGNER_YEARS = 30, 12
LIST_LASTS = timedelta(days=30)
NEXT = "next"
ROLES = {"signer": "电子证照签名 Document Signing", "credential": "二维码签名 Credential Signing"}
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


def create_authority(
    directory: Path, names: Names, *, at: datetime, algorithm: str = "p256"
) -> bool:
    """Create root, signer and credential key with their certificates where they are missing.

    What exists is left alone, so that a second run, or a run after a crash, changes nothing it
    should not. `algorithm` is the signer's; QR codes need P-256. Returns whether anything was
    created.
    """
    with making_keys(directory):
        return _is_local(directory) and _create_missing(directory, names, at, algorithm)


def _create_missing(directory: Path, names: Names, at: datetime, algorithm: str) -> bool:
    root_key, made_root = _key(directory, "root", "p256")
    root_file = directory / "root.crt.pem"
    if made_root or not root_file.exists():
        write(root_file, pem(_root_certificate(root_key, names, at)))
        made_root = True
    issuer = root_key, read_certificate(root_file)
    chosen = {"signer": algorithm, "credential": "p256"}
    made = [_create_leaf(directory, role, issuer, names, at, chosen[role]) for role in ROLES]
    return made_root or any(made)


def _is_local(directory: Path) -> bool:
    """Tell whether the root's key is at home, or nothing is there yet."""
    return (directory / "root.key.pem").exists() or not (directory / "signer.crt.pem").exists()


def _key(directory: Path, role: str, algorithm: str) -> tuple[PrivateKey, bool]:
    file = directory / f"{role}.key.pem"
    if file.exists():
        return read_private(file), False
    key = ALGORITHMS[algorithm]()
    write_private(file, key)
    return key, True


def _create_leaf(
    directory: Path,
    role: str,
    issuer: tuple[PrivateKey, x509.Certificate],
    names: Names,
    at: datetime,
    algorithm: str,
) -> bool:
    if (directory / f"{role}.key.uri").exists():
        return False
    key, made = _key(directory, role, algorithm)
    file = directory / f"{role}.crt.pem"
    if made or not file.exists():
        _keep_former(directory, role, role)  # its key is lost; what it signed is not
        write(file, pem(_leaf_certificate(key, issuer, names.subject(ROLES[role]), at)))
        return True
    return False


# ---- rotation


def rotate(
    directory: Path,
    names: Names,
    *,
    at: datetime,
    roles: Sequence[str] = tuple(ROLES),
    algorithm: str = "p256",
    compromised: bool = False,
) -> None:
    """Replace keys of a local authority by new ones; what the former ones signed stays ours.

    The former certificate is kept beside (a credential's stays trusted for the codes on paper).
    With `compromised` it is kept as revoked instead: it stands on the next revocation list, and
    QR codes by it are not believed any more.
    """
    issuer = _local_root(directory)
    if "signer" in roles and issuer[1] != read_certificate(directory / "root.crt.pem"):
        raise AuthorityMissing(
            "the signer is your CA's: run --request, --install, or --only credential"
        )
    demo = DEMO_MARK in issuer[1].subject.rfc4514_string()
    names = Names(names.organisation, demo=demo)  # what hangs under a demo root is a demo
    for role in roles:
        key = ALGORITHMS[algorithm if role == "signer" else "p256"]()
        certificate = _leaf_certificate(key, issuer, names.subject(ROLES[role]), at)
        _retire(directory, role, compromised=compromised)
        write_private(directory / f"{role}.key.pem", key)
        write(directory / f"{role}.crt.pem", pem(certificate))


def _local_root(directory: Path) -> tuple[PrivateKey, x509.Certificate]:
    """Return the local root's key and certificate: a former root where the signer is a CA's now."""
    if not (directory / "root.key.pem").exists():
        raise AuthorityMissing(
            "root.key.pem is missing: ask your CA, then run --request, --install"
        )
    key = read_private(directory / "root.key.pem")
    for file in (directory / "root.crt.pem", *sorted(directory.glob("root-*.crt.pem"))):
        root = read_certificate(file)
        if root.public_key() == key.public_key():
            return key, root
    raise AuthorityMissing("root.key.pem is the key of no root in the folder")


def _retire(directory: Path, role: str, *, compromised: bool) -> None:
    """Keep a former certificate under a name of its own and end its key."""
    _keep_former(directory, role, "revoked" if compromised else role)
    for kind in ("pem", "uri"):
        (directory / f"{role}.key.{kind}").unlink(missing_ok=True)


def _keep_former(directory: Path, role: str, prefix: str) -> None:
    file = directory / f"{role}.crt.pem"
    if file.exists():
        kept = directory / f"{prefix}-{key_id(read_certificate(file)).hex()}.crt.pem"
        write(kept, file.read_bytes())


def request(directory: Path, names: Names, *, algorithm: str = "p256") -> bytes:
    """Make the signer's next key and return a request for its certificate (PKCS#10, in PEM).

    A request that was made before is made again for the same key, so that an answer still fits.
    """
    with making_keys(directory):
        key, _made = _key(directory, NEXT, algorithm)
    made = x509.CertificateSigningRequestBuilder().subject_name(names.subject(ROLES["signer"]))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def install(
    directory: Path, chain: Sequence[x509.Certificate], root: x509.Certificate, *, at: datetime
) -> None:
    """Put a certificate and chain that a CA issued, and the waiting key, in the signer's place.

    Nothing is changed unless key, chain, root and dates belong together; a root that takes the
    place of another leaves it trusted beside.
    """
    try:
        key = open_key(directory, NEXT, chain[0].public_key())
        check_chain(tuple(chain), root, key, at=at)
        _check_usages(chain, root)
        waiting = key_file(directory, NEXT)
    except KeyMissing as error:
        raise AuthorityMissing("no next key is waiting: run --request, or write it") from error
    except KeyUnusable as error:
        raise AuthorityUnsound(str(error)) from error
    _retire(directory, "signer", compromised=False)
    _keep_root(directory, root)
    write(directory / "signer.crt.pem", b"".join(map(pem, chain)))
    if not (directory / "credential.crt.pem").exists():
        _self_signed_credential(directory, chain[0], at)
    # Last: a run that is cut short finds the key waiting still, and begins anew.
    waiting.replace(directory / waiting.name.replace(NEXT, "signer"))


def _check_usages(chain: Sequence[x509.Certificate], root: x509.Certificate) -> None:
    """Raise `AuthorityUnsound` where no reader would believe the chain (RFC 5280, 4.2.1.3 and 9).

    Our own check knows a paper by its SHA-256, whoever signed it: only others would find out.
    """
    leaf = chain[0]
    used = _said(leaf, x509.KeyUsage)
    if used and not (used.digital_signature or used.content_commitment):
        raise AuthorityUnsound("the certificate is not one that signs")
    for one in issued_under(root, chain) - {leaf}:
        basic, used = _said(one, x509.BasicConstraints), _said(one, x509.KeyUsage)
        if not (basic and basic.ca) or (used and not used.key_cert_sign):
            raise AuthorityUnsound(f"this one is no CA: {one.subject.rfc4514_string()}")


def _said(certificate: x509.Certificate, kind: type[Any]) -> Any:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _keep_root(directory: Path, root: x509.Certificate) -> None:
    file = directory / "root.crt.pem"
    if file.exists() and read_certificate(file) != root:
        former = read_certificate(file)
        write(directory / f"root-{key_id(former).hex()}.crt.pem", pem(former))
    write(file, pem(root))


def _self_signed_credential(directory: Path, signer: x509.Certificate, at: datetime) -> None:
    """Make a QR key where only a signer came from outside; its certificate is a name tag."""
    key, _made = _key(directory, "credential", "p256")
    names = x509.Name([*signer.subject, x509.NameAttribute(NameOID.TITLE, ROLES["credential"])])
    made = _builder(key, names, at, SIGNER_YEARS).issuer_name(names).sign(key, hashes.SHA256())
    write(directory / "credential.crt.pem", pem(made))


# ---- revocation


def revocation_list(directory: Path, *, at: datetime) -> bytes | None:
    """Sign the root's list of revoked certificates (RFC 5280, 5) as DER; None without its key."""
    try:
        key, root = _local_root(directory)
    except AuthorityMissing:
        return None
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.subject)
        .last_update(at - timedelta(minutes=1))
        .next_update(at + LIST_LASTS)
        .add_extension(x509.CRLNumber(int(at.timestamp())), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
    )
    for file in sorted(directory.glob("revoked-*.crt.pem")):
        revoked_at = datetime.fromtimestamp(file.stat().st_mtime, at.tzinfo)
        entry = x509.RevokedCertificateBuilder().serial_number(read_certificate(file).serial_number)
        made = made.add_revoked_certificate(entry.revocation_date(revoked_at).build())
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


# ---- certificates


def _builder(
    key: PrivateKey, subject: x509.Name, at: datetime, years: int
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


def _root_certificate(key: PrivateKey, names: Names, at: datetime) -> x509.Certificate:
    subject = names.subject("根证书 Root")
    return (
        _builder(key, subject, at, ROOT_YEARS)
        .issuer_name(subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _leaf_certificate(
    key: PrivateKey,
    issuer: tuple[PrivateKey, x509.Certificate],
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
