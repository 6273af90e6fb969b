"""A new version of the tariff counts from a later day on; what was priced stays to the fen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils.html import escape
from hypothesis import given
from hypothesis import strategies as st

from outreach import clock
from outreach.desk.reports import sheets
from outreach.desk.tariff_form import TariffForm
from outreach.domain.savings import (
    PARAMETERS,
    MalformedTariff,
    Parameter,
    Tariff,
    load_tariff,
    shipped_tariffs,
)
from outreach.domain.tariff_text import written
from outreach.domain.vocabulary import Level, Role
from outreach.models import Application, AuditEvent, Journey, User
from outreach.models import Tariff as Stored
from outreach.reports.monthly import monthly
from outreach.reports.tariffs import editions
from tests import builders
from tests.builders import VISIT_ON
from tests.catalogue import shipped_sources

SignIn = Callable[[User], Client]
NEXT_YEAR = date(2019, 1, 1)
NEW = f"511302-{NEXT_YEAR}"


def a_form(**changes: Any) -> dict[str, Any]:
    """Return the form as the page shows it, with what somebody changed."""
    form = TariffForm(follows=shipped_tariffs()[0], today=clock.today())
    filled = {name: field.initial for name, field in form.fields.items()}
    return {
        **{name: value for name, value in filled.items() if value not in (None, False)},
        "valid_from": NEXT_YEAR.isoformat(),
        **changes,
    }


def dearer(**more: Any) -> dict[str, Any]:
    """Return a form with meals at 20 yuan and a fee of 150, and where both come from."""
    fee = {"assessment_fee_fen": "150.00", "assessment_fee_fen_source": "发改价格〔2018〕9号"}
    return a_form(meal_fen="20.00", meal_fen_source="财行〔2018〕1号", **fee, **more)


def test_the_page_tells_each_version_and_from_when_it_counts(
    place: builders.County, sign_in: SignIn
) -> None:
    builders.evaluated(place, 2)
    page = sign_in(place.auditor).get("/standards/").content.decode()
    assert ("511302-2018" in page, "GB/T 26341-2010" in page, "生效中" in page) == (True,) * 3
    figures = sign_in(place.approver).get("/standards/tariffs/511302-2018/").content.decode()
    assert ("15.00 元" in figures, "2 户按它计算" in figures) == (True, True)


def test_where_figures_come_from_is_said_in_the_readers_language_and_kept_as_it_was(
    place: builders.County, sign_in: SignIn
) -> None:
    builders.evaluated(place)
    clock.advance_to(builders.notice_over())
    pages = ("/standards/", "/standards/tariffs/511302-2018/", "/savings/lines/")
    foreign = (*(text for _, text in shipped_sources()), "bus_fare_fen")
    office = sign_in(place.administrator)
    for page in pages:
        said = office.get(page).content.decode()
        assert [text for text in foreign if escape(text) in said] == []
    office.post("/standards/tariffs/new/", dearer(save="1"))
    shipped, made = shipped_tariffs()[0], load_tariff(Stored.objects.get(code=NEW).body)
    mine = {"meal_fen": "财行〔2018〕1号", "assessment_fee_fen": "发改价格〔2018〕9号"}
    assert {code: one.source for code, one in made.parameters.items()} == {
        **{code: one.source for code, one in shipped.parameters.items()},
        **mine,
    }
    office.cookies["django_language"] = "en"
    said = office.get(f"/standards/tariffs/{NEW}/").content.decode()
    assert [text for text in mine.values() if text in said] == list(mine.values())
    assert escape(shipped.parameters["lodging_fen"].source) in said


def test_a_version_is_tried_first_and_changes_nothing_until_it_is_taken_in(
    place: builders.County, sign_in: SignIn
) -> None:
    builders.evaluated(place, 2)
    clock.advance_to(builders.notice_over())
    before = monthly(VISIT_ON, within=place.county)
    office = sign_in(place.administrator)
    tried = office.post("/standards/tariffs/new/", dearer())
    # 2 homes × (2 journeys × 3 travellers × 5 yuan more; 50 yuan more of the fee)
    assert (tried.status_code, "+160.00" in tried.content.decode()) == (200, True)
    assert set(Stored.objects.values_list("code", flat=True)) == {"511302-2018"}
    answer = office.post("/standards/tariffs/new/", dearer(save="1"))
    assert (answer.status_code, answer["Location"]) == (303, f"/standards/tariffs/{NEW}/")
    assert load_tariff(Stored.objects.get(code=NEW).body)["meal_fen"] == 2000
    assert monthly(VISIT_ON, within=place.county) == before
    assert "待生效" in office.get("/standards/").content.decode()
    deed = AuditEvent.objects.get(action="tariff.take_in")
    assert (deed.by, deed.detail["code"]) == (place.administrator, NEW)


def test_the_monthly_report_recomputed_a_year_later_with_a_newer_tariff_is_unchanged(
    place: builders.County, sign_in: SignIn, capsys: pytest.CaptureFixture[str]
) -> None:
    builders.evaluated(place, 2)
    clock.advance_to(builders.notice_over())
    before = monthly(VISIT_ON, within=place.county)
    told = {"first": "2018-06-01", "last": "2018-06-30"}
    call_command("savings", "--from", told["first"], "--to", told["last"], "--json")
    printed = capsys.readouterr().out
    sign_in(place.administrator).post("/standards/tariffs/new/", dearer(save="1"))
    later = VISIT_ON.replace(year=2019)
    clock.advance_to(datetime.combine(later, time(17), builders.SHANGHAI))
    made = builders.evaluated(place, 1, on=later)
    # The builders nominate on a fixed day of 2018; this one was nominated in 2019.
    Application.objects.filter(evaluations__in=made).update(created_at=clock.now())
    after = monthly(VISIT_ON, within=place.county)
    assert after == before
    assert sheets(after) == sheets(before)
    call_command("savings", "--from", told["first"], "--to", told["last"], "--json")
    assert capsys.readouterr().out == printed
    used = Journey.objects.order_by("on").values_list("tariff", flat=True)
    assert list(used) == ["511302-2018", "511302-2018", NEW]
    newer = monthly(later, within=place.county).savings.saved_fen
    assert newer - before.savings.saved_fen // 2 == 8000


def test_no_version_begins_in_the_past_or_today(place: builders.County, sign_in: SignIn) -> None:
    clock.advance_to(builders.START)
    office = sign_in(place.administrator)
    for day in (clock.today(), clock.today() - timedelta(days=400)):
        answer = office.post("/standards/tariffs/new/", dearer(valid_from=str(day), save="1"))
        assert (answer.status_code, Stored.objects.exists()) == (422, False)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"meal_fen": "20.00"}, "请写明新数字的出处"),
        ({"meal_fen": "-1", "meal_fen_source": "某处"}, "meal_fen"),
        ({"meal_fen": "15.001"}, "meal_fen"),
        ({"bus_fare_km": "0", "bus_fare_km_source": "某处"}, "bus_fare_km"),
        ({"car_maximum_fen": "1.00", "car_maximum_fen_source": "某处"}, "最高价低于最低价"),
        ({"lodging_fen": "许多"}, "lodging_fen"),
        ({"lodging_fen_source": ""}, "lodging_fen_source"),
    ],
)
def test_a_figure_that_cannot_be_is_named_and_nothing_is_kept(
    place: builders.County, sign_in: SignIn, changes: dict[str, str], said: str
) -> None:
    office = sign_in(place.administrator)
    answer = office.post("/standards/tariffs/new/", a_form(save="1", **changes))
    assert (answer.status_code, Stored.objects.exists()) == (422, False)
    assert said in answer.content.decode()


def test_a_version_to_come_is_withdrawn_and_one_in_force_is_not(
    place: builders.County, sign_in: SignIn
) -> None:
    builders.evaluated(place, 1)
    clock.advance_to(builders.notice_over())
    office = sign_in(place.administrator)
    office.post("/standards/tariffs/new/", dearer(save="1"))
    twice = office.post("/standards/tariffs/new/", dearer(save="1"))
    assert (twice.status_code, twice["X-Refusal"]) == (422, "tariff-known")
    assert office.post(f"/standards/tariffs/{NEW}/withdraw/").status_code == 303
    assert not Stored.objects.filter(code=NEW).exists()
    counts = office.post("/standards/tariffs/511302-2018/withdraw/")
    assert (counts.status_code, counts["X-Refusal"]) == (422, "tariff-in-force")
    assert AuditEvent.objects.filter(action="tariff.withdraw").count() == 1


def test_a_version_follows_the_one_that_comes_before_it(
    place: builders.County, sign_in: SignIn
) -> None:
    """It began with today's figures, and took back from its day on what the other one brings."""
    office = sign_in(place.administrator)
    office.post("/standards/tariffs/new/", dearer(save="1"))
    page = office.get("/standards/tariffs/new/")
    assert page.context["form"]["meal_fen"].value() == "20.00"
    assert NEW in page.content.decode()
    before = office.post("/standards/tariffs/new/", dearer(valid_from="2018-12-01", save="1"))
    assert (before.status_code, "2019-01-01 起已有一个版本" in before.content.decode()) == (
        422,
        True,
    )


