"""The public check: a file, a picture of a QR code or a number, answered in plain words."""

from __future__ import annotations

import logging
import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from certificates import sm2, throttles
from certificates.authority import AuthorityMissing
from certificates.models import SecondSignature
from certificates.scanning import is_picture
from certificates.verdicts import Answer, Finding, KeysAway, judge_content, judge_number
from outreach import clock
from outreach.domain.identity import as_meant

LARGEST = 5 * 1024 * 1024
"""Bytes; ours have about 150 kB, and a larger file is not parsed on a stranger's word."""
log = logging.getLogger(__name__)


def is_too_large(file: UploadedFile[bytes]) -> bool:
    """Tell whether a file is larger than any paper of ours, or a telephone's picture of one."""
    may_be_larger = is_picture(file.read(8))
    file.seek(0)
    return (file.size or 0) > (settings.OUTREACH_MAX_PHOTO_BYTES if may_be_larger else LARGEST)


class CheckForm(forms.Form):
    """One file."""

    file = forms.FileField(
        label=_("Certificate file (PDF), or a picture of its QR code"),
        error_messages={
            "required": _("Choose the certificate's PDF file first."),
            "empty": _("This file is empty. Choose the certificate's PDF file."),
        },
        widget=forms.FileInput(attrs={"accept": "application/pdf,.pdf,image/*"}),
    )

    def clean_file(self) -> UploadedFile[bytes]:
        """Refuse what is too large to be a certificate."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if is_too_large(file):
            raise forms.ValidationError(_("This file is larger than any certificate of ours."))
        return file


class NumberForm(forms.Form):
    """A number and a day, as they are printed on the certificate."""

    number = forms.CharField(
        label=_("Certificate number"),
        max_length=30,
        help_text=_("20 characters, and B1, B2… where it is a replacement."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    issued = forms.CharField(
        label=_("Month and day of issue"),
        max_length=8,
        help_text=_("Four digits: 0613 for 13 June."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )

    def clean_number(self) -> str:
        """Return the number as the register has it."""
        text = as_meant(self.cleaned_data["number"]).upper()
        if not re.fullmatch(r"\d{17}[\dX]\d{2}(B[1-9]\d?)?", text, re.ASCII):
            raise forms.ValidationError(_("This is no certificate number; compare each character."))
        return text

    def clean_issued(self) -> str:
        """Return month and day as four digits."""
        text = re.sub(r"\D", "", as_meant(self.cleaned_data["issued"]), flags=re.ASCII)
        if len(text) != 4:
            raise forms.ValidationError(_("Write month and day as four digits, such as 0613."))
        return text


@never_cache
@require_http_methods(["GET", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Show the forms, and the answer on the file that was sent; nothing of it is kept."""
    form = CheckForm(request.POST, request.FILES) if request.method == "POST" else CheckForm()
    if form.is_bound and not throttles.may_ask(request):
        return _page(request, {"form": form, "is_throttled": True}, 429)
    try:
        answer = _judge(form.cleaned_data["file"]) if form.is_bound and form.is_valid() else None
    except KeysAway:
        log.exception("Strangers' codes and files cannot be judged.")
        return _page(request, {"form": form, "is_away": True}, 503)
    return _page(request, {"form": form, "answer": answer}, 422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def check_number(request: HttpRequest) -> HttpResponse:
    """Answer on a number; it travels in the form, never in an address.

    Whoever changes the language of an answer comes here without a form.
    """
    if request.method != "POST":
        return _page(request, {"is_number": True}, 200)
    form, answer = NumberForm(request.POST), None
    if form.is_valid():
        number, issued = form.cleaned_data["number"], form.cleaned_data["issued"]
        if not throttles.may_ask_number(request, number):
            return _page(request, {"number_form": form, "is_throttled": True}, 429)
        answer = judge_number(number, issued, on=clock.today())
    context = {"number_form": form, "answer": answer, "is_number": True}
    return _page(request, context, 422 if form.errors else 200)


@never_cache
@require_safe
def second_signature(request: HttpRequest, sha256: str) -> HttpResponse:
    """Answer with the SM2 signature beside a file; whoever has the file knows its SHA-256."""
    if not throttles.may_ask(request):
        return HttpResponse(status=429)
    held = get_object_or_404(SecondSignature, file__sha256=sha256)
    headers = {"Content-Disposition": f'attachment; filename="{sha256[:16]}.pdf.sm2"'}
    return HttpResponse(held.body, content_type="application/octet-stream", headers=headers)


@never_cache
@require_safe
def second_certificates(_request: HttpRequest) -> HttpResponse:
    """Answer with the certificates by which SM2 signatures are verified, in PEM."""
    if not settings.OUTREACH_SM2:
        raise Http404
    found = sm2.published(settings.OUTREACH_KEYS_DIR)
    return HttpResponse(found, content_type="application/x-pem-file")


def _page(request: HttpRequest, given: dict[str, Any], status: int) -> HttpResponse:
    forms_ = {"form": CheckForm(), "number_form": NumberForm()}
    context = {**forms_, **given, "tone": tone(given.get("answer"))}
    return render(request, "certificates/check.html", context, status=status)


def _judge(file: UploadedFile[bytes]) -> Answer:
    try:
        return judge_content(file.read(), on=clock.today())
    except AuthorityMissing:
        return Answer(Finding.NOT_OURS)  # an office without a key has issued nothing


BAD = (
    *(Finding.ALTERED, Finding.NOT_OURS, Finding.NO_CODE, Finding.FOREIGN_CODE),
    *(Finding.UNKNOWN_NUMBER, Finding.LOST, Finding.CANCELLED),
)


def tone(answer: Answer | None) -> str:
    """Return how an answer is coloured; its words say the same."""
    if answer is None:
        return ""
    if answer.is_valid:
        return "good"
    return "bad" if answer.finding in BAD else "care"
