"""Campaigns over HTTP: from an empty list to a published plan, and what each page shows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar

from outreach import clock
from outreach.actions import applications, calendars, campaigns, planning, visits
from outreach.actions.campaigns import Happening
from outreach.desk.tags import figure
from outreach.domain.vocabulary import Role
from outreach.models import AuditEvent, Call, Campaign, Plan, Team, User, Visit
from outreach.models.planning import HindranceKind, PlanState
from outreach.working_calendar import LoadedYear, published_year
from tests import builders
from tests.certificates.making import run, text_of
from tests.outreach.desk.reading import seen_on
from tests.outreach.planning import (
    ASKED,
    FRIDAY,
    MONDAY,
    Hills,
    hills,
    made,
    published,
    think,
    wait,
)

SignIn = Callable[[User], Client]
Launched = list[list[object]]
pytestmark = pytest.mark.django_db

CAMPAIGN = {
    "name": "六月送证",
    "first_on": "2018-06-04",
    "last_on": "2018-06-15",
    "minutes": "40",
    "lunch_at": "11:30",
    "lunch_minutes": "60",
    "promise_days": "30",
    "overtime_minutes": "0",
    "overtime_yuan": "60",
}


@pytest.fixture(autouse=True)
def launched(monkeypatch: pytest.MonkeyPatch) -> Launched:
    """Keep the solver's process from starting; note what would have been."""
    found: Launched = []
    monkeypatch.setattr(planning, "launch", lambda plans: found.append(list(plans)))
    return found


@pytest.fixture
def hill(place: builders.County) -> Hills:
    """Return the campaign in the hills, on the Monday on which it is planned."""
    clock.advance_to(ASKED)
    return hills(place, 8)


@pytest.fixture
def office(place: builders.County, sign_in: SignIn) -> Client:
    """Return the administrator's browser."""
    return sign_in(place.administrator)


def text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined, no-any-return]


def test_a_visit_on_a_day_that_was_made_a_holiday_stays_in_sight(
    place: builders.County, hill: Hills, office: Client
) -> None:
    """Its day was gone from the board: nobody saw that somebody waits on a day off."""
    published(hill)
    Visit.objects.update(on=FRIDAY)
    homes = Visit.objects.count()
    off = published_year(2018) | {FRIDAY}
    calendars.load_year(LoadedYear(2018, off, "特别放假"), by=None, at=ASKED)
    page = office.get(f"/campaigns/{hill.campaign.pk}/")
    assert sum(week.homes for week in page.context["weeks"]) == homes
    assert "06-15" in text(page)
    assert "不再是本次行动的工作日" in text(page)


def test_an_empty_list_says_what_to_do_next(office: Client) -> None:
    page = text(office.get("/campaigns/"))
    assert "还没有行动" in page
    assert "/campaigns/new/" in page


def test_a_campaign_its_team_and_a_plan_are_made_by_forms(
    place: builders.County,
    office: Client,
    launched: Launched,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    clock.advance_to(ASKED)
    assert office.post("/campaigns/new/", CAMPAIGN).status_code == 303
    campaign = Campaign.objects.get()
    page = f"/campaigns/{campaign.pk}/"
    assert "添加小组" in text(office.get(page))
    team = {
        "name": "北线",
        "members": [str(place.assessor.pk)],
        "base": str(place.township.pk),
        "vehicle": "越野车",
        "start": "08:30",
        "end": "17:30",
    }
    assert office.post(f"{page}teams/new/", team).status_code == 303
    assert Team.objects.get().shifts.count() == 10
    assert "没有等候走访的家庭" in text(office.get(page))
    wait(place, [place.village], 3)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        answer = office.post(f"{page}plan/", {"seconds": "20", "label": "初稿"})
    plan = Plan.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/plans/{plan.pk}/")
    assert launched == [[plan.pk]]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"first_on": "soon"}, "first_on"),
        ({"minutes": "0"}, "minutes"),
        ({"lunch_at": "noon"}, "lunch_at"),
    ],
)
def test_a_malformed_campaign_is_told_and_nothing_is_lost(
    office: Client, changes: dict[str, str], field: str
) -> None:
    answer = office.post("/campaigns/new/", CAMPAIGN | changes)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "malformed-form")
    assert field in answer.context["form"].errors
    kept = {**CAMPAIGN, **changes}["overtime_yuan"]
    assert f'value="{kept}"' in text(answer)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"last_on": "2018-06-01"}, "span-reversed"),
        ({"last_on": "2019-06-01"}, "campaign-too-long"),
        ({"first_on": "2018-06-16", "last_on": "2018-06-16"}, "no-working-day"),
        ({"first_on": "2101-01-04", "last_on": "2101-01-08"}, "calendar-not-loaded"),
    ],
)
def test_days_that_cannot_be_worked_are_refused(
    office: Client, place: builders.County, changes: dict[str, str], code: str
) -> None:
    answer = office.post("/campaigns/new/", CAMPAIGN | changes)
    assert (answer.status_code, answer["X-Refusal"]) == (422, code)
    assert not Campaign.objects.exists()


