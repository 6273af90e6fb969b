"""manage.py savings: the table, and every line of it as JSON."""

from __future__ import annotations

import json
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from outreach.actions import evaluations
from outreach.models import OutreachCost
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def counted(place: builders.County) -> builders.County:
    """Two people assessed on one day, which cost a vehicle."""
    said = [builders.submission(place, visit) for visit in builders.scheduled(place, 2)]
    evaluations.submit(said, by=place.assessor, at=said[0].evaluated_at)
    OutreachCost.objects.create(
        on=date(2018, 6, 4), team="A", what="vehicle", amount_fen=35_000, source="tests"
    )
    return place


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command("savings", *arguments, stdout=out)
    return out.getvalue()


def as_json(*arguments: str) -> Any:
    return json.loads(printed("--json", *arguments))


def test_prints_totals_cost_net_and_the_press_figure(counted: builders.County) -> None:
    text = printed("--from", "2018-06-01", "--to", "2018-06-30", "--by", "township")
    figures = as_json("--from", "2018-06-01", "--to", "2018-06-30")
    yuan = f"{figures['saved_fen'] / 100:.2f}"
    assert "2018-06-01 to 2018-06-30" in text
    assert f"Saved by citizens {yuan} yuan; the outreach cost 350.00 yuan" in text
    assert "over 500 people, about 30000.00 yuan, 60.00 each" in text
    assert "灯台乡" in text


def test_every_figure_opens_down_to_formula_parameter_and_source(counted: builders.County) -> None:
    report = as_json()
    assert report["assessments"] == len(report["savings"]) == 2
    for saving in report["savings"]:
        assert saving["saved_fen"] == sum(line["amount_fen"] for line in saving["lines"])
        for line in saving["lines"]:
            assert line["amount_fen"] == line["quantity"] * line["unit_fen"]
            assert line["formula"]
            assert line["parameter"]
            assert line["source"]
    assert report["saved_fen"] == sum(saving["saved_fen"] for saving in report["savings"])
    assert report["net_fen"] == report["saved_fen"] - report["cost_fen"]


@pytest.mark.parametrize("by", ["township", "village", "category", "month"])
def test_totals_add_up_however_they_are_grouped(counted: builders.County, by: str) -> None:
    report = as_json("--by", by)
    assert report["by"] == by
    assert sum(total["saved_fen"] for total in report["totals"]) == report["saved_fen"]


def test_the_difference_to_the_press_adds_up(counted: builders.County) -> None:
    press = as_json()["press"]
    lines = sum(line["difference_fen"] for line in press["lines"])
    assert press["difference_fen"] == press["ours_fen"] - press["press_fen"]
    assert press["difference_fen"] == lines + press["remainder_fen"]
    assert (press["people_over"], press["per_person_fen"]) == (500, 6000)


def test_shows_the_tariff_it_used(counted: builders.County) -> None:
    (tariff,) = as_json()["tariffs"]
    assert (tariff["code"], tariff["valid_from"]) == ("511302-2018", "2018-01-01")
    assert len(tariff["parameters"]) == 16


def test_says_when_nothing_was_recorded(place: builders.County) -> None:
    assert "nothing recorded" in printed()
    assert as_json()["savings"] == []


def test_names_nobody(counted: builders.County) -> None:
    assert "赵青山" not in printed("--json")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--from", "2018-06-31"),
        ("--from", "June"),
        ("--by", "colour"),
        ("--from", "2018-06-02", "--to", "2018-06-01"),
    ],
)
def test_refuses_what_it_does_not_understand(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        printed(*arguments)
