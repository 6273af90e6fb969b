"""Private keys that stay open for the life of the process, in a file or in a token (PKCS#11).

A folder of keys holds for each role either `ROLE.key.pem` or `ROLE.key.uri`: the second is a
PKCS#11 URI (RFC 7512) that names the key in a hardware module, and never holds the key itself.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from outreach.flushing import flush_folder, in_use, leave_to_owner

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
RSA_SIZES = (2048, 3072, 4096)
ALGORITHMS: dict[str, Callable[[], PrivateKey]] = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "rsa3072": lambda: rsa.generate_private_key(65537, 3072),
}


class KeyMissing(Exception):
    """No key stands in the folder for this role."""


class KeyUnusable(Exception):
    """A key cannot be read, is of a kind that is not supported, or its token does not answer."""


class TokenAway(KeyUnusable):
    """The token is not there: unplugged, or a server that is not up yet."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An open key: `sign` takes data and answers with its SHA-256 signed.

    ECDSA on P-256 as a DER sequence of r and s (RFC 3279), RSA as PKCS#1 v1.5 (RFC 8017).
    """

    sign: Callable[[bytes], bytes]
    where: str


def verifies(public: object, signature: bytes, data: bytes) -> bool:
    """Tell whether a signature over the SHA-256 of `data` is by the owner of a public key."""
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        elif isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        else:
            return False
    except InvalidSignature:
        return False
    return True


def key_file(folder: Path, role: str) -> Path:
    """Return the file that holds or names a role's key, or raise `KeyMissing`."""
    for file in (folder / f"{role}.key.uri", folder / f"{role}.key.pem"):
        if file.is_file():
            return file
    raise KeyMissing(f"{role}.key.pem is missing")


def open_key(folder: Path, role: str, public: object) -> SigningKey:
    """Open a role's key, whose public half the role's certificate gives."""
    file = key_file(folder, role)
    try:
        if file.suffix == ".uri":
            return _open_in_token(file.read_text("utf-8").strip(), public)
        return opened(read_private(file), file.name)
    except OSError as error:
        raise KeyUnusable(f"{file.name} cannot be read: {error.strerror}") from error


def read_private(file: Path) -> PrivateKey:
    """Read a key of a supported kind from a PEM file."""
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise KeyUnusable(f"{file.name} is not a private key without a passphrase") from error
    check_kind(key.public_key(), file.name)
    return key  # type: ignore[return-value]


def check_kind(public: object, name: str) -> None:
    """Raise `KeyUnusable` unless a key is on P-256 or RSA of 2048 to 4096 bits."""
    if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name == "secp256r1":
        return
    if isinstance(public, rsa.RSAPublicKey) and public.key_size in RSA_SIZES:
        return
    raise KeyUnusable(f"{name} is neither a P-256 key nor RSA of 2048, 3072 or 4096 bits")


def opened(key: PrivateKey, where: str = "memory") -> SigningKey:
    """Wrap a key that is in memory."""
    if isinstance(key, rsa.RSAPrivateKey):
        return SigningKey(lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256()), where)
    return SigningKey(lambda data: key.sign(data, ec.ECDSA(hashes.SHA256())), where)


@contextmanager
def making_keys(folder: Path) -> Iterator[None]:
    """Make the folder of keys where there is none; whoever makes keys there too waits.

    Two at once would put one's private half beside the other's public one.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with in_use(folder):
        yield


def write_private(file: Path, key: PrivateKey) -> None:
    """Write a key as PKCS#8, readable by its owner only."""
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    write(file, key.private_bytes(encoding, form, serialization.NoEncryption()))


def write(file: Path, content: bytes) -> None:
    """Write a file readable by its owner only, whole or not at all, and for good once it returns.

    What a key signs a moment later outlives a power cut; so must the key.
    """
    beside = file.with_suffix(".new")
    beside.unlink(missing_ok=True)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        leave_to_owner(handle, file.parent)
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)
    flush_folder(file.parent)


def pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate in PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


# ---- tokens


def _open_in_token(uri: str, public: object) -> SigningKey:
    """Open a key by its PKCS#11 URI (RFC 7512, 2.3): token, object, module-path, pin-source.

    Sessions end with a token that is unplugged (PKCS#11 2.40, 5.6): once it is back the key is
    looked for anew.
    """
    try:
        from pkcs11 import PKCS11Error
    except ImportError as error:
        raise KeyUnusable("install outreach[hsm] to use a key in a PKCS#11 token") from error
    path, query = _parse(uri)
    held = _find(path, query)

    def sign(data: bytes) -> bytes:
        nonlocal held
        try:
            try:
                return _sign(held, public, data)
            except PKCS11Error:
                _session.cache_clear()
                held = _find(path, query)
                return _sign(held, public, data)
        except PKCS11Error as error:
            raise KeyUnusable(f"the token does not sign: {type(error).__name__}") from error

    return SigningKey(sign, f"token {path['token']}")


def _find(path: dict[str, str], query: dict[str, str]) -> tuple[Any, Lock]:
    """Return a key in its token, and the lock under which it signs."""
    import pkcs11

    try:
        session, lock = _session(query["module-path"], path["token"], _pin(query))
        key = session.get_key(
            object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=path.get("object", "")
        )
    except KeyError as error:
        raise KeyUnusable(f"the PKCS#11 URI names no {error.args[0]}") from error
    except (pkcs11.PKCS11Error, RuntimeError) as error:
        reason = str(error) or type(error).__name__
        is_away = isinstance(error, pkcs11.NoSuchToken)
        kind = TokenAway if is_away else KeyUnusable
        raise kind(f"the token {path['token']} does not answer: {reason}") from error
    return key, lock


#: Papers that wait ask for the token every few seconds, and it locks after a few wrong PINs.
_refused: set[tuple[str, str, str | None]] = set()


@lru_cache(maxsize=8)
def _session(module: str, token: str, pin: str | None) -> tuple[Any, Lock]:
    """Open a token once: whoever logs in does so for the whole process (PKCS#11 2.40, 5.6)."""
    import pkcs11

    if (module, token, pin) in _refused:
        raise KeyUnusable(
            f"the token {token} refused the PIN (PinIncorrect), which is not tried again, lest the"
            " token lock: put it right, and start the server anew"
        )
    found = pkcs11.lib(module).get_token(token_label=token)
    try:
        return found.open(user_pin=pin), Lock()
    except pkcs11.UserAlreadyLoggedIn:
        return found.open(), Lock()
    except pkcs11.PinIncorrect:
        _refused.add((module, token, pin))
        raise


def _sign(held: tuple[Any, Lock], public: object, data: bytes) -> bytes:
    from pkcs11 import Mechanism

    key, lock = held
    with lock:
        if isinstance(public, rsa.RSAPublicKey):
            return bytes(key.sign(data, mechanism=Mechanism.SHA256_RSA_PKCS))
        raw = key.sign(sha256(data).digest(), mechanism=Mechanism.ECDSA)
    half = len(raw) // 2
    return encode_dss_signature(*(int.from_bytes(p, "big") for p in (raw[:half], raw[half:])))


def _parse(uri: str) -> tuple[dict[str, str], dict[str, str]]:
    parts = urlsplit(uri)
    if parts.scheme != "pkcs11":
        raise KeyUnusable("a .key.uri file holds one PKCS#11 URI, pkcs11:token=…")
    pairs = (one.partition("=") for one in parts.path.split(";"))
    path = {name: unquote(value) for name, _, value in pairs}
    return path, dict(parse_qsl(parts.query))


def _pin(query: dict[str, str]) -> str | None:
    """Return the user PIN; `pin-source` is a file and keeps it out of the URI (RFC 7512, 2.4)."""
    source = query.get("pin-source")
    if source is None:
        return query.get("pin-value")
    return Path(source.removeprefix("file:")).read_text("utf-8").strip()
