"""The two addresses of tus over HTTP: the collection of uploads, and one upload."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial, wraps
from itertools import chain
from typing import Any, BinaryIO, Protocol
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

from mobile_api.problems import CONTENT_TYPE, Problem
from mobile_api.tus import body, protocol
from mobile_api.tus.protocol import Append, Progress
from mobile_api.tus.store import Store, Upload, upload_id
from outreach.files import is_full


class Receiver(Protocol):
    """What a finished upload is handed to; both steps may come again for the same file."""

    def examine(self, file: BinaryIO, declared_type: str) -> Any:
        """Return what the file is, or refuse one that is not acceptable with a `Problem`."""

    def register(self, sha256: str, opening: Callable[[], BinaryIO], found: Any = None) -> None:
        """Enter a verified file in the register before its device is told.

        `found` is what `examine` returned just now, or None where nobody has just looked.
        """


def _nothing() -> None:
    """Hold nothing that others wait for."""


@dataclass(frozen=True)
class Uploads:
    """Everything the views need to know of the service around them."""

    store: Store
    receiver: Receiver
    owner_of: Callable[[HttpRequest], str]
    now: Callable[[], datetime]
    max_bytes: int
    keep_for: timedelta
    #: Lets go of what others may use while the line or a turn is waited for: whoever has the turn
    #: may need just that.
    let_go: Callable[[], None] = _nothing
    #: Held while a file that is all there is verified, sealed and registered.
    turn: Callable[[], AbstractContextManager[object]] = nullcontext


def upload_urls(provide: Callable[[], Uploads]) -> list[URLPattern]:
    """Return the two addresses, to be included below the API's root; `provide` runs per request."""

    @csrf_exempt
    @_speaks_tus(protocol.COLLECTION_METHODS)
    def collection(request: HttpRequest, method: str) -> HttpResponse:
        uploads = provide()
        if method == "OPTIONS":
            return _no_content(protocol.capabilities(uploads.max_bytes))
        return _post(request, uploads)

    @csrf_exempt
    @_speaks_tus(protocol.UPLOAD_METHODS)
    def one_upload(request: HttpRequest, method: str, identifier: UUID) -> HttpResponse:
        uploads = provide()
        if method == "OPTIONS":
            return _no_content(protocol.capabilities(uploads.max_bytes))
        upload = _own_upload(request, uploads, identifier)
        return {"HEAD": _head, "PATCH": _patch, "DELETE": _delete}[method](request, uploads, upload)

    return [
        path("uploads/", collection, name="uploads"),
        path("uploads/<uuid:identifier>", one_upload, name="upload"),
    ]


def _post(request: HttpRequest, uploads: Uploads) -> HttpResponse:
    owner, now = uploads.owner_of(request), uploads.now()
    uploads.store.sweep(now)
    announced = body.announced_length(request)
    creation = protocol.read_creation(request.headers, announced, max_bytes=uploads.max_bytes)
    upload = Upload(
        id=upload_id(owner, creation.sha256, creation.length),
        owner=owner,
        length=creation.length,
        sha256=creation.sha256,
        content_type=creation.content_type,
        metadata=creation.metadata,
        expires_at=now + uploads.keep_for,
    )
    if (
        creation.has_body
        and creation.checksum is None
        and announced == upload.length <= body.AT_ONCE
        and uploads.store.knows_nothing_of(upload)
    ):
        progress = _take_whole(request, uploads, upload)
    else:
        uploads.store.create(upload)
        offset = uploads.store.offset(upload)
        if creation.has_body:
            offset = _receive(request, uploads, upload, Append(0, creation.checksum), stored=offset)
        progress = _settle(uploads, upload, offset)
    return HttpResponse(
        status=201, headers=protocol.created(progress, f"{request.path}{upload.id}")
    )


def _head(_request: HttpRequest, uploads: Uploads, upload: Upload) -> HttpResponse:
    progress = _settle(uploads, upload, uploads.store.offset(upload))
    return HttpResponse(headers=protocol.described(progress))


def _patch(request: HttpRequest, uploads: Uploads, upload: Upload) -> HttpResponse:
    append = protocol.read_append(request.headers)
    stored = uploads.store.offset(upload)
    protocol.check_append(append, stored, upload.length, body.announced_length(request))
    offset = _receive(request, uploads, upload, append, stored=stored)
    return _no_content(protocol.appended(_settle(uploads, upload, offset)))


