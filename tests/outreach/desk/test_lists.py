"""Lists ask a constant number of questions, however long they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from outreach.actions import applications, evaluations, publicity, visits
from outreach.domain.vocabulary import NextStep, NotDone
from outreach.models import Application, Evaluation, User
from tests import builders
from tests.outreach.desk.test_tablets import a_dispute

SignIn = Callable[[User], Client]
Fill = Callable[[builders.County, int], object]
AFTERNOON = datetime.combine(builders.VISIT_ON, datetime.min.time(), builders.SHANGHAI) + timedelta(
    hours=16
)


def nominated(place: builders.County, count: int) -> None:
    """Add nominations that nobody asked for yet."""
    for _ in range(count):
        builders.applied(place, consent=None)


def returned(place: builders.County, count: int) -> None:
    """Add applications that were returned."""
    for case in builders.applied(place, count):
        applications.send_back(case, ["photos"], by=place.administrator, at=builders.START)


def unassigned(place: builders.County, count: int) -> None:
    """Add accepted cases without an assessor."""
    applications.accept(builders.applied(place, count), by=place.administrator, at=builders.START)


def on_notice(place: builders.County, count: int) -> list[Application]:
    """Add cases whose notice hangs."""
    made = builders.evaluated(place, count)
    ids = [one.pk for one in made]
    second = builders.second_assessor(place)
    rows = list(Evaluation.objects.filter(pk__in=ids))
    evaluations.give_second_opinion(rows, by=second, at=AFTERNOON)
    cases = list(Application.objects.filter(evaluations__in=ids))
    publicity.post_notices(cases, by=place.administrator, at=AFTERNOON)
    return cases


def noticed(place: builders.County, count: int) -> None:
    """Add cases whose notice came down."""
    after = AFTERNOON + timedelta(days=8)
    publicity.end_notices(on_notice(place, count), by=place.administrator, at=after)


def objected(place: builders.County, count: int) -> None:
    """Add cases with an objection to decide."""
    for case in on_notice(place, count):
        publicity.object_to(
            case.notices.get(), from_whom="邻居", text="…", by=place.liaison, at=AFTERNOON
        )


def not_done(place: builders.County, count: int) -> None:
    """Add visits that assessed nobody."""
    for visit in builders.scheduled(place, count):
        visits.record_not_done(
            visit,
            reason=NotDone.ABSENT,
            next_step=NextStep.REVISIT,
            by=place.assessor,
            at=AFTERNOON,
        )


LISTS: list[tuple[str, str, Fill, int]] = [
    ("/cases/", "administrator", builders.applied, 0),
    ("/consent/", "liaison", nominated, 0),
    ("/papers/", "liaison", returned, 0),
    ("/accept/", "administrator", builders.applied, 0),
    ("/assign/", "administrator", unassigned, 0),
    ("/schedule/", "administrator", builders.accepted, 0),
    ("/visits/not-done/", "administrator", not_done, 0),
    ("/opinions/", "second", builders.evaluated, 0),
    ("/notices/post/", "administrator", builders.evaluated, 0),
    ("/notices/", "liaison", on_notice, 0),
    ("/notices/end/", "administrator", on_notice, 9),
    ("/objections/", "administrator", objected, 0),
    ("/review/", "administrator", noticed, 8),
    ("/sign/", "approver", builders.reviewed, 8),
    ("/trail/", "auditor", builders.applied, 0),
    ("/savings/", "administrator", builders.evaluated, 0),
    ("/savings/lines/", "administrator", builders.evaluated, 0),
    ("/disputes/", "administrator", a_dispute, 0),
]


@pytest.mark.parametrize(("page", "who", "fill", "days"), LISTS)
def test_three_rows_ask_no_more_than_one(
    place: builders.County,
    sign_in: SignIn,
    move_on: Callable[[datetime], None],
    page: str,
    who: str,
    fill: Fill,
    days: int,
) -> None:
    builders.second_assessor(place)
    browser = sign_in(User.objects.get(username=who))
    fill(place, 1)
    if days:
        move_on(AFTERNOON + timedelta(days=days))
    browser.get(page)
    with CaptureQueriesContext(
        connection,
    ) as one:
        assert browser.get(page).status_code == 200
    _more(place, fill)
    with CaptureQueriesContext(connection) as three:
        assert browser.get(page).status_code == 200
    assert len(three) == len(one)
    assert len(one) <= 25


def _more(place: builders.County, fill: Fill) -> None:
    """Add two more a day later, so that nobody is visited twice at a time."""
    day = builders.VISIT_ON
    builders.VISIT_ON = day + timedelta(days=1)
    try:
        fill(place, 2)
    finally:
        builders.VISIT_ON = day


def test_a_list_shows_fifty_and_leads_on(place: builders.County, sign_in: SignIn) -> None:
    builders.applied(place, 51)
    browser = sign_in(place.administrator)
    first, second = browser.get("/accept/"), browser.get("/accept/?page=2")
    assert (len(first.context["listing"]), len(second.context["listing"])) == (50, 1)
    assert first.context["listing"].next == "page=2"


def test_a_search_finds_by_name_and_by_number(place: builders.County, sign_in: SignIn) -> None:
    builders.applied(place, name="钱小满")
    other = builders.applied(place, name="孙大林")[0]
    browser = sign_in(place.administrator)
    by_name = browser.get("/cases/", {"q": "大林"}).context["listing"]
    by_number = browser.get("/cases/", {"q": other.number}).context["listing"]
    assert [row.item.pk for row in by_name] == [row.item.pk for row in by_number] == [other.pk]


def test_lists_show_the_end_of_an_id_number_only(place: builders.County, sign_in: SignIn) -> None:
    case = builders.applied(place)[0]
    page = sign_in(place.administrator).get("/cases/").content.decode()
    assert case.resident.id_number not in page
    assert f"••••••{case.resident.id_number[-4:]}" in page


def test_the_whole_id_number_stands_on_the_case_page_for_those_who_need_it(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.applied(place)[0]
    shown = {
        user.role: case.resident.id_number
        in sign_in(user).get(f"/cases/{case.pk}/").content.decode()
        for user in (place.liaison, place.administrator, place.approver, place.auditor)
    }
    assert shown == {"liaison": True, "administrator": True, "approver": True, "auditor": False}


def test_a_year_without_calendar_is_said_and_not_guessed(
    place: builders.County, sign_in: SignIn, move_on: Callable[[datetime], None]
) -> None:
    builders.applied(place)
    move_on(datetime(2101, 1, 5, 9, tzinfo=builders.SHANGHAI))
    page = sign_in(place.administrator).get("/accept/")
    assert page.status_code == 200
    assert "未载入 2018 年日历" in page.content.decode() or "年日历" in page.content.decode()


def test_a_step_that_needs_an_unpublished_year_waits_with_a_sentence(
    place: builders.County, sign_in: SignIn, move_on: Callable[[datetime], None]
) -> None:
    case = builders.accepted(place)[0]
    move_on(datetime(2101, 1, 5, 9, tzinfo=builders.SHANGHAI))
    form = {"on": "2101-01-06", "start": "09:00", "minutes": "40"}
    answer = sign_in(place.administrator).post(f"/cases/{case.pk}/schedule/", form)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "calendar-not-loaded")
