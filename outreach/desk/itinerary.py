"""The itinerary of a plan on paper: one page a team and day, for the seat beside the driver.

It names people, homes and telephones, so every page says to keep it and to destroy it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import PageBreak, Spacer

from outreach.desk.boards import figures_now
from outreach.desk.tags import figure, listed
from outreach.desk.working_paper import SOFT, Hand, grid, printed
from outreach.domain.daytime import clock_time
from outreach.models import Plan, PlannedStop

COLUMNS = (15 * mm, 13 * mm, 62 * mm, 50 * mm, 38 * mm)


def draw(plan: Plan, stops: Sequence[PlannedStop]) -> bytes:
    """Draw the stops, which come by day, team and order, as a PDF."""
    hand = Hand()
    story: list[Any] = []
    figures = figures_now(plan, stops)
    for (on, team), day in groupby(stops, lambda stop: (stop.on, stop.team_id)):
        story += [PageBreak()] if story else []
        story += _day(hand, plan, list(day), figures.get((team, on)))
    foot = [
        _("Personal data: keep this paper with you and destroy it after the day."),
        f"{settings.OUTREACH_ISSUER} · {_('Plan')} {plan.number}",
    ]
    kind = _("Itinerary")  # by itself: nobody finds words inside an f-string before Python 3.12
    return printed(hand, story, f"{plan.campaign.name} · {kind}", foot, A4)


def _day(
    hand: Hand, plan: Plan, stops: Sequence[PlannedStop], figures: dict[str, Any] | None
) -> list[Any]:
    first = stops[0]
    team = first.team
    crew = [member.user.full_name for member in team.members.select_related("user")]
    count = ngettext("%(n)d home", "%(n)d homes", len(stops)) % {"n": len(stops)}
    facts = [count]
    if figures:
        facts += [
            _("leaves %(place)s at %(time)s")
            % {"place": team.base_name, "time": clock_time(figures["leave"])},
            _("back about %(time)s") % {"time": clock_time(figures["back"])},
            figure(figures["km"], "km"),
        ]
    people = _(", ").join(crew) + (f" · {team.vehicle}" if team.vehicle else "")
    return [
        hand.write(f"{plan.campaign.name} · {team.name}", 10, colour=SOFT),
        hand.write(f"{first.on:%Y-%m-%d}", 20, bold=True),
        Spacer(1, 3 * mm),
        hand.write(people, 10.5),
        hand.write(" · ".join(facts), 9.5, colour=SOFT),
        Spacer(1, 4 * mm),
        _grid(hand, stops),
    ]


def _grid(hand: Hand, stops: Sequence[PlannedStop]) -> Any:
    # Again on every page: a second sheet by itself says whose it is.
    home = _("Person and home")
    whose = f"{home} · {stops[0].team.name} {stops[0].on:%Y-%m-%d}"
    heads = (_("Time"), _("No."), whose, _("Disability"), _("Telephone"))
    rows = [[hand.write(head, 8, bold=True, colour=SOFT) for head in heads]]
    rows += [_row(hand, number, stop) for number, stop in enumerate(stops, start=1)]
    return grid(rows, COLUMNS, 5)


def _row(hand: Hand, number: int, stop: PlannedStop) -> list[Any]:
    case = stop.application
    resident, village = case.resident, case.village
    township = f"{village.parent.name} " if village.parent else ""
    home = f"{township}{village.name}\n{resident.address}".strip()
    bedridden = f" · {_('Bedridden')}" if resident.is_bedridden else ""
    minutes = ngettext("%(n)d minute", "%(n)d minutes", stop.minutes) % {"n": stop.minutes}
    liaison = case.nominated_by
    return [
        hand.write(clock_time(stop.start), 12, bold=True),
        hand.write(str(number), 10),
        [hand.write(resident.name, 11.5, bold=True), hand.write(home, 8.5, colour=SOFT)],
        [
            hand.write(listed(case.categories, "category") + bedridden),
            hand.write(f"{case.number} · {minutes}", 8, colour=SOFT),
        ],
        [
            hand.write(resident.telephone or "—", 10),
            hand.write(f"{liaison.full_name}\n{liaison.telephone}", 8, colour=SOFT),
        ],
    ]
