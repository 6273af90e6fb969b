"""Which account opens which page: every address of the desk has a row here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from outreach.actions import campaigns, visits
from outreach.actions.campaigns import CampaignTerms, Crew
from outreach.desk.urls import urlpatterns
from outreach.domain.vocabulary import Level, Role
from outreach.models import Application, Evaluation, Photo, Plan, User, Visit
from tests import builders

SignIn = Callable[[User], Client]
L, S, A, P, U = Role.LIAISON, Role.ASSESSOR, Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR
ALL = {L, S, A, P, U}

#: Address → what it is about, and the roles that may open it (GET). POST-only addresses answer
#: 405 to those who may take the step.
PAGES: dict[str, tuple[str, set[Role]]] = {
    "home": ("", ALL),
    "cases": ("", ALL),
    "nominate": ("", {L, A}),
    "missing": ("post", {L, A}),
    "case": ("case", ALL),
    "give_consent": ("case", {L, A}),
    "send_back": ("case", {A}),
    "schedule_one": ("case", {A}),
    "record_objection": ("no notice", {L, A}),
    "with_reason": ("withdraw", {L, A}),
    "consent": ("", {L, A, U}),
    "papers": ("", {L, A, U}),
    "accept": ("", {A, U}),
    "assign": ("", {A, U}),
    "schedule": ("", {A, U}),
    "notices": ("", {L, A, U}),
    "poster": ("no notice to print", {L, A, U}),
    "post_notices": ("", {A, U}),
    "end_notices": ("", {A, U}),
    "objections": ("", {A, U}),
    "decide": ("no objection", {A, U}),
    "review": ("", {A, U}),
    "opinions": ("", {S}),
    "sign": ("", {P, U}),
    "hand_over": ("", {L, A, U}),
    "not_done": ("", {A, U}),
    "move": ("visit", {L, A}),
    "cancel": ("visit", {A}),
    "evaluation": ("evaluation", {S, A, P, U}),
    "differ": ("evaluation", {S}),
    "photo": ("no file", {S, A, P, U}),
    "photo_small": ("no file", {S, A, P, U}),
    "certificates": ("", ALL),
    "paper": ("no certificate", ALL),
    "savings": ("", ALL),
    "saving_lines": ("", ALL),
    "campaigns": ("", {A, P, U}),
    "new_campaign": ("", {A}),
    "campaign": ("campaign", {A, P, U}),
    "change_campaign": ("campaign", {A}),
    "new_team": ("campaign", {A}),
    "ask_plan": ("post campaign", {A}),
    "hinder": ("campaign", {A}),
    "withdraw_hindrance": ("post hindrance", {A}),
    "change_team": ("team", {A}),
    "remove_team": ("post team", {A}),
    "team_hours": ("team", {A}),
    "feed": ("team", {A}),
    "close_feed": ("post team", {A}),
    "plan": ("plan", {A, P, U}),
    "plan_progress": ("plan", {A, P, U}),
    "stop_plan": ("post plan", {A}),
    "resume_plan": ("post plan", {A}),
    "publish_plan": ("plan", {A}),
    "what_if": ("plan", {A}),
    "compare": ("two plans", {A, P, U}),
    "pin": ("post plan", {A}),
    "plan_day": ("day", {A, P, U}),
    "itinerary": ("no stops", {A, P, U}),
    "calls": ("", {L, A, U}),
    "tablets": ("", {A, U}),
    "code": ("post", {A}),
    "revoke": ("no device", {A}),
    "disputes": ("", {A, U}),
    "trail": ("", {U}),
    "clock": ("", ALL),
}
#: `calendar_feed` opens to whoever has its secret; see test_campaign_pages.
OPEN = {"sign_in", "sign_out", "calendar_feed"}


@pytest.fixture
def county(place: builders.County) -> builders.County:
    """Return a county with one evaluated case and one visit to come."""
    made = builders.evaluated(place)
    case = builders.accepted(place)[0]
    to = visits.Appointment(case, builders.VISIT_ON, made[0].visit.start)
    visits.schedule([to], by=place.administrator, at=builders.START)
    a_plan(place)
    return place


def a_plan(place: builders.County) -> Plan:
    """Make a campaign with one team and an empty plan."""
    terms = CampaignTerms("六月送证", builders.VISIT_ON, builders.VISIT_ON)
    by, at = place.administrator, builders.START
    campaign = campaigns.create(terms, place.county, by=by, at=at)
    crew = Crew("北线", [place.assessor.assessor], "县城", 30.8, 106.09)
    campaigns.add_team(campaign, crew, by=by, at=at)
    return Plan.objects.create(
        campaign=campaign, number=1, state="ready", created_by=by, created_at=at, problem={}
    )


def address(name: str, about: str) -> str:
    """Return the address, about something of the first village."""
    visit = Visit.objects.get(state="scheduled")
    evaluation = Evaluation.objects.get()
    plan = Plan.objects.select_related("campaign").get()
    team = plan.campaign.teams.get()
    found: dict[str, dict[str, Any]] = {
        "case": {"case": visit.application_id},
        "withdraw": {"case": visit.application_id, "step": "withdraw"},
        "no notice": {"case": visit.application_id},
        "no notice to print": {"notice": visit.pk},
        "no objection": {"objection": visit.pk},
        "no certificate": {"certificate": visit.pk},
        "no device": {"device": visit.pk},
        "no file": {"photo": Photo.objects.first().pk},  # type: ignore[union-attr]
        "visit": {"visit": visit.pk},
        "evaluation": {"evaluation": evaluation.pk},
        "campaign": {"campaign": plan.campaign_id},
        "hindrance": {"hindrance": plan.pk},
        "team": {"team": team.pk},
        "plan": {"plan": plan.pk},
        "no stops": {"plan": plan.pk},
        "two plans": {"plan": plan.pk, "other": plan.pk},
        "day": {"plan": plan.pk, "team": team.pk, "on": f"{builders.VISIT_ON}"},
    }
    return reverse(f"desk:{name}", kwargs=found.get(about.removeprefix("post ")))


def expected(about: str) -> int:
    """Return what somebody is answered whose page it is."""
    if about.startswith("post"):
        return 405
    return 404 if about.startswith("no ") else 200


def test_every_address_has_a_row() -> None:
    assert {pattern.name for pattern in urlpatterns} == set(PAGES) | OPEN


@pytest.mark.parametrize("role", list(Role))
def test_each_role_opens_its_pages_and_no_other(
    county: builders.County, sign_in: SignIn, role: Role
) -> None:
    browser = sign_in(getattr(county, role.value))
    answers = {
        name: browser.get(address(name, about)).status_code for name, (about, _) in PAGES.items()
    }
    assert answers == {
        name: expected(about) if role in roles else 403 for name, (about, roles) in PAGES.items()
    }


def test_strangers_are_asked_to_sign_in(county: builders.County) -> None:
    for name, (about, _) in PAGES.items():
        answer = Client().get(address(name, about))
        assert (name, answer.status_code) == (name, 302)
        assert answer["Location"].startswith("/sign-in/?next=/"), name


ABOUT_A_CASE = [
    name for name, (about, _) in PAGES.items() if about and not about.startswith("post")
]


@pytest.mark.parametrize("name", ABOUT_A_CASE)
def test_the_neighbouring_village_and_the_other_county_see_nothing(
    county: builders.County, sign_in: SignIn, name: str
) -> None:
    about, roles = PAGES[name]
    other_county = builders.division("511303", "高坪区", Level.COUNTY)
    strangers = [builders.user(f"other {role}", role, other_county) for role in roles - {S}]
    if L in roles:
        strangers.append(county.other_liaison)
    for stranger in strangers:
        answer = sign_in(stranger).get(address(name, about))
        assert (stranger.username, answer.status_code) == (stranger.username, 404)


BATCHES = [
    ("accept", "administrator"),
    ("assign", "administrator"),
    ("post_notices", "administrator"),
    ("end_notices", "administrator"),
    ("review", "administrator"),
    ("papers", "liaison"),
    ("hand_over", "liaison"),
    ("sign", "approver"),
]


@pytest.mark.parametrize(("name", "role"), BATCHES)
def test_a_batch_with_a_case_of_elsewhere_is_answered_as_if_there_were_none(
    place: builders.County, sign_in: SignIn, name: str, role: str
) -> None:
    case = builders.applied(place)[0]
    other = builders.division("511303", "高坪区", Level.COUNTY)
    stranger = builders.user("stranger", Role(role), other)
    answer = sign_in(stranger).post(reverse(f"desk:{name}"), {"ids": [case.pk]})
    case.refresh_from_db()
    assert (answer.status_code, case.state) == (404, "applied")


@pytest.mark.parametrize(("name", "role"), BATCHES)
def test_the_auditor_changes_nothing(
    place: builders.County, sign_in: SignIn, name: str, role: str
) -> None:
    case = builders.applied(place)[0]
    answer = sign_in(place.auditor).post(reverse(f"desk:{name}"), {"ids": [case.pk]})
    assert answer.status_code == 403
    assert Application.objects.get().state == "applied"


def test_a_second_assessor_reads_an_evaluation_only_while_asked_for_an_opinion(
    county: builders.County, sign_in: SignIn
) -> None:
    evaluation = Evaluation.objects.get()
    second, third = builders.second_assessor(county), county.colleague
    page = f"/evaluations/{evaluation.pk}/"
    assert sign_in(second).get(page).status_code == 200
    sign_in(second).post("/opinions/", {"ids": [evaluation.pk]})
    assert sign_in(second).get(page).status_code == 200
    assert sign_in(third).get(page).status_code == 404


def test_an_assessor_sees_only_their_own_cases(county: builders.County, sign_in: SignIn) -> None:
    case = Application.objects.first()
    assert case is not None
    assert sign_in(county.assessor).get(f"/cases/{case.pk}/").status_code == 200
    assert sign_in(county.colleague).get(f"/cases/{case.pk}/").status_code == 404
