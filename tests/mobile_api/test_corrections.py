"""A record that was not applied is sent again, corrected; both are kept, and the desk sees it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from mobile_api.disputes import correction_of
from mobile_api.models import Dispute, LedgerEntry
from outreach import clock
from outreach.demo.tablet import Tablet
from outreach.models import Evaluation, Visit
from tests import builders
from tests.mobile_api.talking import ON_THE_DAY, evaluation_args

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]


def evaluation(place: builders.County, visit: Visit, seed: bytes, **changes: Any) -> dict[str, Any]:
    return evaluation_args(str(visit.pk), str(place.colleague.pk), seed, **changes)


def said_and_lacking(place: builders.County, tablet: Tablet) -> tuple[Visit, str]:
    """Say an evaluation that is to be refused; return its visit and its id."""
    [visit] = builders.scheduled(place)
    lacking = evaluation(place, visit, b"first", identity_checked=False)
    tablet.say("submit_evaluation", lacking, ON_THE_DAY)
    return visit, tablet.state.outbox[0]["id"]


def test_a_corrected_copy_is_applied_and_names_what_it_corrects(
    place: builders.County, tablet: Tablet
) -> None:
    visit, old = said_and_lacking(place, tablet)
    assert [row["outcome"] for row in tablet.exchange()["outcomes"]] == ["refused"]
    tablet.say(
        "submit_evaluation", {**evaluation(place, visit, b"second"), "corrects": old}, ON_THE_DAY
    )
    assert [row["outcome"] for row in tablet.exchange()["outcomes"]] == ["applied"]
    first, second = LedgerEntry.objects.order_by("seq")
    assert (str(second.corrects), correction_of(first), correction_of(second)) == (
        old,
        second,
        None,
    )
    assert Evaluation.objects.count() == 1
    assert first.args["identity_checked"] is False  # as it was said
    assert Dispute.objects.get().decided_at is None  # a person still decides about it


def test_the_desk_says_that_a_corrected_copy_came(place: builders.County, tablet: Tablet) -> None:
    visit, old = said_and_lacking(place, tablet)
    tablet.sync()
    office = Client()
    office.force_login(place.administrator)
    address = f"/disputes/{Dispute.objects.get().pk}/"
    assert "更正后的记录" not in office.get(address).content.decode()
    tablet.say(
        "submit_evaluation", {**evaluation(place, visit, b"second"), "corrects": old}, ON_THE_DAY
    )
    tablet.sync()
    assert "更正后的记录，并已采用" in office.get(address).content.decode()


def test_what_the_copy_names_must_be_an_id(place: builders.County, tablet: Tablet) -> None:
    [visit] = builders.scheduled(place)
    tablet.say(
        "submit_evaluation", {**evaluation(place, visit, b"x"), "corrects": "that one"}, ON_THE_DAY
    )
    [answer] = tablet.exchange()["outcomes"]
    assert (answer["outcome"], answer["message"]) == ("refused", "记录不完整：corrects。")


def signed(args: dict[str, Any], at: datetime) -> dict[str, Any]:
    """Add the person's signature as it was put on the glass."""
    name = {**args["media"][0], "kind": "signature_resident", "sha256": "5" * 64}
    return {**args, "media": [*args["media"], {**name, "taken_at": at.isoformat()}]}


@pytest.mark.parametrize(
    ("signed_on", "dated"),
    [
        (ON_THE_DAY, ON_THE_DAY),
        (ON_THE_DAY + timedelta(days=20), ON_THE_DAY + timedelta(days=20)),
        (ON_THE_DAY - timedelta(days=2000), ON_THE_DAY + timedelta(days=30)),
    ],
    ids=["as it was", "signed again", "by a clock that was behind"],
)
def test_a_copy_that_is_written_a_month_later_is_dated_as_it_was_signed(
    place: builders.County, tablet: Tablet, signed_on: datetime, dated: datetime
) -> None:
    """The tariff, the age and the year for which nobody applies again run from the visit."""
    visit, old = said_and_lacking(place, tablet)
    tablet.sync()
    later = ON_THE_DAY + timedelta(days=30)
    clock.advance_to(later)
    tablet.sync()
    args = evaluation(place, visit, b"second", corrects=old, evaluated_at=later.isoformat())
    tablet.say("submit_evaluation", signed(args, signed_on), later)
    assert [row["outcome"] for row in tablet.exchange()["outcomes"]] == ["applied"]
    made = Evaluation.objects.select_related("journey").get()
    assert (made.evaluated_at, made.journey.on) == (dated, dated.date())
