"""The two views over a folder, with stand-ins for the register and for the tablets' tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django.http import HttpRequest
from django.test import RequestFactory

from mobile_api.tus.store import Store
from mobile_api.tus.views import Uploads, upload_urls
from tests.mobile_api.uploading import CHUNK, digest, metadata

KEEP_FOR = timedelta(hours=72)


@dataclass
class Register:
    """Accepts every file and remembers which, as the database does."""

    entered: set[str] = field(default_factory=set)

    def examine(self, file: BinaryIO, declared_type: str) -> None:
        """Accept the file."""

    def register(self, sha256: str, opening: Callable[[], BinaryIO], found: None = None) -> None:
        """Remember the file."""
        with opening() as blob:
            assert digest(blob.read()) == sha256
        self.entered.add(sha256)


def _owner(request: HttpRequest) -> str:
    return request.headers["X-Tablet"]


@dataclass
class Server:
    """One process of the service: all it knows is on the disk below `root`."""

    root: Path
    register: Register
    now: datetime = datetime(2018, 6, 4, tzinfo=UTC)
    owner_of: Callable[[HttpRequest], str] = _owner
    #: What the service has around the uploads: `let_go`, `turn`.
    around: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = Store(self.root)
        urls = upload_urls(
            lambda: Uploads(
                self.store,
                self.register,
                self.owner_of,
                lambda: self.now,
                2_000_000,
                KEEP_FOR,
                **self.around,
            )
        )
        self._collection, self._one = (pattern.callback for pattern in urls)

    def _request(self, method: str, where: str, tablet: str, body: bytes, told: Any) -> HttpRequest:
        headers = {"Tus-Resumable": "1.0.0", "X-Tablet": tablet}
        environ = {
            "CONTENT_TYPE": CHUNK,
            "CONTENT_LENGTH": str(len(body)),
            **told.pop("environ", {}),
        }
        headers |= {name.replace("_", "-"): str(value) for name, value in told.items()}
        return RequestFactory().generic(method, where, body, headers=headers, **environ)

    def create(self, tablet: str, content: bytes, body: bytes = b"", **told: Any) -> Any:
        """Announce a file."""
        told.setdefault("Upload_Length", len(content))
        told.setdefault("Upload_Metadata", metadata(digest(content)))
        return self._collection(self._request("POST", "/uploads/", tablet, body, told))

    def ask(self, method: str, tablet: str, upload: UUID, body: bytes = b"", **told: Any) -> Any:
        """Send a request about one upload."""
        request = self._request(method, f"/uploads/{upload}", tablet, body, told)
        return self._one(request, identifier=upload)

    def patch(self, tablet: str, upload: UUID, body: bytes, offset: int, **told: Any) -> Any:
        """Send a chunk."""
        return self.ask("PATCH", tablet, upload, body, Upload_Offset=offset, **told)

    def offset(self, tablet: str, upload: UUID) -> int | None:
        """Ask how far an upload is; None where it is gone."""
        answer = self.ask("HEAD", tablet, upload)
        return int(answer["Upload-Offset"]) if answer.status_code == 200 else None


def place(answer: Any) -> UUID:
    """Return the upload that a creation answered with."""
    return UUID(answer["Location"].rpartition("/")[2])
