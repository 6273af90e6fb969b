"""What the register says was saved: by place, category and month, beside what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from typing import Any

import pytest

from outreach.actions import evaluations
from outreach.domain.savings import load_tariff, saved
from outreach.models import Evaluation, Journey, OutreachCost
from outreach.reports import By, facts_of, savings_report
from tests import builders
from tests.builders import VISIT_ON

pytestmark = pytest.mark.django_db


def assessed(place: builders.County, count: int = 1) -> Sequence[Evaluation]:
    """Assess people at home."""
    return builders.evaluated(place, count)


def cost(on: date, amount_fen: int, team: str = "A") -> OutreachCost:
    return OutreachCost.objects.create(
        on=on, team=team, what="vehicle", amount_fen=amount_fen, source="tests"
    )


def test_nothing_recorded_is_nothing_saved(place: builders.County) -> None:
    report = savings_report()
    assert (report.saved_fen, report.cost_fen, report.net_fen) == (0, 0, 0)
    assert (report.tallies(By.TOWNSHIP), report.whole.assessments) == ([], 0)


def test_an_entry_is_priced_by_the_tariff_that_it_pins(place: builders.County) -> None:
    (evaluation,) = assessed(place)
    (entry,) = savings_report().entries
    journey = Journey.objects.select_related("tariff").get(evaluation=evaluation)
    assert entry.evaluation == evaluation.pk
    assert entry.saving == saved(facts_of(journey), load_tariff(journey.tariff.body))
    assert (entry.on, entry.category) == (VISIT_ON, "physical")
    assert (entry.township, entry.village) == ("灯台乡", "任家祠村")


@pytest.mark.parametrize(("measured", "distance_km"), [("township", 25), ("nothing", 0)])
def test_a_village_that_nobody_measured_is_not_beyond_the_sea(
    place: builders.County, measured: str, distance_km: int
) -> None:
    """It lay at 0° north and 0° east: 11,500 km, for which a bus and a night were spared."""
    for division in (place.village, *[place.township] * (measured == "nothing")):
        division.latitude = division.longitude = None
        division.save()
    assessed(place)
    [entry] = savings_report().entries
    assert round(entry.facts.distance_km) == distance_km


def test_a_visit_that_assessed_nobody_counts_for_nothing(place: builders.County) -> None:
    builders.scheduled(place, 2)
    assert savings_report().entries == ()


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (By.TOWNSHIP, [("511302201", "灯台乡", 2), ("511302202", "大林乡", 1)]),
        (
            By.VILLAGE,
            [("511302201201", "灯台乡任家祠村", 2), ("511302202201", "大林乡石桥村", 1)],
        ),
        (By.CATEGORY, [("physical", "physical", 3)]),
        (By.MONTH, [("2018-06", "2018-06", 3)]),
    ],
)
def test_sums_by_place_category_and_month(
    place: builders.County, by: By, expected: list[tuple[str, str, int]]
) -> None:
    assessed(place, count=2)
    elsewhere(place)
    report = savings_report()
    tallies = report.tallies(by)
    assert [(one.key, one.label, one.assessments) for one in tallies] == expected
    assert sum(one.saved_fen for one in tallies) == report.saved_fen == report.whole.saved_fen


def elsewhere(place: builders.County) -> None:
    """Count one more journey from the other village."""
    (evaluation,) = assessed_later(place)
    Journey.objects.filter(evaluation=evaluation).update(
        village_code=place.other_village.code, village_name="石桥村", township_name="大林乡"
    )


def assessed_later(place: builders.County) -> Sequence[Evaluation]:
    """Assess one more person in the afternoon of the same day."""
    visits = builders.visits.schedule(
        [
            builders.visits.Appointment(case, VISIT_ON, time(14), minutes=30)
            for case in builders.accepted(place)
        ],
        by=place.administrator,
        at=builders.START,
    )
    said = [builders.submission(place, visit) for visit in visits]
    return evaluations.submit(said, by=place.assessor, at=said[0].evaluated_at)


def test_the_lines_of_a_tally_are_the_sums_of_the_entries_lines(place: builders.County) -> None:
    assessed(place, count=3)
    report = savings_report()
    (tally,) = report.tallies(By.TOWNSHIP)
    for code, amount in tally.lines.items():
        lines = [line for e in report.entries for line in e.saving.lines if line.code == code]
        assert amount == sum(line.amount_fen for line in lines)
    assert len(tally.lines) == 7


@pytest.mark.parametrize(
    ("first", "last", "counted"),
    [
        (None, None, 1),
        (date(2018, 6, 4), date(2018, 6, 4), 1),
        (date(2018, 6, 5), None, 0),
        (None, date(2018, 6, 3), 0),
        (date(2018, 1, 1), date(2018, 12, 31), 1),
    ],
)
def test_keeps_to_a_span_of_days_both_included(
    place: builders.County, first: date | None, last: date | None, counted: int
) -> None:
    assessed(place)
    cost(VISIT_ON, 500)
    report = savings_report(first, last)
    assert (len(report.entries), report.cost_fen) == (counted, 500 * counted)


def test_the_net_is_what_was_saved_less_what_it_cost(place: builders.County) -> None:
    assessed(place)
    cost(VISIT_ON, 35_000)
    cost(VISIT_ON, 10_000, team="B")
    report = savings_report()
    assert report.cost_fen == 45_000
    assert report.net_fen == report.saved_fen - 45_000


def test_one_division_counts_its_own_and_no_share_of_the_teams_cost(
    place: builders.County,
) -> None:
    assessed(place)
    cost(VISIT_ON, 35_000)
    for division, counted, cost_fen in (
        (place.county, 1, 35_000),
        (place.township, 1, 0),
        (place.village, 1, 0),
        (place.other_village, 0, 0),
    ):
        report = savings_report(within=division)
        assert (len(report.entries), report.cost_fen) == (counted, cost_fen)


def test_stands_beside_the_press_figure(place: builders.County) -> None:
    assessed(place, count=2)
    found = savings_report().comparison
    assert (found.people, found.press_fen) == (2, 12_000)
    lines = sum(line.difference_fen for line in found.lines)
    assert lines + found.remainder_fen == found.ours_fen - found.press_fen


def test_a_tariff_that_changed_later_leaves_past_figures_alone(place: builders.County) -> None:
    assessed(place)
    before = savings_report()
    Journey.objects.get().tariff.__class__.objects.create(
        code="511302-2019", place="511302", valid_from=date(2019, 1, 1), body="", sha256=""
    )
    assert savings_report().entries == before.entries


@pytest.mark.parametrize("count", [1, 3])
def test_asks_the_database_three_times_whatever_the_number(
    place: builders.County, django_assert_num_queries: Any, count: int
) -> None:
    assessed(place, count=count)
    with django_assert_num_queries(3):
        report = savings_report()
        report.tallies(By.VILLAGE)


def test_a_place_that_was_renamed_is_one_line_under_its_present_name(
    place: builders.County,
) -> None:
    """Its code stays; each home keeps the name of its day."""
    assessed(place)
    (later,) = assessed_later(place)
    Journey.objects.filter(evaluation=later).update(
        on=date(2018, 7, 2), village_name="任家祠社区", township_name="灯台镇"
    )
    report = savings_report()
    for by, name in ((By.TOWNSHIP, "灯台镇"), (By.VILLAGE, "灯台镇任家祠社区")):
        (tally,) = report.tallies(by)
        assert (tally.label, tally.assessments, tally.saved_fen) == (name, 2, report.saved_fen)
    assert [entry.township for entry in report.entries] == ["灯台乡", "灯台镇"]
