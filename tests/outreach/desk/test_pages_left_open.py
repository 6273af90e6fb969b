"""A page that was left open while somebody else changed what it shows overwrites nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client

from outreach import clock
from outreach.actions import applications, outlets, visits
from outreach.domain.vocabulary import OutletKind
from outreach.models import Application, Institution, User, Visit
from tests import builders
from tests.builders import START, County
from tests.outreach.desk.reading import seen_on
from tests.outreach.desk.test_campaign_pages import CAMPAIGN
from tests.outreach.planning import MONDAY, hills

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
TYPED = {
    "move": {"on": "2018-06-06", "start": "15:00", "minutes": "25", "reason": "赶集"},
    "cancel": {"note": "住院"},
}


def moved(place: County, visit: Visit) -> dict[str, Any]:
    """Move the visit as another tablet or colleague does, and return what stands then."""
    to = visits.Appointment(visit.application, visit.on + timedelta(days=1), time(10, 30))
    visits.move(visit, to, by=place.liaison, at=START)
    return Visit.objects.filter(pk=visit.pk).values().get()


@pytest.mark.parametrize("step", TYPED)
def test_what_somebody_else_moved_meanwhile_is_shown_and_asked_about_once_more(
    place: County, sign_in: SignIn, step: str
) -> None:
    [visit] = builders.scheduled(place)
    office, address = sign_in(place.administrator), f"/visits/{visit.pk}/{step}/"
    seen = seen_on(office.get(address))
    stands = moved(place, visit)

    answer = office.post(address, TYPED[step] | {"seen": seen})
    page = answer.content.decode()
    assert (answer.status_code, answer["X-Refusal"]) == (422, "appointment-changed")
    assert Visit.objects.filter(pk=visit.pk).values().get() == stands
    assert "2018-06-05 10:30</dd>" in page
    for typed in TYPED[step].values():
        assert f'value="{typed}"' in page or f"{typed}</textarea>" in page

    assert seen_on(answer) == "2018-06-05 10:30"
    again = office.post(address, TYPED[step] | {"seen": seen_on(answer)})
    assert (again.status_code, Visit.objects.get().revision) == (303, stands["revision"] + 1)


@pytest.mark.parametrize("step", TYPED)
def test_a_page_that_does_not_say_what_was_seen_is_asked_about(
    place: County, sign_in: SignIn, step: str
) -> None:
    [visit] = builders.scheduled(place)
    answer = sign_in(place.administrator).post(f"/visits/{visit.pk}/{step}/", TYPED[step])
    assert (answer.status_code, answer["X-Refusal"]) == (422, "appointment-changed")
    assert seen_on(answer) == "2018-06-04 09:00"


@pytest.mark.parametrize("step", TYPED)
def test_a_move_in_the_very_same_moment_is_shown_too(
    place: County, sign_in: SignIn, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [visit] = builders.scheduled(place)
    office, address = sign_in(place.administrator), f"/visits/{visit.pk}/{step}/"
    deed = getattr(visits, step)

    def later(held: Visit, *args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(visits, step, deed)
        moved(place, Visit.objects.get(pk=held.pk))
        deed(held, *args, **kwargs)

    monkeypatch.setattr(visits, step, later)
    answer = office.post(address, TYPED[step] | {"seen": "2018-06-04 09:00"})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "appointment-changed")
    assert seen_on(answer) == "2018-06-05 10:30"


def test_a_case_that_somebody_gave_away_meanwhile_is_given_to_nobody_else(
    place: County, sign_in: SignIn
) -> None:
    [case] = builders.applied(place)
    applications.accept([case], by=place.administrator, at=START)
    office = sign_in(place.administrator)
    assert str(case.pk) in office.get("/assign/").content.decode()
    applications.assign([case], place.colleague, by=place.administrator, at=START)

    form = {"ids": [case.pk], "assessor": place.assessor.pk}
    answer = office.post("/assign/", form)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "assigned-meanwhile")
    assert case.number in answer.content.decode()
    case.refresh_from_db()
    assert case.assessor == place.colleague
    again = office.post("/assign/", form | {"seen": place.colleague.pk})
    case.refresh_from_db()
    assert (again.status_code, case.assessor) == (303, place.assessor)


def opened(place: County, what: str) -> tuple[str, dict[str, Any]]:
    """Return the address of a form, and what it takes where nothing is changed."""
    if what == "account":
        area = {"role": "liaison", "division": place.village.pk}
        return f"/accounts/{place.liaison.pk}/", {"full_name": "liaison", "telephone": "", **area}
    if what == "outlet":
        office, area = place.administrator, place.township
        made = outlets.open_outlet("服务点", OutletKind.BANK, area, by=office, at=START)
        return f"/outlets/{made.pk}/", {"name": "服务点", "kind": "bank", "division": area.pk}
    if what == "institution":
        held = {"name": "示例医院", "designated_from": "2015-01-01", "categories": ["physical"]}
        return f"/institutions/{Institution.objects.get().pk}/", {**held, "why": "文号"}
    if what == "fast lane":
        [case] = builders.applied(place)
        return f"/cases/{case.pk}/hasten/", {"urgency": "terminal_illness", "why": "晚期"}
    hill = hills(place, 1)
    if what == "campaign":
        return f"/campaigns/{hill.campaign.pk}/change/", CAMPAIGN
    if what == "team":
        crew = {"name": "北线", "members": [place.assessor.pk, place.colleague.pk]}
        return f"/teams/{hill.north.pk}/", {**crew, "base": place.county.pk, "vehicle": ""}
    day = {f"on-{MONDAY}": "on", f"start-{MONDAY}": "09:00", f"end-{MONDAY}": "16:00"}
    return f"/teams/{hill.north.pk}/hours/", day


#: What one changes and what the other would, and how what the first one chose is said.
CHANGED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "account": ({"full_name": "王联络"}, {"telephone": "13800000009"}, "王联络"),
    "outlet": ({"kind": "village_station"}, {"name": "二号服务点"}, "村"),
    "institution": ({"categories": ["vision"]}, {"name": "区人民医院"}, "视力"),
    "fast lane": ({"why": "补贴月底到期"}, {"why": "孩子要上学"}, "补贴月底到期"),
    "campaign": ({"last_on": "2018-06-13"}, {"name": "夏季行动"}, "2018-06-13"),
    "team": ({"vehicle": "川R·2"}, {"name": "东线"}, "川R·2"),
    "hours": ({f"end-{MONDAY}": "15:30"}, {f"start-{MONDAY}": "10:00"}, "15:30"),
}


@pytest.mark.parametrize("what", CHANGED)
def test_of_two_who_change_the_same_the_second_is_shown_what_the_first_did(
    place: County, sign_in: SignIn, what: str
) -> None:
    address, form = opened(place, what)
    mine, theirs, said = CHANGED[what]
    one, other = sign_in(place.administrator), sign_in(place.administrator)
    seen = seen_on(one.get(address))
    assert seen_on(other.get(address)) == seen
    assert one.post(address, form | mine | {"seen": seen}).status_code == 303
    stands = seen_on(one.get(address))

    answer = other.post(address, form | theirs | {"seen": seen})
    page = answer.content.decode()
    assert (answer.status_code, answer["X-Refusal"]) == (422, "changed-meanwhile")
    [listed] = re.findall(r'id="stands".*?</section>', page, re.DOTALL)
    assert said in listed
    for typed in theirs.values():
        assert f'value="{typed}"' in page or f"{typed}</textarea>" in page
    assert seen_on(one.get(address)) == seen_on(answer) == stands
    assert other.post(address, form | theirs | {"seen": stands}).status_code == 303
    assert seen_on(one.get(address)) != stands


def gone_round(place: County, case: Application, hour: int) -> None:
    """Return a case and take it in again, so that it stands where it stood before."""
    at = START.replace(hour=hour)
    applications.send_back(case, ["photos"], by=place.administrator, at=at)
    applications.complete_papers(case, by=place.liaison, at=at)


@pytest.mark.parametrize("step", ["accept", "return", "refuse"])
def test_a_case_that_went_round_meanwhile_is_decided_by_nobody_who_has_not_seen_it(
    place: County, sign_in: SignIn, step: str
) -> None:
    [case] = builders.applied(place)
    address = {
        "accept": "/accept/",
        "return": f"/cases/{case.pk}/return/",
        "refuse": f"/cases/{case.pk}/step/refuse/",
    }[step]
    office = sign_in(place.administrator)

    def shown() -> dict[str, Any]:
        page = office.get(address).content.decode()
        [moment] = re.findall(r'name="shown" value="([^"]+)"', page)
        return {"ids": [case.pk], "missing": ["id_card"], "note": "冒用", "shown": moment}

    before = shown()
    clock.advance_to(START.replace(hour=10))
    gone_round(place, case, hour=10)
    stands = Application.objects.filter(pk=case.pk).values().get()
    answer = office.post(address, before)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "wrong-state")
    assert Application.objects.filter(pk=case.pk).values().get() == stands
    assert office.post(address, shown()).status_code == 303
