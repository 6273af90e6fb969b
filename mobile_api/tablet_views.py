"""The files of the built tablet app, under a policy that lets nothing else run.

They are read once and served from memory: a few files, and no path comes near the disk.
"""

from __future__ import annotations

import gzip
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from mobile_api.packing import takes_gzip
from mobile_api.tablet_builds import earlier_assets

BUILT = Path(__file__).resolve().parent / "static" / "tablet"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "frame-src blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_TYPES = {".webmanifest": "application/manifest+json", ".js": "text/javascript"}
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class _File:
    plain: bytes
    packed: bytes
    content_type: str
    cache_control: str


@csrf_exempt
@require_safe
def serve(request: HttpRequest, name: str) -> HttpResponseBase:
    """Answer with one file of the app, packed where the browser takes it so."""
    file = _files().get(name)
    if file is None:
        raise Http404
    packs = takes_gzip(request.headers.get("Accept-Encoding", ""))
    response = HttpResponse(file.packed if packs else file.plain, content_type=file.content_type)
    if packs:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
    response["Cache-Control"] = file.cache_control
    response["Content-Security-Policy"] = POLICY
    response["Permissions-Policy"] = "camera=(self), geolocation=(self), microphone=()"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Opener-Policy"] = "same-origin"
    if name == "sw.js":
        response["Service-Worker-Allowed"] = "/tablet/"
    return response


@cache
def _files() -> dict[str, _File]:
    found = (path for path in sorted(BUILT.rglob("*")) if path.is_file())
    present = {
        path.relative_to(BUILT).as_posix(): _read(path)
        for path in found
        if not path.name.startswith(".")
    }
    earlier = earlier_assets(BUILT, settings.OUTREACH_DATA / "tablet-builds")
    return {name: _read(path, is_asset=True) for name, path in earlier.items()} | present


def _read(path: Path, *, is_asset: bool = False) -> _File:
    plain = path.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"
    # Only names that carry a hash of their content may be kept without asking.
    named_by_content = is_asset or path.parent.name == "assets"
    return _File(
        plain=plain,
        packed=gzip.compress(plain, mtime=0),
        content_type=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
        cache_control=_FOREVER if named_by_content else "no-cache",
    )
