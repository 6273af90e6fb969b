"""Families are told once, in time, without a word of any illness; nothing goes out twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from outreach import clock
from outreach.actions import applications, family, visits
from outreach.actions.contacts import Contact, Correction, correct_contacts
from outreach.actions.notifying import senders
from outreach.actions.notifying.delivery import (
    BACK_OFF,
    deliver,
    doubt_what_was_due,
    send_again,
)
from outreach.actions.notifying.outbox import fill_outbox, tell_link, text_of
from outreach.actions.notifying.senders import Console, Gateway, NotSent, PerhapsSent, Shelf
from outreach.checks import check_settings
from outreach.domain.retention import Holding
from outreach.domain.vocabulary import Category
from outreach.files import local_files
from outreach.models import Application, AuditEvent, Notification, User, Visit
from outreach.retention.erasing import erase_case
from tests import builders
from tests.builders import START, VISIT_ON

pytestmark = pytest.mark.django_db
MORNING = datetime.combine(VISIT_ON, time(7, 30), builders.SHANGHAI)


class Kept:
    """A sender that keeps what it was given, and fails as it is told to."""

    def __init__(self, *failures: Exception, is_idempotent: bool = False) -> None:
        self.failures = list(failures)
        self.is_idempotent = is_idempotent
        self.sent: list[tuple[str, str]] = []

    def send(self, *, key: str, telephone: str, text: str) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((telephone, text))


def kinds(**wanted: Any) -> list[str]:
    rows = Notification.objects.filter(**wanted).order_by("due_at", "pk")
    return list(rows.values_list("kind", flat=True))


def later(**span: int) -> None:
    """Let real time pass over what waits for its next attempt."""
    Notification.objects.exclude(next_at=None).update(next_at=timezone.now() - timedelta(seconds=1))


def test_a_visit_is_told_when_made_the_day_before_and_the_same_morning(
    place: builders.County,
) -> None:
    builders.scheduled(place)
    assert fill_outbox(START) == 3
    assert kinds() == ["appointment", "tomorrow", "today"]
    due = [timezone.localtime(one.due_at) for one in Notification.objects.order_by("due_at")]
    assert due[1:] == [
        datetime.combine(VISIT_ON - timedelta(days=1), time(17), builders.SHANGHAI),
        MORNING,
    ]


def test_just_after_midnight_in_the_county_nothing_is_told_of_the_visit_that_was(
    place: builders.County,
) -> None:
    visit = builders.scheduled(place)[0]
    to = visits.Appointment(visit.application, VISIT_ON, time(15))
    visits.move(visit, to, by=place.liaison, at=MORNING)
    midnight = datetime.combine(VISIT_ON + timedelta(days=1), time(0), builders.SHANGHAI)
    assert fill_outbox((midnight + timedelta(minutes=30)).astimezone(UTC)) == 0
    assert fill_outbox((midnight - timedelta(minutes=30)).astimezone(UTC)) == 1
    assert kinds() == ["moved"]


def test_reading_the_register_again_enters_nothing_twice(place: builders.County) -> None:
    builders.scheduled(place, 3)
    assert fill_outbox(START) == 9
    assert fill_outbox(START + timedelta(hours=1)) == 0


def test_each_message_goes_out_when_it_is_due_and_once(place: builders.County) -> None:
    builders.scheduled(place)
    sender = Kept()
    for at in (START, START, MORNING - timedelta(hours=14), MORNING, MORNING):
        fill_outbox(at)
        deliver(sender, at=at)
    assert [number for number, _ in sender.sent] == ["13900000000"] * 3
    assert ["明天" in text or "今天" in text for _, text in sender.sent] == [False, True, True]
    assert AuditEvent.objects.filter(action="notification.sent").count() == 3


def test_a_moved_visit_is_told_and_the_old_reminders_are_not(place: builders.County) -> None:
    visit = builders.scheduled(place)[0]
    fill_outbox(START)
    to = visits.Appointment(visit.application, VISIT_ON + timedelta(days=1), time(10))
    visits.move(visit, to, by=place.liaison, at=START + timedelta(hours=1))
    at = START + timedelta(hours=2)
    fill_outbox(at)
    sender = Kept()
    deliver(sender, at=at)
    deliver(sender, at=MORNING + timedelta(hours=10))
    assert kinds(state="sent") == ["moved", "tomorrow"]
    assert kinds(state="overtaken") == ["appointment", "tomorrow", "today"]


def test_a_cancelled_visit_sends_no_reminder(place: builders.County) -> None:
    visit = builders.scheduled(place)[0]
    fill_outbox(START)
    visits.cancel(visit, by=place.administrator, at=START, reason="病了")
    sender = Kept()
    deliver(sender, at=MORNING)
    assert sender.sent == []


def test_missing_papers_are_named_and_a_certificate_is_announced(place: builders.County) -> None:
    case = builders.applied(place)[0]
    applications.send_back(case, ["photos", "household_book"], by=place.administrator, at=START)
    fill_outbox(START)
    (message,) = Notification.objects.all()
    assert message.kind == "papers"
    assert "户口簿" in message.text
    assert case.number in message.text


def test_the_result_of_a_visit_is_announced_once(place: builders.County) -> None:
    at = builders.evaluated(place)[0].evaluated_at
    fill_outbox(at)
    fill_outbox(at + timedelta(minutes=5))
    assert kinds(kind="result") == ["result"]


@pytest.mark.parametrize(
    "kind",
    ["appointment", "moved", "cancelled", "tomorrow", "today", "papers", "result", "ready"],
)
def test_no_message_says_a_word_of_the_illness(place: builders.County, kind: str) -> None:
    from outreach.desk.words import CATEGORIES, GRADES

    visit = builders.scheduled(place)[0]
    case = visit.application
    text = text_of(kind, case, visit)
    words = [str(CATEGORIES[code]) for code in Category]
    words += [str(word) for word in GRADES.values()]
    said = [case.diagnosis, case.resident.name, case.resident.id_number, case.resident.address]
    assert [word for word in [*words, *said] if word in text] == []
    assert case.number in text


def test_the_guardian_is_written_to_for_a_minor(place: builders.County) -> None:
    child = builders.guarded(place, id_number=builders.id_number(date(2010, 5, 1)), name="赵小山")
    case = applications.nominate([child], by=place.liaison, at=START)[0]
    applications.send_back(case, ["photos"], by=place.administrator, at=START)
    fill_outbox(START)
    assert Notification.objects.get().telephone == "13700000000"


@pytest.mark.parametrize("telephone", ["", "0817-2222222"])
def test_who_has_no_mobile_is_shown_as_unreachable(place: builders.County, telephone: str) -> None:
    case = builders.applied(place, telephone=telephone)[0]
    applications.send_back(case, ["photos"], by=place.administrator, at=START)
    fill_outbox(START)
    sender = Kept()
    deliver(sender, at=START)
    assert (kinds(state="unreachable"), sender.sent) == (["papers"], [])


def test_nobody_is_woken(place: builders.County) -> None:
    case = builders.applied(place)[0]
    night = START.replace(hour=23)
    applications.send_back(case, ["photos"], by=place.administrator, at=night)
    fill_outbox(night)
    due = timezone.localtime(Notification.objects.get().due_at)
    assert due == (START + timedelta(days=1)).replace(hour=7, minute=30)


def waiting(place: builders.County) -> Notification:
    case = builders.applied(place)[0]
    applications.send_back(case, ["photos"], by=place.administrator, at=START)
    fill_outbox(START)
    return Notification.objects.get()


def test_a_busy_gateway_is_tried_again_with_back_off_until_it_takes_it(
    place: builders.County,
) -> None:
    message = waiting(place)
    sender = Kept(NotSent("busy"), NotSent("busy"))
    deliver(sender, at=START)
    deliver(sender, at=START)  # the next attempt is not due yet
    message.refresh_from_db()
    assert (message.state, message.attempts, message.last_error) == ("waiting", 1, "busy")
    for _ in range(2):
        later()
        deliver(sender, at=START)
    message.refresh_from_db()
    assert (message.state, message.attempts, len(sender.sent)) == ("sent", 3, 1)


def test_after_the_last_attempt_a_person_sees_that_it_failed(place: builders.County) -> None:
    message = waiting(place)
    sender = Kept(*[NotSent("down")] * (len(BACK_OFF) + 1))
    for _ in range(len(BACK_OFF) + 1):
        deliver(sender, at=START)
        later()
    message.refresh_from_db()
    assert (message.state, message.last_error) == ("failed", "down")


def test_a_lost_answer_is_never_sent_again_by_itself(place: builders.County) -> None:
    message = waiting(place)
    sender = Kept(PerhapsSent("timeout"))
    for _ in range(3):
        deliver(sender, at=START)
        later()
    message.refresh_from_db()
    assert (message.state, sender.sent) == ("uncertain", [])


def test_a_lost_answer_is_sent_again_where_the_same_key_goes_out_once(
    place: builders.County,
) -> None:
    waiting(place)
    sender = Kept(PerhapsSent("timeout"), is_idempotent=True)
    for _ in range(2):
        deliver(sender, at=START)
        later()
    assert len(sender.sent) == 1


@pytest.mark.parametrize(("is_idempotent", "state"), [(True, "sent"), (False, "uncertain")])
def test_a_sender_that_died_in_the_middle(
    place: builders.County, is_idempotent: bool, state: str
) -> None:
    message = waiting(place)
    gone = timezone.now() - timedelta(minutes=1)
    Notification.objects.update(state="sending", leased_until=gone, attempts=1)
    deliver(Kept(is_idempotent=is_idempotent), at=START)
    message.refresh_from_db()
    assert message.state == state


def test_a_message_claimed_by_another_process_is_left_to_it(place: builders.County) -> None:
    waiting(place)
    Notification.objects.update(state="sending", leased_until=timezone.now() + timedelta(minutes=5))
    sender = Kept()
    deliver(sender, at=START)
    assert sender.sent == []


def test_the_files_take_each_key_once_and_keep_it_sealed(tmp_path: Path) -> None:
    sender = Shelf(local_files(tmp_path))
    for _ in range(2):
        sender.send(key="a", telephone="13900000000", text="您好")
    sender.send(key="b", telephone="13900000000", text="您好")
    assert [json.loads(line)["key"] for line in sender.lines()] == ["a", "b"]
    kept = [file.read_bytes() for file in tmp_path.rglob("*.json")]
    assert [one for one in kept if b"13900000000" in one] == []


def test_what_is_printed_into_a_log_has_no_familys_link(place: builders.County) -> None:
    """As our service does, where no other way is set; the link opens the case for two weeks."""
    link, secret = family.make_link(builders.applied(place)[0], by=place.liaison, at=START)
    tell_link(link, f"https://example.org/family/{secret}/", START)
    out = StringIO()
    deliver(Console(out), at=START)
    assert (secret in out.getvalue(), "/family/…/" in out.getvalue()) == (False, True)


def test_what_is_only_printed_was_sent_to_nobody(place: builders.County) -> None:
    """Nobody heard of it, and it can be sent again once there is a gateway; it was called sent."""
    builders.scheduled(place)
    fill_outbox(START)
    deliver(Console(StringIO()), at=START)
    message = Notification.objects.get(kind="appointment")
    assert (message.state, message.last_error, message.sent_at) == ("failed", "no-gateway", None)
    send_again(message, by=place.administrator, at=START)
    sender = Kept()
    deliver(sender, at=START)
    assert len(sender.sent) == 1


class Answering(BaseHTTPRequestHandler):
    """An SMS gateway that answers as it is told and remembers what it was given."""

    status = 200
    seen: list[tuple[str, str, dict[str, str]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = (self.headers["Idempotency-Key"], self.headers["Authorization"], body)
        Answering.seen.append(said)
        self.send_response(Answering.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    server = HTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    Answering.seen = []
    yield Gateway(f"http://127.0.0.1:{server.server_port}/sms", "secret", is_idempotent=True)
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_gateway_is_told_number_text_and_key(gateway: Gateway) -> None:
    Answering.status = 202
    gateway.send(key="k1", telephone="13900000000", text="您好")
    body = {"telephone": "13900000000", "text": "您好"}
    assert Answering.seen == [("k1", "Bearer secret", body)]


@pytest.mark.parametrize(
    ("status", "error", "is_final"),
    [(429, NotSent, False), (503, NotSent, False), (400, NotSent, True), (500, PerhapsSent, None)],
)
def test_what_the_gateway_answers_decides_what_follows(
    gateway: Gateway, status: int, error: type[Exception], is_final: bool | None
) -> None:
    Answering.status = status
    with pytest.raises(error) as raised:
        gateway.send(key="k1", telephone="13900000000", text="您好")
    assert getattr(raised.value, "is_final", None) is is_final


def test_an_answer_that_drips_holds_no_other_message_up(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte began the patience anew: no family heard anything for as long as it dripped."""
    monkeypatch.setattr(senders, "PATIENCE_S", 0.5)
    monkeypatch.setattr(Answering, "send_response", drip)
    with pytest.raises(PerhapsSent):
        gateway.send(key="k1", telephone="13900000000", text="您好")


