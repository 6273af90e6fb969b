"""Somebody known is nominated again: what is not said this time is not forgotten."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from outreach.actions import applications
from outreach.actions.applications import Guarding, Nomination
from outreach.actions.guardians import guardian_of
from outreach.models import Division, Resident
from outreach.models.ids import new_id
from tests import builders
from tests.builders import START, County

pytestmark = pytest.mark.django_db
KNOWN: dict[str, Any] = {
    "id_number": builders.id_number(),
    "telephone": "13900000000",
    "address": "桥头第二家",
    "place": {"lat": 31.02, "lon": 106.1},
    "severity_expected": 2,
}
NOTHING_SAID: dict[str, Any] = {
    "telephone": "",
    "address": "",
    "place": None,
    "severity_expected": None,
}


def nominated_again(county: County, said: dict[str, Any]) -> dict[str, Any]:
    first = Nomination(**vars(builders.nomination(county)) | KNOWN)
    [case] = applications.nominate([first], by=county.liaison, at=START)
    applications.advance([case], "withdraw", by=county.liaison, at=START)
    again = Nomination(**vars(first) | said | {"id": new_id()})
    applications.nominate([again], by=county.administrator, at=START)
    resident = Resident.objects.get()
    return {name: getattr(resident, name) for name in KNOWN}


def test_what_is_left_empty_stays_as_it_was_known(place: County) -> None:
    assert nominated_again(place, NOTHING_SAID) == KNOWN


def test_what_is_said_takes_the_place_of_what_was_known(place: County) -> None:
    said: dict[str, Any] = {
        "telephone": "13900000001",
        "address": "三组",
        "place": {"lat": 31.0, "lon": 106.0},
        "severity_expected": 1,
    }
    assert nominated_again(place, said) == KNOWN | said


def test_position_and_address_of_another_villages_home_are_not_kept(place: County) -> None:
    """The certificate, and the doctors, went to the home that was left."""
    said = NOTHING_SAID | {"village": place.other_village}
    assert nominated_again(place, said) == KNOWN | {"place": None, "address": ""}


def test_a_village_that_was_renamed_is_the_same_home(place: County) -> None:
    """It stands in the register once for each name, each with its days."""
    columns = {name: getattr(place.village, name) for name in ("code", "level", "parent", "source")}
    renamed = Division.objects.create(name="任家社区", valid_from=date(2018, 6, 1), **columns)
    assert nominated_again(place, NOTHING_SAID | {"village": renamed}) == KNOWN


def test_what_a_list_or_a_tablet_cannot_say_stays_as_it_was_known(place: County) -> None:
    """A list has no column for either, a tablet does not ask who could sit in a bus."""
    known = builders.nomination(place, ethnicity="回族", can_sit=False)
    [case] = applications.nominate([known], by=place.liaison, at=START)
    applications.advance([case], "withdraw", by=place.liaison, at=START)
    again = Nomination(known.name, known.id_number, place.village, ["physical"])
    applications.nominate([again], by=place.administrator, at=START)
    resident = Resident.objects.get()
    assert (resident.ethnicity, resident.can_sit) == ("回族", False)


@pytest.mark.parametrize(
    ("named", "reached"), [("赵大山", "13700000000"), ("赵 大山", "13700000000"), ("赵二山", "")]
)
def test_a_guardian_who_is_named_again_without_a_telephone_keeps_theirs(
    place: County, named: str, reached: str
) -> None:
    first = builders.guarded(place)
    [case] = applications.nominate([first], by=place.liaison, at=START)
    applications.advance([case], "withdraw", by=place.liaison, at=START)
    guardian = Guarding(named, "", "父亲")
    again = Nomination(**vars(first) | {"guardian": guardian, "id": new_id()})
    applications.nominate([again], by=place.liaison, at=START + timedelta(days=1))
    present = guardian_of(Resident.objects.get())
    assert present is not None
    assert present.telephone == reached


def test_of_who_is_new_the_usual_is_taken(place: County) -> None:
    new = Nomination("赵青山", builders.id_number(), place.village, ["physical"])
    applications.nominate([new], by=place.administrator, at=START)
    resident = Resident.objects.get()
    assert (resident.ethnicity, resident.can_sit) == ("汉族", True)


@pytest.mark.parametrize("sat_before", [None, True])
def test_who_lies_in_bed_by_a_list_or_a_tablet_sits_in_no_bus(
    place: County, sat_before: bool | None
) -> None:
    """Neither asks for it: the hired car that they were spared was counted as rides by bus."""
    number = builders.id_number()
    if sat_before:
        known = builders.nomination(place, id_number=number, is_bedridden=False, can_sit=sat_before)
        [case] = applications.nominate([known], by=place.liaison, at=START)
        applications.advance([case], "withdraw", by=place.liaison, at=START)
    lies = Nomination("赵青山", number, place.village, ["physical"], is_bedridden=True)
    applications.nominate([lies], by=place.administrator, at=START)
    resident = Resident.objects.get()
    assert (resident.is_bedridden, resident.can_sit) == (True, False)


def test_who_lies_no_more_by_a_list_or_a_tablet_sits_in_a_bus_again(place: County) -> None:
    """They counted as spared a hired car for good."""
    lay = builders.nomination(place, is_bedridden=True, can_sit=False)
    [case] = applications.nominate([lay], by=place.liaison, at=START)
    applications.advance([case], "withdraw", by=place.liaison, at=START)
    up = Nomination("赵青山", lay.id_number, place.village, ["physical"], is_bedridden=False)
    applications.nominate([up], by=place.administrator, at=START)
    resident = Resident.objects.get()
    assert (resident.is_bedridden, resident.can_sit) == (False, True)
