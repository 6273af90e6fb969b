"""What older tablets say is read in today's form; what no server knows yet is parked."""

from __future__ import annotations

import copy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from mobile_api.disputes import decide
from mobile_api.models import Decision, Dispute, LedgerEntry
from mobile_api.mutators import MUTATORS
from mobile_api.upcasting import UPCASTERS, upcast, upcaster
from outreach.actions import applications
from outreach.actions.guardians import guardian_of
from outreach.demo.tablet import Tablet
from outreach.models import Application, PaperPhoto, User
from outreach.models.ids import new_id
from outreach.rules import Refused
from tests import builders
from tests.mobile_api.talking import ON_THE_DAY, enrolled
from tests.mobile_api.uploading import digest, jpeg

SAID_V1 = st.fixed_dictionaries(
    {"application": st.uuids().map(str), "village": st.text(), "categories": st.lists(st.text())},
    optional={"consent": st.none() | st.dictionaries(st.text(), st.text()), "extra": st.integers()},
)


@pytest.fixture
def tablet(place: builders.County, on_the_day: None, tmp_path: Path) -> Tablet:
    return enrolled(place, tmp_path, place.liaison)


def nomination(place: builders.County, **changes: Any) -> dict[str, Any]:
    return {
        "application": str(new_id()),
        "resident": {"name": "孙长河", "id_number": builders.id_number()},
        "village": place.village.code,
        "categories": ["physical"],
        "consent": {"by": "resident", "name": "孙长河"},
    } | changes


def photographed(paper: str, content: bytes) -> dict[str, Any]:
    return {
        "sha256": digest(content),
        "kind": "paper",
        "paper": paper,
        "size": len(content),
        "type": "image/jpeg",
        "taken_at": ON_THE_DAY.isoformat(),
        "place": None,
    }


@given(SAID_V1)
def test_a_step_keeps_what_was_said_and_touches_nothing(said: dict[str, Any]) -> None:
    before = copy.deepcopy(said)
    version, args = upcast("nominate", 1, said)

    assert (version, said) == (3, before)
    assert args == {**before, "media": [], "guardian": None}
    assert upcast("nominate", 1, said) == (version, args)


def test_every_step_ends_at_a_version_that_the_server_takes_in() -> None:
    for name, version in UPCASTERS:
        reached, _ = upcast(name, version, {})
        assert (name, reached) in MUTATORS


def test_no_version_has_two_steps_or_a_handler_beside_a_step() -> None:
    assert set(UPCASTERS) & set(MUTATORS) == set()
    with pytest.raises(ValueError, match="nominate v1"):
        upcaster("nominate", 1)(dict)


@pytest.mark.django_db
def test_old_and_new_nominations_of_one_push_are_both_applied(
    place: builders.County, tablet: Tablet
) -> None:
    old, new = nomination(place), nomination(place, media=[photographed("id_card", b"card")])
    tablet.say("nominate", old, ON_THE_DAY)
    tablet.say("nominate", new, ON_THE_DAY, v=2)
    answer = tablet.exchange()

    assert [one["outcome"] for one in answer["outcomes"]] == ["applied", "applied"]
    assert answer["blobs_missing"] == [digest(b"card")]
    missing = dict(Application.objects.values_list("pk", "papers_missing"))
    assert {str(pk): papers for pk, papers in missing.items()} == {
        old["application"]: ["id_card", "household_book", "photos"],
        new["application"]: ["household_book", "photos"],
    }
    kept = LedgerEntry.objects.get(seq=1)
    assert (kept.version, kept.args) == (1, old)


def of_a_child(place: builders.County, by: str) -> dict[str, Any]:
    child = {"name": "孙小河", "id_number": builders.id_number(date(2010, 3, 7))}
    return nomination(place, resident=child, media=[], consent={"by": by, "name": "孙长河"})


@pytest.mark.django_db
def test_the_guardian_who_asks_for_a_child_is_named_with_it(
    place: builders.County, tablet: Tablet
) -> None:
    guardian = {"name": "孙长河", "relation": "parent", "telephone": "+86 139 1111 2222"}
    said = {**of_a_child(place, "guardian"), "guardian": guardian}
    tablet.say("nominate", said, ON_THE_DAY, v=3)
    [outcome] = tablet.exchange()["outcomes"]

    named = guardian_of(Application.objects.get().resident)
    assert named is not None
    told = (outcome["outcome"], named.name, named.relation, named.telephone)
    assert told == ("applied", "孙长河", "parent", "13911112222")


