"""Lists ask a constant number of questions, however long they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from mobile_api.models import Device
from outreach.actions import (
    accounts,
    applications,
    costs,
    enquiries,
    family,
    papers,
    publicity,
    visits,
)
from outreach.actions.notifying.outbox import fill_outbox
from outreach.domain.vocabulary import NextStep, NotDone, Paper, Role
from outreach.models import (
    AccountRequest,
    Call,
    Campaign,
    Institution,
    Outlet,
    Plan,
    StoredBlob,
    User,
)
from tests import builders
from tests.outreach.desk.rights.county import a_hand_in
from tests.outreach.desk.rights.county import people as everybody
from tests.outreach.desk.rights.operations import kwargs_of
from tests.outreach.desk.rights.table import rows
from tests.outreach.desk.test_tablets import a_dispute, a_tablet

SignIn = Callable[[User], Client]
Fill = Callable[[builders.County, int, date], None]
AFTERNOON = time(16)


def nominated(place: builders.County, count: int, on: date) -> None:
    """Add nominations that nobody asked for yet."""
    for _ in range(count):
        builders.applied(place, consent=None)


def applied(place: builders.County, count: int, on: date) -> None:
    """Add applications that wait to be accepted."""
    builders.applied(place, count)


def returned(place: builders.County, count: int, on: date) -> None:
    """Add applications that were returned."""
    for case in builders.applied(place, count):
        applications.send_back(case, ["photos"], by=place.administrator, at=builders.START)


def unassigned(place: builders.County, count: int, on: date) -> None:
    """Add accepted cases without an assessor."""
    applications.accept(builders.applied(place, count), by=place.administrator, at=builders.START)


def unscheduled(place: builders.County, count: int, on: date) -> None:
    """Add cases with an assessor and no visit."""
    builders.accepted(place, count)


def objected(place: builders.County, count: int, on: date) -> None:
    """Add cases with an objection to decide."""
    at = datetime.combine(on, AFTERNOON, builders.SHANGHAI)
    for case in builders.on_notice(place, count, on=on):
        notice = case.notices.get()
        publicity.object_to(notice, from_whom="邻居", text="…", by=place.liaison, at=at)


def not_done(place: builders.County, count: int, on: date) -> None:
    """Add visits that assessed nobody."""
    at = datetime.combine(on, AFTERNOON, builders.SHANGHAI)
    why = {"reason": NotDone.ABSENT, "next_step": NextStep.REVISIT}
    for visit in builders.scheduled(place, count, on=on):
        visits.record_not_done(visit, **why, by=place.assessor, at=at)


def evaluated(place: builders.County, count: int, on: date) -> None:
    """Add evaluations."""
    builders.evaluated(place, count, on=on)


def on_notice(place: builders.County, count: int, on: date) -> None:
    """Add cases whose notice hangs."""
    builders.on_notice(place, count, on=on)


def noticed(place: builders.County, count: int, on: date) -> None:
    """Add cases whose notice came down."""
    builders.noticed(place, count, on=on)


def reviewed(place: builders.County, count: int, on: date) -> None:
    """Add cases that wait for the approver."""
    builders.reviewed(place, count, on=on)


def disputed(place: builders.County, count: int, on: date) -> None:
    """Add what tablets could not apply."""
    a_dispute(place, count)


def handed_in(place: builders.County, count: int, on: date) -> None:
    """Add what tablets handed in."""
    replica = a_tablet(place).replicas.get()
    for _ in range(count):
        a_hand_in(replica, builders.START)


def spent(place: builders.County, count: int, on: date) -> None:
    """Add what the outreach cost."""
    for _ in range(count):
        what, by, at = str(uuid4()), place.administrator, builders.START
        costs.record_cost(at.date(), "一队", what, 45_000, "派车单", by=by, at=at)


def designated(place: builders.County, count: int, on: date) -> None:
    """Add institutions."""
    for _ in range(count):
        Institution.objects.create(name=str(uuid4()), designated_from=on)


def people(place: builders.County, count: int, on: date) -> None:
    """Add accounts, each with a lost password that waits for a second person."""
    for _ in range(count):
        who = builders.user(f"u{uuid4().hex[:12]}", Role.LIAISON, place.village)
        asks = builders.user(f"u{uuid4().hex[:12]}", Role.ADMINISTRATOR, place.county)
        lost = AccountRequest.Kind.PASSWORD
        accounts.ask_reset(who, lost, "忘了", by=asks, at=builders.START)


def outlets(place: builders.County, count: int, on: date) -> None:
    """Add counters."""
    for _ in range(count):
        Outlet.objects.create(
            name=str(uuid4()), kind="bank", division=place.township, opened_at=builders.START
        )


def tablets(place: builders.County, count: int, on: date) -> None:
    """Add tablets."""
    for _ in range(count):
        a_tablet(place)


def hastened(place: builders.County, count: int, on: date) -> None:
    """Add urgent cases."""
    builders.applied(place, count, urgency="subsidy_lapsing", urgent_why="到期")


def photographed(place: builders.County, count: int, on: date) -> None:
    """Add cases for which a family sent a photo of a paper."""
    builders.store(["a" * 64])
    for case in builders.applied(place, count):
        applications.send_back(case, ["photos"], by=place.administrator, at=builders.START)
        link, _secret = family.make_link(case, by=place.administrator, at=builders.START)
        blob = StoredBlob.objects.get(pk="a" * 64)
        papers.send(link, Paper.PHOTOS, blob, at=builders.START)


def to_call(place: builders.County, count: int, on: date) -> None:
    """Add campaigns, each with a family to call."""
    for visit in builders.scheduled(place, count, on=on):
        campaign = Campaign.objects.create(
            name=str(uuid4()),
            division=place.county,
            first_on=on,
            last_on=on,
            created_by=place.administrator,
            created_at=builders.START,
        )
        plan = Plan.objects.create(
            campaign=campaign,
            number=1,
            state="published",
            problem={},
            figures={},
            created_by=place.administrator,
            created_at=builders.START,
        )
        Call.objects.create(
            campaign=campaign,
            plan=plan,
            visit=visit,
            kind="new",
            on=on,
            start=visit.start,
            created_at=builders.START,
        )


def enquired(place: builders.County, count: int, on: date) -> None:
    """Add questions."""
    for _ in range(count):
        enquiries.ask("何时上门？", division=place.village, by=place.liaison, at=builders.START)


def notified(place: builders.County, count: int, on: date) -> None:
    """Add messages."""
    builders.scheduled(place, count, on=on)
    fill_outbox(builders.START)


#: Each list, who reads it, what fills it, and after how many days it is read.
LISTS: list[tuple[str, str, Fill, int]] = [
    ("/cases/", "administrator", applied, 0),
    ("/consent/", "liaison", nominated, 0),
    ("/papers/", "liaison", returned, 0),
    ("/accept/", "administrator", applied, 0),
    ("/assign/", "administrator", unassigned, 0),
    ("/schedule/", "administrator", unscheduled, 0),
    ("/visits/not-done/", "administrator", not_done, 0),
    ("/opinions/", "second", evaluated, 0),
    ("/notices/post/", "administrator", evaluated, 0),
    ("/notices/", "liaison", on_notice, 0),
    ("/notices/end/", "administrator", on_notice, 9),
    ("/objections/", "administrator", objected, 0),
    ("/review/", "administrator", noticed, 9),
    ("/sign/", "approver", reviewed, 9),
    ("/trail/", "auditor", applied, 0),
    ("/savings/", "administrator", evaluated, 0),
    ("/savings/lines/", "administrator", evaluated, 0),
    ("/enquiries/", "administrator", enquired, 0),
    ("/notifications/", "administrator", notified, 0),
    ("/disputes/", "administrator", disputed, 0),
    ("/accounts/", "administrator", people, 0),
    ("/accounts/second-person/", "administrator", people, 0),
    ("/calls/", "administrator", to_call, 0),
    ("/campaigns/", "administrator", to_call, 0),
    ("/fast/", "administrator", hastened, 0),
    ("/outlets/", "administrator", outlets, 0),
    ("/savings/costs/", "administrator", spent, 0),
    ("/papers/sent/", "administrator", photographed, 0),
    ("/tablets/", "administrator", tablets, 0),
    ("/institutions/", "administrator", designated, 0),
    ("/tablets/handed-in/", "administrator", handed_in, 0),
]


#: Lists that want signed papers, an appeal or a counter are counted beside what makes them.
COUNTED_ELSEWHERE = {
    "/appeals/": "test_returning.py",
    "/batches/": "test_certificates.py",
    "/certificates/": "test_certificates.py",
    "/certificates/hand-over/": "test_certificates.py",
    "/certificates/no-longer-met/": "test_life.py",
    "/certificates/renew/": "test_certificates.py",
    "/certificates/sign/": "test_certificates.py",
    "/hand-over/": "test_certificates.py",
    "/taken-in/": "test_outlets.py",
}


def test_every_list_of_the_rights_tables_is_counted(
    place: builders.County, authority: None, sign_in: SignIn
) -> None:
    accounts_of = {who: one.user for (who, area), one in everybody(place).items() if area == "own"}
    found = set()
    for row in rows().values():
        readers = [who for who in accounts_of if row.cells[who, "own"] in ("sees", "open")]
        if row.method == "GET" and readers and not kwargs_of(row.route):
            page = f"/{row.route.lstrip('/')}"
            shown = sign_in(accounts_of[readers[0]]).get(page).context
            if shown is not None and "listing" in shown:
                found.add(page)
    # Savings are no listing, and yet a list.
    assert found | {"/savings/", "/savings/lines/"} == {page for page, *_ in LISTS} | set(
        COUNTED_ELSEWHERE
    )


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
    browser, day = sign_in(User.objects.get(username=who)), builders.VISIT_ON
    fill(place, 1, day)
    move_on(datetime.combine(day + timedelta(days=days), AFTERNOON, builders.SHANGHAI))
    browser.get(page)
    with CaptureQueriesContext(connection) as one:
        assert browser.get(page).status_code == 200
    fill(place, 2, day + timedelta(days=1))
    with CaptureQueriesContext(connection) as three:
        assert browser.get(page).status_code == 200
    assert len(three) == len(one)
    assert len(one) <= 25


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


def test_a_step_is_searched_by_its_township_and_stays_so_when_it_is_taken(
    place: builders.County, sign_in: SignIn
) -> None:
    """Who gave out the homes of one township could not list them, nor go on where they were."""
    near = builders.applied(place, 2)
    elsewhere = builders.nomination(place, village=place.other_village)
    far = applications.nominate([elsewhere], by=place.other_liaison, at=builders.START)
    township = place.village.parent
    assert township is not None
    assert place.other_village.parent != township
    office, page = sign_in(place.administrator), f"/accept/?q={township.name}"
    listed = {row.item.pk for row in office.get(page).context["listing"]}
    assert listed == {case.pk for case in near}
    answer = office.post(page, {"ids": [near[0].pk]})
    assert answer["Location"] == f"/accept/?{urlencode({'q': township.name})}"
    again = office.get(answer["Location"]).context["listing"]
    assert [row.item.pk for row in again] == [near[1].pk]
    assert far[0].number in office.get("/accept/").content.decode()
    office.post(page, {"ids": [near[1].pk]})
    assert '<a href="?">显示全部</a>' in office.get(page).content.decode()


def test_a_filter_keeps_what_is_searched(place: builders.County, sign_in: SignIn) -> None:
    """Whoever looked for a name, and then for a role, was shown everybody of that role."""
    notified(place, 1, builders.VISIT_ON)
    office = sign_in(place.administrator)

    def shown(page: str) -> str:
        return office.get(page).content.decode()

    assert 'href="?q=liaison&amp;role=liaison"' in shown("/accounts/?q=liaison&page=1")
    assert 'href="?q=liaison"' in shown("/accounts/?q=liaison&role=liaison")
    assert 'href="?q=2018&amp;state=waiting"' in shown("/notifications/?q=2018&state=sent")


@pytest.mark.parametrize(
    ("page", "label"), [("/disputes/", "按记录人查找"), ("/outlets/", "按代办点或区域查找")]
)
def test_a_search_says_what_it_finds(
    place: builders.County, sign_in: SignIn, page: str, label: str
) -> None:
    """Disputes were searched “by person”, and counters by a case's number: nothing was found."""
    assert label in sign_in(place.administrator).get(page).content.decode()