def test_an_assessor_is_in_one_team_only(hill: Hills, office: Client) -> None:
    form = {
        "name": "第三组",
        "members": [str(hill.spare.pk)],
        "base": str(hill.place.township.pk),
        "vehicle": "",
        "start": "08:30",
        "end": "17:30",
    }
    answer = office.post(f"/campaigns/{hill.campaign.pk}/teams/new/", form)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "assessor-taken")
    taken = office.post(
        f"/campaigns/{hill.campaign.pk}/teams/new/", form | {"name": hill.north.name}
    )
    assert taken["X-Refusal"] == "team-exists"


def test_nobody_who_has_another_role_by_now_is_offered_for_a_team(
    hill: Hills, office: Client
) -> None:
    """A team of whom nobody rates any more was put together, and no plan had a day for it."""
    User.objects.filter(pk=hill.spare.pk).update(role=Role.LIAISON)
    for page in (f"/campaigns/{hill.campaign.pk}/teams/new/", f"/teams/{hill.south.pk}/"):
        offered = office.get(page).context["form"].fields["members"].queryset
        assert hill.spare.pk not in [one.pk for one in offered]


def test_whose_visits_stay_with_who_left_the_team_is_said(hill: Hills, office: Client) -> None:
    """No plan looked at them any more, and nobody heard of it."""
    published(hill)
    mine = Visit.objects.filter(assessor=hill.place.assessor).count()
    page = f"/teams/{hill.north.pk}/"
    form = {"name": "北线", "members": [hill.place.colleague.pk], "base": hill.place.county.pk}
    seen = {"vehicle": "", "seen": seen_on(office.get(page))}
    told = office.post(page, form | seen, follow=True)
    assert mine
    assert f"assessor 还有 {mine} 次未到的上门" in text(told)


def test_hours_are_set_day_by_day_and_a_reversed_day_is_told(hill: Hills, office: Client) -> None:
    page = f"/teams/{hill.north.pk}/hours/"
    form = {f"on-{MONDAY}": "on", f"start-{MONDAY}": "09:00", f"end-{MONDAY}": "16:00"}
    wrong = office.post(page, form | {f"end-{MONDAY}": "08:00"})
    assert (wrong.status_code, wrong["X-Refusal"]) == (422, "malformed-form")
    seen = {"seen": seen_on(office.get(page))}
    assert office.post(page, form | seen).status_code == 303
    assert [(one.on, one.start, one.end) for one in hill.north.shifts.all()] == [(MONDAY, 540, 960)]


def test_how_many_families_wait_on_days_that_are_set_off_is_said(
    hill: Hills, office: Client
) -> None:
    """The days were saved, and nobody was told that the team had appointments on them."""
    published(hill)
    day = Visit.objects.earliest("on").on
    team = next(one for one in (hill.north, hill.south) if held_by(one, day))
    page, count = f"/teams/{team.pk}/hours/", held_by(team, day)
    shown = office.get(page)
    hours = {
        f"{name}-{one}": said
        for one in shown.context["form"].days
        if one != day
        for name, said in (("on", "on"), ("start", "08:30"), ("end", "17:30"))
    }
    seen = {"seen": seen_on(shown), f"start-{day}": "08:30", f"end-{day}": "17:30"}
    told = office.post(page, hours | seen, follow=True)
    assert f"有 {count} 次未到的上门排在已不出车的日子" in text(told)
    again = office.post(page, hours | seen | {"seen": seen_on(office.get(page)), f"on-{day}": "on"})
    assert [str(one) for one in again.wsgi_request._messages] == ["日子已保存。"]


