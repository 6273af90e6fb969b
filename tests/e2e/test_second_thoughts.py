"""What people think better of on a tablet: a grade after it was signed, a colleague, a form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, expect

from tests.e2e.office import Office
from tests.e2e.preparing import PEOPLE
from tests.e2e.serving import Service, serving
from tests.e2e.tablet import Tablet

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
#: How many records lie in one store of the tablet's disk.
COUNT = """(store) => new Promise((done) => {
  const asked = indexedDB.open('outreach-tablet')
  asked.onsuccess = () => {
    const counting = asked.result.transaction(store).objectStore(store).count()
    counting.onsuccess = () => { asked.result.close(); done(counting.result) }
  }
})"""
PHOTOS, SIGNATURES = 4, 3


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Serve the small county with visits for today."""
    with serving(tmp_path_factory.mktemp("thoughts"), "days") as running:
        yield running


def begin(hand: Tablet, person: str) -> None:
    """Open the visit, arrive, and write what was found."""
    hand.open_visit(person)
    hand.page.get_by_role("link", name="开始评残").click()
    hand.arrive()
    hand.find()


def step(hand: Tablet, name: str) -> None:
    """Go to a step of the evaluation."""
    hand.page.get_by_role("navigation", name="评残步骤").get_by_role("button", name=name).click()


def test_a_grade_that_is_changed_after_the_signing_is_signed_anew(
    hand: Tablet, office: Office
) -> None:
    page, who = hand.page, (PEOPLE[0], "assessor", "colleague")
    begin(hand, PEOPLE[0])
    hand.photograph()
    hand.conclude("colleague")
    hand.sign(*who)
    step(hand, "评定")
    page.get_by_role("radio", name="二级").check()
    page.get_by_label("理由").fill("右手尚能端碗")
    step(hand, "签名")
    expect(page.get_by_text("签名之后评定结果或同意人改过")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("的签名$"))).to_have_count(0)
    step(hand, "提交")
    expect(page.get_by_role("button", name="提交评定")).to_be_disabled()
    step(hand, "签名")
    hand.sign(*who)
    expect(page.get_by_text("都齐了，可以提交。")).to_be_visible()
    hand.press("提交评定")
    expect(hand.line()).to_have_text("全部已送达")
    sent = {"evaluations": 1, "waiting": 0, "pictures": [PHOTOS + SIGNATURES]}
    assert office("evaluations", PEOPLE[0]) == {PEOPLE[0]: sent}
    # The signatures under the other grade are on no disk any more.
    assert page.evaluate(COUNT, "media") == PHOTOS + SIGNATURES


def test_a_colleague_who_may_not_sign_any_more_is_not_waited_for(
    hand: Tablet, office: Office
) -> None:
    page = hand.page
    begin(hand, PEOPLE[1])
    step(hand, "评定")
    page.get_by_role("checkbox", name="colleague").check()
    office("appoint", "colleague", "administrator")
    hand.line().click()
    expect(page.get_by_role("checkbox", name="colleague")).to_have_count(0)
    step(hand, "签名")
    expect(page.get_by_role("button", name=re.compile("^签名.*assessor"))).to_be_visible()
    expect(page.get_by_text("共同评定医生")).to_have_count(0)
    step(hand, "提交")
    expect(page.get_by_role("button", name="选择共同评定医生")).to_be_visible()
    office("appoint", "colleague", "assessor")


def test_a_begun_evaluation_is_given_up_with_all_that_was_taken_for_it(hand: Tablet) -> None:
    page = hand.page
    begin(hand, PEOPLE[2])
    hand.shoot("证件照")
    hand.go("今天")
    expect(hand.card(PEOPLE[2])).to_contain_text("未写完")
    hand.card(PEOPLE[2]).click()
    page.get_by_role("link", name="继续评残").click()
    step(hand, "提交")
    page.get_by_text("不要这一份了").click()
    hand.press("确定删除")
    hand.expects_heading("今天")
    expect(hand.card(PEOPLE[2])).not_to_contain_text("未写完")
    assert [page.evaluate(COUNT, store) for store in ("drafts", "media")] == [0, 0]
    page.reload()
    hand.unlocks()
    hand.go("今天")
    hand.card(PEOPLE[2]).click()
    expect(page.get_by_role("link", name="开始评残")).to_be_visible()


