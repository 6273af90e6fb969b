"""Many cases at once: all of them or none, and a sentence where a rule says no."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from outreach.domain.vocabulary import Role
from outreach.domain.workflow import ApplicationState
from outreach.models import Application, AuditEvent, User
from tests import builders
from tests.outreach.desk.reading import seen_on

SignIn = Callable[[User], Client]


def test_nothing_ticked_is_said(place: builders.County, sign_in: SignIn) -> None:
    answer = sign_in(place.administrator).post("/accept/", {})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "nothing-chosen")
    assert "没有勾选任何一行" in answer.content.decode()


@pytest.mark.parametrize("ids", [["not-an-id"], ["01890000-0000-7000-8000-000000000000"]])
def test_an_id_that_is_none_is_not_found(
    place: builders.County, sign_in: SignIn, ids: list[str]
) -> None:
    assert sign_in(place.administrator).post("/accept/", {"ids": ids}).status_code == 404


@pytest.mark.parametrize("page", ["/consent/", "/schedule/"])
def test_a_page_that_only_lists_shows_itself_whatever_is_sent(
    place: builders.County, sign_in: SignIn, page: str
) -> None:
    assert sign_in(place.administrator).post(page, {"ids": "not-an-id"}).status_code == 200


def test_one_case_that_cannot_go_on_holds_the_whole_batch(
    place: builders.County, sign_in: SignIn
) -> None:
    good = builders.applied(place)[0]
    bad = builders.applied(place, papers=["id_card"])[0]
    answer = sign_in(place.administrator).post("/accept/", {"ids": [good.pk, bad.pk]})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "papers-missing")
    assert set(Application.objects.values_list("state", flat=True)) == {"applied"}
    assert answer.content.decode().count(" checked") == 2


def test_six_hundred_are_taken_at_once(place: builders.County, sign_in: SignIn) -> None:
    ids = [case.pk for case in builders.applied(place, 600)]
    answer = sign_in(place.administrator).post("/accept/", {"ids": ids})
    assert answer.status_code == 303
    assert Application.objects.standing(ApplicationState.ACCEPTED).count() == 600
    assert AuditEvent.objects.filter(action="application.accept").count() == 600


def test_a_step_taken_twice_is_refused_the_second_time(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.applied(place)[0]
    office = sign_in(place.administrator)
    office.post("/accept/", {"ids": [case.pk]})
    again = office.post("/accept/", {"ids": [case.pk]})
    assert (again.status_code, again["X-Refusal"]) == (422, "wrong-state")


def test_assigning_wants_an_assessor_who_may_rate(place: builders.County, sign_in: SignIn) -> None:
    case = builders.applied(place)[0]
    office = sign_in(place.administrator)
    office.post("/accept/", {"ids": [case.pk]})
    nobody = office.post("/assign/", {"ids": [case.pk], "assessor": ""})
    assert (nobody.status_code, nobody["X-Refusal"]) == (422, "no-assessor")
    second = builders.second_assessor(place)
    blind = builders.applied(place, categories=["vision"])[0]
    office.post("/accept/", {"ids": [blind.pk]})
    unfit = office.post("/assign/", {"ids": [blind.pk], "assessor": second.pk})
    assert (unfit.status_code, unfit["X-Refusal"]) == (422, "not-qualified")


def test_a_case_is_not_offered_to_who_has_another_role_by_now(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.applied(place)[0]
    office = sign_in(place.administrator)
    office.post("/accept/", {"ids": [case.pk]})
    assert "colleague" in office.get("/assign/").content.decode()
    User.objects.filter(pk=place.colleague.pk).update(role=Role.APPROVER)
    assert "colleague" not in office.get("/assign/").content.decode()
    given = office.post("/assign/", {"ids": [case.pk], "assessor": place.colleague.pk})
    assert (given.status_code, given["X-Refusal"]) == (422, "no-assessor")


def test_the_cases_of_an_assessor_are_given_away_from_the_page_of_one(
    place: builders.County, sign_in: SignIn
) -> None:
    """Who fell ill kept theirs: the desk listed only cases that nobody had been given."""
    first, second = builders.scheduled(place, 2)
    office = sign_in(place.administrator)
    page = office.get(f"/cases/{first.application_id}/").content.decode()
    [address] = re.findall(r'href="(/assign/[^"?]+)', page)
    shown = office.get(address)
    assert [row.item for row in shown.context["listing"]] == [
        first.application,
        second.application,
    ]
    form = {"assessor": place.colleague.pk, "seen": seen_on(shown)}
    assert office.post(address, {"ids": [first.application_id], **form}).status_code == 303
    for visit, who in ((first, place.colleague), (second, place.assessor)):
        visit.refresh_from_db()
        assert (visit.assessor, visit.application.assessor) == (who, who)
    again = office.post(address, {"ids": [first.application_id], **form})
    assert (again.status_code, again["X-Refusal"]) == (422, "assigned-meanwhile")
    assert office.get(f"/assign/{place.colleague.pk}/").context["listing"].total == 1


def test_without_javascript_a_link_ticks_the_whole_page(
    place: builders.County, sign_in: SignIn
) -> None:
    builders.applied(place, 3)
    office = sign_in(place.administrator)
    page = office.get("/accept/?tick=all").content.decode()
    assert page.count(" checked") == 3


def test_what_was_unticked_stays_so_when_the_others_are_refused(
    place: builders.County, sign_in: SignIn
) -> None:
    """The page came back with all ticked, and whoever sent it once more accepted all."""
    left, *others = builders.applied(place, 2) + builders.applied(place, 1, papers=["photos"])
    sent = {"ids": [case.pk for case in others]}
    back = sign_in(place.administrator).post("/accept/?tick=all", sent)
    page = back.content.decode()
    assert (back.status_code, page.count(" checked")) == (422, 2)
    assert f'value="{left.pk}" checked' not in page


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"on": "2018-06-03"}, "no-working-day"),
        ({"on": "2018-05-11"}, "day-past"),
        ({"on": "2018-05-14", "start": "08:59"}, "time-past"),
        ({"start": "18:30"}, "family-away"),
        ({"on": ""}, "malformed-form"),
    ],
)
def test_a_time_that_will_not_do_is_explained(
    place: builders.County, sign_in: SignIn, changes: dict[str, str], code: str
) -> None:
    times = [{"weekday": day, "from": "08:00", "to": "18:00"} for day in range(7)]
    case = builders.accepted(place, possible_times=times)[0]
    form = {"on": "2018-06-04", "start": "09:00", "minutes": "40"} | changes
    answer = sign_in(place.administrator).post(f"/cases/{case.pk}/schedule/", form)
    assert (answer.status_code, answer["X-Refusal"]) == (422, code)


def test_a_visit_that_lasts_over_midnight_is_no_free_evening(
    place: builders.County, sign_in: SignIn
) -> None:
    """Its end came before its beginning, so that nothing fell on it."""
    one, other = builders.accepted(place, 2)
    office = sign_in(place.administrator)
    form = {"on": "2018-06-04", "start": "17:00", "minutes": "480"}
    assert office.post(f"/cases/{one.pk}/schedule/", form).status_code == 303
    late = form | {"start": "18:00", "minutes": "40"}
    answer = office.post(f"/cases/{other.pk}/schedule/", late)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "double-booking")


def test_a_visit_is_moved_by_the_liaison_and_cancelled_by_the_office(
    place: builders.County, sign_in: SignIn
) -> None:
    visit = builders.scheduled(place)[0]
    to = {"on": "2018-06-05", "start": "10:00", "minutes": "40", "reason": "赶集"}
    to["seen"] = "2018-06-04 09:00"
    assert sign_in(place.liaison).post(f"/visits/{visit.pk}/move/", to).status_code == 303
    visit.refresh_from_db()
    assert (str(visit.on), str(visit.start)) == ("2018-06-05", "10:00:00")
    office, why = sign_in(place.administrator), {"note": "住院", "seen": "2018-06-05 10:00"}
    assert office.post(f"/visits/{visit.pk}/cancel/", {"note": ""}).status_code == 422
    assert office.post(f"/visits/{visit.pk}/cancel/", why).status_code == 303
    visit.refresh_from_db()
    assert visit.state == "cancelled"


def test_a_refusal_of_false_information_wants_its_reason(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.applied(place)[0]
    office = sign_in(place.administrator)
    page = f"/cases/{case.pk}/step/refuse/"
    assert office.get(page).status_code == 200
    assert office.post(page, {"note": ""})["X-Refusal"] == "reason-missing"
    assert office.post(page, {"note": "冒用他人身份"}).status_code == 303
    case.refresh_from_db()
    assert (case.state, case.events.last().note) == ("refused", "冒用他人身份")


def test_a_step_that_the_case_cannot_take_has_no_page(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.applied(place)[0]
    office = sign_in(place.administrator)
    assert office.get(f"/cases/{case.pk}/step/recall/").status_code == 404
    assert office.get(f"/cases/{case.pk}/step/approve/").status_code == 404
    refused = office.post(f"/cases/{case.pk}/step/recall/", {"note": "…"})
    assert (refused.status_code, refused["X-Refusal"]) == (422, "wrong-state")