def drip(handler: Answering, _status: int) -> None:
    """Say that it was taken over, letter by letter."""
    with suppress(OSError):
        for letter in "HTTP/1.1 200 OK\r\n":
            handler.wfile.write(letter.encode())
            sleep(0.1)


@pytest.mark.parametrize(
    ("url", "ids"),
    [
        ("", []),
        ("http://127.0.0.1:9000/sms", []),
        ("https://sms.example.org/send", []),
        ("http://sms.example.org/send", ["outreach.W014"]),
    ],
)
def test_a_gateway_to_which_links_would_travel_in_clear_is_warned_of(
    settings: Any, url: str, ids: list[str]
) -> None:
    """Whoever reads on the way opens the case of each family for two weeks."""
    settings.OUTREACH_SMS_URL = url
    assert [one.id for one in check_settings() if one.id == "outreach.W014"] == ids


def test_a_gateway_that_is_not_there_has_certainly_sent_nothing() -> None:
    with pytest.raises(NotSent):
        Gateway("http://127.0.0.1:9/sms", "", is_idempotent=False).send(
            key="k", telephone="13900000000", text="您好"
        )


def test_the_command_prints_what_is_due_and_says_so(place: builders.County) -> None:
    builders.scheduled(place)
    clock.advance_to(START)
    out = StringIO()
    call_command("notify", stdout=out)
    assert "entered 3, sent 0, later 0, failed 1, uncertain 0, overtaken 0" in out.getvalue()
    assert "13900000000" not in out.getvalue()
    assert Visit.objects.count() == 1


