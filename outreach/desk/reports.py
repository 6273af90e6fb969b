"""The monthly report as pages show it: bars, the map of villages, the sheets that travel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from outreach.desk.maps import meet
from outreach.desk.tags import said, yuan
from outreach.desk.words import MATTERS, NOT_DONE, OUTLET_KINDS, ROLES, SAVING_LINES
from outreach.reports import By, Tally
from outreach.reports.monthly import Monthly, VillageTally

WIDTH, HEIGHT, MARGIN = 640.0, 420.0, 40.0
BIGGEST = 22.0
#: How large a letter of a name is drawn.
LETTER = 13.0


@dataclass(frozen=True)
class Dot:
    """A village on the map: where, how large, what a pointer or a reader is told."""

    x: float
    y: float
    radius: float
    name: str
    title: str
    is_named: bool = False

    @property
    def above(self) -> float:
        """Where the name stands: over the dot."""
        return round(self.y - self.radius - 6, 1)

    @property
    def label(self) -> tuple[float, float, float, float]:
        """The box that the name fills: left, top, right, bottom."""
        half = LETTER * len(self.name) / 2 + 3
        return self.x - half, self.above - LETTER - 3, self.x + half, self.above + 3


def dots(villages: Sequence[VillageTally]) -> list[Dot]:
    """Lay villages out on a plane, longitudes shrunk by the latitude; area says how many."""
    placed = [one for one in villages if one.latitude is not None and one.longitude is not None]
    if not placed:
        return []
    shrink = math.cos(math.radians(sum(one.latitude or 0 for one in placed) / len(placed)))
    spots = [((one.longitude or 0) * shrink, one.latitude or 0) for one in placed]
    west, south = min(x for x, _y in spots), min(y for _x, y in spots)
    wide = max(x for x, _y in spots) - west
    high = max(y for _x, y in spots) - south
    scale = min(
        (WIDTH - 2 * MARGIN) / wide if wide else math.inf,
        (HEIGHT - 2 * MARGIN) / high if high else math.inf,
    )
    scale = 1.0 if math.isinf(scale) else scale
    most = max(one.assessments for one in placed)
    return _named(
        [
            Dot(
                round(WIDTH / 2 + (x - west - wide / 2) * scale, 1),
                round(HEIGHT / 2 - (y - south - high / 2) * scale, 1),
                round(BIGGEST * math.sqrt(one.assessments / most), 1),
                one.name,
                f"{one.name}: {one.assessments} · {yuan(one.saved_fen)}",
            )
            for one, (x, y) in zip(placed, spots, strict=True)
        ]
    )


def _named(dots: list[Dot]) -> list[Dot]:
    """Name as many villages as there is room for, the largest first."""
    taken: list[tuple[float, float, float, float]] = []
    for dot in sorted(dots, key=lambda dot: -dot.radius):
        if not any(meet(dot.label, other) for other in taken):
            taken.append(dot.label)
    return [replace(dot, is_named=dot.label in taken) for dot in dots]


def label_of(tally: Tally, by: By) -> str:
    """Return what a tally is called on a page."""
    return str(said(tally.label, "category")) if by == By.CATEGORY else tally.label


def sheets(report: Monthly) -> list[tuple[str, list[str], list[list[Any]]]]:
    """Return the tables of a month: title, headings, rows; amounts in yuan to the fen."""
    return [
        _whole(report),
        *(_savings(report, by, title) for by, title in _groupings()),
        _months(report),
        _homes(report),
        _steps(report),
        _visits(report),
        _channels(report),
        _fast_lane(report),
        _matters(report),
    ]


def _groupings() -> list[tuple[By, str]]:
    return [
        (By.TOWNSHIP, _("Saved by township")),
        (By.VILLAGE, _("Saved by village")),
        (By.CATEGORY, _("Saved by disability")),
    ]


def _whole(report: Monthly) -> tuple[str, list[str], list[list[Any]]]:
    savings, cover, replies = report.savings, report.coverage, report.replies
    unknown = _("not recorded")
    rows: list[list[Any]] = [
        [_("Assessed at home"), len(savings.entries)],
        [_("Saved by citizens, yuan"), savings.saved_fen / 100],
        [_("The outreach cost, yuan"), savings.cost_fen / 100 if savings.costs else unknown],
        [_("Net, yuan"), savings.net_fen / 100 if savings.costs else unknown],
        [_("Journeys spared"), report.trips_spared],
        [_("Journeys a citizen made per person assessed"), report.trips_per_matter],
        [_("Visits done"), report.visits_done],
        [_("Visits not done"), sum(count for _reason, count in report.visits_not_done)],
        [_("Bedridden people assessed"), f"{cover.bedridden_assessed} / {cover.bedridden}"],
        [_("People of poor households assessed"), f"{cover.poor_assessed} / {cover.poor}"],
        [_("Questions asked"), replies.asked],
        [_("Questions answered"), replies.replied_share],
        [_("Questions answered in time"), replies.kept_share],
    ]
    return _("The month"), [_("Figure"), _("Value")], rows


def _savings(report: Monthly, by: By, title: str) -> tuple[str, list[str], list[list[Any]]]:
    heads = [title, _("Homes"), *(str(word) for word in SAVING_LINES.values()), _("Saved")]
    rows = [_amounts(label_of(one, by), one) for one in report.savings.tallies(by)]
    return title, heads, [*rows, _amounts(_("All"), report.savings.whole)]


def _months(report: Monthly) -> tuple[str, list[str], list[list[Any]]]:
    """Return the year up to the month; the last line is the year's own sum, not the month's."""
    heads = [_("Month"), _("Homes"), *(str(word) for word in SAVING_LINES.values()), _("Saved")]
    rows = [_amounts(one.label, one) for one in report.months]
    lines = [sum(one.lines.get(code, 0) for one in report.months) / 100 for code in SAVING_LINES]
    homes = sum(one.assessments for one in report.months)
    year = sum(one.saved_fen for one in report.months) / 100
    return _("Saved by month"), heads, [*rows, [f"{report.month:%Y}", homes, *lines, year]]


def _amounts(label: str, tally: Tally) -> list[Any]:
    lines = [tally.lines.get(code, 0) / 100 for code in SAVING_LINES]
    return [label, tally.assessments, *lines, tally.saved_fen / 100]


def _homes(report: Monthly) -> tuple[str, list[str], list[list[Any]]]:
    heads = [
        _("Day"),
        _("Township"),
        _("Village"),
        _("Disability"),
        *(str(word) for word in SAVING_LINES.values()),
        _("Saved"),
        _("Tariff"),
    ]
    rows = []
    for entry in report.savings.entries:
        amounts = entry.amounts
        rows.append(
            [
                entry.on,
                entry.township,
                entry.village,
                str(said(entry.category, "category")),
                *(amounts.get(code, 0) / 100 for code in SAVING_LINES),
                entry.total_fen / 100,
                entry.tariff.code,
            ]
        )
    return _("Each home"), heads, rows


def _steps(report: Monthly) -> tuple[str, list[str], list[list[Any]]]:
    heads = [
        _("Step"),
        _("Taken"),
        _("Promised, working days"),
        _("Legal, working days"),
        _("On average"),
        _("Longest"),
        _("Promise kept"),
    ]
    rows: list[list[Any]] = [
        [
            str(said(one.promise.step, "promise")),
            one.taken,
            one.promise.promised,
            one.promise.legal or "—",
            one.average,
            one.longest,
            one.share,
        ]
        for one in report.steps
    ]
    return _("Working days per step"), heads, rows


def _channels(report: Monthly) -> tuple[str, list[str], list[list[Any]]]:
    rows: list[list[Any]] = [
        [str(OUTLET_KINDS.get(code) or ROLES.get(code, code)), count]
        for code, count in report.channels
    ]
    total = sum(count for _code, count in report.channels)
    return (
        _("Where requests were taken in"),
        [_("Where"), _("Requests")],
        [*rows, [_("All"), total]],
    )


def _fast_lane(report: Monthly) -> tuple[str, list[str], list[list[Any]]]:
    lane = report.fast_lane
    heads = [_("Urgent cases"), _("Steps taken"), _("Within 24 hours"), _("Share")]
    return _("Fast lane"), heads, [[lane.cases, lane.steps, lane.kept, lane.share]]


def _matters(report: Monthly) -> tuple[str, list[str], list[list[Any]]]:
    heads = [_("Matter"), _("Dealt with"), _("Trips citizens made"), _("Trips per matter")]
    rows: list[list[Any]] = [
        [str(MATTERS[one.name]), one.count, one.trips, one.per_matter] for one in report.by_matter
    ]
    return _("Trips per matter"), heads, rows


def _visits(report: Monthly) -> tuple[str, list[str], list[list[Any]]]:
    rows: list[list[Any]] = [[_("Done"), report.visits_done]]
    rows += [[str(NOT_DONE.get(why, why)), count] for why, count in report.visits_not_done]
    return _("Visits done and not done"), [_("Outcome"), _("Visits")], rows
