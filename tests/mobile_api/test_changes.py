"""GET /api/v1/changes: what happened, in one order, for whom it concerns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from mobile_api.changes import make_integration
from mobile_api.models import Epoch, Integration
from outreach.actions import applications
from outreach.models import Application, AuditEvent, Division
from tests import builders
from tests.builders import START
from tests.mobile_api.conftest import Restore


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
    first = ask(token)[1]
    last, epoch = first["last"], first["epoch"]
    nothing = {"epoch": epoch, "changes": [], "last": last, "more": False}
    assert ask(token, after=last) == (200, nothing)
    assert ask(token, after=last, epoch=epoch) == (200, nothing)


def test_a_reader_beyond_a_restored_register_learns_it(
    place: builders.County, back_up: Callable[[], Restore]
) -> None:
    token = reader(place.county)
    builders.accepted(place)
    known = follow(token, 100)
    restore = back_up()
    builders.accepted(place)
    before = ask(token)[1]
    restore()

    status, told = ask(token, after=before["last"])
    assert (status, told["type"]) == (409, "/problems/feed-restored")
    assert told["epoch"] == Epoch.current() != before["epoch"]
    assert follow(token, 100) == known


def test_a_reader_that_names_its_epoch_learns_it_when_the_numbers_have_caught_up(
    place: builders.County, back_up: Callable[[], Restore]
) -> None:
    token = reader(place.county)
    restore = back_up()
    builders.accepted(place)
    before = ask(token)[1]
    restore()
    builders.accepted(place, 2)
    follow(token, 100)

    # By its number alone nobody could tell; the answer names another epoch.
    status, told = ask(token, after=before["last"])
    assert (status, told["epoch"] == before["epoch"]) == (200, False)
    status, told = ask(token, after=before["last"], epoch=before["epoch"])
    assert (status, told["type"]) == (409, "/problems/feed-restored")


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


@pytest.mark.parametrize(
    "query", [{"after": -1}, {"after": "x"}, {"limit": 0}, {"limit": 9999}, {"epoch": "1"}]
)
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
