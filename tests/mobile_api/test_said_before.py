"""The same words are said once; other words under a known number never go unseen."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mobile_api import push
from mobile_api.models import Dispute, LedgerEntry
from mobile_api.push import _words as words
from outreach import clock
from outreach.models import Application, Evaluation
from outreach.models.ids import new_id
from tests import builders
from tests.mobile_api.talking import ON_THE_DAY, enrolled, evaluation_args

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]

Told = list[tuple[str, str | None]]


def nomination(place: builders.County, number: str, **resident: Any) -> dict[str, Any]:
    return {
        "application": str(new_id()),
        "resident": {"name": "孙长河", "id_number": number, **resident},
        "village": place.village.code,
        "categories": ["physical"],
    }


def told(answer: dict[str, Any]) -> Told:
    return [(one["outcome"], one["code"]) for one in answer["outcomes"]]


@pytest.mark.parametrize("between", [0, 1])
def test_a_corrected_nomination_counts_also_where_both_come_in_one_push(
    place: builders.County, tmp_path: Path, between: int
) -> None:
    """As after a restore: a copy keeps the number of what it corrects, and both are sent again."""
    tablet = enrolled(place, tmp_path, place.liaison)
    wrong = nomination(place, "53010219200508011Y")
    tablet.say("nominate", wrong, ON_THE_DAY)
    for _ in range(between):
        tablet.say("nominate", nomination(place, builders.id_number()), ON_THE_DAY)
    right = {**wrong, "resident": {**wrong["resident"], "id_number": "53010219200508011X"}}
    tablet.say("nominate", {**right, "corrects": tablet.state.outbox[0]["id"]}, ON_THE_DAY)
    applied: Told = [("applied", None)]
    assert told(tablet.exchange()) == [("refused", "malformed"), *applied * between, *applied]
    assert Application.objects.filter(pk=wrong["application"]).exists()


def test_other_words_under_a_known_number_are_a_persons_to_decide(
    place: builders.County, tmp_path: Path
) -> None:
    """A draft that was copied with its tablet is finished on both, each time otherwise."""
    [visit] = builders.scheduled(place)
    args = evaluation_args(str(visit.pk), str(place.colleague.pk))
    one = enrolled(place, tmp_path)
    one.say("submit_evaluation", args, ON_THE_DAY)
    one.sync()
    other = enrolled(place, tmp_path, name="two")
    other.say("submit_evaluation", {**args, "remark": "什么也听不见"}, ON_THE_DAY)
    other.say("submit_evaluation", args, ON_THE_DAY)
    assert told(other.exchange()) == [("conflict", "said-otherwise"), ("duplicate", "known")]
    assert (Evaluation.objects.get().remark, Dispute.objects.count()) == ("", 1)


def test_what_was_said_of_other_records_is_not_read_again(
    place: builders.County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's years of work do not weigh on each record that comes twice."""
    tablet, read = enrolled(place, tmp_path, place.liaison), list[LedgerEntry]()
    said = [nomination(place, builders.id_number()) for _ in range(12)]
    for day, args in enumerate(said):
        clock.advance_to(ON_THE_DAY + timedelta(days=day))
        tablet.say("nominate", args, clock.now())
        tablet.sync()
    twin = enrolled(place, tmp_path, place.liaison, "two")
    for args in ({**said[3], "categories": ["hearing"]}, said[3]):
        twin.say("nominate", args, clock.now())
    monkeypatch.setattr(push, "_words", lambda one: read.append(one) or words(one))
    with CaptureQueriesContext(connection) as statements:
        assert told(twin.exchange()) == [("conflict", "said-otherwise"), ("duplicate", "known")]
    assert [one.seq for one in read if isinstance(one, LedgerEntry)] == [4]
    of_the_ledger = [one for one in statements if 'FROM "mobile_api_ledgerentry"' in one["sql"]]
    assert len(of_the_ledger) <= 3


def test_what_waits_for_a_person_does_not_stand_and_is_not_called_known(
    place: builders.County, tmp_path: Path
) -> None:
    """A tablet that hears `duplicate` shows it as delivered; said again, it waits again."""
    tablet = enrolled(place, tmp_path, place.liaison)
    said = nomination(place, builders.id_number())
    otherwise = {**said, "categories": ["hearing"]}
    answers = []
    for day, args in enumerate((said, otherwise, otherwise)):
        clock.advance_to(ON_THE_DAY + timedelta(days=day))
        tablet.say("nominate", args, clock.now())
        answers += told(tablet.exchange())
    assert answers == [("applied", None), *[("conflict", "said-otherwise")] * 2]
    assert Dispute.objects.count() == 2


def test_other_words_in_the_same_push_are_a_persons_to_decide(
    place: builders.County, tmp_path: Path
) -> None:
    tablet = enrolled(place, tmp_path, place.liaison)
    said = nomination(place, builders.id_number())
    for args in (said, said, {**said, "categories": ["hearing"]}):
        tablet.say("nominate", args, ON_THE_DAY)
    expected: Told = [("applied", None), ("duplicate", "known"), ("conflict", "said-otherwise")]
    assert told(tablet.exchange()) == expected
    assert LedgerEntry.objects.get(seq=3).args["categories"] == ["hearing"]
