"""The notice in the village shows what the public must know, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from outreach.actions import publicity
from outreach.models import User
from tests import builders

SignIn = Callable[[User], Client]


def test_a_notice_names_the_result_and_keeps_the_rest(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.on_notice(place)[0]
    notice = case.notices.get()
    page = sign_in(place.liaison).get(f"/notices/{notice.pk}/").content.decode()
    poster = page[page.index("<article") : page.index("</article>")]
    for shown in (
        "赵青山",
        "灯台乡任家祠村",
        "肢体 · 一级",
        "示例医院",
        "2018-06-11",
        "0817-0000000",
    ):
        assert shown in poster
    resident = case.resident
    for kept in (resident.id_number, resident.telephone, resident.address, case.diagnosis):
        assert kept not in poster


def test_a_notice_that_was_taken_down_is_gone(place: builders.County, sign_in: SignIn) -> None:
    case = builders.on_notice(place)[0]
    notice = case.notices.get()
    over = builders.notice_over()
    publicity.end_notices([case], by=place.administrator, at=over)
    assert sign_in(place.liaison).get(f"/notices/{notice.pk}/").status_code == 404
    assert sign_in(place.other_liaison).get(f"/notices/{notice.pk}/").status_code == 404


def test_an_objection_after_the_last_day_is_refused(
    place: builders.County, sign_in: SignIn, move_on: Callable[..., None]
) -> None:
    case = builders.on_notice(place)[0]
    move_on(builders.notice_over())
    said = {"from_whom": "邻居", "text": "他能走路"}
    answer = sign_in(place.liaison).post(f"/cases/{case.pk}/objection/", said)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "notice-over")