def nominate(hand: Tablet, name: str, number: str) -> None:
    """Fill in whom the form is about."""
    page = hand.page
    page.evaluate("location.hash = '#/nominate'")
    page.get_by_label("姓名", exact=True).fill(name)
    page.get_by_label("身份证号").fill(number)
    page.get_by_label("村（社区）").select_option(label="任家祠村")
    page.get_by_label("肢体").check()


def test_for_a_child_the_guardian_agrees_and_is_named(hand: Tablet, office: Office) -> None:
    page = hand.page
    nominate(hand, "周小满", "511302201003070014")
    page.get_by_label("民族").fill("彝族")
    page.get_by_label("本人或监护人同意申请").check()
    hand.press("保存提名")
    guardian = page.get_by_label("监护人姓名")
    expect(guardian).to_be_focused()
    guardian.fill("周大满")
    hand.press("保存提名")
    expect(page.get_by_label("与本人关系")).to_be_focused()
    page.get_by_label("与本人关系").select_option(label="父母")
    page.get_by_label("监护人电话").fill("139 1111 2222")
    page.get_by_label("监护人电话").press(
        "Enter"
    )  # as a keyboard's "go": the papers are still to come
    page.wait_for_timeout(500)
    expect(page.get_by_label("监护人电话")).to_have_value("139 1111 2222")
    hand.press("保存提名")
    expect(page.get_by_text("周小满 的提名已保存在本机")).to_be_visible()
    expect(hand.line()).to_have_text("全部已送达")
    asked = {"by": "guardian", "name": "周大满"}
    named = {"consent": asked, "ethnicity": "彝族", "guardian": ["周大满", "parent", "13911112222"]}
    assert office("nominated", "周小满") == named


def test_a_nomination_is_given_up_and_the_next_one_is_somebody_else(hand: Tablet) -> None:
    page = hand.page
    nominate(hand, "周小溪", "53010219200508011X")
    page.get_by_role("button", name="拍照 户口簿").click()
    dialog = page.get_by_role("dialog", name="户口簿")
    dialog.get_by_role("button", name="拍照", exact=True).click()
    expect(page.get_by_role("img", name="户口簿 1")).to_be_visible()
    page.get_by_text("不要这一份了").click()
    hand.press("确定删除")
    expect(page.get_by_label("姓名", exact=True)).to_have_value("")
    expect(page.get_by_label("村（社区）")).not_to_have_value("")
    expect(page.get_by_role("img", name="户口簿 1")).to_have_count(0)
    assert page.evaluate(COUNT, "media") == 0


def test_a_clock_that_is_set_back_without_a_line_changes_neither_day_nor_record(
    clocked: Callable[..., Tablet],
) -> None:
    hand = clocked("an empty battery")
    page = hand.page
    expect(hand.line()).to_have_text("全部已送达")
    page.context.set_offline(True)
    page.clock.set_system_time("2015-01-01T00:00:00Z")
    page.reload()
    hand.unlocks()
    expect(page.get_by_role("heading", name="今天")).to_contain_text("6月12日")
    hand.open_visit(PEOPLE[3])
    page.get_by_role("link", name="开始评残").click()
    hand.press("我已到达")
    expect(page.get_by_text("到达时间 6月12日")).to_be_visible()


def test_nobody_is_sent_off_with_photos_that_only_this_tablet_has(hand: Tablet) -> None:
    page = hand.page
    page.route("**/api/v1/uploads/**", lambda route: route.abort())
    nominate(hand, "周小溪", "53010219200508011X")
    page.get_by_role("button", name="拍照 户口簿").click()
    dialog = page.get_by_role("dialog", name="户口簿")
    dialog.get_by_role("button", name="拍照", exact=True).click()
    expect(page.get_by_role("img", name="户口簿 1")).to_be_visible()
    hand.press("保存提名")
    expect(page.get_by_text("周小溪 的提名已保存在本机")).to_be_visible()
    hand.go("更多")
    page.get_by_role("link", name="出发前检查").click()
    expect(page.get_by_role("listitem").filter(has_text="发件箱")).to_contain_text("还有 1 项")


