"""A case that is assessed a second time: which result stands, and what it counts for."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from outreach.actions import applications, evaluations, visits
from outreach.desk.overview import overview
from outreach.domain.vocabulary import Mode
from outreach.models import Application, Evaluation, Journey
from outreach.reports import By, savings_report
from outreach.reports.intake import matters
from outreach.reports.monthly import monthly
from outreach.reports.rates import rates
from outreach.rules import Refused, second_opinions_for
from tests import builders
from tests.builders import SHANGHAI, VISIT_ON

pytestmark = pytest.mark.django_db
AFTERNOON = datetime.combine(VISIT_ON, time(16), SHANGHAI)
NEXT_DAY = VISIT_ON + timedelta(days=1)
BLIND: dict[str, Any] = {"acuity_right": 0.03, "acuity_left": 0.03}


def assessed_again(
    place: builders.County,
    first: Evaluation,
    at: datetime | None = None,
    *,
    findings: dict[str, Any] = BLIND,
    grade: int | None = 2,
) -> Evaluation:
    """Send a case back after its first assessment, and assess it at home once more: 视力 2."""
    case = first.application
    applications.advance([case], "send_back", by=place.administrator, at=AFTERNOON, note="再评")
    slot = visits.Appointment(case, NEXT_DAY, time(9), minutes=30)
    [visit] = visits.schedule([slot], by=place.administrator, at=AFTERNOON)
    part = evaluations.Part("vision", findings, grade)
    said = builders.submission(place, visit, parts=[part], grade=grade)
    [again] = evaluations.submit([said], by=place.assessor, at=at or said.evaluated_at)
    visit.refresh_from_db()
    assert visit.state == "done"
    return again


@pytest.mark.parametrize("step", [timedelta(days=1), -timedelta(days=30)])
def test_the_later_one_stands_whatever_the_servers_clock_said(
    place: builders.County, step: timedelta
) -> None:
    [first] = builders.evaluated(place)
    again = assessed_again(place, first, first.received_at + step)
    found = evaluations.current_evaluation([first.application_id])
    assert found == {first.application_id: again}
    assert again.corrects_id == first.pk


def test_the_citizen_was_spared_the_journeys_of_one_case(place: builders.County) -> None:
    """One way to the examination, one to the certificate, and one fee, whoever sent it back."""
    [first] = builders.evaluated(place)
    before = savings_report().saved_fen
    assessed_again(place, first)
    report = savings_report()
    assert (report.whole.assessments, report.saved_fen) == (1, before)
    found = matters(VISIT_ON, NEXT_DAY, within=place.county)
    assert {one.name: one.count for one in found}["assessed_at_home"] == 1


def test_who_does_not_meet_the_standard_had_no_certificate_to_collect(
    place: builders.County,
) -> None:
    [visit] = builders.scheduled(place)
    part = evaluations.Part("physical", {"condition": "none"}, None, "不符合")
    said = builders.submission(place, visit, parts=[part], grade=None)
    evaluations.submit([said], by=place.assessor, at=said.evaluated_at)
    [entry] = savings_report().entries
    assert entry.journeys == 1
    assert entry.saving.total_fen == sum(entry.amounts.values())
    assert monthly(VISIT_ON, within=place.county).trips_spared == 1


def test_whether_there_is_a_certificate_to_collect_follows_from_the_result_that_stands(
    place: builders.County,
) -> None:
    """After an objection that was upheld there may be none, after an appeal there is one."""
    [first] = builders.evaluated(place)
    sees: dict[str, Any] = {"acuity_right": 0.8, "acuity_left": 0.8}
    none = assessed_again(place, first, findings=sees, grade=None)
    assert [entry.journeys for entry in savings_report().entries] == [1]
    Application.objects.update(state="evaluated")
    none.application.refresh_from_db()
    assessed_again(place, none)
    assert [entry.journeys for entry in savings_report().entries] == [2]


def test_what_was_spared_stands_under_the_disability_that_was_found_at_last(
    place: builders.County,
) -> None:
    [first] = builders.evaluated(place)
    assessed_again(place, first)
    assert [one.key for one in savings_report().tallies(By.CATEGORY)] == ["vision"]


def test_who_moved_in_with_a_file_and_is_assessed_at_home_was_spared_journeys(
    place: builders.County,
) -> None:
    """What another county's file says is no assessment of ours."""
    [first] = builders.evaluated(place)
    Journey.objects.all().delete()
    Evaluation.objects.update(mode=Mode.FILE)
    again = assessed_again(place, first)
    assert again.corrects_id is None
    assert savings_report().whole.assessments == 1


def test_a_persons_rate_is_that_of_the_result_that_stands(place: builders.County) -> None:
    [first] = builders.evaluated(place)
    assessed_again(place, first)
    assert rates(within=place.county).evaluations == 1


def test_a_result_that_another_assessment_overturned_is_not_counted_as_not_met(
    place: builders.County,
) -> None:
    [first] = builders.evaluated(place)
    Evaluation.objects.update(met=False)
    assert overview().not_met == 1
    assessed_again(place, first)
    assert (overview().not_met, overview().evaluations) == (0, 2)


def test_a_late_evaluation_takes_up_no_case_of_whoever_has_applied_anew(
    place: builders.County,
) -> None:
    """Of a tablet that was found after a year: whoever accepted it read that it is unforeseen."""
    [first] = builders.evaluated(place)
    Evaluation.objects.update(met=False)
    Application.objects.update(state="not_met")
    found_at = AFTERNOON + timedelta(days=400)
    anew = builders.nomination(place, id_number=first.application.resident.id_number)
    applications.nominate([anew], by=place.liaison, at=found_at)
    assert first.visit is not None
    late = builders.submission(place, first.visit)
    with pytest.raises(Refused, match="open-application"):
        evaluations.submit([late], by=place.assessor, at=found_at, admitted_by=place.administrator)


def test_a_second_opinion_is_asked_on_the_result_that_stands(place: builders.County) -> None:
    [first] = builders.evaluated(place)
    again = assessed_again(place, first)
    second = builders.second_assessor(place)
    second.assessor.categories = ["physical", "vision"]
    second.assessor.save()
    assert list(second_opinions_for(second)) == [again]
