"""Home: one clear next step for each role, and what waits beside it."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render, resolve_url

from certificates.life import unsettled
from outreach import clock
from outreach.desk.access import EVERYBODY, DeskRequest, only
from outreach.desk.answers import SeeOther
from outreach.desk.listing import Calendar
from outreach.desk.steps import certificates_for, most_urgent_first, next_of, steps_for
from outreach.domain.vocabulary import Role
from outreach.models import User, Visit
from outreach.rules import applications_for, visits_for

#: Visits of today that are listed: a team's day has eight, a county's hundreds.
SHOWN = 60
_SHOWN_OF_VISITS = (
    *("start", "application__resident__name", "application__village__name"),
    "assessor__full_name",
)


@only(*EVERYBODY, Role.OUTLET)
def home(request: DeskRequest) -> HttpResponse:
    """Show the next step and the counts of the others; an outlet has one page only."""
    if request.user.role == Role.OUTLET:
        return SeeOther(resolve_url("desk:taken_in"))
    user, today = request.user, clock.today()
    calendar = Calendar.of(today)
    tallies = [step.tally(user, calendar) for step in steps_for(user)]
    board, visits = most_urgent_first(tallies), _visits_today(request)
    return render(
        request,
        "desk/home.html",
        {
            "board": board,
            "waits": [tally for tally in board if tally.count],
            "idle": [tally for tally in board if not tally.count],
            "next": next_of(user, tallies),
            "today_visits": visits[:SHOWN],
            "more_visits": len(visits) > SHOWN,
            "open_cases": applications_for(user).open().count(),
            "all_cases": applications_for(user).count(),
            "unsettled": _unsettled(user),
        },
    )


def _unsettled(user: User) -> int:
    """Count the certificates whose day has come and gone, as where the nightly settling stopped."""
    if user.role != Role.ADMINISTRATOR:
        return 0
    return unsettled(at=clock.now()).filter(pk__in=certificates_for(user)).count()


def _visits_today(request: DeskRequest) -> list[Visit]:
    """Return the first visits of the day, one more than is shown where there are more."""
    rows = visits_for(request.user).due(clock.today()).order_by("start", "pk")
    beside = rows.select_related("application__resident", "application__village", "assessor")
    return list(beside.only(*_SHOWN_OF_VISITS)[: SHOWN + 1])
