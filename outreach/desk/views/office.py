"""The audit trail, and the demo's clock."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from outreach import clock
from outreach.desk.access import EVERYBODY, DeskRequest, only
from outreach.desk.answers import answer, done
from outreach.desk.forms import ClockForm
from outreach.desk.listing import Calendar, list_rows
from outreach.desk.subjects import about, records_of
from outreach.desk.words import DEEDS
from outreach.domain.vocabulary import Role
from outreach.models import AuditEvent, User
from outreach.rules import Refused


def trail_for(user: User) -> QuerySet[AuditEvent]:
    """Return the deeds of the division's people, and what anybody did to its records.

    Who did it may work elsewhere by now. Where a record lies is known once its deed has a number;
    what nobody did is everybody's for as long as that is unknown.
    """
    code = user.division.code
    of_nobody = Q(by=None) & (Q(division_code=None) | Q(division_code=""))
    rows = AuditEvent.objects.filter(
        Q(by__division__code__startswith=code) | Q(division_code__startswith=code) | of_nobody
    )
    return rows.select_related("by")


@only(Role.AUDITOR)
def trail(request: DeskRequest) -> HttpResponse:
    """List who did what to which record, newest first, within the auditor's division."""
    rows = trail_for(request.user)
    if search := request.GET.get("q", "").strip():
        rows = rows.filter(_meant(search, request.user))
    listing = list_rows(
        request,
        rows.order_by("-pk"),
        Calendar.of(clock.today()),
        search_in=(),
        since=lambda event: event.at,
        more=lambda events: about(events, request.user),
    )
    return render(request, "desk/trail.html", {"listing": listing})


def _meant(search: str, user: User) -> Q:
    """Return the condition that a deed as it is shown or stored is meant, who did it, or the case.

    All are looked up first: few people, words and records, where the trail has millions of rows.
    """
    people = User.objects.filter(full_name__icontains=search)
    wanted = search.casefold()
    deeds = [code for code, words in DEEDS.items() if wanted in f"{code} {words}".casefold()]
    by = Q(by__in=list(people.values_list("pk", flat=True)))
    return by | Q(action__in=deeds) | Q(subject_id__in=records_of(search, user))


@only(*EVERYBODY)
def demo_clock(request: DeskRequest) -> HttpResponse:
    """Show the demo's simulated time; on POST move it on. Outside the demo there is no page."""
    if not settings.OUTREACH_DEMO or settings.OUTREACH_CLOCK != "simulated":
        raise Http404
    now = clock.now()
    form = ClockForm(request.POST or None, initial={"at": now})

    def act() -> HttpResponse:
        if not form.is_valid():
            raise Refused("malformed-form", _("Write a date and a time."))
        to = form.cleaned_data["at"]
        if to <= now:
            raise Refused("clock-back", _("The clock only moves on; choose a later moment."))
        clock.advance_to(to)
        shown = timezone.localtime(to).strftime("%Y-%m-%d %H:%M")
        return done(request, _("It is now %(moment)s.") % {"moment": shown}, "desk:clock")

    return answer(request, act, "desk/clock.html", lambda: {"form": form})
