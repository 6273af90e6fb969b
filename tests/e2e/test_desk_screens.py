"""The desk in a browser: no axe violation, nothing that scrolls sideways, no blocked file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from outreach import clock
from outreach.actions import applications, enquiries, publicity, visits
from outreach.actions.notifying.outbox import fill_outbox
from outreach.domain.vocabulary import NextStep, NotDone
from outreach.models import Application, Evaluation, User, Visit
from tests import builders
from tests.builders import VISIT_ON
from tests.outreach.desk.pictures import real_media
from tests.outreach.desk.test_tablets import a_dispute

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Seat = Callable[[User | None], BrowserContext]
WIDTHS = (360, 1280, 1920)


def a_case_at_every_step(place: builders.County, seat: Seat) -> None:
    """Fill the county so that no list is empty."""
    office, day = place.administrator, timedelta(days=1)
    builders.reviewed(place, 2, pictures=real_media)
    clock.advance_to(builders.notice_over(VISIT_ON))
    page = seat(place.approver).new_page()
    page.goto("/sign/")
    page.locator("input[name=ids]").first.check()
    page.get_by_role("button", name="批准并签章所选").click()
    expect(page.get_by_role("status")).to_contain_text("已签章发证 1 本")
    builders.noticed(place, on=VISIT_ON + day)
    builders.on_notice(place, on=VISIT_ON + day * 2)
    late = VISIT_ON + day * 7
    at = datetime.combine(late, time(16), builders.SHANGHAI)
    builders.evaluated(place, 2, on=late, pictures=lambda index: real_media(40 + index * 8))
    objected = builders.on_notice(place, on=late + day)[0].notices.get()
    publicity.object_to(objected, from_whom="邻居", text="他能走路", by=place.liaison, at=at + day)
    builders.on_notice(place, on=late + day * 2)
    visit = builders.scheduled(place, on=VISIT_ON + day * 3)[0]
    why = {"reason": NotDone.ABSENT, "next_step": NextStep.REVISIT}
    visits.record_not_done(visit, **why, by=place.assessor, at=at)
    builders.scheduled(place, on=late + day * 3)
    builders.applied(place, 3)
    builders.applied(place, consent=None)
    back = builders.applied(place)[0]
    applications.send_back(back, ["photos"], by=office, at=builders.START)
    applications.accept(builders.applied(place), by=office, at=builders.START)
    builders.accepted(place)
    enquiries.ask("何时上门？", division=place.village, by=place.liaison, at=at)
    fill_outbox(at)
    a_dispute(place)
    clock.advance_to(datetime.combine(late + day * 2, time(17), builders.SHANGHAI))


def pages_of(who: str) -> list[str]:
    """List the addresses that one of the accounts opens in its work."""
    waiting = Visit.objects.get(state="scheduled")
    applied = Application.objects.filter(state="applied")[0].pk
    open_ones = Evaluation.objects.filter(second_opinions=None)
    return {
        "nobody": [
            *("/sign-in/", "/check/", "/nothing/", "/welcome/", "/welcome/status/"),
            *("/welcome/ask/", "/welcome/reply/", "/welcome/promises/"),
        ],
        "liaison": [
            *("/", "/cases/nominate/", "/cases/", "/consent/", "/papers/", "/hand-over/"),
            *("/notices/", f"/cases/{waiting.application_id}/", f"/visits/{waiting.pk}/move/"),
            f"/cases/{Application.objects.filter(state='on_notice')[0].pk}/objection/",
        ],
        "administrator": [
            *("/", "/accept/", "/assign/", "/schedule/", "/visits/not-done/", "/notices/post/"),
            *("/notices/end/", "/objections/", "/review/", "/certificates/", "/savings/"),
            *(
                "/savings/lines/",
                "/reports/",
                "/rates/",
                "/enquiries/",
                "/notifications/",
                "/import/",
                "/tablets/",
                "/disputes/",
                "/clock/",
            ),
            f"/cases/{applied}/",
            f"/cases/{applied}/return/",
            f"/cases/{applied}/step/refuse/",
            f"/cases/{Application.objects.filter(state='under_objection')[0].pk}/",
            f"/evaluations/{Evaluation.objects.filter(application__state='noticed')[0].pk}/",
        ],
        "second": ["/", "/opinions/", f"/evaluations/{open_ones[0].pk}/"],
        "approver": ["/", "/sign/"],
        "auditor": ["/", "/trail/", "/accept/"],
    }[who]


@pytest.mark.parametrize(
    "who", ["nobody", "liaison", "administrator", "second", "approver", "auditor"]
)
def test_no_page_has_an_axe_violation_or_scrolls_sideways(
    place: builders.County, authority: None, seat: Seat, who: str
) -> None:
    a_case_at_every_step(place, seat)
    page = seat(User.objects.filter(username=who).first()).new_page()
    blocked: list[str] = []
    page.on("console", lambda message: blocked.extend(_complaint(message)))
    found = [problem for address in pages_of(who) for problem in _problems(page, address)]
    assert found == []
    assert blocked == []


def _problems(page: Page, address: str) -> list[str]:
    """Open a page at each width and name what is wrong with it."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(address)
        wide = page.locator("html").evaluate("html => html.scrollWidth > html.clientWidth")
        found += [f"{address} scrolls sideways at {width}"] if wide else []
        if width != WIDTHS[-1]:
            broken = Axe().run(page).response["violations"]
            found += [
                f"{address} at {width}: {one['id']} {one['nodes'][0]['html']}" for one in broken
            ]
    return found


def _complaint(message: ConsoleMessage) -> list[str]:
    is_ours = message.type == "error" and "404" not in message.text
    return [message.text] if is_ours else []


def test_the_list_of_what_is_missing_lives_while_the_form_is_filled(
    place: builders.County, seat: Seat
) -> None:
    page = seat(place.liaison).new_page()
    page.goto("/cases/nominate/")
    page.get_by_label("姓名", exact=True).fill("赵青山")
    page.get_by_label("身份证号", exact=True).fill("511302195003020018")
    missing = page.locator("#missing")
    expect(missing).to_contain_text("其中有一位不对")
    page.get_by_label("身份证号", exact=True).fill(builders.id_number())
    expect(missing).not_to_contain_text("其中有一位不对")
    page.get_by_label("精神").check()
    expect(missing).to_contain_text("监护人证明")
    page.get_by_label("身份证", exact=True).check()
    expect(missing.get_by_text("身份证", exact=True)).to_have_count(0)


def test_the_keyboard_alone_accepts_an_application(place: builders.County, seat: Seat) -> None:
    case = builders.applied(place)[0]
    page = seat(place.administrator).new_page()
    page.goto("/accept/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.locator("input[name=ids]:focus").count():
            break
    page.keyboard.press("Space")
    expect(page.locator("[data-count]")).to_have_text("已勾选 1 件")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("已受理 1 件")
    case.refresh_from_db()
    assert case.state == "accepted"


def test_after_an_error_the_reader_lands_on_the_summary(place: builders.County, seat: Seat) -> None:
    page = seat(place.administrator).new_page()
    builders.applied(place)
    page.goto("/accept/")
    page.get_by_role("button", name="受理所选").click()
    expect(page.locator(".summary")).to_be_focused()
    expect(page.locator(".summary")).to_contain_text("没有勾选任何一行")
