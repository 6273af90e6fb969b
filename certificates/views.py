"""The public check: choose a file, read in plain words what it is."""

from __future__ import annotations

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from certificates.authority import AuthorityMissing
from certificates.verdicts import Answer, Finding, judge
from outreach import clock

LARGEST = 5 * 1024 * 1024
"""Bytes; ours have about 150 kB, and a larger file is not parsed on a stranger's word."""


class CheckForm(forms.Form):
    """One file."""

    file = forms.FileField(
        label=_("Certificate file (PDF)"),
        error_messages={
            "required": _("Choose the certificate's PDF file first."),
            "empty": _("This file is empty. Choose the certificate's PDF file."),
        },
        widget=forms.FileInput(attrs={"accept": "application/pdf,.pdf"}),
    )

    def clean_file(self) -> UploadedFile[bytes]:
        """Refuse what is too large to be a certificate."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise forms.ValidationError(_("This file is larger than any certificate of ours."))
        return file


@never_cache
@require_http_methods(["GET", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Show the form, and the answer on the file that was sent; nothing of it is kept."""
    form = CheckForm(request.POST, request.FILES) if request.method == "POST" else CheckForm()
    answer = _judge(form.cleaned_data["file"]) if form.is_bound and form.is_valid() else None
    status = 422 if form.is_bound and form.errors else 200
    context = {"form": form, "answer": answer, "tone": _tone(answer)}
    return render(request, "certificates/check.html", context, status=status)


def _judge(file: UploadedFile[bytes]) -> Answer:
    try:
        return judge(file.read(), on=clock.today())
    except AuthorityMissing:
        return Answer(Finding.NOT_OURS)  # an office without a key has issued nothing


def _tone(answer: Answer | None) -> str:
    if answer is None:
        return ""
    if answer.is_valid:
        return "good"
    return "bad" if answer.finding in (Finding.ALTERED, Finding.NOT_OURS) else "care"
