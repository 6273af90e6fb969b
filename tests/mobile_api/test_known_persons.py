"""What is known of a person gives way to nothing unseen: perhaps the number is somebody else's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mobile_api.disputes import decide, entry_of, reached, standing
from mobile_api.models import Decision, Dispute
from outreach.actions.applications import Guarding, add_guardian
from outreach.actions.guardians import guardian_of
from outreach.actions.visits import leave
from outreach.demo.tablet import Tablet
from outreach.domain.vocabulary import Level, Role
from outreach.models import Application, Resident
from outreach.models.ids import new_id
from tests import builders
from tests.mobile_api.talking import ON_THE_DAY, enrolled

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]


@pytest.fixture
def phone(place: builders.County, tmp_path: Path) -> Tablet:
    return enrolled(place, tmp_path, place.liaison, "phone")


def known(place: builders.County) -> Resident:
    """Return somebody whom the register knows from a case that is over."""
    [case] = builders.accepted(place)
    leave(case, "withdraw", by=place.administrator, at=ON_THE_DAY, note="暂不办理")
    return case.resident


def nominated(
    place: builders.County,
    phone: Tablet,
    person: Resident,
    name: str,
    guardian: dict[str, str] | None = None,
    **more: str,
) -> tuple[str, str | None]:
    resident = {"name": name, "id_number": person.id_number, **more}
    said: dict[str, Any] = {"application": str(new_id()), "resident": resident, "media": []}
    phone.say(
        "nominate",
        {
            **said,
            "guardian": guardian,
            "village": place.village.code,
            "categories": ["hearing"],
        },
        ON_THE_DAY,
        v=3,
    )
    [told] = phone.exchange()["outcomes"]
    return told["outcome"], told["code"]


def test_a_child_with_its_mothers_number_does_not_rename_her(
    place: builders.County, phone: Tablet
) -> None:
    mother = known(place)
    assert nominated(place, phone, mother, "孙小河") == ("conflict", "known-otherwise")
    mother.refresh_from_db()
    assert (mother.name, mother.telephone) == ("赵青山", "13900000000")
    assert Application.objects.count() == 1


def test_who_has_another_name_now_is_accepted_under_it_by_a_person_who_saw_both(
    place: builders.County, phone: Tablet
) -> None:
    person = known(place)
    nominated(place, phone, person, "赵长山")
    dispute, by = Dispute.objects.get(), place.administrator
    assert standing(entry_of(dispute), by) == "赵＊＊"
    decide(dispute, Decision.ACCEPTED, reason="改名", by=by, at=ON_THE_DAY, seen="赵＊＊")
    person.refresh_from_db()
    assert (person.name, Application.objects.count()) == ("赵长山", 2)


@pytest.mark.parametrize("more", [{}, {"telephone": "+86 139 0000 0000"}])
def test_who_is_known_by_the_same_name_is_nominated_again(
    place: builders.County, phone: Tablet, more: dict[str, str]
) -> None:
    person = known(place)
    assert nominated(place, phone, person, " 赵青山 ", **more) == ("applied", None)
    person.refresh_from_db()
    assert person.telephone == "13900000000"


@pytest.mark.parametrize("more", [{"telephone": "13911112222"}, {"address": "桥头第二家"}])
def test_another_telephone_or_address_waits_for_a_person_who_saw_both(
    place: builders.County, phone: Tablet, more: dict[str, str]
) -> None:
    person = known(place)
    stands = reached(person.telephone, person.address)
    assert nominated(place, phone, person, "赵青山", **more) == ("conflict", "reached-otherwise")
    person.refresh_from_db()
    assert reached(person.telephone, person.address) == stands
    dispute, by = Dispute.objects.get(), place.administrator
    assert standing(entry_of(dispute), by) == stands
    decide(dispute, Decision.ACCEPTED, reason="新号", by=by, at=ON_THE_DAY, seen=stands)
    person.refresh_from_db()
    assert [getattr(person, name) for name in more] == list(more.values())


FATHER = {"name": "赵大山", "relation": "parent", "telephone": "13911112222"}
AUNT = {"name": "李秀兰", "relation": "other", "telephone": "13911113333"}


@pytest.mark.parametrize("said", [AUNT, FATHER | {"telephone": "13911114444"}])
def test_another_guardian_waits_for_a_person_who_saw_both(
    place: builders.County, phone: Tablet, said: dict[str, str]
) -> None:
    """Messages would go to whom the office has replaced since."""
    person = known(place)
    add_guardian(person, Guarding(**FATHER), ON_THE_DAY)
    stands = f"{reached(person.telephone, person.address)} · 赵大山 13911112222"
    assert nominated(place, phone, person, "赵青山", said) == ("conflict", "reached-otherwise")
    assert person.guardians.count() == 1
    dispute, by = Dispute.objects.get(), place.administrator
    assert standing(entry_of(dispute), by) == stands
    decide(dispute, Decision.ACCEPTED, reason="已变更", by=by, at=ON_THE_DAY, seen=stands)
    guardian = guardian_of(person)
    assert guardian is not None
    assert (guardian.name, guardian.telephone) == (said["name"], said["telephone"])


@pytest.mark.parametrize("said", [None, FATHER, FATHER | {"telephone": ""}])
def test_who_has_the_same_guardian_is_nominated_again(
    place: builders.County, phone: Tablet, said: dict[str, str] | None
) -> None:
    person = known(place)
    add_guardian(person, Guarding(**FATHER), ON_THE_DAY)
    assert nominated(place, phone, person, "赵青山", said) == ("applied", None)


def test_how_somebody_of_another_area_is_reached_is_shown_to_nobody(
    place: builders.County, phone: Tablet
) -> None:
    person = known(place)
    nominated(place, phone, person, "赵青山", telephone="13911112222")
    elsewhere = builders.division("511303", "高坪区", Level.COUNTY)
    stranger = builders.user("stranger", Role.ADMINISTRATOR, elsewhere)
    assert standing(entry_of(Dispute.objects.get()), stranger) == "＊＊"
