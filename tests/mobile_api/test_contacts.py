"""Telephone and address are shared: a tablet says what it saw, and nobody is overwritten unseen."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from mobile_api.disputes import decide
from mobile_api.models import Decision, Dispute
from outreach.actions.applications import assign
from outreach.actions.bars import bar
from outreach.actions.visits import leave
from outreach.demo.tablet import Tablet
from outreach.domain.vocabulary import Role
from outreach.models import AuditEvent, Bar, Resident, Visit
from outreach.retention.requests import erase_on_request
from tests import builders
from tests.builders import START
from tests.mobile_api.talking import ON_THE_DAY, enrolled

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]
OLD = {"telephone": "13800000000", "address": "灯台乡任家祠村3组"}
NEW = {"telephone": "13900000001", "address": "灯台乡任家祠村3组，桥头第二家"}


@pytest.fixture
def visit(place: builders.County) -> Visit:
    [made] = builders.scheduled(place)
    resident = made.application.resident
    resident.telephone, resident.address = OLD["telephone"], OLD["address"]
    resident.save()
    return made


def correct(tablet: Tablet, visit: Visit, to: dict[str, str], seen: dict[str, str]) -> Any:
    said = {"application": str(visit.application_id), "to": to, "seen": seen}
    tablet.say("correct_contact", said, ON_THE_DAY)
    return tablet.exchange()["outcomes"][-1]


def stands() -> dict[str, str]:
    resident = Resident.objects.get()
    return {"telephone": resident.telephone, "address": resident.address}


def test_what_the_doctor_corrects_stands_and_reaches_every_tablet(
    place: builders.County, tablet: Tablet, visit: Visit, tmp_path: Path
) -> None:
    other = enrolled(place, tmp_path, place.liaison, "phone")
    other.sync()
    assert correct(tablet, visit, NEW, OLD)["outcome"] == "applied"
    assert stands() == NEW
    other.sync()
    [row] = other.rows("visit").values()
    assert {name: row["resident"][name] for name in NEW} == NEW
    event = AuditEvent.objects.get(action="application.contact")
    assert (event.by, event.subject_id) == (place.assessor, visit.application_id)
    assert event.detail == {"changed": ["address", "telephone"]}


def test_each_field_is_shared_by_itself(
    place: builders.County, tablet: Tablet, visit: Visit, tmp_path: Path
) -> None:
    phone = enrolled(place, tmp_path, place.liaison, "phone")
    both = {"telephone": NEW["telephone"], "address": OLD["address"]}
    assert correct(phone, visit, both, OLD)["outcome"] == "applied"
    where = {"telephone": OLD["telephone"], "address": NEW["address"]}
    assert correct(tablet, visit, where, OLD)["outcome"] == "applied"
    assert stands() == NEW


def test_of_two_corrections_both_are_kept_and_an_administrator_decides(
    place: builders.County, tablet: Tablet, visit: Visit, tmp_path: Path
) -> None:
    phone = enrolled(place, tmp_path, place.liaison, "phone")
    first = {**OLD, "telephone": "13900000002"}
    assert correct(phone, visit, first, OLD)["outcome"] == "applied"
    answer = correct(tablet, visit, NEW, OLD)
    assert (answer["outcome"], answer["code"]) == ("conflict", "contact-changed")
    assert stands() == first
    dispute = Dispute.objects.get()
    decide(dispute, Decision.ACCEPTED, reason="已核实", by=place.administrator, at=ON_THE_DAY)
    assert stands() == NEW
    assert AuditEvent.objects.filter(action="application.contact", by=place.assessor).count() == 1


def test_the_desk_shows_what_was_said_what_was_seen_and_what_stands(
    place: builders.County, tablet: Tablet, visit: Visit, client: Client
) -> None:
    Resident.objects.get().save()
    resident = Resident.objects.get()
    resident.telephone = "13900000002"
    resident.save()
    correct(tablet, visit, NEW, OLD)
    client.force_login(place.administrator)
    page = client.get(f"/disputes/{Dispute.objects.get().pk}/").content.decode()
    for held in (NEW, OLD, {**OLD, "telephone": "13900000002"}):
        assert f"{held['telephone']} · {held['address']}" in page


def test_the_same_said_twice_changes_nothing_the_second_time(tablet: Tablet, visit: Visit) -> None:
    said = {"application": str(visit.application_id), "to": NEW, "seen": OLD}
    tablet.say("correct_contact", said, ON_THE_DAY)
    tablet.say("correct_contact", said, ON_THE_DAY)
    answer = tablet.exchange()
    assert [one["outcome"] for one in answer["outcomes"]] == ["applied", "applied"]
    assert AuditEvent.objects.filter(action="application.contact").count() == 1


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ({"telephone": "12", "address": ""}, "malformed"),
        ({"telephone": "13900000001", "address": "路" * 201}, "malformed"),
        ({"telephone": "13900000001"}, "malformed"),
    ],
)
def test_a_number_that_is_none_is_refused(
    tablet: Tablet, visit: Visit, to: dict[str, str], code: str
) -> None:
    answer = correct(tablet, visit, to, OLD)
    assert (answer["outcome"], answer["code"]) == ("refused", code)
    assert stands() == OLD


def test_one_whose_case_was_given_away_is_parked_and_accepted_under_its_authors_name(
    place: builders.County, tablet: Tablet, visit: Visit
) -> None:
    other = builders.user("other", Role.ASSESSOR, place.county)
    builders.Assessor.objects.create(
        user=other, institution=builders.Institution.objects.get(), categories=["physical"]
    )
    assign([visit.application], other, by=place.administrator, at=START)
    answer = correct(tablet, visit, NEW, OLD)
    assert (answer["outcome"], answer["code"], stands()) == ("parked", "out-of-scope", OLD)
    decide(
        Dispute.objects.get(), Decision.ACCEPTED, reason="属实", by=place.administrator,
        at=ON_THE_DAY,
    )  # fmt: skip
    assert stands() == NEW
    assert AuditEvent.objects.get(action="application.contact").by == place.assessor


def test_who_is_registered_anew_after_an_erasure_is_corrected_as_anybody(
    place: builders.County, tablet: Tablet, visit: Visit, tmp_path: Path, settings: LazySettings
) -> None:
    """Their number was kept, as it was barred for a year; by now that is over."""
    settings.OUTREACH_ERASURES = tmp_path / "erasures.jsonl"
    resident, by = visit.application.resident, place.administrator
    leave(visit.application, "withdraw", by=by, at=ON_THE_DAY, note="")
    bar([resident], ground="own_wish", until=date(2019, 6, 4), by=by, at=START)
    assert erase_on_request(resident, by=by, at=ON_THE_DAY, request="2018-7").erased
    Bar.objects.update(until_on=START.date() - timedelta(days=1))
    [again] = builders.scheduled(place, id_number=resident.id_number)
    told = builders.nomination(place)
    seen = {"telephone": told.telephone, "address": told.address}
    assert again.application.resident == resident
    assert correct(tablet, again, NEW, seen)["outcome"] == "applied"
    assert stands() == NEW
