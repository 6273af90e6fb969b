"""A family's page behind its one link: papers by photo, a time for the visit; no account."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outreach import clock
from outreach.actions import family as actions
from outreach.actions import papers
from outreach.actions.visits import moment_of
from outreach.desk import words
from outreach.desk.answers import answer, check_form, done
from outreach.desk.guessing import counted
from outreach.desk.keeping import keep, photos_in, served, take_each
from outreach.desk.nomination_form import TIMES, check_working_day, spans
from outreach.desk.views.paper_photos import papers_of
from outreach.desk.views.public import check_caller
from outreach.domain.vocabulary import Paper
from outreach.models import FamilyLink
from outreach.rules import Refused

#: Pages and forms that one link answers in a quarter of an hour.
USES = 120
FamilyView = Callable[..., HttpResponseBase]


class TimesForm(forms.Form):
    """When the family is at home."""

    times = forms.MultipleChoiceField(
        label=gettext_lazy("When is somebody at home?"),
        choices=TIMES,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        validators=[check_working_day],
        help_text=gettext_lazy("Tick nothing if any working day will do."),
    )


def through_link(view: FamilyView, *, is_counted: bool = True) -> FamilyView:
    """Open a page to who has a standing link; anybody else is told kindly to ask the liaison.

    The small pictures on a page are not counted as pages of their own. Whoever previews an address
    in a message only gets it: who sends something has opened it.
    """

    @wraps(view)
    def guarded(request: HttpRequest, secret: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            caller = check_caller(request)
            link = actions.link_of(secret, clock.now())
            if link is None:
                counted(caller)
                return _private(render(request, "desk/family_over.html", status=404))
            if is_counted:
                _check_uses(link)
            if request.method == "POST":
                actions.note_opened(link, clock.now())
        except Refused as refusal:
            context = {"refusal": refusal}
            return _private(render(request, "desk/family_over.html", context, status=429))
        return _private(view(request, link, secret, *args, **kwargs))

    return guarded


def _check_uses(link: FamilyLink) -> None:
    if counted(f"family-link:{link.pk}") > USES:
        raise Refused("too-often", _("Too many calls for this link; wait a quarter of an hour."))


def _private(response: HttpResponseBase) -> HttpResponseBase:
    """Keep the page out of caches and search engines, its address out of what others hear.

    Even a proxy on our side hears the origin alone: its log names where each style sheet was asked
    for from. Not `no-referrer`: with it a browser sends forms from the origin `null`, which the
    check against forged requests refuses.
    """
    response.headers["Cache-Control"] = "no-store, private"
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@through_link
def family(request: HttpRequest, link: FamilyLink, secret: str) -> HttpResponse:
    """Show what is still missing and when somebody comes; on POST a browser says that it does."""
    if request.method == "POST":
        return HttpResponse(status=204)
    return render(request, "desk/family.html", _page(link, secret))


def _page(link: FamilyLink, secret: str) -> dict[str, Any]:
    case, at = link.application, clock.now()
    visit = actions.appointment_of(link)
    return {
        "link": link,
        "secret": secret,
        "case": case,
        "called": _masked(case.resident.name),
        "visit": visit,
        "seen": moment_of(visit),
        "may_change": visit is not None and actions.may_change(visit, at),
        "is_over": visit is not None and visit.on < clock.today(),
        "telephone": settings.OUTREACH_ISSUER_TELEPHONE,
        "may_choose": case.state == "accepted",
        "may_send": case.state in actions.STATES,
        "papers": _papers(link),
    }


def _masked(name: str) -> str:
    """Return a name of which only the first character is to be seen, long or short."""
    return name[:1] + "＊" * min(len(name) - 1, 2)


def _papers(link: FamilyLink) -> list[dict[str, Any]]:
    """List each paper of the case with what was sent of it, what is missing first."""
    case = link.application
    sent = list(case.paper_photos.shown())
    mine = [photo for photo in sent if photo.link_id]
    rows = [
        {
            "paper": paper,
            "is_missing": paper in case.papers_missing,
            "photos": [photo for photo in mine if photo.paper == paper],
        }
        for paper in papers_of(case, mine)
    ]
    return sorted(rows, key=lambda row: not row["is_missing"])


@through_link
def send(request: HttpRequest, link: FamilyLink, secret: str) -> HttpResponse:
    """Take photos of a paper from the family."""

    def act() -> HttpResponse:
        paper = request.POST.get("paper", "")
        files = photos_in(request, "photos")
        if paper not in set(Paper) or not files:
            raise Refused("photo-missing", _("Choose or take a photo first, then press send."))

        def take(file: UploadedFile[bytes]) -> None:
            papers.check_may_send(link)
            papers.send(link, Paper(paper), keep(file), at=clock.now())

        take_each(files, take)
        text = _("%(paper)s: the photo has arrived. The office looks at it.")
        return done(request, text % {"paper": words.PAPERS[paper]}, "desk:family", secret)

    return answer(request, act, "desk/family.html", lambda: _page(link, secret))


@through_link
def take_back(request: HttpRequest, link: FamilyLink, secret: str, photo: UUID) -> HttpResponse:
    """Take back a photo that nobody has decided about; pressed twice, it is still taken back."""
    held = get_object_or_404(link.application.paper_photos, pk=photo, link__isnull=False)

    def act() -> HttpResponse:
        papers.take_back(held, at=clock.now())
        return done(request, _("The photo is taken back."), "desk:family", secret)

    return answer(request, act, "desk/family.html", lambda: _page(link, secret))


@partial(through_link, is_counted=False)
def photo(request: HttpRequest, link: FamilyLink, secret: str, photo: UUID) -> HttpResponseBase:
    """Show the family the small copy of a photo it sent."""
    del request, secret
    rows = link.application.paper_photos.shown().filter(link__isnull=False)
    return served(get_object_or_404(rows, pk=photo), "small")


@through_link
def time(request: HttpRequest, link: FamilyLink, secret: str) -> HttpResponse:
    """Offer times for the visit; on POST book one, or keep when somebody is at home."""
    told = request.POST if "tell" in request.POST else None  # the times are not what was offered
    form = TimesForm(told, initial={"times": _ticked(link)})

    def act() -> HttpResponse:
        at, seen = clock.now(), request.POST.get("seen", "")
        if key := request.POST.get("offer", ""):
            visit = actions.choose_time(link, key, seen=seen, at=at)
            said = {"day": visit.on.isoformat(), "time": f"{visit.start:%H:%M}"}
            text = _("Agreed: the doctors come on %(day)s at %(time)s.") % said
        elif "take_back" in request.POST:
            actions.take_back_time(link, seen=seen, at=at)
            text = _("The time is taken back. Choose another one, or the same again.")
            return done(request, text, "desk:family_time", secret)
        else:
            check_form(form)
            actions.say_times(link, spans(form.cleaned_data["times"]), at=at)
            text = _("Thank you; the office calls you with a time that suits you.")
        return done(request, text, "desk:family", secret)

    def context() -> dict[str, Any]:
        return {**_page(link, secret), "form": form, "offers": actions.times_for(link, clock.now())}

    return answer(request, act, "desk/family_time.html", context)


def _ticked(link: FamilyLink) -> list[str]:
    return [
        f"{span['weekday']}-{'am' if span['from'] < '12:00' else 'pm'}"
        for span in link.application.possible_times
    ]
