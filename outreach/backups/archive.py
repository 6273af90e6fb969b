"""One encrypted file: an age stream (age-encryption.org/v1) around a tar whose last member,
the manifest, names every other one with its SHA-256.

Both directions stream, so that memory stays flat whatever the photos weigh. A file cut short
or altered anywhere does not open: age authenticates every 64 KiB, and without the manifest at
its end an archive does not count as read.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import pyrage

from outreach.flushing import flush_folder, in_use

MANIFEST = "manifest.json"
#: Told after each file: bytes done, bytes in all.
Progress = Callable[[int, int], None]


class BackupUnreadable(Exception):
    """The file is no backup of ours, is cut or altered, or wants another key."""


class MalformedBackupKey(ValueError):
    """A recipient or identity is not age's (age1…, AGE-SECRET-KEY-1…)."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: by which software, of when, rows by table, SHA-256 by file."""

    version: str
    taken_at: str
    vendor: str
    rows: dict[str, int]
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """A file for an archive: its name there, about how many bytes, and how it is opened."""

    name: str
    size: int
    opening: Callable[[], BinaryIO]


def new_identity() -> tuple[str, str]:
    """Return a fresh secret identity and the public recipient that belongs to it."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def write(
    target: Path,
    members: Iterable[Member],
    manifest: Manifest,
    *,
    to: Iterable[str],
    progress: Progress,
) -> Manifest:
    """Encrypt `members` to every recipient of `to`, durably.

    `target` appears whole or not at all. Returns the manifest with the members' SHA-256.
    Raises `MalformedBackupKey` and the disk's `OSError`.
    """
    recipients = [_recipient(text) for text in to]
    draft = target.with_name(f"{target.name}.partial")
    with _private(draft) as sink:
        try:
            with in_use(draft), ThreadPoolExecutor(1) as worker:
                outlet, inlet = _pipe()
                sealing = worker.submit(_seal, outlet, sink, recipients)
                try:
                    with inlet, _tar(inlet, "w|") as tar:
                        whole = _fill(tar, list(members), manifest, progress)
                except BrokenPipeError:  # the encryption knows why it stopped
                    sealing.result()
                    raise
                sealing.result()
                sink.flush()
                os.fsync(sink.fileno())
            draft.replace(target)
            flush_folder(target.parent)
        finally:
            draft.unlink(missing_ok=True)
    return whole


def read(source: Path, folder: Path, *, identity: str, progress: Progress) -> Manifest:
    """Decrypt `source` into `folder` and hold every file against the manifest.

    Raises `BackupUnreadable`, `MalformedBackupKey`, and the disk's `OSError`.
    """
    key = _identity(identity)
    with source.open("rb") as sealed:
        try:
            found = _opened(sealed, folder, key, source.stat().st_size, progress)
        except _UNREADABLE as error:
            if _is_of_the_disk(error):
                raise
            raise BackupUnreadable("It is cut or altered, or was made for another key.") from error
    return _checked(found, folder)


# -- writing -----------------------------------------------------------------------------


def _fill(
    tar: tarfile.TarFile, members: list[Member], manifest: Manifest, progress: Progress
) -> Manifest:
    total, done = sum(member.size for member in members), 0
    digests: dict[str, str] = {}
    for member in members:
        with suppress(FileNotFoundError):  # erased since it was listed
            digests[member.name] = _add(tar, member)
        done += member.size
        progress(done, total)
    whole = Manifest(**{**asdict(manifest), "files": digests})
    body = json.dumps(asdict(whole), ensure_ascii=False).encode()
    info = tarfile.TarInfo(MANIFEST)
    info.size = len(body)
    tar.addfile(info, io.BytesIO(body))
    return whole


def _add(tar: tarfile.TarFile, member: Member) -> str:
    with member.opening() as opened:
        hashing = _Hashing(opened)
        info = tarfile.TarInfo(member.name)
        # Of what was opened: since it was listed, it may have been sealed anew.
        info.size, info.mode = opened.seek(0, os.SEEK_END), 0o600
        opened.seek(0)
        tar.addfile(info, cast(IO[bytes], hashing))
    return hashing.digest.hexdigest()


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self.digest.update(block)
        return block


def _seal(outlet: IO[bytes], sink: IO[bytes], recipients: list[pyrage.x25519.Recipient]) -> None:
    with outlet:  # closed on a full disk, so that the tar's writer hears of it
        try:
            pyrage.encrypt_io(outlet, sink, recipients)
        except pyrage.EncryptError as error:  # which says in words what the disk answered
            raise OSError(str(error)) from error


# -- reading -----------------------------------------------------------------------------


_UNREADABLE = (tarfile.TarError, OSError, ValueError, pyrage.DecryptError)


def _is_of_the_disk(error: Exception) -> bool:
    """Tell whether a disk failed, as a full one does; age's own errors have no number.

    A manifest that is not there is the archive's fault.
    """
    is_numbered = isinstance(error, OSError) and error.errno is not None
    return is_numbered and not isinstance(error, FileNotFoundError)


def _opened(
    sealed: IO[bytes], folder: Path, key: pyrage.x25519.Identity, total: int, progress: Progress
) -> dict[str, Any]:
    with ThreadPoolExecutor(1) as worker:
        outlet, inlet = _pipe()
        opening = worker.submit(_open, sealed, inlet, key)
        with outlet:  # closed in any case, or the decryption waits for ever for who reads on
            _empty(outlet, folder, total, progress)
        opening.result()
    found: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
    return found


def _open(sealed: IO[bytes], inlet: IO[bytes], key: pyrage.x25519.Identity) -> None:
    with suppress(BrokenPipeError), inlet:
        pyrage.decrypt_io(sealed, inlet, [key])


def _empty(outlet: IO[bytes], folder: Path, total: int, progress: Progress) -> None:
    done = 0
    with _tar(outlet, "r|") as tar:
        for member in tar:
            tar.extract(member, folder, filter="data")
            done += member.size
            progress(min(done, total), total)


def _checked(found: dict[str, Any], folder: Path) -> Manifest:
    manifest = Manifest(**found)
    for name, digest in manifest.files.items():
        with (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise BackupUnreadable(f"{name} is not what was backed up.")
    return manifest


# -- keys and pipes ----------------------------------------------------------------------


def _recipient(text: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise MalformedBackupKey("A recipient begins with age1 and has 62 characters.") from error


def _identity(text: str) -> pyrage.x25519.Identity:
    lines = (line.strip() for line in text.splitlines())
    secret = next((line for line in lines if line and not line.startswith("#")), "")
    try:
        return pyrage.x25519.Identity.from_str(secret)
    except pyrage.IdentityError as error:
        raise MalformedBackupKey("The key's file holds no line AGE-SECRET-KEY-1….") from error


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    reading, writing = os.pipe()
    return os.fdopen(reading, "rb"), os.fdopen(writing, "wb")


def _tar(stream: IO[bytes], mode: Any) -> tarfile.TarFile:
    return tarfile.open(fileobj=stream, mode=mode, format=tarfile.PAX_FORMAT)


def _private(path: Path) -> IO[bytes]:
    """Make a file for its owner alone; one that is there is somebody else's work."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
