"""A step that the database breaks off, as two waited for each other, loses nothing typed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from outreach.actions import holding
from outreach.models import User, Visit
from tests import builders
from tests.at_once import ON_POSTGRESQL, halfway
from tests.builders import County

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