def _delete(_request: HttpRequest, uploads: Uploads, upload: Upload) -> HttpResponse:
    uploads.store.discard(upload.id)
    return _no_content({})


def _own_upload(request: HttpRequest, uploads: Uploads, identifier: UUID) -> Upload:
    """Return the upload; another device's is as unknown as one that never was."""
    owner = uploads.owner_of(request)
    upload = uploads.store.find(identifier)
    if upload is None or upload.owner != owner:
        raise Problem("not-found", "there is no such upload; create it again")
    if upload.expires_at <= uploads.now():
        raise Problem("upload-gone")
    return upload


def _receive(
    request: HttpRequest, uploads: Uploads, upload: Upload, append: Append, *, stored: int
) -> int:
    """Store the body and return the new offset; bytes before `stored` are here already."""
    uploads.let_go()
    to_the_frame = body.LARGEST_BLOCK - append.offset % body.LARGEST_BLOCK
    arriving = body.blocks(body.body_of(request), to_the_frame)
    if stored == upload.length:
        # An answer before its body is read ends the connection, and is lost to many clients.
        body.let_pass(arriving, upload.length)
        return stored
    with body.checked(arriving, append.checksum, upload.length - append.offset) as chunk:
        return uploads.store.append(upload, stored, body.skip(chunk, stored - append.offset))


def _take_whole(request: HttpRequest, uploads: Uploads, upload: Upload) -> Progress:
    """Keep a file that one request brings, without a part; on a slow line as any other.

    No upload is recorded either: the answer says that all is here, and whoever missed it announces
    the file again.
    """
    uploads.let_go()
    arriving = body.blocks(body.body_of(request), min(upload.length, body.LARGEST_BLOCK))
    content = body.at_once(arriving, upload.length)
    if len(content) != upload.length:
        uploads.store.create(upload)
        return _settle(uploads, upload, uploads.store.append(upload, 0, chain([content], arriving)))
    with uploads.turn():
        found = uploads.store.blobs.take(content, upload.sha256, _looking(uploads, upload))
        _register(uploads, upload, found)
    return Progress(upload.length, upload.length, upload.metadata, None)


def _looking(uploads: Uploads, upload: Upload) -> Callable[[BinaryIO], Any]:
    return lambda file: uploads.receiver.examine(file, upload.content_type)


def _register(uploads: Uploads, upload: Upload, found: Any) -> None:
    opening = partial(uploads.store.blobs.verified, upload.sha256)
    uploads.receiver.register(upload.sha256, opening, found)


def _settle(uploads: Uploads, upload: Upload, offset: int) -> Progress:
    """Return what the device is told; "all is here" only of a verified, registered file.

    Every answer passes through here, so a file whose last step a crash cut off is finished
    by whichever request comes next.
    """
    complete = offset == upload.length
    if complete:
        uploads.let_go()
        with uploads.turn():
            found = uploads.store.finish(upload, _looking(uploads, upload))
            _register(uploads, upload, found)
    expires_at = None if complete else upload.expires_at
    return Progress(upload.length, offset, upload.metadata, expires_at)


def _speaks_tus(
    methods: tuple[str, ...],
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Wrap a view: the method obeyed, the version checked, problems answered as RFC 9457."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def answer(request: HttpRequest, **where: UUID) -> HttpResponse:
            method = protocol.effective_method(request.method or "", request.headers)
            try:
                protocol.check_method(method, methods)
                protocol.check_version(method, request.headers)
                response = view(request, method, **where)
            except Problem as problem:
                response = _refusal(problem, methods)
            except OSError as error:
                if not is_full(error):
                    raise
                response = _refusal(Problem("no-room"), methods)
            response["Tus-Resumable"] = protocol.VERSION
            return response

        return answer

    return decorate


def _refusal(problem: Problem, methods: tuple[str, ...]) -> HttpResponse:
    response = JsonResponse(problem.body(), status=problem.status, content_type=CONTENT_TYPE)
    if problem.slug == "upload-version":
        response["Tus-Version"] = protocol.VERSION
    if problem.slug == "not-allowed":
        response["Allow"] = ", ".join(methods)
    response["Cache-Control"] = "no-store"
    return response


def _no_content(headers: Mapping[str, str]) -> HttpResponse:
    response = HttpResponse(status=204, headers=dict(headers))
    del response["Content-Type"]
    return response
