from collections import Counter, defaultdict
from datetime import date, time, timedelta
from itertools import pairwise

import pytest

from outreach.demo.county import County, demo_county
from outreach.demo.script import (
    DAYS,
    MINUTES,
    STARTS,
    PlannedVisit,
    ScriptTooLong,
    campaign_days,
    team_costs,
    write_script,
)
from outreach.domain.vocabulary import NextStep
from outreach.domain.workdays import WorkingCalendar
from outreach.working_calendar import published_year

CALENDAR = WorkingCalendar({2018: published_year(2018)})
Script = tuple[PlannedVisit, ...]


@pytest.fixture(scope="module")
def county() -> County:
    return demo_county()


@pytest.fixture(scope="module")
def script(county: County) -> Script:
    return write_script(county, campaign_days(CALENDAR))


def homes(script: Script) -> dict[str, list[PlannedVisit]]:
    grouped = defaultdict(list)
    for visit in script:
        grouped[visit.resident.key].append(visit)
    return grouped


def test_the_campaign_takes_21_working_days_of_june_2018() -> None:
    days = campaign_days(CALENDAR)
    assert (days[0], days[-1], len(days)) == (date(2018, 6, 1), date(2018, 7, 2), DAYS)
    assert all(CALENDAR.is_working_day(day) for day in days)
    assert date(2018, 6, 18) not in days


def test_the_campaign_begins_on_the_first_working_day() -> None:
    assert campaign_days(CALENDAR, date(2018, 6, 16), 2) == [date(2018, 6, 19), date(2018, 6, 20)]


def test_a_script_is_the_same_every_time(county: County, script: Script) -> None:
    assert write_script(county, campaign_days(CALENDAR)) == script


def test_the_man_of_88_is_the_first_home_of_the_first_day(county: County, script: Script) -> None:
    first = script[0]
    assert (first.day, first.team, first.order) == (date(2018, 6, 1), "A", 1)
    assert first.resident == county.residents[0]
    assert first.outcome.done


def test_everybody_whose_case_goes_that_far_is_visited(county: County, script: Script) -> None:
    expected = {one.key for one in county.residents if one.ending is None}
    assert set(homes(script)) == expected


def test_the_numbers_come_out(script: Script) -> None:
    done = [visit.resident for visit in script if visit.outcome.done]
    met = [one for one in done if one.grade]
    kept = [one for one in met if not one.objection or one.objection == "dismissed"]
    assert (len(script), len(done), len(script) - len(done)) == (611, 558, 53)
    assert (len(done) - len(met), len(met), len(kept)) == (27, 531, 530)


def test_every_visit_not_done_has_a_reason_and_a_next_step(script: Script) -> None:
    for visit in script:
        assert (visit.outcome.reason is None) == (visit.outcome.next_step is None)
        assert visit.outcome.done == (visit.outcome.reason is None)


def test_who_shall_be_visited_again_is_visited_again_and_nobody_else(script: Script) -> None:
    for visits in homes(script).values():
        steps = [visit.outcome.next_step for visit in visits]
        assert steps[:-1] == [NextStep.REVISIT] * (len(visits) - 1)
        assert steps[-1] != NextStep.REVISIT
        assert [visit.attempt for visit in visits] == list(range(1, len(visits) + 1))
        assert [visit.day for visit in visits] == sorted({visit.day for visit in visits})


def test_a_team_visits_at_most_ten_homes_a_day_without_overlap(script: Script) -> None:
    days = defaultdict(list)
    for visit in script:
        days[visit.day, visit.team].append(visit)
    assert len(days) == 3 * DAYS
    for visits in days.values():
        starts = [visit.start for visit in visits]
        assert [visit.order for visit in visits] == list(range(1, len(visits) + 1))
        assert starts == sorted(set(starts))
    assert Counter(map(len, days.values()))[10] == 60
    assert max(map(len, days.values())) == 10


def test_starts_leave_room_for_a_visit() -> None:
    def minutes(clock: time) -> timedelta:
        return timedelta(hours=clock.hour, minutes=clock.minute)

    gaps = [minutes(b) - minutes(a) for a, b in pairwise(STARTS)]
    assert min(gaps) >= timedelta(minutes=MINUTES)


def test_families_are_visited_when_they_are_at_home(script: Script) -> None:
    for visit in script:
        spans = visit.resident.possible_times
        clock = visit.start.strftime("%H:%M")
        assert not spans or any(
            span.weekday == visit.day.weekday() and span.start <= clock <= span.end
            for span in spans
        )


def test_two_assessors_of_the_team_sign_qualified_and_no_relatives(
    county: County, script: Script
) -> None:
    staff = {user.username: user for user in county.users}
    for visit in script:
        rater, co_signer = staff[visit.assessor], staff[visit.co_signer]
        assert (rater.team, co_signer.team) == (visit.team, visit.team)
        assert rater != co_signer
        assert set(visit.resident.categories) <= set(rater.categories)
        assert not {rater.username, co_signer.username} & county.relatives_of(visit.resident)


def test_a_cut_road_cuts_off_neighbours(script: Script) -> None:
    cut = [visit for visit in script if visit.outcome.reason == "road_cut"]
    assert len(cut) == 6
    assert len({visit.resident.township_code for visit in cut}) <= 3


@pytest.mark.parametrize("seed", range(12))
def test_other_seeds_fit_into_the_same_days(seed: int) -> None:
    script = write_script(demo_county(seed), campaign_days(CALENDAR))
    assert len(script) == 611


def test_says_when_the_days_are_too_few(county: County) -> None:
    with pytest.raises(ScriptTooLong, match="team A"):
        write_script(county, campaign_days(CALENDAR, count=10))


def test_every_team_day_has_its_cost(script: Script) -> None:
    costs = team_costs(script)
    assert len({(cost.on, cost.team, cost.what) for cost in costs}) == 3 * 3 * DAYS
    assert sum(cost.amount_fen for cost in costs) == 3 * DAYS * 75_000
