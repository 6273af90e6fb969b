"""The HTTP surface for tablets, on one page."""

from __future__ import annotations

import zlib
from base64 import b64encode
from calendar import monthrange
from datetime import date, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI, Query, Status, errors
from ninja.openapi.schema import OpenAPISchema
from ninja.security import HttpBearer
from pydantic import BaseModel, ValidationError

from certificates.actions import open_newest
from certificates.models import Certificate
from certificates.throttles import OneByOne
from mobile_api import wire
from mobile_api.auth import device_for, integration_for, stopped
from mobile_api.changes import MOST, changes
from mobile_api.condition import clock_told, health_told, is_older
from mobile_api.devices import enrol
from mobile_api.federation import FederationKeys
from mobile_api.handin import take
from mobile_api.leases import LEASE, lend, lend_again
from mobile_api.models import Device, Epoch, Integration, Replica
from mobile_api.mutators import Context
from mobile_api.owed import owed
from mobile_api.problems import CONTENT_TYPE, Problem, promised
from mobile_api.pull import pull
from mobile_api.push import push
from mobile_api.receipts import ReceiptKeys
from mobile_api.scope import HOLDERS, rows_for, whoami
from mobile_api.tus import described
from mobile_api.tus.body import announced_length
from mobile_api.tus.protocol import VERSION
from outreach import clock
from outreach.models import Division, Kept, KeptUpdate, Slot, User
from outreach.reports import savings_report
from outreach.rules import scope

MIN_APP = "0.1.0"
LOCK_AFTER_S = 300
ROOT = "/api/v1/"
MAX_BODY = 8 * 1024 * 1024
#: How zlib reads a gzip stream with its head and check sum.
_GZIP = 16 + zlib.MAX_WBITS

Body = TypeVar("Body", bound=BaseModel)


class AuthenticatedRequest(HttpRequest):
    """A request of an enrolled tablet, as ninja hands it on."""

    auth: Device


class SumsRequest(HttpRequest):
    """A request for sums, with the division that they are of."""

    auth: Division


class ReadingRequest(HttpRequest):
    """A request of another office's system, as ninja hands it on."""

    auth: Integration


class EnrolThrottle(OneByOne):
    """Counts tries with a code."""

    scope = "enrol"


class HandInThrottle(OneByOne):
    """Counts hand-ins by themselves: a tablet's many parts must not use up its enrolments."""

    scope = "hand-in"


class ShareThrottle(OneByOne):
    """Counts by itself what locked tablets ask for."""

    scope = "share"


class DeviceToken(HttpBearer):
    """The token of an enrolled tablet."""

    def __call__(self, request: HttpRequest) -> Device:
        return device_for(request)

    def authenticate(self, request: HttpRequest, token: str) -> Device:  # noqa: ARG002
        return device_for(request)


class IntegrationToken(HttpBearer):
    """The token of another office's system, made for reading the changes."""

    def __call__(self, request: HttpRequest) -> Integration:
        return integration_for(request, "changes")

    def authenticate(self, request: HttpRequest, token: str) -> Integration:  # noqa: ARG002
        return self(request)


class SumsToken(HttpBearer):
    """The token of a tablet, or of another office's system that was made for sums."""

    def __call__(self, request: HttpRequest) -> Division:
        try:
            return device_for(request).user.division
        except Problem as problem:
            if problem.slug != "expired-token":
                raise
        return integration_for(request, "savings").division

    def authenticate(self, request: HttpRequest, token: str) -> Division:  # noqa: ARG002
        return self(request)


class TabletAPI(NinjaAPI):
    """The operations below, and in its document the uploads, which are plain views."""

    def get_openapi_schema(self, *args: Any, **kwargs: Any) -> OpenAPISchema:
        """Return the document of everything below /api/v1/."""
        document = super().get_openapi_schema(*args, **kwargs)
        document["paths"].update(described.paths(ROOT))
        return document


api = TabletAPI(
    title="Outreach for tablets",
    version="1",
    urls_namespace="mobile_api",
    docs_url=None,
    openapi_url="/openapi.json",
    auth=DeviceToken(),
)