def held_by(team: Team, day: date) -> int:
    members = team.members.values("user")
    return Visit.objects.open().filter(assessor__in=members, on=day).count()


def test_a_team_in_a_plan_is_not_removed_and_another_is(hill: Hills, office: Client) -> None:
    plan = made(hill)
    team = plan.stops.first().team  # type: ignore[union-attr]
    told = office.post(f"/teams/{team.pk}/remove/", follow=True)
    assert "方案中用到这个小组" in text(told)
    plan.delete()
    office.post(f"/teams/{team.pk}/remove/")
    assert not Team.objects.filter(pk=team.pk).exists()


def test_progress_is_shown_with_counts_and_can_be_stopped(hill: Hills, office: Client) -> None:
    plan = planning.ask(hill.campaign, by=hill.place.administrator, at=ASKED)
    Plan.objects.update(
        state=PlanState.RUNNING,
        progress={"homes": 8, "elapsed": 7, "seconds": 60, "placed": 5, "improvements": 3},
    )
    page = text(office.get(f"/plans/{plan.pk}/"))
    assert 'hx-trigger="every 1s"' in page
    fragment = office.get(f"/plans/{plan.pk}/progress/")
    assert "7 / 60 秒" in text(fragment)
    assert "5 / 8" in text(fragment)
    assert "HX-Refresh" not in fragment
    assert office.post(f"/plans/{plan.pk}/stop/").status_code == 303
    plan.refresh_from_db()
    assert plan.stop_asked
    Plan.objects.update(state=PlanState.READY)
    assert office.get(f"/plans/{plan.pk}/progress/")["HX-Refresh"] == "true"


def test_a_plan_page_names_who_is_left_out_why_and_what_would_help(
    hill: Hills, office: Client
) -> None:
    for row in (hill.place.assessor.assessor, hill.place.colleague.assessor):
        row.categories = ["physical"]
        row.save()
    wait(hill.place, hill.villages, 1, categories=["hearing"], name="钱无声")
    plan = made(hill)
    page = text(office.get(f"/plans/{plan.pk}/"))
    assert "1 户未排入及原因" in page
    assert "钱无声" in page
    assert "没有小组配有“听力”医生。" in page
    assert "请来“听力”医生，或转介医院。" in page


def test_the_board_shows_weeks_teams_and_days_that_open(hill: Hills, office: Client) -> None:
    plan = made(hill)
    page = office.get(f"/campaigns/{hill.campaign.pk}/")
    assert [len(week.days) for week in page.context["weeks"]] == [5, 5]
    assert sum(week.homes for week in page.context["weeks"]) == 8
    for path in set(re.findall(rf'href="(/plans/{plan.pk}/[^"]+/2018-[^"]+/)"', text(page))):
        day = office.get(path)
        assert day.status_code == 200
        assert len(day.context["stops"]) == text(day).count('name="ids"')
        assert 'class="map__stop"' in text(day)


def test_the_map_marks_villages_and_no_home(hill: Hills, office: Client) -> None:
    home = hill.cases[0].resident
    home.place = {"lat": 30.912345, "lon": 106.056789}
    home.save()
    plan = made(hill)
    stop = plan.stops.get(application=hill.cases[0])
    page = text(office.get(f"/plans/{plan.pk}/{stop.team_id}/{stop.on}/"))
    assert "30.912345" not in page
    assert "106.056789" not in page


def test_a_what_if_stands_beside_its_plan(hill: Hills, office: Client) -> None:
    plan = made(hill)
    form = {"seconds": "20", "without": [str(hill.south.pk)], "overtime_minutes": "60"}
    answer = office.post(f"/plans/{plan.pk}/what-if/", form)
    other = Plan.objects.get(base=plan)
    assert answer["Location"] == f"/plans/{plan.pk}/beside/{other.pk}/"
    assert "正在排" in text(office.get(answer["Location"]))
    think(other.pk)
    page = office.get(answer["Location"])
    assert {row.name for row in page.context["measures"]} >= {"公里数", "出车日", "走访户数"}
    assert "不用南线" in text(page)
    assert not other.stops.filter(team=hill.south).exists()
    outside = office.post(f"/plans/{plan.pk}/what-if/", form | {"last_on": "2018-09-01"})
    assert outside["X-Refusal"] == "malformed-form"


