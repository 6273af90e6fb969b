"""From notice to approval: five working days, objections, second opinions, minors."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from outreach.actions import applications, evaluations, publicity, visits
from outreach.actions.notifying.outbox import fill_outbox
from outreach.desk.steps import unscheduled
from outreach.domain.workdays import CalendarNotLoaded
from outreach.models import (
    Appeal,
    Application,
    AuditEvent,
    CalendarYear,
    Evaluation,
    Notice,
    Notification,
    Objection,
)
from outreach.rules import Refused
from tests import builders
from tests.builders import SHANGHAI, VISIT_ON

pytestmark = pytest.mark.django_db
AFTERNOON = datetime(VISIT_ON.year, VISIT_ON.month, VISIT_ON.day, 16, tzinfo=SHANGHAI)


@pytest.fixture
def place() -> builders.County:
    return builders.county()


def posted(place: builders.County) -> list[Application]:
    made = builders.evaluated(place)
    rows = list(Evaluation.objects.filter(pk__in=[one.pk for one in made]))
    second = builders.second_assessor(place)
    evaluations.give_second_opinion(rows, by=second, at=AFTERNOON)
    cases = list(Application.objects.filter(evaluations__in=made))
    publicity.post_notices(cases, by=place.administrator, at=AFTERNOON)
    return cases


def test_the_notice_hangs_five_working_days(place: builders.County) -> None:
    posted(place)
    notice = Notice.objects.get()
    assert (notice.posted_on, notice.ends_on) == (date(2018, 6, 4), date(2018, 6, 11))


@pytest.mark.parametrize("days", [1, 4, 7])
def test_nobody_ends_reviews_or_approves_before_the_notice_is_over(
    place: builders.County, days: int
) -> None:
    cases = posted(place)
    early = AFTERNOON + timedelta(days=days)
    for step, by in (
        (publicity.end_notices, place.administrator),
        (publicity.review, place.administrator),
        (publicity.approve, place.approver),
    ):
        with pytest.raises(Refused, match=r"^notice-running$"):
            step(cases, by=by, at=early)
    publicity.end_notices(cases, by=place.administrator, at=AFTERNOON + timedelta(days=8))


def test_no_notice_before_every_photo_is_verified(place: builders.County) -> None:
    made = builders.evaluated(place, stored=False)
    cases = list(Application.objects.filter(evaluations__in=made))
    with pytest.raises(Refused, match=r"^awaiting-media$"):
        publicity.post_notices(cases, by=place.administrator, at=AFTERNOON)


def test_who_is_doubted_or_whose_photos_are_lost_is_assessed_again_before_any_notice(
    place: builders.County,
) -> None:
    """A tablet that burnt brings no photos any more; a second doctor may come to another grade."""
    [made] = builders.evaluated(place, stored=False)
    second = builders.second_assessor(place)
    evaluations.give_second_opinion([made], grade=3, reason="可行走", by=second, at=AFTERNOON)
    case = made.application
    applications.advance([case], "send_back", by=place.administrator, at=AFTERNOON, note="再评")
    assert list(unscheduled(place.administrator)) == [case]
    slot = visits.Appointment(case, VISIT_ON + timedelta(days=1), time(9), minutes=30)
    [visit] = visits.schedule([slot], by=place.administrator, at=AFTERNOON)
    part = evaluations.Part("physical", {"independence": "mostly", "condition": "4a"}, 4)
    said = builders.submission(place, visit, parts=[part], grade=4)
    evaluations.submit([said], by=place.assessor, at=said.evaluated_at)
    builders.store([one.sha256 for one in said.media])
    [notice] = publicity.post_notices([case], by=place.administrator, at=said.evaluated_at)
    assert notice.evaluation.grade == 4


def test_grades_one_and_two_want_a_second_opinion(place: builders.County) -> None:
    made = builders.evaluated(place)
    cases = list(Application.objects.filter(evaluations__in=made))
    with pytest.raises(Refused, match=r"^second-opinion-missing$"):
        publicity.post_notices(cases, by=place.administrator, at=AFTERNOON)


def test_an_objection_stops_the_review_until_it_is_decided(place: builders.County) -> None:
    [case] = posted(place)
    notice = Notice.objects.get()
    objection = publicity.object_to(
        notice, from_whom="邻居", text="曾见其行走", by=place.liaison, at=AFTERNOON
    )
    after = AFTERNOON + timedelta(days=8)
    case.refresh_from_db()
    with pytest.raises(Refused, match=r"^wrong-state$"):
        publicity.end_notices([case], by=place.administrator, at=after)
    publicity.decide_objection(
        objection, upheld=False, decision="复核属实", by=place.administrator, at=after
    )
    publicity.end_notices([case], by=place.administrator, at=after)
    case.refresh_from_db()
    assert case.state == "noticed"


def test_an_objection_that_was_decided_is_not_decided_again_while_another_one_waits(
    place: builders.County,
) -> None:
    [case] = posted(place)

    def objection(text: str) -> Objection:
        notice = Notice.objects.select_related("application").get()
        return publicity.object_to(
            notice, from_whom="邻居", text=text, by=place.liaison, at=AFTERNOON
        )

    first = objection("曾见其行走")
    left_open = Objection.objects.select_related("notice__application").get(pk=first.pk)
    publicity.decide_objection(
        first, upheld=False, decision="复核属实", by=place.administrator, at=AFTERNOON
    )
    second = objection("另有证人")
    with pytest.raises(Refused, match=r"^decided-already$"):
        publicity.decide_objection(
            left_open, upheld=True, decision="重评", by=place.administrator, at=AFTERNOON
        )
    case.refresh_from_db()
    second.refresh_from_db()
    stands = Objection.objects.get(pk=first.pk)
    assert (stands.is_upheld, stands.decision) == (False, "复核属实")
    assert (case.state, second.decided_at) == ("under_objection", None)


def two_objections(place: builders.County) -> tuple[Application, Objection, Objection]:
    """Let a second neighbour object while the office still looks into the first objection."""
    [case] = posted(place)
    made = []
    for who in ("邻居", "村民"):
        notice = Notice.objects.select_related("application").get()
        made.append(
            publicity.object_to(
                notice, from_whom=who, text="曾见其行走", by=place.liaison, at=AFTERNOON
            )
        )
    return case, made[0], made[1]


def test_the_case_waits_until_each_objection_is_decided(place: builders.County) -> None:
    case, first, second = two_objections(place)
    after = AFTERNOON + timedelta(days=8)
    for objection, state in ((first, "under_objection"), (second, "on_notice")):
        publicity.decide_objection(
            objection, upheld=False, decision="复核属实", by=place.administrator, at=after
        )
        case.refresh_from_db()
        assert case.state == state
    publicity.end_notices([case], by=place.administrator, at=after)
    assert list(case.events.values_list("name", flat=True))[-5:] == [
        *("object", "object"),
        *("dismiss_one", "dismiss_objection", "end_notice"),
    ]


def test_one_objection_that_is_upheld_settles_the_others(place: builders.County) -> None:
    case, first, second = two_objections(place)
    publicity.decide_objection(
        second, upheld=True, decision="重新评定", by=place.administrator, at=AFTERNOON
    )
    case.refresh_from_db()
    first.refresh_from_db()
    assert (case.state, first.is_upheld, first.decision) == ("accepted", True, "重新评定")
    with pytest.raises(Refused, match=r"^decided-already$"):
        publicity.decide_objection(
            first, upheld=False, decision="属实", by=place.administrator, at=AFTERNOON
        )


def test_an_upheld_objection_means_another_assessment(place: builders.County) -> None:
    [case] = posted(place)
    objection = publicity.object_to(
        Notice.objects.get(), from_whom="邻居", text="不实", by=place.liaison, at=AFTERNOON
    )
    publicity.decide_objection(
        objection, upheld=True, decision="重新评定", by=place.administrator, at=AFTERNOON
    )
    case.refresh_from_db()
    assert case.state == "accepted"
    assert Notice.objects.get().taken_down_on == AFTERNOON.date()


def test_only_one_notice_of_a_case_hangs(place: builders.County) -> None:
    """One whose objection was upheld by an earlier release hangs still, as far as it was told."""
    [case] = posted(place)
    Notice.objects.update(posted_on=date(2018, 5, 1), ends_on=date(2018, 5, 9))
    Application.objects.update(state="evaluated")
    case.refresh_from_db()
    publicity.post_notices([case], by=place.administrator, at=AFTERNOON)
    old, new = Notice.objects.order_by("posted_on")
    assert (old.taken_down_on, new.taken_down_on) == (AFTERNOON.date(), None)


@pytest.mark.parametrize("is_late", [False, True])
def test_minors_are_not_publicised(place: builders.County, is_late: bool) -> None:
    born = date(2017, 5, 1)
    [visit] = builders.scheduled(place, id_number=builders.id_number(born))
    part = evaluations.Part("physical", {"independence": "mostly", "condition": "4a"}, 4)
    said = builders.submission(place, visit, parts=[part], grade=4)
    evaluations.submit([said], by=place.assessor, at=said.evaluated_at)
    builders.store([declared.sha256 for declared in said.media])
    # For whom nothing is posted no calendar is missing, as at the end of a year.
    on = datetime(2035, 1, 5, 9, tzinfo=SHANGHAI) if is_late else AFTERNOON
    publicity.post_notices([visit.application], by=place.administrator, at=on)
    visit.application.refresh_from_db()
    assert (visit.application.state, Notice.objects.count()) == ("noticed", 0)


def found_not_met(place: builders.County) -> Application:
    """Return the case of somebody in whom a doctor found no disability."""
    [visit] = builders.scheduled(place)
    part = evaluations.Part("physical", {"independence": "mostly", "condition": "1g"}, None, "未达")
    said = builders.submission(place, visit, parts=[part], grade=None)
    evaluations.submit([said], by=place.assessor, at=said.evaluated_at)
    return visit.application


def test_an_appeal_has_ten_working_days(place: builders.County) -> None:
    case = found_not_met(place)
    late = datetime(2018, 6, 20, 9, tzinfo=SHANGHAI)
    with pytest.raises(Refused, match=r"^appeal-late$"):
        publicity.appeal(case, text="不服", by=place.liaison, at=late)
    made = publicity.appeal(case, text="不服", by=place.liaison, at=late - timedelta(days=1))
    assert made.deadline_on == date(2018, 6, 19)


def test_an_appeal_that_the_city_had_in_time_is_recorded_when_it_tells(
    place: builders.County,
) -> None:
    """The family goes to the city federation, which decides; the county may hear of it later."""
    case, heard = found_not_met(place), datetime(2018, 7, 2, 9, tzinfo=SHANGHAI)
    for made_on, code in (
        (date(2018, 6, 20), "appeal-late"),
        (date(2018, 6, 3), "no-day-of-an-appeal"),
        (date(2018, 7, 3), "no-day-of-an-appeal"),
    ):
        with pytest.raises(Refused, match=f"^{code}$"):
            publicity.appeal(case, text="不服", by=place.liaison, at=heard, made_on=made_on)
    publicity.appeal(case, text="不服", by=place.liaison, at=heard, made_on=date(2018, 6, 19))
    case.refresh_from_db()
    assert case.state == "under_appeal"
    told = AuditEvent.objects.get(action="appeal.record")
    assert told.detail == {"made_on": "2018-06-19"}


@pytest.mark.parametrize(("upheld", "state"), [(False, "appeal_dismissed"), (True, "accepted")])
def test_against_the_citys_decision_one_appeals_to_the_province_whose_word_is_final(
    place: builders.County, upheld: bool, state: str
) -> None:
    """What the city had dismissed was final here, and the person barred, whatever was decided."""
    case, office = found_not_met(place), place.administrator

    def appeal(month: int, day: int) -> Appeal:
        at = datetime(2018, month, day, 9, tzinfo=SHANGHAI)
        return publicity.appeal(case, text="不服", by=place.liaison, at=at)

    def decide(month: int, day: int, *, upheld: bool) -> None:
        at = datetime(2018, month, day, 9, tzinfo=SHANGHAI)
        publicity.decide_appeal(case, upheld=upheld, note="复评", by=office, at=at)

    appeal(6, 5)
    decide(6, 20, upheld=False)
    with pytest.raises(Refused, match=r"^appeal-late$"):
        appeal(7, 5)
    assert appeal(7, 4).deadline_on == date(2018, 7, 4)
    decide(7, 20, upheld=upheld)
    case.refresh_from_db()
    assert case.state == state
    if not upheld:
        with pytest.raises(Refused, match=r"^appeal-final$"):
            appeal(7, 23)


@pytest.mark.parametrize("dismissed_before", [False, True])
def test_an_appeal_that_is_taken_back_leaves_the_result_and_its_days_as_they_were(
    place: builders.County, dismissed_before: bool
) -> None:
    """It had to be entered as dismissed: a decision that nobody made, with ten days of its own."""
    case, last = found_not_met(place), date(2018, 6, 19)
    if dismissed_before:
        publicity.appeal(case, text="不服", by=place.liaison, at=AFTERNOON)
        city = datetime(2018, 6, 20, 9, tzinfo=SHANGHAI)
        publicity.decide_appeal(case, upheld=False, note="维持", by=place.administrator, at=city)
        last = date(2018, 7, 4)
    before = datetime(last.year, last.month, last.day, 9, tzinfo=SHANGHAI)
    publicity.appeal(case, text="不服", by=place.liaison, at=before)
    publicity.withdraw_appeal(case, note="家属撤回", by=place.liaison, at=before)
    case.refresh_from_db()
    assert (case.state, publicity.is_final(case)) == ("not_met", False)
    assert case.appeals.filter(decided_at=None).count() == 0
    assert publicity.appeal_deadline(case, last) == last
    anew = builders.nomination(place, id_number=case.resident.id_number)
    with pytest.raises(Refused, match=r"^barred$"):
        applications.nominate([anew], by=place.liaison, at=before)
    fill_outbox(before)  # the result is no news by then
    assert not Notification.objects.filter(kind="result").exists()
    with pytest.raises(Refused, match=r"^appeal-late$"):
        publicity.appeal(case, text="不服", by=place.liaison, at=before + timedelta(days=1))
    publicity.appeal(case, text="不服", by=place.liaison, at=before)


def test_nobody_appeals_beside_a_new_application(place: builders.County) -> None:
    """The city may decide when the year is over, and the person has applied anew by then."""
    case, later = found_not_met(place), datetime(2019, 7, 1, 9, tzinfo=SHANGHAI)
    publicity.appeal(case, text="不服", by=place.liaison, at=AFTERNOON)
    publicity.decide_appeal(case, upheld=False, note="维持", by=place.administrator, at=later)
    anew = builders.nomination(place, id_number=case.resident.id_number)
    applications.nominate([anew], by=place.liaison, at=later)
    with pytest.raises(Refused, match=r"^open-application$"):
        publicity.appeal(case, text="不服", by=place.liaison, at=later)


def test_an_appeal_before_new_year_does_not_wait_for_next_years_calendar(
    place: builders.County,
) -> None:
    """It was refused until the calendar came, and then as late."""
    CalendarYear.objects.create(year=2060, non_working=[], source="tests", loaded_at=AFTERNOON)
    early, late = builders.accepted(place, 2)
    decided = datetime(2060, 12, 27, 9, tzinfo=SHANGHAI)
    applications.move_on([early, late], "find_not_met", by=place.assessor, at=decided)
    made = publicity.appeal(early, text="不服", by=place.liaison, at=decided + timedelta(days=4))
    assert made.deadline_on is None
    with pytest.raises(CalendarNotLoaded):
        publicity.appeal(late, text="不服", by=place.liaison, at=decided + timedelta(days=5))


def test_files_that_are_held_are_looked_up_one_by_one() -> None:
    """PostgreSQL answers a NOT IN by reading the name of every file there is."""
    assert "NOT EXISTS" in (asked := str(Evaluation.objects.awaiting_media().query))
    assert "IN (SELECT" not in asked