@api.exception_handler(Problem)
def answer_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Answer a problem as RFC 9457 has it, below the uploads as tus has it, too."""
    response = JsonResponse(problem.body(), status=problem.status, content_type=CONTENT_TYPE)
    if request.path_info.startswith(f"{ROOT}uploads"):
        response["Tus-Resumable"] = VERSION
    return response


@api.exception_handler(errors.ValidationError)
def answer_malformed(request: HttpRequest, error: errors.ValidationError) -> HttpResponse:
    """Name the parameters that do not have the expected shape."""
    fields = sorted({str(item["loc"][-1]) for item in error.errors})
    return answer_problem(request, Problem("malformed", ", ".join(fields), {"fields": fields}))


@api.exception_handler(errors.Throttled)
def answer_too_many(request: HttpRequest, _error: errors.Throttled) -> HttpResponse:
    """Say to wait; ninja adds for how long."""
    return answer_problem(request, Problem("too-many"))


@api.exception_handler(RequestDataTooBig)
def answer_too_large(request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
    """Say the same of a body that Django does not read as of one that is larger unpacked."""
    return answer_problem(request, Problem("too-large"))


@csrf_exempt
def nowhere(request: HttpRequest) -> HttpResponse:
    """Answer an address below the API that does not exist as the API answers, not as a page."""
    return answer_problem(request, Problem("not-found"))


@api.exception_handler(OperationalError)
def answer_busy(request: HttpRequest, _error: OperationalError) -> HttpResponse:
    """Answer that nothing was applied; the tablet tries again."""
    return answer_problem(request, Problem("busy"))


def read(request: HttpRequest, shape: type[Body]) -> Body:
    """Read a (possibly gzipped) JSON body into a shape, or raise a `Problem` naming the fields."""
    try:
        return shape.model_validate(orjson.loads(_plain(request)))
    except orjson.JSONDecodeError as error:
        raise Problem("not-json") from error
    except ValidationError as error:
        fields = sorted({".".join(str(part) for part in item["loc"]) for item in error.errors()})
        raise Problem("malformed", ", ".join(fields), {"fields": fields}) from error


def _plain(request: HttpRequest) -> bytes:
    if announced_length(request) is None:
        raise Problem("not-json", "Content-Length is expected; a chunked body is not read")
    body = request.body
    if request.headers.get("Content-Encoding", "") == "gzip":
        opener = zlib.decompressobj(wbits=_GZIP)
        try:
            body = opener.decompress(body, MAX_BODY + 1)
        except zlib.error as error:
            raise Problem("not-json", "the gzip stream is broken") from error
        if len(body) <= MAX_BODY and (not opener.eof or opener.unused_data):
            raise Problem("not-json", "the gzip stream is broken")
    if len(body) > MAX_BODY:
        raise Problem("too-large")
    return body


#: What any operation that asks for a token may answer, and any that reads a body.
_TOKEN = ("no-token", "expired-token", "revoked", "busy")
_BODY = ("not-json", "too-large", "malformed", "busy")


def _schema(shape: type[BaseModel], *problems: str) -> dict[str, object]:
    """Document the body that `read` reads by itself, and the problems that may come of it."""
    content = {"application/json": {"schema": shape.model_json_schema()}}
    return {
        "requestBody": {"required": True, "content": content},
        "responses": promised(*dict.fromkeys((*_BODY, *problems))),
    }


@api.post(
    "/devices/enrol",
    auth=None,
    response={201: wire.EnrolOut},
    openapi_extra=_schema(
        wire.EnrolIn, "unknown-code", "code-used", "fork", "code-expired", "too-many"
    ),
    throttle=[EnrolThrottle("60/m")],
    summary="Enrol a tablet with a one-time code",
)
def enrol_device(request: HttpRequest) -> Status[wire.EnrolOut]:
    body = read(request, wire.EnrolIn)
    at = clock.now()
    device, replica, token = enrol(
        code=body.code, label=body.label, key=body.public_key, replica=body.replica, at=at
    )
    answer = wire.EnrolOut(
        device=device.pk,
        replica=replica.pk,
        token=token,
        epoch=Epoch.current(),
        server_time=at,
        user=whoami(device.user),
        federation_key=FederationKeys(settings.OUTREACH_KEYS_DIR).public(),
        receipt_key=ReceiptKeys(settings.OUTREACH_KEYS_DIR).public(),
    )
    return Status(201, answer)


@api.post(
    "/devices/lease",
    response={200: wire.LeaseOut},
    openapi_extra={"responses": promised(*_TOKEN)},
    summary="Lend the server's part of the tablet's key",
)
def lease(request: AuthenticatedRequest) -> wire.LeaseOut:
    at = clock.now()
    share, ask = lend(request.auth, at=at)
    return wire.LeaseOut(share=share, ask=ask, lease_until=at + LEASE)


@api.post(
    "/devices/share",
    auth=None,
    response={200: wire.ShareOut},
    openapi_extra=_schema(wire.ShareIn, "unknown-replica", "revoked", "too-many"),
    throttle=[ShareThrottle("60/m")],
    summary="Lend it again to a locked tablet whose lease has ended",
)
def share_again(request: HttpRequest) -> wire.ShareOut:
    body, at = read(request, wire.ShareIn), clock.now()
    share = lend_again(body.replica, body.ask, at=at)
    return wire.ShareOut(share=share, lease_until=at + LEASE, server_time=at)


@api.post(
    "/sync",
    response={200: wire.SyncOut},
    openapi_extra=_schema(wire.SyncIn, *_TOKEN, "gap", "fork", "unknown-replica"),
    summary="Push what the tablet did, pull what it should hold",
)
def sync(request: AuthenticatedRequest) -> HttpResponse:
    device = request.auth
    body = read(request, wire.SyncIn)
    context = Context(device.user, clock.now())
    with transaction.atomic():
        if not _seen(device=device.pk, at=context.at, health=_condition(body, context.at)):
            raise stopped()  # since it asked: its turn, or the database, was waited for
        replica = _held(device, body.replica)
        outcomes = push(replica, device, body.push, context) if body.push else []
        pulled = _pull(replica, body, context)
        missing = owed(replica)
        epoch = Epoch.current()
    answer = wire.SyncOut(
        rid=body.rid,
        server_time=context.at,
        epoch=epoch,
        last_seq=replica.last_seq,
        chain=replica.chain,
        outcomes=outcomes,
        pull=pulled,
        policy=wire.Policy(
            min_app=MIN_APP,
            lease_until=context.at + LEASE,
            lock_after_s=LOCK_AFTER_S,
            clock="simulated" if settings.OUTREACH_CLOCK == "simulated" else "real",
            co_signers=settings.OUTREACH_CO_SIGNERS,
            federation_key=FederationKeys(settings.OUTREACH_KEYS_DIR).public(),
            receipt_key=ReceiptKeys(settings.OUTREACH_KEYS_DIR).public(),
        ),
        blobs_missing=missing,
        receipt=_receipt(replica, context.at, epoch, outcomes, len(missing))
        if body.push or body.receipt
        else None,
    )
    # It has its shape: ninja would check and copy it once more.
    return HttpResponse(answer.model_dump_json(), content_type="application/json")


def _receipt(
    replica: Replica, at: datetime, epoch: str, outcomes: list[wire.OutcomeOut], missing: int
) -> wire.Receipt | None:
    """Sign what was acknowledged; the caller's transaction has committed."""
    signed = ReceiptKeys(settings.OUTREACH_KEYS_DIR).sign(
        {
            "v": 1,
            "replica": str(replica.pk),
            "epoch": epoch,
            "at": at.isoformat(),
            "last_seq": replica.last_seq,
            "chain": replica.chain,
            "outcomes": [[one.seq, one.was or one.outcome] for one in outcomes],
            "missing": missing,
        }
    )
    return wire.Receipt(**signed) if signed else None