def test_publishing_asks_once_more_with_counts(hill: Hills, office: Client) -> None:
    plan = made(hill)
    asked = office.get(f"/plans/{plan.pk}/publish/")
    assert asked.context["counts"] == {"new": 8, "moved": 0, "cancelled": 0}
    told = office.post(f"/plans/{plan.pk}/publish/", follow=True)
    assert "已发布：8 次走访已定" in text(told)
    assert Visit.objects.open().count() == 8
    again = office.post(f"/plans/{plan.pk}/publish/")
    assert (again.status_code, again["X-Refusal"]) == (422, "plan-over")


def test_a_sick_doctor_leads_to_two_answers_side_by_side_and_whom_to_call(
    hill: Hills, office: Client
) -> None:
    plan = published(hill)
    stop = plan.stops.filter(team=hill.north).first() or plan.stops.first()
    doctor = stop.team.members.first().user  # type: ignore[union-attr]
    form = {
        "kind": "doctor_away",
        "doctor": str(doctor.pk),
        "first_on": f"{stop.on}",  # type: ignore[union-attr]
        "last_on": f"{stop.on}",  # type: ignore[union-attr]
    }
    page = f"/campaigns/{hill.campaign.pk}/hinder/"
    empty = office.post(page, form | {"doctor": ""})
    assert (empty.status_code, empty["X-Refusal"]) == (422, "malformed-form")
    answer = office.post(page, form)
    insert, repair = Plan.objects.filter(base=plan).order_by("number")
    assert answer["Location"] == f"/plans/{insert.pk}/beside/{repair.pk}/"
    think(insert.pk, repair.pk)
    both = office.get(answer["Location"])
    assert "两个办法" in text(both)
    calls = {one.number: changes for one, changes in both.context["calls"]}
    assert set(calls) == {insert.number, repair.number}
    office.post(f"/plans/{repair.pk}/publish/")
    assert Plan.objects.get(pk=repair.pk).state == PlanState.PUBLISHED


def test_what_came_in_between_before_any_plan_is_noted_and_taken_back(
    hill: Hills, office: Client
) -> None:
    form = {
        "kind": "road_cut",
        "place": str(hill.villages[0].pk),
        "first_on": "2018-06-04",
        "last_on": "2018-06-06",
    }
    answer = office.post(f"/campaigns/{hill.campaign.pk}/hinder/", form, follow=True)
    assert "第1村" in text(answer)
    hindrance = hill.campaign.hindrances.get()
    office.post(f"/hindrances/{hindrance.pk}/withdraw/")
    assert not hill.campaign.hindrances.standing().exists()


def test_since_when_a_team_is_away_is_said_and_shown(
    hill: Hills, office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2018, 6, 4, 12, tzinfo=builders.SHANGHAI))
    form = {
        "kind": "team_away",
        "team": str(hill.north.pk),
        "first_on": "2018-06-04",
        "last_on": "2018-06-04",
    }
    page = f"/campaigns/{hill.campaign.pk}/hinder/"
    early = office.post(page, form | {"since": "14:00"})
    assert (early.status_code, early["X-Refusal"]) == (422, "hour-to-come")
    answer = office.post(page, form | {"since": "10:30"}, follow=True)
    assert hill.campaign.hindrances.get().since == 10 * 60 + 30
    assert "06-04 10:30 – 06-04" in text(answer)
    cut = {"kind": "road_cut", "place": str(hill.villages[0].pk), "since": "14:00"}
    office.post(page, form | cut)
    assert hill.campaign.hindrances.get(kind="road_cut").since is None


def test_whom_it_is_about_is_asked_of_its_kind_alone(hill: Hills, office: Client) -> None:
    """“Which team? (optional)”, and a refusal where it was left out."""
    page = f"/campaigns/{hill.campaign.pk}/hinder/"
    assert office.get(page).context["form"]["team"].field.required
    days = {"first_on": "2018-06-04", "last_on": "2018-06-04"}
    wrong = office.post(page, days | {"kind": "team_away"})
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, ["team"])
    assert list(office.post(page, days).context["form"].errors) == ["kind"]


