"""Two who send forms in one moment: nothing is overwritten unseen, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from outreach.actions import applications, holding, outlets
from outreach.domain.vocabulary import OutletKind
from outreach.models import Application, Counter, Outlet, Resident, User, Visit
from tests import builders
from tests.at_once import ON_POSTGRESQL, halfway, meanwhile
from tests.builders import START, County
from tests.outreach.desk.reading import seen_on
from tests.outreach.desk.test_main_job import nomination_form

pytestmark = ON_POSTGRESQL
SignIn = Callable[[User], Client]


def test_what_was_typed_stands_on_the_page_that_says_to_send_it_once_more(
    place: County, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    [visit] = builders.scheduled(place)
    typed = {"on": "2018-06-06", "start": "15:00", "minutes": "25", "reason": "赶集"}
    form, office = {**typed, "seen": "2018-06-04 09:00"}, sign_in(place.administrator)
    address, pages = f"/visits/{visit.pk}/move/", []

    def the_other_way_round() -> None:
        holding.hold_diaries([visit.assessor])
        Visit.objects.select_for_update().get(pk=visit.pk)

    halfway(
        monkeypatch,
        (holding, "hold_diaries"),
        the_other_way_round,
        lambda: pages.append(office.post(address, form)),
    )
    [page] = pages
    assert (page.status_code, page["X-Refusal"]) == (422, "at-once")
    shown = page.content.decode()
    assert [value for value in typed.values() if f'value="{value}"' not in shown] == []
    assert office.post(address, form).status_code == 303


def test_what_a_colleague_changes_in_the_very_same_moment_is_not_overwritten(
    place: County, sign_in: SignIn
) -> None:
    office, kind = sign_in(place.administrator), OutletKind.BANK
    by = place.administrator
    outlet = outlets.open_outlet("服务点", kind, place.township, by=by, at=START)
    address, pages = f"/outlets/{outlet.pk}/", []
    form = {"name": "二号服务点", "kind": "bank", "division": place.township.pk}
    form["seen"] = seen_on(office.get(address))
    held = Outlet.objects.select_related("division").get(pk=outlet.pk)
    meanwhile(
        lambda: outlets.change_outlet(held, "便民站", kind, place.township, by=by, at=START),
        lambda: pages.append(office.post(address, form)),
    )
    [page] = pages
    assert (page.status_code, page["X-Refusal"]) == (422, "changed-meanwhile")
    assert Outlet.objects.get().name == "便民站"


def test_a_nomination_that_is_broken_off_is_still_on_the_page(
    place: County, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    [case] = builders.applied(place)
    applications.advance([case], "withdraw", by=place.liaison, at=START, note="不办了")
    form = nomination_form(place, id_number=case.resident.id_number, diagnosis="双下肢缺失")
    liaison, pages = sign_in(place.liaison), []

    def the_other_way_round() -> None:
        Counter.take(f"application-{START.year}")
        Resident.objects.select_for_update().get(pk=case.resident_id)

    halfway(
        monkeypatch,
        (Counter, "take"),
        the_other_way_round,
        lambda: pages.append(liaison.post("/cases/nominate/", form)),
    )
    [page] = pages
    assert (page.status_code, page["X-Refusal"]) == (422, "at-once")
    assert "双下肢缺失" in page.content.decode()
    assert Application.objects.count() == 1