def test_a_reminder_goes_to_the_number_that_is_on_file_when_it_goes_out(
    place: builders.County,
) -> None:
    """It was written weeks before; by now the old number may be a stranger's."""
    case = builders.scheduled(place)[0].application
    fill_outbox(START)
    correct(place, case, "13900000000", "13911111111")
    sender = Kept()
    deliver(sender, at=MORNING)
    assert {number for number, _ in sender.sent} == {"13911111111"}


def test_what_failed_at_a_wrong_number_is_sent_again_to_the_corrected_one(
    place: builders.County,
) -> None:
    message = waiting(place)
    sender = Kept(NotSent("no such number", is_final=True))
    deliver(sender, at=START)
    correct(place, message.application, "13900000000", "13911111111")
    send_again(Notification.objects.get(), by=place.administrator, at=START)
    deliver(sender, at=START)
    assert [number for number, _ in sender.sent] == ["13911111111"]
    assert Notification.objects.get().telephone == "13911111111"


def test_reminders_reach_a_family_whose_number_became_known_after_the_appointment(
    place: builders.County,
) -> None:
    case = builders.scheduled(place, telephone="")[0].application
    fill_outbox(START)
    assert kinds(state="unreachable") == ["appointment", "tomorrow", "today"]
    correct(place, case, "", "13911111111")
    fill_outbox(START + timedelta(hours=1))
    assert kinds(state="waiting") == ["tomorrow", "today"]