@pytest.mark.parametrize("said", ["阿依•古丽", "依．古", "阿 依", "阿依\u3000·\u3000古丽"])
def test_a_name_is_found_by_what_a_keyboard_offers_for_its_dot(
    place: builders.County, sign_in: SignIn, said: str
) -> None:
    """Nothing matched, though the same keyboard's dot is taken where somebody is nominated."""
    [case] = builders.applied(place, name="阿依·古丽")
    builders.applied(place, name="钱小满")
    found = sign_in(place.administrator).get("/cases/", {"q": said}).context["listing"]
    assert [row.item for row in found] == [case]


def test_a_number_is_found_in_full_width(place: builders.County, sign_in: SignIn) -> None:
    case = builders.applied(place)[0]
    wide = case.number.translate(
        {ord("-"): "－", **{ord(f"{n}"): chr(0xFF10 + n) for n in range(10)}}
    )
    found = sign_in(place.administrator).get("/cases/", {"q": wide}).context["listing"]
    assert [row.item for row in found] == [case]


def test_a_list_of_one_villages_cases_says_so(place: builders.County, sign_in: SignIn) -> None:
    """“Everybody in your area” stood over it, and a search there found nobody of elsewhere."""
    builders.applied(place, name="钱小满")
    office = sign_in(place.administrator)
    narrowed = {"village": place.other_village.code, "assessor": str(place.assessor.pk)}
    page = office.get("/cases/", narrowed | {"q": "小满"})
    assert "这里只列出" in page.content.decode()
    assert page.context["narrowed"] == [place.other_village.name, place.assessor.full_name]
    assert "还没有申请" not in office.get("/cases/", narrowed).content.decode()
    assert office.get("/cases/").context["narrowed"] == []


