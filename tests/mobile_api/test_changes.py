"""GET /api/v1/changes: what happened, in one order, for whom it concerns."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from mobile_api.changes import make_integration
from mobile_api.models import Integration
from outreach.actions import applications
from outreach.models import Application, AuditEvent, Division
from tests import builders
from tests.builders import START


def ask(token: str, **query: Any) -> Any:
    answer = Client().get("/api/v1/changes", query, headers={"authorization": f"Bearer {token}"})
    return answer.status_code, answer.json()


def reader(division: Division, name: str = "county system") -> str:
    return make_integration(name, division, at=START)


def follow(token: str, limit: int) -> list[dict[str, Any]]:
    """Read page by page, as another office does."""
    found: list[dict[str, Any]] = []
    last, more = 0, True
    while more:
        status, told = ask(token, after=last, limit=limit)
        assert status == 200
        found += told["changes"]
        last, more = told["last"], told["more"]
    return found


@pytest.mark.parametrize("limit", [1, 2, 5, 1000])
def test_pages_of_any_size_bring_each_change_once_in_order(
    place: builders.County, limit: int
) -> None:
    case = builders.accepted(place)[0]
    token = reader(place.county)
    told = follow(token, limit)
    ours = [change["action"] for change in told if change["id"] == str(case.pk)]
    deeds = ("nominate", "apply", "accept", "assign")
    assert ours == [f"application.{deed}" for deed in deeds]
    numbers = [change["n"] for change in told]
    assert numbers == sorted(set(numbers))


def test_nothing_new_is_an_empty_page_at_the_same_place(place: builders.County) -> None:
    builders.accepted(place)
    token = reader(place.county)
    last = ask(token)[1]["last"]
    assert ask(token, after=last) == (200, {"changes": [], "last": last, "more": False})


def test_a_division_is_told_of_itself_only(place: builders.County) -> None:
    builders.accepted(place)
    elsewhere = reader(place.other_village, "village system")
    status, told = ask(elsewhere)
    assert (status, told["changes"]) == (200, [])
    assert told["last"] == AuditEvent.objects.filter(number__isnull=False).count()


def test_looking_is_no_change(place: builders.County) -> None:
    case = builders.accepted(place)[0]
    token = reader(place.county)
    last = ask(token)[1]["last"]
    browser = Client()
    browser.force_login(place.administrator)
    browser.get(f"/cases/{case.pk}/")
    assert ask(token, after=last)[1]["changes"] == []


def test_no_name_or_number_is_told(place: builders.County) -> None:
    case = builders.accepted(place, name="钱白石")[0]
    case = Application.objects.select_related("resident").get(pk=case.pk)
    text = str(ask(reader(place.county))[1])
    assert [word for word in ("钱白石", case.resident.id_number) if word in text] == []


def test_a_change_after_the_last_page_comes_next(place: builders.County) -> None:
    case = builders.applied(place)[0]
    token = reader(place.county)
    last = ask(token)[1]["last"]
    applications.accept([case], by=place.administrator, at=START)
    (told,) = ask(token, after=last)[1]["changes"]
    assert (told["action"], told["id"]) == ("application.accept", str(case.pk))


@pytest.mark.parametrize("query", [{"after": -1}, {"after": "x"}, {"limit": 0}, {"limit": 9999}])
def test_a_malformed_question_is_named(place: builders.County, query: dict[str, Any]) -> None:
    status, told = ask(reader(place.county), **query)
    assert (status, told["type"], told["fields"]) == (422, "/problems/malformed", list(query))


@pytest.mark.django_db
def test_without_a_token_of_a_system_nothing_is_told() -> None:
    assert Client().get("/api/v1/changes").status_code == 401
    assert ask("unknown")[0] == 401


def test_a_token_is_made_and_revoked_by_command(
    place: builders.County, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("integration", "welfare", division=place.county.code)
    token = capsys.readouterr().out.strip()
    assert ask(token)[0] == 200
    assert Integration.objects.get().token_sha256 != token
    call_command("integration", "welfare", revoke=True)
    assert ask(token)[0] == 401
    with pytest.raises(CommandError, match="No system welfare"):
        call_command("integration", "welfare", revoke=True)
    with pytest.raises(CommandError, match="no division"):
        call_command("integration", "welfare", division="999999")


def test_a_page_costs_a_constant_number_of_queries(
    place: builders.County, django_assert_max_num_queries: Any
) -> None:
    token = reader(place.county)
    for count in (1, 3):
        builders.accepted(place, count)
        with django_assert_max_num_queries(30):
            ask(token)
    with django_assert_max_num_queries(9):
        ask(token)