def test_a_number_that_was_taken_off_file_is_not_written_to(place: builders.County) -> None:
    message = waiting(place)
    correct(place, message.application, "13900000000", "")
    sender = Kept()
    came = deliver(sender, at=START)
    assert (sender.sent, came.unreachable, kinds(state="unreachable")) == ([], 1, ["papers"])


@pytest.mark.parametrize("guardians", ["", "0817-2222222"])
def test_where_the_guardian_takes_no_messages_the_familys_number_does(
    place: builders.County, guardians: str
) -> None:
    guardian = applications.Guarding("赵大山", guardians, "父亲")
    child = builders.guarded(
        place, id_number=builders.id_number(date(2010, 5, 1)), guardian=guardian
    )
    case = applications.nominate([child], by=place.liaison, at=START)[0]
    applications.send_back(case, ["photos"], by=place.administrator, at=START)
    fill_outbox(START)
    message = Notification.objects.get()
    assert (message.state, message.telephone) == ("waiting", "13900000000")


def correct(place: builders.County, case: Application, seen: str, to: str) -> None:
    address = case.resident.address
    said = Correction(case, Contact(to, address), Contact(seen, address))
    correct_contacts([said], by=place.liaison, at=START)


@pytest.mark.parametrize("step", ["withdraw", "refuse", "refer", "close"])
def test_nobody_is_told_of_a_visit_to_a_case_that_is_over(
    place: builders.County, step: str
) -> None:
    visit = builders.scheduled(place)[0]
    fill_outbox(START)
    applications.advance([visit.application], step, by=place.administrator, at=START)
    sender = Kept()
    deliver(sender, at=START)
    deliver(sender, at=MORNING)
    assert (sender.sent, fill_outbox(MORNING)) == ([], 0)