def test_what_cannot_be_answered_yet_is_not_noted_either(hill: Hills, office: Client) -> None:
    """Noted without its answers, it was noted once more by whoever sent it again."""
    published(hill)
    planning.ask(hill.campaign, by=hill.place.administrator, at=ASKED)
    form = {
        "kind": "road_cut",
        "place": str(hill.villages[0].pk),
        "first_on": "2018-06-04",
        "last_on": "2018-06-06",
    }
    answer = office.post(f"/campaigns/{hill.campaign.pk}/hinder/", form)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "plan-under-way")
    assert not hill.campaign.hindrances.exists()


def test_families_are_told_one_by_one_and_the_liaison_sees_only_hers(
    hill: Hills, office: Client, sign_in: SignIn
) -> None:
    published(hill)
    page = office.get("/calls/")
    assert page.context["listing"].total == 8
    assert "13900000000" in text(page)
    call = Call.objects.first()
    assert office.post("/calls/", {"ids": [str(call.pk)]}).status_code == 303  # type: ignore[union-attr]
    assert Call.objects.to_make().count() == 7
    mine = sign_in(User.objects.get(username="township")).get("/calls/")
    assert mine.context["listing"].total == 7
    other = sign_in(hill.place.other_liaison)
    assert other.get("/calls/").context["listing"].total == 0
    untold = Call.objects.to_make().first()
    assert other.post("/calls/", {"ids": [str(untold.pk)]}).status_code == 404  # type: ignore[union-attr]
    assert office.post("/calls/", {})["X-Refusal"] == "nothing-chosen"


def test_what_a_colleague_told_meanwhile_is_said_and_the_rest_stays_ticked(
    hill: Hills, office: Client
) -> None:
    published(hill)
    one, other = Call.objects.order_by("pk")[:2]
    campaigns.told([one], by=hill.place.administrator, at=ASKED)
    answer = office.post("/calls/", {"ids": [one.pk, other.pk]})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "done-already")
    assert re.findall(r'value="([^"]+)" checked', text(answer)) == [str(other.pk)]
    assert Call.objects.to_make().filter(pk=other.pk).exists()
    assert office.post("/calls/", {"ids": [other.pk]}).status_code == 303


def test_an_appointment_is_promised_and_released(hill: Hills, office: Client) -> None:
    plan = published(hill)
    stop = plan.stops.earliest("pk")
    day = f"/plans/{plan.pk}/{stop.team_id}/{stop.on}/"
    form = {"ids": [str(stop.application_id)], "next": f"{stop.team_id}/{stop.on}", "deed": "pin"}
    form |= {"shown": appointments_on(office.get(day))}
    page = office.post(f"/plans/{plan.pk}/pin/", form, follow=True)
    assert "已锁定" in text(page)
    assert hill.campaign.pins.count() == 1
    office.post(f"/plans/{plan.pk}/pin/", form | {"deed": "unpin"})
    assert hill.campaign.pins.count() == 0
    assert office.post(f"/plans/{plan.pk}/pin/", form | {"next": "x"}).status_code == 404


def appointments_on(page: Any) -> list[str]:
    """Return what a day's page says that it showed."""
    return re.findall(r'name="shown" value="([^"]+)"', text(page))


def test_no_appointment_is_promised_but_the_one_that_was_seen(hill: Hills, office: Client) -> None:
    """Moved meanwhile, the other time was promised, and no later plan moved it back."""
    plan = published(hill)
    visit = Visit.objects.select_related("application").earliest("on", "start")
    stop = plan.stops.get(application=visit.application_id)
    seen = appointments_on(office.get(f"/plans/{plan.pk}/{stop.team_id}/{stop.on}/"))
    to = visits.Appointment(visit.application, visit.on, time(19))
    visits.move(visit, to, by=hill.place.administrator, at=ASKED)
    form = {"ids": [visit.application_id], "next": f"{stop.team_id}/{stop.on}", "shown": seen}
    told = office.post(f"/plans/{plan.pk}/pin/", form | {"deed": "pin"}, follow=True)
    assert 'message--not"><strong>未办成：</strong>' in text(told)
    assert not hill.campaign.pins.exists()


def test_a_promise_ends_with_its_appointment(hill: Hills) -> None:
    """The next appointment of the family stood as promised, and no plan could move it."""
    published(hill)
    visit = Visit.objects.earliest("on", "start")
    case, by = visit.application, hill.place.administrator
    other = next(one for one in hill.cases if one != case)
    campaigns.pin(hill.campaign, [case, other], by=by, at=ASKED)
    visits.cancel(visit, by=by, at=ASKED, reason="改约")
    assert [pin.application for pin in hill.campaign.pins.all()] == [other]