def test_figures_typed_while_a_colleague_took_another_version_in_are_compared_first(
    place: builders.County, sign_in: SignIn
) -> None:
    office = sign_in(place.administrator)
    left_open = a_form(valid_from="2019-02-01", half_day_fen="90.00", half_day_fen_source="统计局")
    office.post("/standards/tariffs/new/", dearer(save="1"))
    answer = office.post("/standards/tariffs/new/", {**left_open, "save": "1"})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "tariff-meanwhile")
    assert not Stored.objects.filter(valid_from="2019-02-01").exists()
    form = answer.context["form"]
    assert (form["half_day_fen"].value(), form["begins_with"].value()) == ("90.00", NEW)
    again = {name: form[name].value() for name in form.fields if form[name].value()}
    assert office.post("/standards/tariffs/new/", {**again, "save": "1"}).status_code == 303
    made = load_tariff(Stored.objects.get(valid_from="2019-02-01").body)
    assert (made["half_day_fen"], made["meal_fen"]) == (9000, 2000)


def test_another_countys_versions_are_not_shown(place: builders.County, sign_in: SignIn) -> None:
    neighbour = builders.division("511303", "高坪区", Level.COUNTY)
    other = sign_in(builders.user("neighbour", Role.ADMINISTRATOR, neighbour))
    assert other.get("/standards/tariffs/511302-2018/").status_code == 404
    assert other.get("/standards/tariffs/new/").status_code == 404