@pytest.mark.django_db
def test_a_child_that_asks_alone_on_an_older_tablet_is_taken_in_by_a_person_only(
    place: builders.County, tablet: Tablet
) -> None:
    tablet.say("nominate", of_a_child(place, "resident"), ON_THE_DAY, v=2)
    [outcome] = tablet.exchange()["outcomes"]
    assert (outcome["outcome"], outcome["code"]) == ("refused", "guardian-asks")
    assert Application.objects.count() == 0
    by = place.administrator
    decide(Dispute.objects.get(), Decision.ACCEPTED, reason="x", by=by, at=ON_THE_DAY)
    assert Application.objects.count() == 1


@pytest.mark.django_db
def test_a_version_that_is_newer_than_the_server_is_parked_whole(
    place: builders.County, tablet: Tablet
) -> None:
    said = nomination(place, media=[], fingerprints=["…"])
    tablet.say("nominate", said, ON_THE_DAY, v=4)
    [outcome] = tablet.exchange()["outcomes"]

    assert (outcome["outcome"], outcome["code"]) == ("parked", "unknown-mutation")
    assert LedgerEntry.objects.get().args == said


@pytest.mark.django_db
def test_a_later_release_takes_in_what_was_parked(
    place: builders.County, tablet: Tablet, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = nomination(place)
    monkeypatch.setattr("mobile_api.upcasting.UPCASTERS", {})
    tablet.say("nominate", said, ON_THE_DAY)
    tablet.exchange()
    assert Application.objects.count() == 0
    monkeypatch.undo()
    by = place.administrator
    decide(Dispute.objects.get(), Decision.ACCEPTED, reason="x", by=by, at=ON_THE_DAY)

    assert str(Application.objects.get().pk) == said["application"]


@pytest.mark.django_db
def test_a_photo_of_a_paper_travels_and_stands_on_the_case_for_those_who_need_it(
    place: builders.County, tablet: Tablet, client: Client
) -> None:
    card = jpeg()
    papers = ["id_card", "household_book", "photos"]
    media = [photographed(paper, card + paper.encode()) for paper in papers[1:]]
    said = nomination(place, media=[photographed("id_card", card), *media])
    tablet.say("nominate", said, ON_THE_DAY, v=2)
    tablet.exchange()
    case = Application.objects.get()
    with pytest.raises(Refused) as refused:
        applications.accept([case], by=place.administrator, at=ON_THE_DAY)
    assert refused.value.code == "papers-underway"

    tablet.upload(card)
    builders.store([one["sha256"] for one in media])
    applications.accept([case], by=place.administrator, at=ON_THE_DAY)
    photo = PaperPhoto.objects.get(paper="id_card")

    def status(user: User, name: str = "desk:paper_photo") -> int:
        client.force_login(user)
        answer = client.get(reverse(name, args=[photo.pk]))
        if answer.streaming:
            b"".join(answer.streaming_content)  # read to its end, the file closes
        return answer.status_code

    assert status(place.administrator) == 200
    assert status(place.liaison, "desk:paper_photo_small") == 200
    assert (status(place.other_liaison), status(place.auditor)) == (404, 403)
    small, page = reverse("desk:paper_photo_small", args=[photo.pk]), f"/cases/{case.pk}/"
    client.force_login(place.administrator)
    assert small in client.get(page).content.decode()
    client.force_login(place.auditor)
    assert small not in client.get(page).content.decode()


@pytest.mark.django_db
def test_papers_handed_in_after_a_return_need_no_photo_any_more(
    place: builders.County, tablet: Tablet
) -> None:
    papers = ["id_card", "household_book", "photos"]
    media = [photographed(paper, paper.encode()) for paper in papers]
    tablet.say("nominate", nomination(place, media=media), ON_THE_DAY, v=2)
    tablet.exchange()
    case = Application.objects.get()
    applications.send_back(case, papers, by=place.administrator, at=ON_THE_DAY)
    applications.complete_papers(case, by=place.liaison, at=ON_THE_DAY)
    applications.accept([case], by=place.administrator, at=ON_THE_DAY)

    assert Application.objects.get().state == "accepted"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("media", "outcome", "code"),
    [
        ([photographed("id_card", b"1"), photographed("photos", b"1")], "refused", "photo-twice"),
        ([{**photographed("id_card", b"1"), "paper": "passport"}], "refused", "malformed"),
        ([{**photographed("id_card", b"1"), "kind": "portrait"}], "refused", "malformed"),
        ([photographed("id_card", bytes([n])) for n in range(21)], "refused", "malformed"),
    ],
)
def test_bad_photos_of_papers_get_a_clear_answer(
    place: builders.County, tablet: Tablet, media: list[Any], outcome: str, code: str
) -> None:
    tablet.say("nominate", nomination(place, media=media), ON_THE_DAY, v=2)
    [answer] = tablet.exchange()["outcomes"]

    assert (answer["outcome"], answer["code"]) == (outcome, code)
    assert (Application.objects.count(), PaperPhoto.objects.count()) == (0, 0)
