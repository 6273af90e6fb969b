"""What anybody reads without an account: how it works, where a case stands, questions, promises."""

from __future__ import annotations

import hmac
import threading
from typing import Any

from django import forms
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outreach import clock
from outreach.actions import enquiries as asking
from outreach.desk.answers import answer, check_form
from outreach.desk.guessing import counted, looked_at, so_far
from outreach.desk.person_fields import NumberField, TelephoneField
from outreach.domain.addresses import line_of
from outreach.domain.vocabulary import Level
from outreach.models import Application, Division, Enquiry
from outreach.reports import reply_rate, savings_report, steps_kept
from outreach.rules import Refused

#: Wrong guesses: for one number, and from one address, in a quarter of an hour.
GUESSES, GUESSES_FROM = 5, 30
#: The published figures stand for an hour; one thread at a time counts them.
PUBLISHED, PUBLISHED_SECONDS = "published-figures", 3_600
_counting = threading.Lock()


class StatusForm(forms.Form):
    """An application's number and the end of the ID number."""

    number = NumberField(label=gettext_lazy("Application number"), max_length=20)
    digits = NumberField(
        label=gettext_lazy("Last four characters of the ID number"),
        min_length=4,
        max_length=4,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )


class PublicQuestionForm(forms.Form):
    """A citizen's question."""

    village = forms.ModelChoiceField(
        label=gettext_lazy("Township"),
        queryset=Division.objects.none(),
        empty_label=gettext_lazy("Choose a township"),
    )
    question = forms.CharField(
        label=gettext_lazy("Your question"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("Write no ID number and no illness."),
    )
    telephone = TelephoneField(label=gettext_lazy("Telephone"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Division.objects.filter(level=Level.TOWNSHIP).valid(clock.today())
        self.fields["village"].queryset = rows  # type: ignore[attr-defined]


class ReplyCodeForm(forms.Form):
    """An enquiry's number and the code that was shown when it was asked."""

    number = NumberField(label=gettext_lazy("Enquiry number"), max_length=20)
    code = NumberField(label=gettext_lazy("Enquiry code"), max_length=12)


def check_caller(request: HttpRequest) -> str:
    """Refuse an address of too many wrong guesses; return what the next one counts by."""
    key = _from(request)
    if so_far(key) >= GUESSES_FROM:
        raise _too_many()
    return key


def guess(request: HttpRequest, number: str) -> list[str]:
    """Count a guess before it is looked at, and refuse one too many for a number or an address.

    Return what it counts by: one that was right is taken back.
    """
    limits = {_from(request): GUESSES_FROM, f"guess:{number.strip().upper()}": GUESSES}
    for key, limit in limits.items():
        if counted(key) > limit:
            raise _too_many()
    return list(limits)


def _too_many() -> Refused:
    return Refused("too-many-guesses", _("Too many wrong entries; wait a quarter of an hour."))


def _from(request: HttpRequest) -> str:
    return f"guess-from:{_caller(request)}"


def _caller(request: HttpRequest) -> str:
    """Return whose guesses count together: the line that the nearest proxy was called from."""
    told: str = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return line_of(told or str(request.META.get("REMOTE_ADDR", "")))


def _was_right(keys: list[str]) -> None:
    for key in keys:
        counted(key, step=-1)


def how(request: HttpRequest) -> HttpResponse:
    """Tell how it works and what to bring."""
    return render(
        request, "desk/public_how.html", {"telephone": settings.OUTREACH_ISSUER_TELEPHONE}
    )


def status(request: HttpRequest) -> HttpResponse:
    """Say where a case stands to who knows its number and the end of the ID number."""
    form = StatusForm(request.POST or None)
    found: dict[str, Any] = {}

    def act() -> HttpResponse:
        check_form(form)
        found["case"] = _case(request, form.cleaned_data["number"], form.cleaned_data["digits"])
        return render(request, "desk/public_status.html", {"form": form, **found})

    shown = answer(request, act, "desk/public_status.html", lambda: {"form": form})
    shown.headers["Cache-Control"] = "no-store, private"
    return shown


def _case(request: HttpRequest, number: str, digits: str) -> Application:
    keys = guess(request, number)
    with looked_at(*keys):
        rows = Application.objects.filter(number=number).select_related("resident")
        case = rows.first()
    end = case.resident.id_number[-4:] if case else "\0\0\0\0"
    if case is None or not hmac.compare_digest(end.encode(), digits.encode()):
        raise Refused(
            "no-such-case", _("Number and characters do not belong together; look once more.")
        )
    _was_right(keys)
    return case


def ask(request: HttpRequest) -> HttpResponse:
    """Take a citizen's question and show, once, the number and code that open the reply."""
    form = PublicQuestionForm(request.POST or None)

    def act() -> HttpResponse:
        check_form(form)
        counted(check_caller(request))
        said = form.cleaned_data
        made, code = asking.ask(
            said["question"],
            division=said["village"],
            telephone=said["telephone"],
            at=clock.now(),
        )
        return render(request, "desk/public_asked.html", {"enquiry": made, "code": code})

    shown = answer(request, act, "desk/public_ask.html", lambda: {"form": form})
    shown.headers["Cache-Control"] = "no-store, private"
    return shown


def reply(request: HttpRequest) -> HttpResponse:
    """Show a reply to who has the enquiry's number and code."""
    form = ReplyCodeForm(request.POST or None)

    def act() -> HttpResponse:
        check_form(form)
        number, code = form.cleaned_data["number"], form.cleaned_data["code"]
        keys = guess(request, number)
        with looked_at(*keys):
            held = Enquiry.objects.filter(number=number).first()
        known = held.code_sha256 if held else ""
        if held is None or not hmac.compare_digest(known, asking.fingerprint(code)):
            raise Refused(
                "no-such-enquiry", _("Number and code do not belong together; look once more.")
            )
        _was_right(keys)
        return render(request, "desk/public_reply.html", {"form": form, "enquiry": held})

    shown = answer(request, act, "desk/public_reply.html", lambda: {"form": form})
    shown.headers["Cache-Control"] = "no-store, private"
    return shown


def promises(request: HttpRequest) -> HttpResponse:
    """Publish promised and legal working days, the share kept, trips spared, the reply rate."""
    return render(request, "desk/public_promises.html", _published())


def _published() -> dict[str, Any]:
    """Count over all years, at most once in a while: anybody may open the page at any rate."""
    with _counting:
        figures: dict[str, Any] | None = cache.get(PUBLISHED)
        if figures is None:
            entries = savings_report().entries
            figures = {
                "steps": steps_kept(),
                "rate": reply_rate(Enquiry.objects.all()),
                "reply_days": settings.OUTREACH_REPLY_WORKING_DAYS,
                "people": len(entries),
                "trips": sum(entry.journeys for entry in entries),
                "saved": sum(sum(entry.amounts.values()) for entry in entries),
            }
            cache.set(PUBLISHED, figures, PUBLISHED_SECONDS)
    return figures
