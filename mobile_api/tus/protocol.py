"""tus 1.0.0 as pure decisions: request headers in; a reading, response headers or a refusal out.

Core protocol and the extensions creation, creation-with-upload, checksum, expiration and
termination (https://tus.io/protocols/resumable-upload#protocol-extensions). No Django, no
files, no clock: `store` holds the bytes, `views` speaks HTTP.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from types import MappingProxyType

from mobile_api.problems import Problem

VERSION = "1.0.0"
EXTENSIONS = ("creation", "creation-with-upload", "checksum", "expiration", "termination")
# tus asks every server that checks sums to know at least SHA-1.
CHECKSUMS: Mapping[str, int] = MappingProxyType({"sha1": 20, "sha256": 32})
CHUNK_TYPE = "application/offset+octet-stream"
PICTURE_TYPES = ("image/jpeg", "image/png")
COLLECTION_METHODS = ("OPTIONS", "POST")
UPLOAD_METHODS = ("OPTIONS", "HEAD", "PATCH", "DELETE")
LONGEST_METADATA = 4096

_WHOLE = re.compile(r"[0-9]{1,15}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class Checksum:
    """What the bytes of one chunk must hash to."""

    algorithm: str
    digest: bytes = field(repr=False)


@dataclass(frozen=True)
class Creation:
    """An upload as its client announces it; `metadata` is the header word for word."""

    length: int
    sha256: str
    content_type: str
    metadata: str
    has_body: bool
    checksum: Checksum | None


@dataclass(frozen=True)
class Append:
    """One chunk as its client announces it."""

    offset: int
    checksum: Checksum | None


@dataclass(frozen=True)
class Progress:
    """How far an upload is; one that is complete has no expiry."""

    length: int
    offset: int
    metadata: str
    expires_at: datetime | None


def effective_method(method: str, headers: Mapping[str, str]) -> str:
    """Return the method to obey: X-HTTP-Method-Override replaces the actual one (tus core)."""
    return (headers.get("X-HTTP-Method-Override") or method).strip().upper()


def check_method(method: str, allowed: tuple[str, ...]) -> None:
    """Refuse a method that an address does not have (RFC 9110 §15.5.6: with Allow)."""
    if method not in allowed:
        raise Problem("not-allowed", f"{method}: one of {', '.join(allowed)} is expected")


def check_version(method: str, headers: Mapping[str, str]) -> None:
    """Refuse another version of the protocol with 412 and Tus-Version; OPTIONS names none."""
    if method != "OPTIONS" and headers.get("Tus-Resumable") != VERSION:
        raise Problem("upload-version", f"Tus-Resumable: {VERSION} is expected")


def read_creation(headers: Mapping[str, str], announced: int | None, *, max_bytes: int) -> Creation:
    """Read a POST: Upload-Length and an Upload-Metadata that names the file's SHA-256.

    `announced` is the length of its body as in `check_append`; 0 for a creation alone.
    """
    length = _length(headers, max_bytes)
    metadata = headers.get("Upload-Metadata", "")
    values = read_metadata(metadata)
    has_body = _media_type(headers) == CHUNK_TYPE
    if announced and not has_body:
        raise Problem("upload-type", f"Content-Type: {CHUNK_TYPE} is expected")
    checksum = read_checksum(headers) if has_body else None
    check_append(Append(0, checksum), 0, length, announced)
    return Creation(
        length=length,
        sha256=_declared_sha256(values),
        content_type=_declared_type(values),
        metadata=metadata,
        has_body=has_body,
        checksum=checksum,
    )


def read_append(headers: Mapping[str, str]) -> Append:
    """Read a PATCH: its media type, Upload-Offset and Upload-Checksum."""
    if _media_type(headers) != CHUNK_TYPE:
        raise Problem("upload-type", f"Content-Type: {CHUNK_TYPE} is expected")
    return Append(offset=_whole(headers, "Upload-Offset"), checksum=read_checksum(headers))


def check_append(append: Append, stored: int, length: int, announced: int | None) -> None:
    """Refuse a chunk that does not start where the file ends, or ends past its length.

    `announced` is Content-Length, or None for a chunked body of unknown length.
    """
    if append.offset != stored:
        raise Problem("upload-offset", "Upload-Offset: ask with HEAD how much is stored")
    if append.offset + (announced or 0) > length:
        raise Problem("too-large", "the chunk goes past Upload-Length")


def read_metadata(header: str) -> dict[str, str]:
    """Read Upload-Metadata: comma-separated `key base64(value)` pairs, keys unique."""
    if len(header) > LONGEST_METADATA:
        raise Problem("upload-metadata", "Upload-Metadata: too long")
    values: dict[str, str] = {}
    for pair in header.split(",") if header.strip() else ():
        key, _, encoded = pair.strip().partition(" ")
        if not key or key in values:
            raise Problem("upload-metadata", "Upload-Metadata: a key is empty or comes twice")
        values[key] = _text(encoded)
    return values


def read_checksum(headers: Mapping[str, str]) -> Checksum | None:
    """Read Upload-Checksum: `algorithm base64(digest)`; None where there is none."""
    header = headers.get("Upload-Checksum")
    if header is None:
        return None
    algorithm, _, encoded = header.strip().partition(" ")
    if algorithm not in CHECKSUMS:
        raise Problem(
            "upload-metadata", f"Upload-Checksum: one of {', '.join(CHECKSUMS)} is expected"
        )
    try:
        digest = base64.b64decode(encoded, validate=True)
    except ValueError:
        digest = b""
    if len(digest) != CHECKSUMS[algorithm]:
        raise Problem("upload-metadata", f"Upload-Checksum: base64 of a {algorithm} is expected")
    return Checksum(algorithm, digest)


def capabilities(max_bytes: int) -> dict[str, str]:
    """Return what OPTIONS answers: version, extensions, size limit and checksum algorithms."""
    return {
        "Tus-Version": VERSION,
        "Tus-Extension": ",".join(EXTENSIONS),
        "Tus-Max-Size": str(max_bytes),
        "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
    }


def created(progress: Progress, location: str) -> dict[str, str]:
    """Return the headers of a 201; Upload-Offset says what need not be sent any more."""
    return {"Location": location, **appended(progress)}


def appended(progress: Progress) -> dict[str, str]:
    """Return the headers of a PATCH's 204."""
    return {"Upload-Offset": str(progress.offset), **_expiry(progress)}