def test_a_visit_that_nobody_heard_of_for_years_stops_no_plan(hill: Hills, office: Client) -> None:
    """The plan's page was an error, and publishing wanted the calendar of that year."""
    plan = made(hill)
    case = plan.stops.earliest("on", "start").application
    applications.assign([case], hill.place.assessor, by=hill.place.administrator, at=ASKED)
    long_ago = ASKED.replace(year=2016, day=27)
    earlier = visits.Appointment(case, long_ago.date(), time(10))
    visits.schedule([earlier], by=hill.place.administrator, at=long_ago)
    assert office.get(f"/plans/{plan.pk}/").status_code == 200
    assert office.post(f"/plans/{plan.pk}/publish/").status_code == 303
    assert Visit.objects.filter(on__gte=MONDAY).count() == 7


def test_a_draft_whose_question_was_erased_after_its_term_is_shown(
    hill: Hills, office: Client
) -> None:
    """Its pages were errors, as those of every draft that nobody had published in two years."""
    plan = made(hill)
    Plan.objects.update(problem=None)
    assert office.get(f"/plans/{plan.pk}/").status_code == 200
    assert office.get(f"/plans/{plan.pk}/publish/").status_code == 200
    Plan.objects.update(state=PlanState.FAILED)
    told = office.post(f"/plans/{plan.pk}/resume/", follow=True)
    assert "这个方案已结束" in text(told)


def test_the_appointment_form_offers_three_times_of_which_one_press_takes(
    hill: Hills, office: Client
) -> None:
    published(hill)
    [case] = wait(hill.place, hill.villages, 1)
    page = f"/cases/{case.pk}/schedule/"
    shown = office.get(page)
    assert text(shown).count('name="offer"') == 3
    answer = office.post(page, {"offer": shown.context["offers"][1].key})
    assert answer.status_code == 303
    offer = shown.context["offers"][1]
    visit = Visit.objects.get(application=case)
    assert (visit.on, visit.start) == (offer.on, offer.start)
    [other] = wait(hill.place, hill.villages, 1)
    stale = office.post(f"/cases/{other.pk}/schedule/", {"offer": "gone"})
    assert (stale.status_code, stale["X-Refusal"]) == (422, "offer-gone")


def test_the_itinerary_prints_every_home_with_rare_characters(hill: Hills, office: Client) -> None:
    resident = hill.cases[0].resident
    resident.name = "𬎆小满"
    resident.save()
    plan = made(hill)
    answer = office.get(f"/plans/{plan.pk}/itinerary.pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF")
    assert len(BytesIO(answer.content).getvalue()) > 10_000
    assert office.get(f"/plans/{plan.pk}/itinerary.pdf?team=nobody").status_code == 404
    assert office.get(f"/plans/{plan.pk}/itinerary.pdf?on=2018-13-01").status_code == 404
    # It names homes and telephones: who took it along stands on the trail.
    assert AuditEvent.objects.get(action="plan.view").subject_id == plan.pk


def test_the_itinerary_prints_no_box_for_a_mark_that_nobody_sees(
    hill: Hills, office: Client
) -> None:
    """As in an address that was copied from a message, or stands in two lines of a table."""
    resident = hill.cases[0].resident
    resident.address = "\u202a老街\u200b十八号\u202c\r\n\t水井旁"
    resident.save()
    printed = text_of(office.get(f"/plans/{made(hill).pk}/itinerary.pdf").content)
    assert "老街十八号水井旁" in printed
    assert "〓" not in printed


def test_kilometres_are_the_same_on_board_paper_and_side_by_side(
    hill: Hills, office: Client
) -> None:
    plan = published(hill)
    for day in plan.figures["days"]:
        day["km"] = 12.5
    plan.figures["km"] = 12.5
    plan.save()
    day = plan.figures["days"][0]
    page = office.get(f"/plans/{plan.pk}/{day['team']}/{day['on']}/").content.decode()
    assert "<dd>13</dd>" in page
    assert figure(12.5, "km").startswith("13")
    paper = text_of(office.get(f"/plans/{plan.pk}/itinerary.pdf").content)
    assert figure(12.5, "km").replace(" ", "") in paper