def a_page(number: int) -> FilePayload:
    """Return a photo of one page of a household book."""
    out = BytesIO()
    Image.new("RGB", (120, 90), (number * 12, 200, 200)).save(out, "PNG")
    return {"name": f"{number}.png", "mimeType": "image/png", "buffer": out.getvalue()}


def test_a_nomination_takes_as_many_photos_as_the_office_takes_in(hand: Tablet) -> None:
    page = hand.page
    page.evaluate("location.hash = '#/nominate'")
    another = page.get_by_role("button", name=re.compile("^(拍照|再拍一张) ?户口簿"))
    for number in range(1, 21):
        another.click()
        page.locator("dialog input[type=file]").set_input_files(a_page(number))
        expect(page.get_by_role("img", name=f"户口簿 {number}", exact=True)).to_be_visible()
    another.click()
    expect(page.get_by_role("alert")).to_contain_text("照片已经够多了")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_nobody_is_told_not_met_of_what_was_not_examined(hand: Tablet) -> None:
    page = hand.page
    hand.open_visit(PEOPLE[3])
    page.get_by_role("link", name="开始评残").click()
    step(hand, "签名")
    expect(page.get_by_text("还没有评定结果")).to_be_visible()
    expect(page.get_by_text("未达标准")).to_have_count(0)
    for signing in page.locator("main .sign-line button").all():
        expect(signing).to_be_disabled()
    step(hand, "提交")
    expect(page.get_by_text("还差")).to_be_visible()
    expect(page.get_by_text("未达标准")).to_have_count(0)
    step(hand, "评定")
    page.get_by_role("checkbox", name="colleague").check()
    steps = page.get_by_role("navigation", name="评残步骤")
    expect(steps.get_by_role("button", name="评定")).not_to_contain_text("已完成")
    step(hand, "检查")
    hand.find()
    step(hand, "签名")
    expect(page.get_by_text("评定结果：一级")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^签名.*assessor"))).to_be_enabled()


def test_a_report_that_the_visit_came_to_nothing_is_thought_better_of(hand: Tablet) -> None:
    page = hand.page
    hand.begin_report(PEOPLE[4], "本人不在家")
    page.get_by_role("link", name="返回").click()
    hand.go("今天")
    expect(hand.card(PEOPLE[4])).to_contain_text("未写完")
    hand.card(PEOPLE[4]).click()
    page.get_by_role("link", name="未能完成").click()
    page.get_by_text("不要这一份了").click()
    hand.press("确定删除")
    hand.expects_heading("今天")
    expect(hand.card(PEOPLE[4])).not_to_contain_text("未写完")
    assert page.evaluate(COUNT, "drafts") == 0


def test_a_report_begun_before_the_person_came_goes_with_the_evaluation(hand: Tablet) -> None:
    page, person = hand.page, PEOPLE[5]
    hand.begin_report(person, "本人不在家")
    page.get_by_role("link", name="返回").click()
    hand.expects_heading(person)
    hand.evaluate(person, "assessor", "colleague")
    expect(page.get_by_text("已评定并保存。")).to_be_visible()
    # It would be listed for ever as begun here, once its case has left.
    assert page.evaluate(COUNT, "drafts") == 0


def test_a_telephone_that_is_being_corrected_is_not_lost_with_its_case(
    hand: Tablet, office: Office, request: pytest.FixtureRequest
) -> None:
    page, person = hand.page, PEOPLE[6]
    hand.open_visit(person)
    page.get_by_role("link", name="更正电话或住址").click()
    page.get_by_label("地址").fill("过桥右手第二家")
    page.get_by_role("link", name="返回").click()
    expect(page.get_by_text("未写完")).to_be_visible()
    page.get_by_role("link", name="更正电话或住址").click()
    office("reassign", person)
    hand.line().click()
    expect(hand.line()).to_have_text("全部已送达")
    expect(page.get_by_label("地址")).to_have_value("过桥右手第二家")
    hand.go("今天")
    expect(page.get_by_text("现不在您名下")).to_be_visible()
    hand.card(person).click()
    page.get_by_role("link", name="更正电话或住址").click()
    hand.press("保存")
    hand.go("今天")
    expect(page.get_by_text("现不在您名下")).to_have_count(0)
    expect(hand.line()).to_have_text("全部已送达")
    label = request.node.name[:60]
    assert office("ledger", label) == [[1, "correct_contact", "parked"]]
    assert page.evaluate(COUNT, "drafts") == 0


def test_a_telephone_form_in_which_nothing_was_changed_is_none(hand: Tablet) -> None:
    page = hand.page
    hand.open_visit(PEOPLE[7])
    page.get_by_role("link", name="更正电话或住址").click()
    before = page.get_by_label("地址").input_value()
    page.get_by_label("地址").fill(before + "旁")
    page.get_by_label("地址").fill(before)
    page.get_by_role("link", name="返回").click()
    hand.expects_heading(PEOPLE[7])
    expect(page.get_by_text("未写完")).to_have_count(0)


def test_a_visit_keeps_its_length_and_is_moved_after_a_call_to_when_the_family_may_be_away(
    hand: Tablet, office: Office
) -> None:
    page = hand.page
    office("agree", PEOPLE[8], "45")
    hand.sync()
    hand.open_visit(PEOPLE[8])
    page.get_by_role("link", name="改期或取消").click()
    expect(page.get_by_label("时长")).to_have_value("45")
    page.get_by_label("日期").fill("")
    for wrong in ("这一天已经过去", "没有这一年的工作日历", "这个时间合适"):
        expect(page.get_by_text(wrong)).to_have_count(0)
    page.get_by_label("日期").fill("2018-06-13")
    page.get_by_label("开始时间").fill("11:00")
    expect(page.get_by_text("家里可能就没人了")).to_be_visible()
    page.get_by_label("日期").fill("2018-06-14")
    expect(page.get_by_text("家里这个时间可能没人")).to_be_visible()
    hand.press("改到这个时间")
    hand.expects_heading("日程")
    expect(hand.line()).to_have_text("全部已送达")
    hand.go("发件箱")
    mine = page.get_by_role("listitem").filter(has_text=PEOPLE[8])
    expect(mine).to_contain_text("全部已送达")


def test_a_slip_of_the_thumb_takes_no_photo_away(hand: Tablet) -> None:
    page = hand.page
    begin(hand, PEOPLE[9])
    hand.shoot("居住环境")
    taken = page.get_by_role("img", name="居住环境 1")
    hand.press("删除 居住环境 1")
    sure = page.get_by_role("button", name="确定删除", exact=True)
    expect(sure).to_be_visible()
    expect(taken).to_be_visible()
    page.get_by_role("heading", name="照片").click()  # thought better of it
    expect(sure).to_have_count(0)
    hand.press("删除 居住环境 1")
    hand.press("确定删除")
    expect(taken).to_have_count(0)
    assert page.evaluate(COUNT, "media") == 0


def test_a_second_tap_by_habit_cancels_no_visit(hand: Tablet) -> None:
    page = hand.page
    hand.open_visit(PEOPLE[10])
    page.get_by_role("link", name="改期或取消").click()
    page.get_by_label("原因").fill("家属来电")
    page.get_by_text("取消走访", exact=True).dblclick()
    hand.go("今天")
    expect(hand.card(PEOPLE[10])).to_be_visible()
    hand.card(PEOPLE[10]).click()
    page.get_by_role("link", name="改期或取消").click()
    page.get_by_text("取消走访", exact=True).click()
    expect(page.get_by_text("请先写明取消的原因。")).to_be_visible()
    page.get_by_label("原因").fill("家属来电")
    hand.press("确定取消")
    hand.expects_heading("日程")
    hand.go("今天")
    expect(page.get_by_text(PEOPLE[10])).to_have_count(0)


def test_a_position_that_was_not_found_at_once_is_asked_for_again(hand: Tablet) -> None:
    page = hand.page
    page.context.clear_permissions()
    hand.open_visit(PEOPLE[11])
    page.get_by_role("link", name="开始评残").click()
    hand.press("我已到达")
    expect(page.get_by_text("没有取得位置，可以继续")).to_be_visible()
    arrived = page.get_by_text("到达时间").inner_text()
    page.context.grant_permissions(["geolocation"])
    hand.press("再定位一次")
    expect(page.get_by_text("位置已记录")).to_be_visible()
    expect(page.get_by_text("到达时间")).to_have_text(arrived)
    expect(page.get_by_role("button", name="再定位一次")).to_have_count(0)
