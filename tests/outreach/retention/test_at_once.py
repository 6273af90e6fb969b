"""Somebody is nominated anew in the very moment in which they are erased."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from outreach.actions import applications, holding
from outreach.domain.retention import Holding
from outreach.files import local_files
from outreach.models import Application, Resident
from outreach.retention.erasing import Erased, erase_case, erase_due
from outreach.retention.requests import Answer, erase_on_request
from tests import builders
from tests.at_once import ON_POSTGRESQL, halfway, meanwhile

pytestmark = ON_POSTGRESQL


def test_who_is_nominated_while_their_old_case_is_erased_keeps_their_name(
    place: builders.County,
) -> None:
    """The new case stood without a name, and with a number that nobody has."""
    again = builders.nomination(place)
    [old] = applications.nominate([again], by=place.liaison, at=builders.START)
    applications.advance([old], "withdraw", by=place.liaison, at=builders.START)
    anew = builders.nomination(place, id_number=again.id_number)
    meanwhile(
        lambda: applications.nominate([anew], by=place.liaison, at=timezone.now()),
        lambda: erase_case(
            old, Holding.UNFINISHED, by=None, at=timezone.now() + timedelta(seconds=1)
        ),
    )
    old.refresh_from_db()
    person = Resident.objects.get()
    assert old.erased_at
    assert (person.name, person.id_number, person.erased_at) == ("赵青山", again.id_number, None)


def withdrawn(place: builders.County) -> Application:
    [case] = applications.nominate(
        [builders.nomination(place)], by=place.liaison, at=builders.START
    )
    applications.advance([case], "withdraw", by=place.liaison, at=builders.START)
    return case


def person_then_case(case: Application) -> None:
    holding.hold(Resident.objects.all())
    list(Application.objects.select_for_update().filter(pk=case.pk))


def test_the_night_goes_on_where_it_and_somebody_waited_for_each_other(
    place: builders.County, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The database ended the night: whatever was due behind that case stayed."""
    case = withdrawn(place)
    told = list[Erased]()
    halfway(
        monkeypatch,
        (holding, "hold"),
        partial(person_then_case, case),
        lambda: told.append(
            erase_due(timezone.now(), local_files(tmp_path), lambda *_: None),
        ),
    )
    assert told[0].records == {(Holding.UNFINISHED, "511302"): 1}
    case.refresh_from_db()
    assert case.erased_at


def test_who_asks_to_be_erased_is_where_that_and_somebody_waited_for_each_other(
    place: builders.County, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any
) -> None:
    """The command ended in a traceback, and its answer to the family was never printed."""
    settings.OUTREACH_ERASURES = tmp_path / "erasures.jsonl"
    case, answered = withdrawn(place), list[Answer]()
    office: dict[str, Any] = {"by": place.administrator, "at": timezone.now(), "request": "7"}
    halfway(
        monkeypatch,
        (holding, "hold"),
        partial(person_then_case, case),
        lambda: answered.append(erase_on_request(case.resident, **office)),
    )
    assert answered[0].erased == [(case.number, Holding.UNFINISHED)]
    case.refresh_from_db()
    assert case.erased_at
