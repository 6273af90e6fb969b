"""The page that checks QR codes without network: its files, and what it learns with one."""

from __future__ import annotations

import base64
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from certificates import revocations
from certificates.authority import AuthorityMissing, key_id, read_certificate
from certificates.models import Certificate

BUILT = Path(__file__).resolve().parent / "static" / "checker"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
COORDINATE = 32


@dataclass(frozen=True)
class _File:
    content: bytes
    content_type: str
    cache_control: str


@require_safe
def serve(_request: HttpRequest, part: str) -> HttpResponse:
    """Answer with one file of the built page, under a policy that lets nothing else run."""
    file = _files().get(part)
    if file is None:
        raise Http404
    response = HttpResponse(file.content, content_type=file.content_type)
    response["Cache-Control"] = file.cache_control
    response["Content-Security-Policy"] = POLICY
    response["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
    return response


@cache
def _files() -> dict[str, _File]:
    paths = (path for path in sorted(BUILT.rglob("*")) if path.is_file())
    return {path.relative_to(BUILT).as_posix(): _read(path) for path in paths}


def _read(path: Path) -> _File:
    kind = "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0]
    # Only names that carry a hash of their content may be kept without asking.
    forever = "public, max-age=31536000, immutable"
    return _File(
        content=path.read_bytes(),
        content_type=f"{kind or 'text/plain'}; charset=utf-8",
        cache_control=forever if path.parent.name == "assets" else "no-cache",
    )


@never_cache
@require_safe
def issuer(_request: HttpRequest) -> HttpResponse:
    """Answer with the issuer's name and the public keys of its QR codes, former ones included.

    503 while one of the key files, or their folder, cannot be read: a list with a key missing would
    have the checker, which keeps it, call papers of ours strange.
    """
    files = sorted(settings.OUTREACH_KEYS_DIR.glob("credential*.crt.pem"))
    try:
        keys = [_public(read_certificate(file)) for file in files]
    except (AuthorityMissing, *revocations.UNUSABLE):
        return _later()
    if not keys and Certificate.objects.exists():
        return _later()
    return JsonResponse({"issuer": settings.OUTREACH_ISSUER, "keys": keys})


def _public(certificate: Any) -> dict[str, str]:
    numbers = certificate.public_key().public_numbers()
    assert isinstance(numbers, ec.EllipticCurvePublicNumbers), "QR codes are signed with ES256"
    return {"kid": key_id(certificate).hex(), "x": _b64(numbers.x), "y": _b64(numbers.y)}


def _b64(coordinate: int) -> str:
    return base64.urlsafe_b64encode(coordinate.to_bytes(COORDINATE, "big")).rstrip(b"=").decode()


@never_cache
@require_safe
def revoked(_request: HttpRequest) -> HttpResponse:
    """Answer with the signed list of certificates that are not valid (COSE_Sign1)."""
    try:
        body = revocations.published()
    except AuthorityMissing as error:
        raise Http404 from error  # an office without a key has issued nothing
    except revocations.UNUSABLE:
        return _later()
    response = HttpResponse(body, content_type="application/cose")
    response["Access-Control-Allow-Origin"] = "*"  # signed, and about nobody by name
    return response


def _later() -> HttpResponse:
    return HttpResponse(status=503, headers={"Retry-After": "600"})
