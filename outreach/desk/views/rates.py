"""Unusual rates: which villages and assessors stand out, why, and what to look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render

from outreach import clock
from outreach.desk.access import DeskRequest, only
from outreach.desk.rating_words import OVERLONG, title_of
from outreach.domain.unusual import FALSE_SHARE, FEWEST
from outreach.domain.vocabulary import Role
from outreach.models import User
from outreach.reports.rates import Rate, Rates, Whose, rates

READERS = (Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR)
#: How far back the review looks.
SPAN = timedelta(days=365)
#: For how long they stand.
SECONDS = 600
#: How wide the mark is that shows what was found.
MARK = 1.6


@dataclass(frozen=True)
class Band:
    """A rate drawn on a line of a hundred: what is usual, and where the mark of what is found."""

    low: float
    width: float
    mark: float

    @classmethod
    def of(cls, rate: Rate) -> Band:
        """Lay a rate out."""
        of, judged = rate.judged.group.of, rate.judged
        low, high = 100 * judged.low / of, 100 * judged.high / of
        width, mark = max(high - low, 1), (100 - MARK) * judged.group.hits / of
        return cls(round(low, 1), round(width, 1), round(mark, 1))


def rates_for(user: User) -> Rates:
    """Return the rates of the user's division over the last twelve months, minutes old at most.

    They hardly move, and every opening of the review's page would count a county's year anew.
    """
    today = clock.today()
    name = f"rates:{user.division.code}:{today}"
    found: Rates | None = cache.get(name)
    if found is None:
        found = rates(today - SPAN, today, within=user.division)
        cache.set(name, found, SECONDS)
    return found


@only(*READERS)
def unusual(request: DeskRequest) -> HttpResponse:
    """Show which villages and assessors stand out, and how all others compare."""
    found = rates_for(request.user)
    parts = []
    for whose in Whose:
        rows = [(rate, Band.of(rate)) for rate in found.compared if rate.whose == whose]
        out = [row for row in rows if row[0].judged.stands_out]
        rest = [row for row in rows if not row[0].judged.stands_out]
        parts.append(
            {
                "whose": whose,
                "title": title_of(whose),
                "out": out,
                "rest": rest[:OVERLONG],
                "more": max(0, len(rest) - OVERLONG),
                "too_few": found.too_few[whose],
            }
        )
    context = {
        "rates": found,
        "parts": parts,
        "fewest": FEWEST,
        "false_share": round(1 / FALSE_SHARE),
    }
    return render(request, "desk/rates.html", context)
