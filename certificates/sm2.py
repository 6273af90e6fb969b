"""SM2 signatures by the machine's own OpenSSL 3: detached, over a whole file, beside it.

The signature is GB/T 32918.2 over SM3 with the usual identifier, as a DER sequence of r and s
(GM/T 0009). A folder of keys holds `sm2.key.pem`, `sm2.crt.pem`, `sm2-root.crt.pem`, and former
signers as `sm2-….crt.pem`. No Python package here does SM2 and is kept up; OpenSSL is, by Debian.
"""

from __future__ import annotations

import subprocess
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from certificates.keys import making_keys, write

IDENTIFIER = "distid:1234567812345678"
"""GM/T 0009, 10: the identifier of a signer who has none of their own."""
ROOT, SIGNER, KEY = "sm2-root.crt.pem", "sm2.crt.pem", "sm2.key.pem"
ROOT_DAYS, SIGNER_DAYS = 30 * 365, 12 * 365


class Unusable(Exception):
    """There is no SM2 key, it cannot be used, or there is no OpenSSL 3; the message says which."""


def sign(content: bytes, folder: Path) -> bytes:
    """Return the detached signature of a file, or raise `Unusable`."""
    key = folder / KEY
    if not key.is_file():
        raise Unusable(f"{KEY} is missing: run manage.py create_second_key")
    return _openssl("dgst", "-sm3", "-sigopt", IDENTIFIER, "-sign", str(key), content=content)


def signer_of(content: bytes, signature: bytes, folder: Path) -> str | None:
    """Return the name of the signer whom our SM2 root vouches for, or None where there is none."""
    for certificate in sorted(folder.glob("sm2*.crt.pem")):
        if certificate.name == ROOT:
            continue
        public = _public_key(certificate, certificate.stat().st_mtime_ns)
        if public is not None and _verifies(content, signature, public):
            return _name(certificate)
    return None


def create(folder: Path, issuer: str, *, demo: bool) -> bool:
    """Make a local SM2 root and signer where none stands; return whether they were made.

    Raises `Unusable` where certificates stand without their key: what it signed needs them.
    """
    with making_keys(folder):
        if (folder / KEY).exists():
            return False
        for name in (SIGNER, ROOT):
            if (folder / name).exists():
                raise Unusable(
                    f"Nothing was made: {folder / name} stands there without {KEY}. Put the key"
                    " back; where it is lost for good, move the certificates away first."
                )
        return _create(folder, issuer, demo=demo)


def _create(folder: Path, issuer: str, *, demo: bool) -> bool:
    mark = "（演示 DEMO）" if demo else ""
    with TemporaryDirectory(dir=folder) as drafts:
        draft = Path(drafts)
        for name in ("root.key", KEY):
            made = _openssl("ecparam", "-name", "SM2", "-genkey", "-noout")
            (draft / name).write_bytes(made)
        root = ("-key", str(draft / "root.key"), "-days", str(ROOT_DAYS))
        _openssl(
            "req",
            "-new",
            "-x509",
            *_named(f"{issuer} SM2 根{mark}"),
            *root,
            "-out",
            str(draft / ROOT),
        )
        _openssl(
            "req",
            "-new",
            *_named(f"{issuer} SM2{mark}"),
            "-key",
            str(draft / KEY),
            "-out",
            str(draft / "request"),
        )
        _openssl(
            "x509",
            "-req",
            "-in",
            str(draft / "request"),
            "-vfyopt",
            IDENTIFIER,
            "-sm3",
            "-sigopt",
            IDENTIFIER,
            "-CA",
            str(draft / ROOT),
            "-CAkey",
            str(draft / "root.key"),
            "-CAcreateserial",
            "-days",
            str(SIGNER_DAYS),
            "-out",
            str(draft / SIGNER),
        )
        write(folder / "sm2-root.key.pem", (draft / "root.key").read_bytes())
        for name in (ROOT, SIGNER, KEY):
            write(folder / name, (draft / name).read_bytes())
    return True


def published(folder: Path) -> bytes:
    """Return the signer's certificate, former ones and the root, in PEM, for other verifiers."""
    places = {SIGNER: 0, ROOT: 2}
    found = sorted(folder.glob("sm2*.crt.pem"), key=lambda file: (places.get(file.name, 1), file))
    return b"".join(file.read_bytes() for file in found)


def _named(name: str) -> tuple[str, ...]:
    return ("-sm3", "-sigopt", IDENTIFIER, "-utf8", "-subj", f"/CN={name.replace('/', ' ')}")


@lru_cache(maxsize=16)
def _public_key(certificate: Path, _changed: int) -> bytes | None:
    """Return the key of a signer under our root, whenever that ended: papers outlive it."""
    root = certificate.parent / ROOT
    chain = ("-no_check_time", "-vfyopt", IDENTIFIER, "-CAfile", str(root), str(certificate))
    try:
        _openssl("verify", *chain)
        return _openssl("x509", "-in", str(certificate), "-noout", "-pubkey")
    except Unusable:
        return None


def _verifies(content: bytes, signature: bytes, public: bytes) -> bool:
    with TemporaryDirectory() as drafts:
        (key, detached) = (Path(drafts) / "key.pem", Path(drafts) / "signature")
        key.write_bytes(public)
        detached.write_bytes(signature)
        wanted = ("-sigopt", IDENTIFIER, "-verify", str(key), "-signature", str(detached))
        try:
            _openssl("dgst", "-sm3", *wanted, content=content)
        except Unusable:
            return False
    return True


def _name(certificate: Path) -> str:
    options = ("-noout", "-subject", "-nameopt", "multiline,utf8,-esc_msb")
    said = _openssl("x509", "-in", str(certificate), *options).decode()
    return said.rpartition("=")[2].strip()


def _openssl(*arguments: str, content: bytes = b"") -> bytes:
    try:
        done = subprocess.run(  # noqa: S603  # fixed arguments, no shell
            ["openssl", *arguments],  # noqa: S607  # the machine's own
            input=content,
            capture_output=True,
            check=False,
            timeout=30,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise Unusable("OpenSSL 3 is needed for SM2 and does not answer") from error
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise Unusable(f"openssl {arguments[0]}: {lines[-1] if lines else 'failed'}")
    return done.stdout
