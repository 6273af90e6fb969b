"""A tablet that uploads: real pictures, real tokens, and a URL map of the uploads alone."""

from __future__ import annotations

import base64
import hashlib
import io
import random
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.test import Client
from django.urls import include, path
from django.utils import timezone
from PIL import Image

from mobile_api.auth import fingerprint
from mobile_api.models import Device
from outreach.files import local_files, photo_name
from outreach.models import Division, User

CHUNK = "application/offset+octet-stream"
urlpatterns = [path("api/v1/", include("mobile_api.uploads"))]


def jpeg(width: int = 64, height: int = 48, *, seed: int = 0, **saving: Any) -> bytes:
    """Return a JPEG of coloured noise, another one for another seed."""
    return _picture("JPEG", width, height, seed, saving)


def png(width: int = 64, height: int = 48, *, seed: int = 0, **saving: Any) -> bytes:
    """Return a PNG of coloured noise."""
    return _picture("PNG", width, height, seed, saving)


def _picture(kind: str, width: int, height: int, seed: int, saving: dict[str, Any]) -> bytes:
    noise = random.Random(seed).randbytes(width * height * 3)
    out = io.BytesIO()
    Image.frombytes("RGB", (width, height), noise).save(out, kind, **saving)
    return out.getvalue()


def digest(content: bytes) -> str:
    """Return the SHA-256 as tablets declare it."""
    return hashlib.sha256(content).hexdigest()


def b64(text: str | bytes) -> str:
    """Return base64 as tus headers carry it."""
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def metadata(sha256: str, kind: str = "image/jpeg") -> str:
    """Return Upload-Metadata for a file."""
    return f"sha256 {b64(sha256)},type {b64(kind)}"


def checksum(content: bytes, algorithm: str = "sha256") -> str:
    """Return Upload-Checksum for a chunk."""
    return f"{algorithm} {b64(hashlib.new(algorithm, content).digest())}"


@dataclass(frozen=True)
class Tablet:
    """An enrolled tablet speaking tus to the service."""

    device: Device
    token: str
    files: Path
    client: Client

    def send(
        self,
        method: str,
        where: str,
        body: bytes = b"",
        *,
        kind: str = CHUNK,
        environ: dict[str, Any] | None = None,
        **headers: str,
    ) -> Any:
        """Send a request; `Upload_Length=…` becomes Upload-Length, an empty value no header."""
        named = {"Tus_Resumable": "1.0.0", "Authorization": f"Bearer {self.token}", **headers}
        sent = {name.replace("_", "-"): value for name, value in named.items() if value}
        # Django's client names no media type for an empty body; a tablet does.
        around = {"CONTENT_TYPE": kind, **(environ or {})}
        return self.client.generic(method, where, body, headers=sent, **around)

    def create(self, content: bytes, body: bytes = b"", **headers: str) -> Any:
        """Announce a file, sending the beginning of it along where `body` has one."""
        announced = {
            "Upload_Length": str(len(content)),
            "Upload_Metadata": metadata(digest(content)),
            **headers,
        }
        kind = CHUNK if body else ""
        return self.send("POST", "/api/v1/uploads/", body, kind=kind, **announced)

    def patch(
        self,
        where: str,
        body: bytes,
        offset: int,
        *,
        environ: dict[str, Any] | None = None,
        **headers: str,
    ) -> Any:
        """Send a chunk."""
        told = {"Upload_Offset": str(offset), **headers}
        return self.send("PATCH", where, body, environ=environ, **told)

    def offset(self, where: str) -> int | None:
        """Ask how far an upload is; None where it is gone."""
        answer = self.send("HEAD", where)
        return int(answer["Upload-Offset"]) if answer.status_code == 200 else None

    def stored(self, content: bytes) -> bytes | None:
        """Return what the blob of a file holds on the server's disk."""
        name = digest(content)
        try:
            with local_files(self.files).read(photo_name(name)) as blob:
                return blob.read()
        except FileNotFoundError:
            return None


def enrol(files: Path, name: str = "li") -> Tablet:
    """Return a tablet whose uploads land below `files` (to be set as OUTREACH_FILES)."""
    place, _ = Division.objects.get_or_create(
        code="511302",
        valid_from=date(2018, 1, 1),
        defaults={"name": "Shunqing", "level": "county", "source": "test"},
    )
    user = User.objects.create(username=name, full_name=name, role="assessor", division=place)
    token = f"token of {name}"
    device = Device.objects.create(
        user=user,
        label=name,
        public_key=b"key",
        token_sha256=fingerprint(token),
        enrolled_at=timezone.now(),
    )
    return Tablet(device, token, files, Client())


def refused(answer: Any) -> tuple[int, str]:
    """Return the status and the slug of a problem document (RFC 9457)."""
    assert answer["Content-Type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    return answer.status_code, document["type"].removeprefix("/problems/")