def test_papers_that_were_handed_in_over_night_are_not_asked_for_in_the_morning(
    place: builders.County,
) -> None:
    case, night = builders.applied(place)[0], START.replace(hour=22)
    applications.send_back(case, ["photos"], by=place.administrator, at=night)
    fill_outbox(night)
    applications.complete_papers(case, by=place.liaison, at=night + timedelta(minutes=20))
    applications.send_back(
        case, ["id_card"], by=place.administrator, at=night + timedelta(minutes=40)
    )
    morning = START + timedelta(days=1)
    fill_outbox(morning)
    sender = Kept()
    deliver(sender, at=morning)
    assert ["身份证" in text for _, text in sender.sent] == [True]
    assert kinds(state="overtaken") == ["papers"]


def test_who_is_erased_is_not_written_to_and_holds_up_nobody(place: builders.County) -> None:
    first, second = builders.applied(place, 2)
    for case in (first, second):
        applications.send_back(case, ["photos"], by=place.administrator, at=START)
    fill_outbox(START)
    applications.advance([first], "withdraw", by=place.liaison, at=START)
    erase_case(first, Holding.UNFINISHED, by=None, at=START)
    sender = Kept()
    deliver(sender, at=START)
    assert [second.number in text for _, text in sender.sent] == [True]
    Notification.objects.filter(application=first).delete()
    assert fill_outbox(START) == 0


def test_a_reminder_of_tomorrow_is_not_sent_on_the_day_itself(place: builders.County) -> None:
    builders.scheduled(place)
    fill_outbox(START)
    sender = Kept()
    deliver(sender, at=MORNING)
    assert ["明天" in text for _, text in sender.sent] == [False, False]


def test_a_visit_that_is_moved_back_is_told_anew(place: builders.County) -> None:
    visit = builders.scheduled(place)[0]
    sender = Kept()

    def goes_to(on: date, at: datetime) -> None:
        to = visits.Appointment(visit.application, on, time(9), 30)
        visits.move(visit, to, by=place.liaison, at=at)
        fill_outbox(at)
        deliver(sender, at=at)

    fill_outbox(START)
    deliver(sender, at=START)
    goes_to(VISIT_ON + timedelta(days=1), START + timedelta(hours=1))
    goes_to(VISIT_ON, START + timedelta(hours=2))
    deliver(sender, at=MORNING - timedelta(hours=14))
    deliver(sender, at=MORNING)
    days = ["6月4日" if "6月4日" in text else "6月5日" for _, text in sender.sent[:4]]
    assert days == ["6月4日", "6月5日", "6月4日", "6月4日"]
    assert kinds(state="sent") == ["appointment", "moved", "moved", "tomorrow", "today"]


