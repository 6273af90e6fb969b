"""Villages and assessors with unusual rates are flagged, with a reason, where they are reviewed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from outreach import clock
from outreach.models import Application, Division, Evaluation, User
from outreach.reports.rates import Measure, Whose, rates
from tests import builders
from tests.builders import VISIT_ON

SignIn = Callable[[User], Client]


def a_severe_village(place: builders.County) -> None:
    """Assess eight in each village, all of grade 1 in the first and of grade 4 in the other."""
    for village in (place.village, place.other_village):
        cases = builders.evaluated(place, 8, on=_day(village == place.village))
        if village != place.village:
            for one in cases:
                one.application.village = village
                one.application.save()
                Evaluation.objects.filter(pk=one.pk).update(grade=4, computed_grade=4)
    clock.advance_to(builders.notice_over(_day(False)))


def _day(is_first: bool) -> Any:
    return VISIT_ON + timedelta(days=0 if is_first else 1)


def test_a_village_of_severe_grades_stands_out_with_its_figures(place: builders.County) -> None:
    a_severe_village(place)
    found = rates(within=place.county)
    high, low = found.unusual
    assert {(one.whose, one.measure) for one in (high, low)} == {(Whose.VILLAGE, Measure.SEVERE)}
    said = {one.name: (one.judged.group.hits, one.judged.group.of) for one in (high, low)}
    assert said == {"任家祠村": (8, 8), "石桥村": (0, 8)}
    assert found.of(Whose.VILLAGE, place.village.code)[0].judged.is_more
    assert (found.evaluations, found.too_few) == (16, {Whose.VILLAGE: 0, Whose.ASSESSOR: 0})


def test_what_was_corrected_or_lies_outside_the_days_or_the_area_is_not_counted(
    place: builders.County,
) -> None:
    a_severe_village(place)
    only = rates(_day(False), _day(False), within=place.county)
    assert (only.evaluations, only.compared) == (8, ())
    assert rates(within=place.village).evaluations == 8
    old, new = Evaluation.objects.order_by("pk")[:2]
    Evaluation.objects.filter(pk=new.pk).update(corrects=old)
    assert rates(within=place.county).evaluations == 15


def test_a_village_that_was_renamed_is_counted_whole(place: builders.County) -> None:
    """Its code stands in the register twice then, each with its days."""
    a_severe_village(place)
    old = place.village
    renamed = Division.objects.create(
        code=old.code,
        name="任家祠社区",
        level=old.level,
        parent=old.parent,
        valid_from=VISIT_ON,
        source="tests",
    )
    half = Application.objects.filter(village=old).order_by("pk").values_list("pk", flat=True)[:4]
    Application.objects.filter(pk__in=list(half)).update(village=renamed)
    found = rates(within=place.county)
    [one] = found.of(Whose.VILLAGE, old.code)
    assert (one.name, one.judged.group.of, found.evaluations) == ("任家祠社区", 8, 16)


def test_a_doctor_who_differs_from_the_findings_stands_out(place: builders.County) -> None:
    made = builders.evaluated(place, 16)
    theirs = [one.pk for one in made[:8]]
    Evaluation.objects.filter(pk__in=theirs).update(assessor=place.colleague, computed_grade=3)
    found = rates(within=place.county).unusual
    assert {(one.name, one.measure, one.judged.is_more) for one in found} == {
        ("assessor", Measure.DIFFERS, False),
        ("colleague", Measure.DIFFERS, True),
    }


def test_the_page_says_who_why_and_leads_to_the_cases(
    place: builders.County, sign_in: SignIn
) -> None:
    a_severe_village(place)
    office = sign_in(place.auditor)
    page = office.get("/rates/").content.decode()
    assert "重度等级多于通常" in page
    assert "符合标准的 8 人中，8 人为一级或二级。" in page
    cases = office.get(f"/cases/?village={place.village.code}").content.decode()
    assert ("任家祠村" in cases, "石桥村" in cases) == (True, False)
    theirs = office.get(f"/cases/?assessor={place.colleague.pk}").content.decode()
    assert "任家祠村" not in theirs


def test_a_year_later_nothing_is_left_to_compare(place: builders.County, sign_in: SignIn) -> None:
    a_severe_village(place)
    clock.advance_to(clock.now() + timedelta(days=400))
    assert "可比较的还太少" in sign_in(place.auditor).get("/rates/").content.decode()


def test_the_review_and_the_evaluation_carry_the_flag(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.noticed(place, on=VISIT_ON - timedelta(days=7))[0]
    office = sign_in(place.administrator)
    assert "重度等级多于通常" not in office.get("/review/").content.decode()
    a_severe_village(place)
    assert "任家祠村：重度等级多于通常" in office.get("/review/").content.decode()
    shown = office.get(f"/evaluations/{case.evaluations.get().pk}/").content.decode()
    assert "值得细看" in shown


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_takes_as_many_queries_for_one_village_as_for_three(
    place: builders.County,
    sign_in: SignIn,
    django_assert_num_queries: Callable[[int], Any],
    count: int,
) -> None:
    made = builders.evaluated(place, count)
    if count > 1:
        one = made[0].application
        one.village = place.other_village
        one.save()
    office = sign_in(place.administrator)
    with django_assert_num_queries(7):
        office.get("/rates/")
