"""A page that was left open while somebody else changed what it shows overwrites nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.forms import Form
from django.test import Client

from outreach import clock
from outreach.actions import applications, campaigns, evaluations, outlets, publicity, visits
from outreach.actions.campaigns import CampaignTerms
from outreach.actions.evaluations import Part
from outreach.domain.vocabulary import OutletKind
from outreach.models import Application, Institution, User, Visit
from tests import builders
from tests.builders import SHANGHAI, START, County
from tests.outreach.desk.reading import seen_on
from tests.outreach.desk.test_campaign_pages import CAMPAIGN
from tests.outreach.planning import ASKED, FRIDAY, MONDAY, hills

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


def test_a_day_at_the_end_of_all_calendars_is_refused_as_any_without_one(
    place: County, sign_in: SignIn
) -> None:
    [visit] = builders.scheduled(place)
    office, address = sign_in(place.administrator), f"/visits/{visit.pk}/move/"
    far = TYPED["move"] | {"on": "9999-12-31", "seen": seen_on(office.get(address))}
    answer = office.post(address, far)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "calendar-not-loaded")


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


@pytest.mark.parametrize("step", TYPED)
def test_a_visit_that_was_called_off_meanwhile_does_not_stand_there_as_to_come(
    place: County, sign_in: SignIn, step: str
) -> None:
    """“Appointment that stands now”, said the page, above the time of a cancelled one."""
    [visit] = builders.scheduled(place)
    office, address = sign_in(place.administrator), f"/visits/{visit.pk}/{step}/"
    seen = seen_on(office.get(address))
    assert "现在登记的上门时间" in office.get(address).content.decode()
    visits.cancel(visit, by=place.administrator, at=START, reason="住院")

    answer = office.post(address, TYPED[step] | {"seen": seen})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "visit-moved-on")
    for page in (answer, office.get(address)):
        assert "现在登记的上门时间" not in page.content.decode()
        assert "<dt>已取消</dt>" in page.content.decode()


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
        return f"/teams/{hill.north.pk}/", {**crew, "base": place.county.pk, "vehicle": "川R·演示"}
    day = {f"on-{MONDAY}": "on", f"start-{MONDAY}": "09:00", f"end-{MONDAY}": "16:00"}
    return f"/teams/{hill.north.pk}/hours/", day


#: What one changes and what the other would, and how what the first one chose is said.
CHANGED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "account": ({"full_name": "王联络"}, {"telephone": "13800000009"}, "王联络"),
    "outlet": ({"name": "一号服务点"}, {"name": "二号服务点"}, "一号服务点"),
    "institution": ({"name": "市人民医院"}, {"name": "区人民医院"}, "市人民医院"),
    "fast lane": ({"why": "补贴月底到期"}, {"why": "孩子要上学"}, "补贴月底到期"),
    "campaign": ({"name": "春季行动"}, {"name": "夏季行动"}, "春季行动"),
    "team": ({"name": "西线"}, {"name": "东线"}, "西线"),
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


@pytest.mark.parametrize("weeks", [0, 1])
def test_days_that_came_after_the_page_was_opened_are_not_set_off_by_it(
    place: County, sign_in: SignIn, weeks: int
) -> None:
    """The campaign was made longer, or put off by a week: whoever saved then sent nobody there."""
    clock.advance_to(ASKED)
    hill = hills(place, 1)
    office, address = sign_in(place.administrator), f"/teams/{hill.north.pk}/hours/"
    form = sent_by(office.get(address).context["form"])
    first, last = MONDAY + timedelta(weeks=weeks), FRIDAY + timedelta(weeks=1)
    terms = CampaignTerms(hill.campaign.name, first, last)
    campaigns.change(hill.campaign, terms, by=place.administrator, at=ASKED)
    stood = list(hill.north.shifts.values_list("on", "start", "end"))

    answer = office.post(address, form)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "changed-meanwhile")
    [listed] = re.findall(r'id="stands".*?</section>', answer.content.decode(), re.DOTALL)
    assert f"{last}" in listed
    assert office.post(address, sent_by(answer.context["form"])).status_code == 303
    assert list(hill.north.shifts.values_list("on", "start", "end")) == stood


def sent_by(form: Form) -> dict[str, Any]:
    """Return what a browser sends of a form as it is shown."""
    shown = {name: form[name].value() for name in form.fields}
    return {
        name: f"{value:%H:%M}" if isinstance(value, time) else value
        for name, value in shown.items()
        if value not in (None, False)
    }


#: Of the same forms, what the two change apart, and one field that one of them changes beside.
APART: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "outlet": ({"kind": "village_station"}, {"name": "二号服务点"}, "已一并保留：是哪种柜台。"),
    "institution": (
        {"designated_from": "2016-01-01"},
        {"name": "区人民医院"},
        "已一并保留：指定日期。",
    ),
    "campaign": ({"last_on": "2018-06-13"}, {"minutes": "50"}, "已一并保留：最后一日。"),
    "team": ({"vehicle": "川R·2"}, {"name": "东线"}, "已一并保留：车辆。"),
}


@pytest.mark.parametrize("what", APART)
def test_what_two_change_apart_is_both_kept_and_nobody_types_it_again(
    place: County, sign_in: SignIn, what: str
) -> None:
    address, form = opened(place, what)
    mine, theirs, label = APART[what]
    one, other = sign_in(place.administrator), sign_in(place.administrator)
    seen = seen_on(one.get(address))
    assert one.post(address, form | mine | {"seen": seen}).status_code == 303

    answer = other.post(address, form | theirs | {"seen": seen}, follow=True)
    assert answer.redirect_chain
    assert label in answer.content.decode()
    page = other.get(address).content.decode()
    for name, value in (mine | theirs).items():
        [said] = value if isinstance(value, list) else [value]
        field = rf'<[^>]*name="{name}"[^>]*value="{said}"[^>]*'
        assert re.search(field + ("checked" if name in ("kind", "categories") else ""), page)


@pytest.mark.parametrize("what", APART)
def test_where_both_changed_the_same_only_that_is_asked_about(
    place: County, sign_in: SignIn, what: str
) -> None:
    address, form = opened(place, what)
    apart, beside, _label = APART[what]
    mine, theirs, said = CHANGED[what]
    one, other = sign_in(place.administrator), sign_in(place.administrator)
    seen = seen_on(one.get(address))
    assert one.post(address, form | apart | mine | {"seen": seen}).status_code == 303
    stands = seen_on(one.get(address))

    answer = other.post(address, form | beside | theirs | {"seen": seen})
    page = answer.content.decode()
    assert (answer.status_code, answer["X-Refusal"]) == (422, "changed-meanwhile")
    [listed] = re.findall(r'id="stands".*?</section>', page, re.DOTALL)
    assert said in listed
    assert seen_on(answer) == stands
    for name, value in apart.items():  # what only the other had changed stands in the form
        [kept] = value if isinstance(value, list) else [value]
        assert re.search(rf'name="{name}"[^>]*value="{kept}"', page)


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


def assessed_again(place: County, case: Application, *, reviewed: bool) -> None:
    """Send a case back and bring it to where it stood, with another grade."""
    on = date(2018, 7, 2)
    at, over = datetime.combine(on, time(8), SHANGHAI), builders.notice_over(on)
    applications.advance([case], "send_back", by=place.administrator, at=at, note="等级存疑")
    [visit] = visits.schedule(
        [visits.Appointment(case, on, time(9), 30)], by=place.administrator, at=at
    )
    part = Part("physical", {"independence": "mostly", "condition": "4a"}, 4)
    said = builders.submission(place, visit, parts=[part], grade=4, media=builders.media())
    evaluations.submit([said], by=place.assessor, at=said.evaluated_at)
    builders.store([one.sha256 for one in said.media])
    case.refresh_from_db()
    publicity.post_notices([case], by=place.administrator, at=said.evaluated_at)
    publicity.end_notices([case], by=place.administrator, at=over)
    if reviewed:
        publicity.review([case], by=place.administrator, at=over)
    clock.advance_to(over)


def form_on(page: str, action: str) -> dict[str, list[str]]:
    """Return what the form of a page sends to an address."""
    [form] = re.findall(rf'<form[^>]*action="{action}".*?</form>', page, re.DOTALL)
    sent: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form):
        sent.setdefault(name, []).append(value)
    return sent


@pytest.mark.parametrize("step", ["review", "sign"])
def test_a_case_that_was_assessed_again_is_passed_on_by_nobody_who_saw_the_first_grade_only(
    place: County, sign_in: SignIn, step: str
) -> None:
    """The button on the page of a case, or of its evaluation, is about what that page shows."""
    [case] = {"review": builders.noticed, "sign": builders.reviewed}[step](place)
    [first] = case.evaluations.all()
    clock.advance_to(builders.notice_over())
    browser = sign_in({"review": place.administrator, "sign": place.approver}[step])
    page = {"review": f"/evaluations/{first.pk}/", "sign": f"/cases/{case.pk}/"}[step]
    left_open = form_on(browser.get(page).content.decode(), f"/{step}/")

    assessed_again(place, case, reviewed=step == "sign")
    stands = Application.objects.get(pk=case.pk).state
    answer = browser.post(f"/{step}/", left_open)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "wrong-state")
    assert Application.objects.get(pk=case.pk).state == stands


def test_an_evaluation_that_another_one_followed_is_not_what_is_reviewed(
    place: County, sign_in: SignIn
) -> None:
    [case] = builders.noticed(place)
    [first] = case.evaluations.all()
    assessed_again(place, case, reviewed=False)
    second = case.evaluations.get(grade=4)
    office = sign_in(place.administrator)
    pages = [
        office.get(f"/evaluations/{one.pk}/").content.decode().count('action="/review/"')
        for one in (first, second)
    ]
    assert pages == [0, 1]
    form = form_on(office.get(f"/evaluations/{second.pk}/").content.decode(), "/review/")
    assert office.post("/review/", form).status_code == 303