def _condition(body: wire.SyncIn, at: datetime) -> dict[str, Any]:
    """Return what is kept of what the tablet says of itself."""
    return {**health_told(body.health, body.app), "clock": clock_told(body.clock, at)}


@Kept
def _replicas(replica: Slot, device: Slot) -> QuerySet[Replica]:
    return Replica.objects.select_for_update().filter(pk=replica, device=device)


def _held(device: Device, replica: UUID) -> Replica:
    held = _replicas.first(replica=replica, device=device.pk)
    if held is None:
        raise Problem("unknown-replica")
    return held


def _pull(replica: Replica, body: wire.SyncIn, context: Context) -> wire.PullOut | None:
    if body.pull is None or is_older(body.app, MIN_APP):
        return None
    return pull(replica, body.pull, rows_for(context.user, context.at.date()))


@KeptUpdate
def _seen(device: Slot, at: Slot, health: Slot) -> tuple[QuerySet[Device], dict[str, Any]]:
    may = Exists(User.objects.filter(pk=OuterRef("user"), is_active=True))
    in_use = Device.objects.filter(may, pk=device, revoked_at=None)
    return in_use, {"last_seen_at": at, "health": health}


@api.post(
    "/hand-in",
    auth=None,
    response={200: wire.HandInOut, 201: wire.HandInOut},
    openapi_extra=_schema(wire.HandInIn, "bad-signature", "hand-in-anew", "too-many", "no-room"),
    throttle=[HandInThrottle("600/m")],
    summary="Hand in, sealed, what a stopped, forked or locked tablet still holds",
)
def hand_in(request: HttpRequest) -> Status[wire.HandInOut]:
    part, is_new = take(read(request, wire.HandInIn), at=clock.now())
    return Status(201 if is_new else 200, wire.HandInOut(receipt=part.hand_in, n=part.n))