def test_a_visit_that_only_another_doctor_makes_is_not_told_anew(place: builders.County) -> None:
    visit = builders.scheduled(place)[0]
    fill_outbox(START)
    visits.append([visit], "move", by=place.administrator, at=START + timedelta(hours=1))
    assert fill_outbox(START + timedelta(hours=2)) == 0


@pytest.mark.parametrize("hour", [5, 21, 23])
def test_what_is_late_or_tried_again_wakes_nobody_either(place: builders.County, hour: int) -> None:
    waiting(place)
    sender = Kept(NotSent("busy"))
    evening = START.replace(hour=20, minute=50)
    deliver(sender, at=evening)
    later()
    deliver(sender, at=(START + timedelta(days=1)).replace(hour=hour))
    assert sender.sent == []
    deliver(sender, at=(START + timedelta(days=2)).replace(hour=8))
    assert len(sender.sent) == 1


def test_a_long_round_ends_when_people_go_to_bed(place: builders.County) -> None:
    for case in builders.applied(place, 2):
        applications.send_back(case, ["photos"], by=place.administrator, at=START)
    fill_outbox(START)

    class Slow(Kept):
        def send(self, *, key: str, telephone: str, text: str) -> None:
            super().send(key=key, telephone=telephone, text=text)
            sleep(0.3)

    sender = Slow()
    deliver(sender, at=START.replace(hour=20, minute=59, second=59, microsecond=800_000))
    assert (len(sender.sent), kinds(state="waiting")) == (1, ["papers"])


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_a_gateway_that_does_not_know_us_any_more_loses_no_message(
    gateway: Gateway, status: int
) -> None:
    Answering.status = status
    with pytest.raises(NotSent) as raised:
        gateway.send(key="k1", telephone="13900000000", text="您好")
    assert raised.value.is_final is False


def test_what_reached_nobody_is_sent_again_where_a_number_became_known(
    place: builders.County, sign_in: Callable[[User], Client]
) -> None:
    case = builders.applied(place, telephone="")[0]
    applications.send_back(case, ["photos"], by=place.administrator, at=START)
    fill_outbox(START)
    sender = Kept()
    deliver(sender, at=START)
    correct(place, case, "", "13911111111")
    office, message = sign_in(place.administrator), Notification.objects.get()
    address = f"/notifications/{message.pk}/again/"
    assert address in office.get("/notifications/").content.decode()
    assert office.post(address).status_code == 303
    deliver(sender, at=START)
    assert [number for number, _ in sender.sent] == ["13911111111"]


def test_who_sends_one_again_goes_on_in_the_list_as_it_was_looked_at(
    place: builders.County, sign_in: Callable[[User], Client]
) -> None:
    builders.scheduled(place)
    fill_outbox(START)
    Notification.objects.update(state="failed")
    office, pk = sign_in(place.administrator), Notification.objects.values_list("pk", flat=True)[0]
    page = office.get("/notifications/?state=failed&page=1").content.decode()
    action = f"/notifications/{pk}/again/?state=failed&amp;page=1"
    assert f'action="{action}"' in page
    answer = office.post(action.replace("&amp;", "&"))
    assert answer["Location"] == "/notifications/?state=failed&page=1"


def test_what_was_due_in_a_restored_register_waits_for_a_person(place: builders.County) -> None:
    """It waited at the backup, had gone out since, and went out a second time."""
    builders.scheduled(place)
    fill_outbox(START)
    for sender in (Kept(is_idempotent=True), Shelf(local_files(Path("nowhere")))):
        assert doubt_what_was_due(sender, MORNING) == 0
    assert doubt_what_was_due(Kept(), MORNING - timedelta(hours=1)) == 2
    gateway = Kept()
    assert deliver(gateway, at=MORNING).sent == len(gateway.sent) == 1
    assert (kinds(state="uncertain"), kinds(state="sent")) == (
        ["appointment", "tomorrow"],
        ["today"],
    )


def test_whoever_restores_is_told_of_what_may_have_gone_out(place: builders.County) -> None:
    builders.scheduled(place)
    fill_outbox(START)
    clock.advance_to(MORNING)
    call_command("begin_epoch", stdout=(said := StringIO()))
    assert "Messages to families that were due, and may have gone out since: 3;" in said.getvalue()
