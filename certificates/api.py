"""The public check for programs: a file, picture, code or number in; a finding in JSON out."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from certificates import throttles
from certificates.authority import AuthorityMissing
from certificates.verdicts import (
    Answer,
    Finding,
    KeysAway,
    judge_code,
    judge_content,
    judge_number,
)
from certificates.views import NumberForm, is_too_large
from outreach import clock

log = logging.getLogger(__name__)


class Unanswerable(Exception):
    """What was sent is nothing that can be checked; `status` is HTTP's."""

    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        self.detail = detail
        super().__init__(detail)


@csrf_exempt  # it changes nothing, and knows nobody
@never_cache
@require_POST
def check(request: HttpRequest) -> JsonResponse:
    """Answer on a PDF or picture, or in JSON on a `code`, or on a `number` and `issued`."""
    try:
        answer = _said(request) if request.content_type == "application/json" else _sent(request)
    except Unanswerable as refusal:
        body = {"status": refusal.status, "detail": refusal.detail}
        return JsonResponse(body, status=refusal.status, content_type="application/problem+json")
    return JsonResponse(_told(answer))


def _sent(request: HttpRequest) -> Answer:
    is_form = request.content_type == "multipart/form-data"
    content = _attached(request) if is_form else _body(request)
    if not content:
        raise Unanswerable(400, _("This file is empty. Choose the certificate's PDF file."))
    _check_rate(throttles.may_ask(request))
    return _judged(lambda: judge_content(content, on=clock.today()))


def _attached(request: HttpRequest) -> bytes:
    """Return the first file of a form, as `curl -F file=@…` sends it."""
    sent = (file for file in request.FILES.values() if isinstance(file, UploadedFile))
    file = next(sent, None)
    if file is not None and is_too_large(file):
        raise Unanswerable(413, _("This file is larger than any certificate of ours."))
    return file.read() if file else b""


def _said(request: HttpRequest) -> Answer:
    try:
        said = json.loads(_body(request))
    except (ValueError, RecursionError) as error:
        raise Unanswerable(400, "The body is not JSON.") from error
    if isinstance(said, dict) and isinstance(said.get("code"), str):
        _check_rate(throttles.may_ask(request))
        return _judged(lambda: judge_code(said["code"], on=clock.today()))
    form = NumberForm(said if isinstance(said, dict) else {})
    if not form.is_valid():
        wrong = "; ".join(f"{name}: {errors[0]}" for name, errors in form.errors.items())
        raise Unanswerable(400, wrong)
    number, issued = form.cleaned_data["number"], form.cleaned_data["issued"]
    _check_rate(throttles.may_ask_number(request, number))
    return judge_number(number, issued, on=clock.today())


def _body(request: HttpRequest) -> bytes:
    try:
        return request.body
    except RequestDataTooBig as error:
        detail = _("This file is larger than any certificate of ours.")
        raise Unanswerable(413, detail) from error


def _check_rate(may_ask: bool) -> None:
    if not may_ask:
        raise Unanswerable(429, _("Too many checks at once"))


def _judged(judging: Callable[[], Answer]) -> Answer:
    try:
        return judging()
    except AuthorityMissing:
        return Answer(Finding.NOT_OURS)  # an office without a key has issued nothing
    except KeysAway as error:
        log.exception("Strangers' codes and files cannot be judged.")
        raise Unanswerable(503, _("This cannot be checked at the moment.")) from error


def _told(answer: Answer) -> dict[str, Any]:
    held = answer.certificate
    return {
        "finding": answer.finding.value,
        "is_valid": answer.is_valid,
        "text": str(answer.finding.label),
        "changes": [str(change) for change in answer.changes],
        "sm2": answer.second.is_genuine if answer.second else None,
        "issued_on": held.issued_on.isoformat() if held else None,
        "valid_until": held.valid_until.isoformat() if held else None,
    }