@api.get(
    "/certificates/{uuid:certificate}.pdf",
    response={200: None},
    openapi_extra={
        "responses": {
            200: {
                "description": "OK",
                "headers": {
                    "Repr-Digest": {
                        "description": "RFC 9530; of another file than the row's if that is lost",
                        "schema": {"type": "string"},
                    }
                },
                "content": {"application/pdf": {}},
            },
            **promised(*_TOKEN, "not-found"),
        }
    },
    summary="The signed PDF, for those in scope",
)
def certificate_pdf(request: AuthenticatedRequest, certificate: UUID) -> FileResponse:
    user = request.auth.user
    found = Certificate.objects.filter(scope(user, prefix="application__"), pk=certificate).first()
    if found is None or user.role not in HOLDERS:
        raise Problem("not-found")
    try:
        kept, paper = open_newest(found)
    except FileNotFoundError as error:
        raise Problem("not-found") from error
    digest = b64encode(bytes.fromhex(kept.sha256)).decode()
    headers = {"Repr-Digest": f"sha-256=:{digest}:"}
    return FileResponse(paper, content_type="application/pdf", headers=headers)


@api.get(
    "/changes",
    auth=IntegrationToken(),
    response={200: wire.ChangesOut},
    openapi_extra={
        "responses": promised(
            "no-token", "expired-token", "scope", "malformed", "feed-restored", "busy"
        )
    },
    summary="What happened after a number, for other offices' systems",
)
def list_changes(
    request: ReadingRequest,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 200,
    epoch: UUID | None = None,
) -> wire.ChangesOut:
    return changes(request.auth, after, limit, epoch)


@api.get(
    "/savings",
    auth=SumsToken(),
    response={200: wire.TallyOut},
    openapi_extra={"responses": promised(*_TOKEN, "scope", "malformed")},
    summary="What a month's home assessments spared citizens of the user's division",
)
def savings(request: SumsRequest, month: str = "") -> wire.TallyOut:
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError as error:
        raise Problem("malformed", "month: YYYY-MM is expected", {"fields": ["month"]}) from error
    last = first.replace(day=monthrange(first.year, first.month)[1])
    whole = savings_report(first, last, within=request.auth).whole
    return wire.TallyOut(
        month=month, assessments=whole.assessments, saved_fen=whole.saved_fen, lines=whole.lines
    )
