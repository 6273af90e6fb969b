"""POST /api/v1/sync: the ordered way in and the manifest way out."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from mobile_api import api
from mobile_api.devices import revoke
from mobile_api.models import Device, Dispute, LedgerEntry
from mobile_api.pull import row_of
from mobile_api.scope import rows_for
from outreach.actions import evaluations
from outreach.actions.applications import assign
from outreach.demo.tablet import Tablet, TabletRefused
from outreach.domain.grading import Grading
from outreach.domain.vocabulary import Role
from outreach.models import Assessor, Evaluation, Institution, User, Visit
from outreach.models.ids import new_id
from tests import builders
from tests.builders import START
from tests.mobile_api.talking import ON_THE_DAY, enrolled, evaluation_args, in_process

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]


def test_a_tablet_pulls_its_day(place: builders.County, tablet: Tablet) -> None:
    [visit] = builders.scheduled(place)
    tablet.sync()
    [row] = tablet.rows("visit").values()
    assert (row["on"], row["start"], row["order"]) == ("2018-06-04", "09:00", 1)
    assert row["resident"]["id_number"] == visit.application.resident.id_number
    scope = rows_for(place.assessor, ON_THE_DAY.date())
    assert tablet.state.held == {key: row_of(key, content).h for key, content in scope}
    assert set(tablet.rows("colleague")) == {str(place.colleague.pk)}


def test_nothing_new_is_an_empty_step_on_the_same_view(
    place: builders.County, tablet: Tablet
) -> None:
    builders.scheduled(place)
    tablet.sync()
    view = tablet.state.view
    answer = tablet.exchange()["pull"]
    assert (answer["puts"], answer["dels"], answer["view"]) == ([], [], view)


def test_what_a_tablet_says_of_itself_never_stops_an_exchange(
    place: builders.County, tablet: Tablet
) -> None:
    said: dict[str, Any] = {"outbox": 3, "persisted": True, "free_mb": 5e20, "oldest_h": "\0"}
    deep = json.loads('{"a":' * 500 + "1" + "}" * 500)
    body = {"replica": tablet.state.replica, "app": "1.0\0", "health": said | deep | {"\0": "\0"}}

    tablet._post(body | {"clock": deep})

    kept = Device.objects.get().health
    assert kept.pop("clock") == {"mono_ms": None}
    assert kept == {"outbox": 3, "persisted": True, "free_mb": 5e20, "app": "1.0"}


def test_a_small_page_is_a_complete_step_and_the_next_goes_on(
    place: builders.County, tablet: Tablet
) -> None:
    builders.scheduled(place, 5)
    first = tablet.exchange(max_bytes=1024)["pull"]
    assert first["more"] is True
    tablet.sync(max_bytes=1024)
    assert len(tablet.rows("visit")) == 5


def test_a_lost_answer_costs_no_full_download(place: builders.County, tablet: Tablet) -> None:
    builders.scheduled(place, 2)
    tablet.sync()
    kept = json.dumps([tablet.state.view, tablet.state.held])
    builders.accepted(place, 1, name="钱小河")
    tablet.exchange()
    tablet.state.view, tablet.state.held = json.loads(kept)
    answer = tablet.exchange()["pull"]
    assert answer["base"] == json.loads(kept)[0]


def test_a_wrong_digest_begins_from_nothing(place: builders.County, tablet: Tablet) -> None:
    builders.scheduled(place)
    tablet.sync()
    tablet.state.held = {"visit/unknown": "0" * 16}
    assert tablet.exchange()["pull"]["base"] is None


def test_an_evaluation_is_applied_once_however_often_it_is_sent(
    place: builders.County, tablet: Tablet
) -> None:
    [visit] = builders.scheduled(place)
    tablet.say(
        "submit_evaluation", evaluation_args(str(visit.pk), str(place.colleague.pk)), ON_THE_DAY
    )
    again = list(tablet.state.outbox)
    first = tablet.exchange()
    tablet.state.outbox, tablet.state.acked_chain = again, "0" * 64
    second = tablet.exchange()
    assert [one["outcome"] for one in first["outcomes"]] == ["applied"]
    assert [(one["outcome"], one["was"]) for one in second["outcomes"]] == [
        ("duplicate", "applied")
    ]
    assert Evaluation.objects.count() == LedgerEntry.objects.count() == 1


def test_an_evaluation_waits_for_every_declared_photo(
    place: builders.County, tablet: Tablet
) -> None:
    [visit] = builders.scheduled(place)
    args = evaluation_args(str(visit.pk), str(place.colleague.pk))
    tablet.say("submit_evaluation", args, ON_THE_DAY)
    tablet.sync()
    names = sorted(media["sha256"] for media in args["media"])
    assert tablet.state.blobs_missing == names
    assert tablet.rows("visit")[str(visit.pk)]["media_state"] == "awaiting_media"
    builders.store(names)
    tablet.sync()
    assert tablet.state.blobs_missing == []
    assert tablet.rows("visit")[str(visit.pk)]["media_state"] == "complete"


def test_one_refused_among_many_does_not_hold_up_the_others(
    place: builders.County, tablet: Tablet
) -> None:
    visits = builders.scheduled(place, 3)
    for index, visit in enumerate(visits):
        args = evaluation_args(str(visit.pk), str(place.colleague.pk), bytes([index]))
        if index == 1:
            args["grade"] = args["parts"][0]["grade"] = 3
        tablet.say("submit_evaluation", args, ON_THE_DAY)
    answer = tablet.exchange()
    assert [(one["outcome"], one["code"]) for one in answer["outcomes"]] == [
        ("applied", None),
        ("refused", "reason-missing"),
        ("applied", None),
    ]
    assert [str(row.pk) for row in Dispute.objects.all()] == [answer["outcomes"][1]["dispute"]]
    assert Evaluation.objects.count() == 2


@pytest.mark.parametrize(
    ("name", "v", "outcome", "code"),
    [
        ("submit_evaluation", 9, "parked", "unknown-mutation"),
        ("teleport", 1, "parked", "unknown-mutation"),
        ("submit_evaluation", 1, "refused", "malformed"),
    ],
)
def test_what_the_server_does_not_understand_is_kept_for_a_person(
    tablet: Tablet, name: str, v: int, outcome: str, code: str
) -> None:
    tablet.say(name, {"what": "ever"}, ON_THE_DAY)
    said = tablet.state.outbox.pop()
    tablet.state.seq, tablet.state.chain = 0, "0" * 64
    _resay(tablet, said, v)
    [answer] = tablet.exchange()["outcomes"]
    assert (answer["outcome"], answer["code"]) == (outcome, code)
    assert LedgerEntry.objects.get().args == {"what": "ever"}


def _resay(tablet: Tablet, said: dict[str, Any], v: int) -> None:
    from mobile_api.chain import ZERO, canonical, link

    said["v"] = v
    body = canonical(said)
    said["chain"], said["sig"] = link(ZERO, body), tablet._sign(body)
    tablet.state.seq, tablet.state.chain = said["seq"], said["chain"]
    tablet.state.outbox = [said]


def test_a_mutation_out_of_order_is_a_gap_and_nothing_is_taken_in(
    place: builders.County, tablet: Tablet
) -> None:
    [visit] = builders.scheduled(place)
    tablet.say("cancel_visit", {"visit": str(visit.pk)}, ON_THE_DAY)
    tablet.say("cancel_visit", {"visit": str(visit.pk)}, ON_THE_DAY)
    tablet.state.acked_chain = tablet.state.outbox.pop(0)["chain"]
    with pytest.raises(TabletRefused, match="409 gap"):
        tablet.exchange()
    assert LedgerEntry.objects.count() == 0


def test_another_payload_under_the_same_number_is_a_fork(
    place: builders.County, tablet: Tablet, tmp_path: Path
) -> None:
    builders.scheduled(place)
    clone = Tablet(in_process(), tmp_path / "one.json")
    tablet.say("teleport", {"to": "here"}, ON_THE_DAY)
    clone.say("teleport", {"to": "there"}, ON_THE_DAY)
    tablet.exchange()
    with pytest.raises(TabletRefused, match="409 fork"):
        clone.exchange()
    assert LedgerEntry.objects.get().args == {"to": "here"}


def test_a_record_signed_by_another_key_is_refused(place: builders.County, tablet: Tablet) -> None:
    tablet.say("teleport", {}, ON_THE_DAY)
    tablet.state.outbox[0]["sig"] = base64.b64encode(bytes(64)).decode()
    [answer] = tablet.exchange()["outcomes"]
    assert (answer["outcome"], answer["code"]) == ("refused", "bad-signature")


def test_a_visit_given_to_another_assessor_leaves_the_old_tablet_and_its_work_is_parked(
    place: builders.County, tablet: Tablet, tmp_path: Path
) -> None:
    [visit] = builders.scheduled(place)
    tablet.sync()
    other = builders.user("other", Role.ASSESSOR, place.county)
    Assessor.objects.create(
        user=other, institution=Institution.objects.get(), categories=["physical"]
    )
    assign([visit.application], other, by=place.administrator, at=START)
    args = evaluation_args(str(visit.pk), str(place.colleague.pk))
    tablet.say("submit_evaluation", args, ON_THE_DAY)
    [answer] = tablet.exchange()["outcomes"]
    assert (answer["outcome"], answer["code"]) == ("parked", "out-of-scope")
    assert tablet.rows("visit") == {}
    assert LedgerEntry.objects.get().args["evaluation"] == args["evaluation"]
    newer = enrolled(place, tmp_path, other, "two")
    newer.sync()
    assert set(newer.rows("visit")) == {str(visit.pk)}


def test_scheduling_moving_and_cancelling_from_the_tablet(
    place: builders.County, tablet: Tablet
) -> None:
    [case] = builders.accepted(place)
    tablet.sync()
    assert set(tablet.rows("case")) == {str(case.pk)}
    visit = str(new_id())
    plan = {"visit": visit, "application": str(case.pk), "on": "2018-06-05", "start": "09:00"}
    tablet.say("schedule_visit", {**plan, "minutes": 40}, ON_THE_DAY)
    seen = {"on": "2018-06-05", "start": "09:00"}
    moved = {"visit": visit, "on": "2018-06-06", "start": "10:00", "seen": seen, "reason": ""}
    tablet.say("move_visit", moved, ON_THE_DAY)
    tablet.say("move_visit", moved, ON_THE_DAY)
    answer = tablet.exchange()
    assert [(one["outcome"], one["code"]) for one in answer["outcomes"]] == [
        ("applied", None),
        ("applied", None),
        ("conflict", "appointment-changed"),
    ]
    row = Visit.objects.get()
    assert (row.on.isoformat(), row.state) == ("2018-06-06", "scheduled")
    late = {"on": "2018-06-06", "start": "10:00"}
    tablet.say("cancel_visit", {"visit": visit, "reason": "road", "seen": late}, ON_THE_DAY)
    tablet.sync()
    assert set(tablet.rows("case")) == {str(case.pk)}


@pytest.mark.parametrize(
    ("day", "code"), [("2018-06-09", "no-working-day"), ("2018-05-11", "day-past")]
)
def test_an_impossible_day_is_refused_with_a_sentence(
    place: builders.County, tablet: Tablet, day: str, code: str
) -> None:
    [case] = builders.accepted(place)
    plan = {"visit": str(new_id()), "application": str(case.pk), "on": day, "start": "09:00"}
    tablet.say("schedule_visit", plan, ON_THE_DAY)
    [answer] = tablet.exchange()["outcomes"]
    assert (answer["outcome"], answer["code"]) == ("refused", code)
    assert answer["message"]


def test_a_liaison_moves_what_lies_in_the_area_and_nothing_else(
    place: builders.County, tmp_path: Path
) -> None:
    [visit] = builders.scheduled(place)
    phone = enrolled(place, tmp_path, place.liaison, "phone")
    phone.sync()
    [row] = phone.rows("visit").values()
    moved = {
        "visit": str(visit.pk),
        "on": "2018-06-06",
        "start": "10:00",
        "seen": {"on": row["on"], "start": row["start"]},
    }
    phone.say("move_visit", moved, ON_THE_DAY)
    [answer] = phone.exchange()["outcomes"]
    assert (answer["outcome"], str(Visit.objects.get().on)) == ("applied", "2018-06-06")
    User.objects.filter(pk=place.liaison.pk).update(division=place.other_village)
    seen = {"on": "2018-06-06", "start": "10:00"}
    phone.say("move_visit", {**moved, "on": "2018-06-07", "seen": seen}, ON_THE_DAY)
    answer = phone.exchange()
    assert [(one["outcome"], one["code"]) for one in answer["outcomes"]] == [
        ("parked", "out-of-scope")
    ]
    assert phone.rows("visit") == {}


def test_not_done_carries_its_next_step(place: builders.County, tablet: Tablet) -> None:
    [visit] = builders.scheduled(place)
    args = {
        "visit": str(visit.pk),
        "reason": "absent",
        "next_step": "revisit",
        "note": "",
        "recorded_at": ON_THE_DAY.isoformat(),
        "place": None,
    }
    tablet.say("record_not_done", args, ON_THE_DAY)
    tablet.sync()
    row = tablet.rows("visit")[str(visit.pk)]
    assert (row["state"], row["not_done"]) == (
        "not_done",
        {"reason": "absent", "next_step": "revisit"},
    )
    assert [case["state"] for case in tablet.rows("case").values()] == ["accepted"]


def test_a_liaison_nominates_from_a_tablet_and_a_bad_number_is_refused(
    place: builders.County, tmp_path: Path
) -> None:
    tablet = enrolled(place, tmp_path, place.liaison, "phone")
    person = {"name": "孙长河", "id_number": builders.id_number()}
    base = {"village": place.village.code, "categories": ["physical"]}
    for resident, village in (
        (person, place.village.code),
        ({**person, "id_number": "53010219200508011Y"}, place.village.code),
        (person, "511302999999"),
        (person, place.other_village.code),
    ):
        args = {**base, "application": str(new_id()), "resident": resident, "village": village}
        tablet.say("nominate", args, ON_THE_DAY)
    answer = tablet.exchange()
    assert [(one["outcome"], one["code"]) for one in answer["outcomes"]] == [
        ("applied", None),
        ("refused", "malformed"),
        ("refused", "unknown-village"),
        ("parked", "out-of-scope"),
    ]


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b"this is not JSON", 400, "not-json"),
        (b'{"replica": "x"}', 422, "malformed"),
        (b"[]", 422, "malformed"),
        (b"{}", 422, "malformed"),
    ],
)
def test_a_body_that_is_no_exchange_gets_a_clear_answer(
    tablet: Tablet, client: Client, body: bytes, status: int, slug: str
) -> None:
    answer = client.post(
        "/api/v1/sync",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {tablet.state.token}"},
    )
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_broken_gzip_stream_gets_a_clear_answer(tablet: Tablet, client: Client) -> None:
    answer = client.post(
        "/api/v1/sync",
        b"\x1f\x8b not really",
        content_type="application/json",
        headers={"Authorization": f"Bearer {tablet.state.token}", "Content-Encoding": "gzip"},
    )
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/not-json")


def test_nobody_without_a_token(client: Client) -> None:
    answer = client.post("/api/v1/sync", b"{}", content_type="application/json")
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/no-token")


def stop_tablet(place: builders.County) -> None:
    revoke(Device.objects.get(), by=place.administrator, at=ON_THE_DAY)


def stop_account(place: builders.County) -> None:
    User.objects.filter(pk=place.assessor.pk).update(is_active=False)


def test_a_revoked_tablet_is_told_to_wipe_and_gets_no_rows(
    place: builders.County, tablet: Tablet
) -> None:
    stop_tablet(place)
    with pytest.raises(TabletRefused, match="403 revoked"):
        tablet.exchange()


@pytest.mark.parametrize("stop", [stop_tablet, stop_account])
def test_a_tablet_that_is_stopped_while_its_exchange_waits_gets_no_rows(
    place: builders.County,
    tablet: Tablet,
    monkeypatch: pytest.MonkeyPatch,
    stop: Callable[[builders.County], object],
) -> None:
    """Its token was good when it asked; then it waited for its turn and for the database."""
    [visit] = builders.scheduled(place)
    args = {"visit": str(visit.pk), "reason": "absent", "next_step": "revisit"}
    tablet.say("record_not_done", {**args, "recorded_at": ON_THE_DAY.isoformat()}, ON_THE_DAY)

    def read(*asked: Any) -> Any:
        stop(place)
        return reading(*asked)

    reading = api.read
    monkeypatch.setattr(api, "read", read)
    with pytest.raises(TabletRefused, match="403 revoked"):
        tablet.exchange()
    assert (LedgerEntry.objects.count(), Device.objects.get().last_seen_at) == (0, None)


def test_an_unknown_replica_is_gone(tablet: Tablet) -> None:
    tablet.state.replica = str(new_id())
    with pytest.raises(TabletRefused, match="410 unknown-replica"):
        tablet.exchange()


def test_an_app_too_old_may_push_for_ever_but_pulls_nothing(
    place: builders.County, tablet: Tablet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.demo.tablet.APP", "0.0.1")
    tablet.say("teleport", {}, ON_THE_DAY)
    answer = tablet.exchange()
    assert (len(answer["outcomes"]), answer["pull"]) == (1, None)


def test_a_year_without_calendar_is_refused_with_a_sentence_and_the_queue_goes_on(
    place: builders.County, tablet: Tablet
) -> None:
    first, second = builders.accepted(place, 2)
    [booked] = builders.scheduled(place)
    seen = {"on": booked.on.isoformat(), "start": booked.start.strftime("%H:%M")}
    tablet.say(
        "schedule_visit",
        {
            "visit": str(new_id()),
            "application": str(first.pk),
            "on": "2099-06-05",
            "start": "09:00",
        },
        ON_THE_DAY,
    )
    tablet.say(
        "move_visit",
        {"visit": str(booked.pk), "on": "2099-06-05", "start": "09:00", "seen": seen},
        ON_THE_DAY,
    )
    tablet.say(
        "schedule_visit",
        {
            "visit": str(new_id()),
            "application": str(second.pk),
            "on": "2018-06-05",
            "start": "09:00",
        },
        ON_THE_DAY,
    )
    answer = tablet.exchange()
    assert [(one["outcome"], one["code"]) for one in answer["outcomes"]] == [
        ("refused", "calendar-not-loaded"),
        ("refused", "calendar-not-loaded"),
        ("applied", None),
    ]


def test_a_place_without_tariff_is_refused_with_a_sentence_and_the_queue_goes_on(
    place: builders.County, tablet: Tablet, monkeypatch: pytest.MonkeyPatch
) -> None:
    visits = builders.scheduled(place, 2)
    monkeypatch.setattr("outreach.actions.journeys.shipped_tariffs", tuple)
    tablet.say(
        "submit_evaluation", evaluation_args(str(visits[0].pk), str(place.colleague.pk)), ON_THE_DAY
    )
    seen = {"on": visits[1].on.isoformat(), "start": visits[1].start.strftime("%H:%M")}
    cancelled = {"visit": str(visits[1].pk), "reason": "road", "seen": seen}
    tablet.say("cancel_visit", cancelled, ON_THE_DAY)
    answer = tablet.exchange()
    assert [(one["outcome"], one["code"]) for one in answer["outcomes"]] == [
        ("refused", "no-tariff"),
        ("applied", None),
    ]


def test_what_surprises_the_server_is_parked_and_does_not_hold_up_the_others(
    place: builders.County, tablet: Tablet, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = builders.scheduled(place, 2)
    grade = evaluations._grade

    def surprised(part: evaluations.Part, age: int) -> Grading:
        if part.reason == "surprise":
            raise RuntimeError("a fault of the program")
        return grade(part, age)

    monkeypatch.setattr("outreach.actions.evaluations._grade", surprised)
    bad = evaluation_args(str(first.pk), str(place.colleague.pk), b"1")
    bad["parts"][0]["reason"] = "surprise"
    tablet.say("submit_evaluation", bad, ON_THE_DAY)
    good = evaluation_args(str(second.pk), str(place.colleague.pk), b"2")
    tablet.say("submit_evaluation", good, ON_THE_DAY)
    answer = tablet.exchange()
    assert [(one["outcome"], one["code"]) for one in answer["outcomes"]] == [
        ("parked", "unexpected"),
        ("applied", None),
    ]
    assert Dispute.objects.get().code == "unexpected"
    assert str(Evaluation.objects.get().pk) == good["evaluation"]
