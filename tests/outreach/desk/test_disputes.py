"""The page on which a dispute is decided says of whom it is, and what accepting writes over."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Model
from django.test import Client

from mobile_api.disputes import reached
from mobile_api.models import Dispute
from outreach.actions import visits
from outreach.actions.contacts import Contact, Correction, correct_contacts
from outreach.domain.vocabulary import Level, Role
from outreach.models import Application, Evaluation, Resident, User, Visit
from tests import builders
from tests.builders import County
from tests.mobile_api.conftest import on_the_day as on_the_day
from tests.mobile_api.talking import ON_THE_DAY, enrolled, evaluation_args

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]
SignIn = Callable[[User], Client]


def test_a_dispute_is_shown_with_the_case_that_it_is_about_and_no_other(
    place: County, tmp_path: Path, sign_in: SignIn
) -> None:
    builders.accepted(place, name="钱白石")
    [visit] = builders.scheduled(place, name="孙长河")
    tablet = enrolled(place, tmp_path)
    named, case = {"visit": str(visit.pk)}, {"application": str(visit.application_id)}
    when = {"on": "2018-06-06", "start": "10:00"}
    tablet.say("move_visit", {**named, **when, "seen": {**when, "on": "2018-06-01"}}, ON_THE_DAY)
    tablet.say("schedule_visit", {**case, **when, "visit": str(uuid4())}, ON_THE_DAY)
    tablet.sync()
    office = sign_in(place.administrator)
    for dispute in Dispute.objects.all():
        page = office.get(f"/disputes/{dispute.pk}/").content.decode()
        assert ("孙长河" in page, "钱白石" in page) == (True, False)
    assert Dispute.objects.count() == 2


@pytest.mark.parametrize("said", [{}, {"visit": "none"}, {"application": str(uuid4())}])
def test_a_record_that_names_no_case_is_shown_with_none(
    place: County, tmp_path: Path, sign_in: SignIn, said: dict[str, Any]
) -> None:
    builders.accepted(place, name="钱白石")
    tablet = enrolled(place, tmp_path)
    tablet.say("teleport", said, ON_THE_DAY)
    tablet.sync()
    page = sign_in(place.administrator).get(f"/disputes/{Dispute.objects.get().pk}/")
    assert (page.status_code, "钱白石" in page.content.decode()) == (200, False)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_moment_beyond_all_calendars_is_shown_as_it_was_said(
    place: County, tmp_path: Path, sign_in: SignIn, at: str
) -> None:
    tablet = enrolled(place, tmp_path)
    tablet.say("teleport", {"recorded_at": at}, ON_THE_DAY)
    tablet.sync()
    page = sign_in(place.administrator).get(f"/disputes/{Dispute.objects.get().pk}/")
    assert (page.status_code, at in page.content.decode()) == (200, True)


def test_a_record_of_another_areas_case_is_shown_there_alone(
    place: County, tmp_path: Path, sign_in: SignIn
) -> None:
    """Who works in another area now does not take along what they say of a case."""
    [case] = builders.accepted(place, name="钱白石")
    tablet = enrolled(place, tmp_path, place.liaison)
    elsewhere = builders.division("511303", "高坪区", Level.COUNTY)
    User.objects.filter(pk=place.liaison.pk).update(division=elsewhere)
    said = {name: {"telephone": "", "address": ""} for name in ("to", "seen")}
    tablet.say("correct_contact", {**said, "application": str(case.pk)}, ON_THE_DAY)
    tablet.sync()
    page = f"/disputes/{Dispute.objects.get().pk}/"
    stranger = builders.user("stranger", Role.ADMINISTRATOR, elsewhere)
    assert sign_in(stranger).get(page).status_code == 404
    assert "钱白石" in sign_in(place.administrator).get(page).content.decode()


def test_a_nomination_shows_how_the_name_begins_over_which_it_would_be_written(
    place: County, tmp_path: Path, sign_in: SignIn
) -> None:
    [case] = builders.accepted(place, name="钱白石")
    phone = enrolled(place, tmp_path, place.liaison)
    person = {"name": "孙小河", "id_number": case.resident.id_number}
    said = {"application": str(uuid4()), "resident": person, "village": place.village.code}
    phone.say("nominate", {**said, "categories": ["hearing"], "media": []}, ON_THE_DAY, 2)
    phone.sync()
    page = sign_in(place.administrator).get(f"/disputes/{Dispute.objects.get().pk}/")
    shown = page.content.decode()
    assert ("孙小河" in shown, "钱＊＊" in shown, "钱白石" in shown) == (True, True, False)


def test_a_nomination_shows_the_telephone_that_is_known_beside_the_one_it_brings(
    place: County, tmp_path: Path, sign_in: SignIn
) -> None:
    [case] = builders.accepted(place)
    visits.leave(case, "withdraw", by=place.administrator, at=ON_THE_DAY, note="暂不办理")
    phone = enrolled(place, tmp_path, place.liaison)
    known = case.resident
    person = {"name": known.name, "id_number": known.id_number, "telephone": "13911112222"}
    said = {"application": str(uuid4()), "resident": person, "village": place.village.code}
    phone.say("nominate", {**said, "categories": ["hearing"], "media": []}, ON_THE_DAY, 2)
    phone.sync()
    page = sign_in(place.administrator).get(f"/disputes/{Dispute.objects.get().pk}/")
    shown = page.content.decode()
    assert f"<dd>{reached(known.telephone, known.address)}</dd>" in shown
    assert "<dd>13911112222 · —</dd>" in shown


def change_contact(place: County, visit: Visit, _folder: Path) -> None:
    """Correct the telephone as a liaison does."""
    resident = Resident.objects.get(pk=visit.application.resident_id)
    stands = Contact(resident.telephone, resident.address)
    to = Contact("13900000002", resident.address)
    said = [Correction(visit.application, to, stands)]
    correct_contacts(said, by=place.liaison, at=ON_THE_DAY)


def change_appointment(place: County, visit: Visit, _folder: Path) -> None:
    """Move the visit as the office does."""
    to = visits.Appointment(visit.application, visit.on + timedelta(days=3), time(10, 30))
    visits.move(visit, to, by=place.administrator, at=ON_THE_DAY)


def evaluate(place: County, visit: Visit, folder: Path) -> None:
    """Evaluate as the assessor does who has the case now."""
    args = evaluation_args(str(visit.pk), str(place.assessor.pk))
    other = enrolled(place, folder, place.colleague, "other")
    other.say("submit_evaluation", args, ON_THE_DAY)
    assert [one["outcome"] for one in other.exchange()["outcomes"]] == ["applied"]


def disputed_contact(visit: Visit, _place: County) -> tuple[str, dict[str, Any]]:
    said = {"to": {"telephone": "13900000001"}, "seen": {"telephone": "13800000000"}}
    args = {name: {**value, "address": "桥头"} for name, value in said.items()}
    return "correct_contact", {**args, "application": str(visit.application_id)}


def disputed_move(visit: Visit, _place: County) -> tuple[str, dict[str, Any]]:
    when = {"on": "2018-06-06", "start": "10:00"}
    return "move_visit", {**when, "visit": str(visit.pk), "seen": {**when, "on": "2018-06-01"}}


def disputed_cancel(visit: Visit, place: County) -> tuple[str, dict[str, Any]]:
    _name, said = disputed_move(visit, place)
    return "cancel_visit", {"visit": said["visit"], "seen": said["seen"], "reason": "住院"}


def disputed_evaluation(visit: Visit, place: County) -> tuple[str, dict[str, Any]]:
    """Be of a case that was given away; it goes before that of whoever has it now."""
    Application.objects.update(assessor=place.colleague)
    Visit.objects.update(assessor=place.colleague)
    args = evaluation_args(str(visit.pk), str(place.colleague.pk), b"another")
    return "submit_evaluation", args


def register() -> list[Any]:
    """Return all that a decision could write over."""
    models: list[type[Model]] = [Visit, Evaluation, Application]
    rows = [sorted(map(str, model._default_manager.values())) for model in models]
    return [*rows, [(one.telephone, one.address) for one in Resident.objects.all()]]


CHANGES = [
    (disputed_contact, change_contact, "13900000002 · 任家祠村一组"),
    (disputed_move, change_appointment, "2018-06-07 10:30"),
    (disputed_cancel, change_appointment, "2018-06-07 10:30"),
    (disputed_evaluation, evaluate, "colleague · 2018-06-04 10:00"),
]


@pytest.mark.parametrize(("disputed", "change", "stands"), CHANGES)
def test_what_somebody_changed_after_the_page_was_opened_is_shown_and_asked_about_once_more(
    place: County,
    tmp_path: Path,
    sign_in: SignIn,
    disputed: Callable[[Visit, County], tuple[str, dict[str, Any]]],
    change: Callable[[County, Visit, Path], None],
    stands: str,
) -> None:
    [visit] = builders.scheduled(place)
    tablet = enrolled(place, tmp_path)
    tablet.say(*disputed(visit, place), ON_THE_DAY)
    tablet.sync()
    dispute = Dispute.objects.get()
    office, address = sign_in(place.administrator), f"/disputes/{dispute.pk}/"
    opened = {**seen_on(office.get(address)), "decision": "accepted", "reason": "属实"}
    change(place, visit, tmp_path)
    before = register()

    answer = office.post(address, opened)
    page = answer.content.decode()
    assert (answer.status_code, answer["X-Refusal"]) == (422, "stands-otherwise")
    assert (register(), stands in page, "属实</textarea>" in page) == (before, True, True)
    told = office.post(address, opened | {"seen": ""})
    assert (told.status_code, told["X-Refusal"]) == (422, "stands-otherwise")
    again = office.post(address, opened | seen_on(answer))
    assert (again.status_code, register() != before) == (303, True)
    assert Dispute.objects.get().decision == "accepted"


def test_setting_aside_writes_nothing_over_and_asks_nothing(
    place: County, tmp_path: Path, sign_in: SignIn
) -> None:
    [visit] = builders.scheduled(place)
    tablet = enrolled(place, tmp_path)
    tablet.say(*disputed_move(visit, place), ON_THE_DAY)
    tablet.sync()
    address = f"/disputes/{Dispute.objects.get().pk}/"
    said = {"decision": "set_aside", "reason": "重复"}
    assert sign_in(place.administrator).post(address, said).status_code == 303


def seen_on(page: Any) -> dict[str, str]:
    [seen] = re.findall(r'name="seen"(?: value="([^"]*)")?', page.content.decode())
    return {"seen": seen}
