"""Questions: a promised day, one reply, a rate that is counted and not claimed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.test import Client

from outreach.actions import enquiries
from outreach.models import Enquiry, User
from outreach.reports import reply_rate
from outreach.rules import Refused
from tests import builders
from tests.builders import START

SignIn = Callable[[User], Client]


def asked(place: builders.County, count: int = 1, at: datetime = START) -> list[Enquiry]:
    return [
        enquiries.ask("何时上门？", division=place.village, by=place.liaison, at=at)[0]
        for _ in range(count)
    ]


def test_a_liaison_asks_and_reads_the_reply(place: builders.County, sign_in: SignIn) -> None:
    liaison, office = sign_in(place.liaison), sign_in(place.administrator)
    assert liaison.post("/enquiries/ask/", {"question": "何时上门？"}).status_code == 303
    held = Enquiry.objects.get()
    assert (held.number, held.promised_on) == ("W2018-00001", date(2018, 5, 17))
    page = f"/enquiries/{held.pk}/"
    assert office.post(page, {"reply": "下周一上午。"}).status_code == 303
    assert "下周一上午。" in liaison.get(page).content.decode()


def test_an_empty_question_and_an_empty_reply_are_refused(
    place: builders.County, sign_in: SignIn
) -> None:
    empty = sign_in(place.liaison).post("/enquiries/ask/", {"question": " "})
    assert (empty.status_code, empty["X-Refusal"]) == (422, "malformed-form")
    held = asked(place)[0]
    answer = sign_in(place.administrator).post(f"/enquiries/{held.pk}/", {"reply": " "})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "reply-missing")


def test_a_question_is_answered_once(place: builders.County) -> None:
    held = asked(place)[0]
    enquiries.reply(held, "下周一。", by=place.administrator, at=START)
    with pytest.raises(Refused) as refusal:
        enquiries.reply(held, "下周二。", by=place.administrator, at=START)
    assert refusal.value.code == "replied-already"
    assert Enquiry.objects.get().reply == "下周一。"


def test_only_an_administrator_of_the_area_answers(place: builders.County) -> None:
    held = asked(place)[0]
    for user in (place.liaison, place.auditor):
        with pytest.raises(Refused):
            enquiries.reply(held, "…", by=user, at=START)


def test_the_rate_counts_answers_and_answers_in_time(place: builders.County) -> None:
    first, second, _open = asked(place, 3)
    enquiries.reply(first, "…", by=place.administrator, at=START + timedelta(days=3))
    enquiries.reply(second, "…", by=place.administrator, at=START + timedelta(days=4))
    rate = reply_rate(Enquiry.objects.all())
    assert (rate.asked, rate.replied, rate.kept) == (3, 2, 1)
    assert (rate.replied_share, rate.kept_share) == ("66.6%", "33.3%")


def test_no_question_is_no_rate(db: None) -> None:
    assert reply_rate(Enquiry.objects.all()).replied_share == "—"


def test_a_day_is_promised_only_where_the_calendar_is_known(place: builders.County) -> None:
    at = datetime(2101, 1, 5, 9, tzinfo=builders.SHANGHAI)
    assert asked(place, at=at)[0].promised_on is None


def test_the_question_is_sealed_in_the_database(place: builders.County) -> None:
    from django.db import connection

    asked(place)
    with connection.cursor() as cursor:
        cursor.execute("SELECT question FROM outreach_enquiry")
        assert "上门" not in str(cursor.fetchone()[0])