def test_no_telephone_on_the_itinerary_is_broken_over_a_line(hill: Hills, office: Client) -> None:
    """Whoever sits beside the driver dials it."""
    liaison = hill.cases[0].nominated_by
    liaison.full_name, liaison.telephone = "阿依古丽·吐尔逊", "13800138000"
    liaison.save()
    printed = office.get(f"/plans/{made(hill).pk}/itinerary.pdf").content
    assert liaison.telephone in run("pdftotext", "-layout", "-", "-", data=printed)


def test_each_sheet_of_the_itinerary_says_whose_it_is(hill: Hills, office: Client) -> None:
    for case in hill.cases:
        case.resident.address = "滴水岩移民安置点原学校旧址" * 14
        case.resident.save()
    printed = office.get(f"/plans/{made(hill).pk}/itinerary.pdf").content
    sheets = run("pdftotext", "-layout", "-", "-", data=printed).rstrip("\f").split("\f")
    assert len(sheets) > 1
    assert ["北线 2018-06-04" in sheet for sheet in sheets] == [True] * len(sheets)


def test_one_home_described_at_length_keeps_no_team_from_its_itinerary(
    hill: Hills, office: Client
) -> None:
    """As long as a telephone may send it: no sheet of any team was printed any more."""
    resident = hill.cases[0].resident
    resident.address = "老" * 1998 + "桥头"
    resident.save()
    printed = office.get(f"/plans/{made(hill).pk}/itinerary.pdf").content
    assert "桥头" in text_of(printed)


def test_a_published_day_is_what_stands_in_the_register(hill: Hills, office: Client) -> None:
    """The paper beside the driver led to a family that had withdrawn, and to no new one."""
    plan = published(hill)
    stop = plan.stops.order_by("on", "team__name", "order")[0]
    visit = Visit.objects.get(application=stop.application)
    [case] = wait(hill.place, hill.villages, 1, name="钱新来")
    applications.assign([case], visit.assessor, by=hill.place.administrator, at=ASKED)
    visits.leave(stop.application, "withdraw", by=hill.place.administrator, at=ASKED, note="…")
    to = visits.Appointment(case, stop.on, time(8, 30), minutes=10)
    visits.schedule([to], by=hill.place.administrator, at=ASKED)
    day = office.get(f"/plans/{plan.pk}/{stop.team_id}/{stop.on}/")
    shown = [one.application for one in day.context["stops"]]
    assert case in shown
    assert stop.application not in shown
    paper = office.get(f"/plans/{plan.pk}/itinerary.pdf?team={stop.team_id}&on={stop.on}")
    printed = text_of(paper.content)
    assert "钱新来" in printed
    assert stop.application.number not in printed
    board = office.get(f"/campaigns/{hill.campaign.pk}/").context["weeks"]
    assert sum(week.homes for week in board) == Visit.objects.open().count() == 8
    # As many homes as before, but how far apart, and until when, is not known of them.
    assert (day.context["figures"], "公里" in printed, "返回" in printed) == (None, False, False)
    cells = [cell for week in board for line in week.lines for cell in line.cells if cell.homes]
    loads = {(cell.team.pk, cell.on): cell.load for cell in cells}
    assert loads.pop((stop.team_id, stop.on)) is None
    assert None not in loads.values()
    pinned = {"ids": [case.pk], "next": f"{stop.team_id}/{stop.on}", "deed": "pin"}
    pinned |= {"shown": appointments_on(day)}
    assert office.post(f"/plans/{plan.pk}/pin/", pinned).status_code == 303
    assert hill.campaign.pins.filter(application=case).exists()


def test_the_feed_has_villages_and_times_and_no_person_and_is_revoked(
    hill: Hills, office: Client
) -> None:
    published(hill)
    page = f"/teams/{hill.north.pk}/feed/"
    path = re.findall(r"/calendar/[\w-]+\.ics", text(office.post(page)))[0]
    assert "/calendar/" not in text(office.get(page))
    stranger = Client()
    feed = stranger.get(path)
    assert feed["Content-Type"].startswith("text/calendar")
    calendar = Calendar.from_ical(feed.content)
    events = list(calendar.walk("VEVENT"))
    members = hill.north.members.values("user")
    assert len(events) == Visit.objects.open().filter(assessor__in=members).count()
    shown = text(feed)
    for case in hill.cases:
        for secret in (case.resident.name, case.number, "肢体", "下肢缺失", "13900000000"):
            assert secret not in shown
    second = re.findall(r"/calendar/[\w-]+\.ics", text(office.post(page)))[0]
    assert stranger.get(path).status_code == 404
    assert stranger.get(second).status_code == 200
    office.post(f"{page}close/")
    assert stranger.get(second).status_code == 404