@pytest.mark.parametrize(
    ("address", "nothing"),
    [("/disputes/", "没有争议记录。"), ("/notifications/", "还没有发过短信。")],
)
def test_a_search_that_finds_nothing_does_not_say_that_there_is_nothing(
    place: builders.County, sign_in: SignIn, address: str, nothing: str
) -> None:
    """Who looked for one person's record read that nothing is disputed at all."""
    office = sign_in(place.administrator)
    assert nothing in office.get(address).content.decode()
    assert nothing not in office.get(address, {"q": "钱小满"}).content.decode()


@pytest.mark.parametrize(
    ("address", "model", "ends"),
    [
        ("/tablets/", Device, "revoked_at"),
        ("/outlets/", Outlet, "closed_at"),
        ("/institutions/", Institution, "retired_on"),
    ],
)
def test_what_is_over_stands_behind_what_is_in_use(
    place: builders.County, sign_in: SignIn, address: str, model: type[Any], ends: str
) -> None:
    """On PostgreSQL it stood before it: years later the first page held stopped tablets alone."""
    for number in range(2):
        a_tablet(place)
        said = {"name": f"{number}号", "kind": "bank", "opened_at": builders.START}
        Outlet.objects.create(division=place.township, **said)
        Institution.objects.create(name=f"{number}号医院", designated_from=date(2015, 1, 1))
    over = model.objects.earliest("pk")
    setattr(over, ends, builders.START.date() if ends == "retired_on" else builders.START)
    over.save()
    shown = [row.item for row in sign_in(place.administrator).get(address).context["listing"]]
    assert len(shown) > 1
    assert [one for one in shown if getattr(one, ends)] == [over] == shown[-1:]


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