def described(progress: Progress) -> dict[str, str]:
    """Return the headers of a HEAD, which nothing between here and the tablet may cache."""
    return {
        "Cache-Control": "no-store",
        "Upload-Length": str(progress.length),
        "Upload-Metadata": progress.metadata,
        **appended(progress),
    }


def _expiry(progress: Progress) -> dict[str, str]:
    if progress.expires_at is None:
        return {}
    at = progress.expires_at.astimezone(UTC)
    return {"Upload-Expires": format_datetime(at, usegmt=True)}


def _length(headers: Mapping[str, str], max_bytes: int) -> int:
    if "Upload-Defer-Length" in headers:
        raise Problem("upload-metadata", "Upload-Defer-Length: the length must be known")
    length = _whole(headers, "Upload-Length")
    if length == 0:
        raise Problem("not-a-picture", "Upload-Length: a file of 0 bytes is no picture")
    if length > max_bytes:
        raise Problem("too-large", f"Upload-Length: at most {max_bytes} bytes are accepted")
    return length


def _whole(headers: Mapping[str, str], name: str) -> int:
    raw = headers.get(name, "")
    if not _WHOLE.fullmatch(raw):
        raise Problem("upload-metadata", f"{name}: a whole number is expected")
    return int(raw)


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _text(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        raise Problem("upload-metadata", "Upload-Metadata: base64 of text is expected") from None


def _declared_sha256(values: Mapping[str, str]) -> str:
    declared = values.get("sha256", "").lower()
    if not _SHA256.fullmatch(declared):
        raise Problem("upload-metadata", "sha256: 64 hexadecimal digits are expected")
    return declared


def _declared_type(values: Mapping[str, str]) -> str:
    declared = values.get("type", "")
    if declared and declared not in PICTURE_TYPES:
        raise Problem("upload-type", f"type: one of {', '.join(PICTURE_TYPES)} is expected")
    return declared