def test_a_townships_versions_are_not_shown_to_its_neighbour(place: builders.County) -> None:
    """Also where its code ends as that of a county's whole area does."""
    round_, neighbour = (
        builders.division(code, code, Level.TOWNSHIP, place.county)
        for code in ("511302100", "511302101")
    )
    shipped = shipped_tariffs()[0]
    made = replace(shipped, code="round", place=round_.code, valid_from=NEXT_YEAR)
    Stored.objects.create(
        code=made.code, place=made.place, valid_from=NEXT_YEAR, body=written(made), sha256=""
    )
    told = {
        area.code: [one.tariff.code for one in editions(area)]
        for area in (round_, neighbour, place.county)
    }
    both = ["round", shipped.code]
    assert told == {"511302100": both, "511302101": both[1:], "511302": both}


@pytest.mark.parametrize("count", [1, 3])
def test_the_pages_take_as_many_queries_for_one_home_as_for_three(
    place: builders.County,
    sign_in: SignIn,
    django_assert_num_queries: Callable[[int], Any],
    count: int,
) -> None:
    builders.evaluated(place, count)
    clock.advance_to(builders.notice_over())
    office = sign_in(place.administrator)
    form = dearer()
    with django_assert_num_queries(6):
        office.get("/standards/")
    with django_assert_num_queries(8):
        office.post("/standards/tariffs/new/", form)


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=40),
    st.integers(1, 10**6),
    st.booleans(),
)
def test_what_is_written_is_read_back(source: str, value: int, assumed: bool) -> None:
    rows = {
        code: Parameter(code, value, unit, source, assumed, NEXT_YEAR, "511302")
        for code, unit in PARAMETERS.items()
    }
    made = Tariff(NEW, "511302", NEXT_YEAR, rows)
    assert load_tariff(written(made)) == made


def test_the_shipped_tariff_is_written_and_read_back() -> None:
    for tariff in shipped_tariffs():
        assert load_tariff(written(tariff)) == tariff


@pytest.mark.parametrize(("code", "value"), [("bus_fare_km", 0), ("car_minimum_fen", 10**9)])
def test_fares_that_cannot_be_are_no_tariff(code: str, value: int) -> None:
    shipped = shipped_tariffs()[0]
    held = shipped.parameters[code]
    wrong = Parameter(code, value, held.unit, "x", True, held.valid_from, held.place)
    made = Tariff("x", "511302", NEXT_YEAR, {**shipped.parameters, code: wrong})
    with pytest.raises(MalformedTariff):
        load_tariff(written(made))