def test_a_page_left_open_ends_no_address_that_a_colleague_has_made_since(
    hill: Hills, office: Client
) -> None:
    """The colleague had handed it to the team, whose calendar stood still from then on."""
    page = f"/teams/{hill.north.pk}/feed/"
    left_open = {"seen": seen_on(office.get(page))}
    made = office.post(page, left_open)
    address = re.findall(r"/calendar/[\w-]+\.ics", text(made))[0]
    for path in (page, f"{page}close/"):
        answer = office.post(path, left_open)
        assert (answer.status_code, answer["X-Refusal"]) == (422, "feed-meanwhile")
    assert Client().get(address).status_code == 200
    office.post(f"{page}close/", {"seen": seen_on(made)})
    assert Client().get(address).status_code == 404


def test_a_plan_that_lost_its_process_says_so_and_is_started_again(
    hill: Hills, office: Client
) -> None:
    plan = planning.ask(hill.campaign, by=hill.place.administrator, at=ASKED)
    Plan.objects.update(beat_at=plan.beat_at - timedelta(minutes=5))
    page = text(office.get(f"/plans/{plan.pk}/"))
    assert "排方案中断" in page
    office.post(f"/plans/{plan.pk}/resume/")
    plan.refresh_from_db()
    assert plan.state == PlanState.WAITING
    refused = office.post(f"/plans/{plan.pk}/resume/", follow=True)
    assert "已有方案正在排" in text(refused)


def test_money_and_fairness_stand_on_the_board(hill: Hills, office: Client) -> None:
    plan = made(hill, wishes={"overtime_minutes": 60})
    Plan.objects.filter(pk=plan.pk).update(
        figures=plan.figures | {"overtime": 90, "overtime_fen": 9000}
    )
    page = text(office.get(f"/plans/{plan.pk}/"))
    assert "90.00 元" in page
    assert "1 小时 30 分" in page
    assert "各组负担" in page


PAGES = ("campaign", "plan", "day", "compare", "calls")


@pytest.mark.parametrize("page", PAGES)
def test_pages_ask_no_more_for_more_homes(
    place: builders.County, sign_in: SignIn, page: str
) -> None:
    clock.advance_to(ASKED)
    hill = hills(place, 3)
    browser = sign_in(place.administrator)

    def address() -> str:
        plan = Plan.objects.get(state=PlanState.PUBLISHED)
        stop = plan.stops.first()
        return {
            "campaign": f"/campaigns/{hill.campaign.pk}/",
            "plan": f"/plans/{plan.pk}/",
            "day": f"/plans/{plan.pk}/{stop.team_id}/{stop.on}/",  # type: ignore[union-attr]
            "compare": f"/plans/{plan.pk}/beside/{plan.pk}/",
            "calls": "/calls/",
        }[page]

    def questions() -> int:
        path = address()
        browser.get(path)
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(path).status_code == 200
        return len(asked)

    published(hill)
    few = questions()
    wait(place, hill.villages, 9)
    published(hill)
    assert questions() <= few + 1
    assert few <= 40


def test_figures_are_whole_and_written_as_json(hill: Hills) -> None:
    figures = made(hill).figures
    assert json.loads(json.dumps(figures)) == figures
    assert sum(day["homes"] for day in figures["days"]) == figures["homes"] == 8
    assert len(figures["days"]) == figures["team_days"]


def test_a_hindrance_outside_the_campaign_is_refused(hill: Hills) -> None:
    from outreach.rules import Refused

    late = FRIDAY + timedelta(days=30)
    what = Happening(HindranceKind.TEAM_AWAY, late, late, team=hill.north)
    with pytest.raises(Refused, match="outside-campaign"):
        campaigns.hinder(hill.campaign, what, by=hill.place.administrator, at=ASKED)
