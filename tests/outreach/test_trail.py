"""The trail is numbered as committed, chained, and kept by the database itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from outreach.actions import trail
from outreach.actions.audit import record
from outreach.actions.trail import BEGINNING, digest_at, number_trail, verify_trail
from outreach.models import AuditEvent
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def numbered(place: builders.County) -> int:
    builders.accepted(place, 3)
    return number_trail()


def tamper(sql: str, *values: Any) -> None:
    """Change the table as somebody would who may write to the database, triggers or not."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = 'replica'")
        else:
            cursor.execute("DROP TRIGGER IF EXISTS trail_unchanged")
            cursor.execute("DROP TRIGGER IF EXISTS trail_undeleted")
        cursor.execute(sql, values)


def test_every_event_gets_one_number_and_the_place_of_its_case(
    place: builders.County, numbered: int
) -> None:
    events = list(AuditEvent.objects.order_by("number"))
    assert [event.number for event in events] == list(range(1, numbered + 1))
    cases = [event for event in events if event.subject == "application"]
    assert {event.division_code for event in cases} == {place.village.code}
    assert number_trail() == 0


def test_an_unbroken_chain_says_its_last_digest(numbered: int) -> None:
    verdict = verify_trail()
    assert (verdict.events, verdict.broken_at) == (numbered, None)
    assert verdict.digest == digest_at(numbered) != BEGINNING


def test_an_empty_trail_is_unbroken() -> None:
    assert (verify_trail().events, verify_trail().digest) == (0, BEGINNING)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE outreach_auditevent SET action = 'x' WHERE number = 3",
        "UPDATE outreach_auditevent SET by_id = NULL WHERE number = 3",
        "UPDATE outreach_auditevent SET division_code = '' WHERE number = 3",
        "DELETE FROM outreach_auditevent WHERE number = 3",
    ],
)
def test_an_altered_event_breaks_the_chain_where_it_stood(numbered: int, sql: str) -> None:
    tamper(sql)
    assert verify_trail().broken_at == 3
    with pytest.raises(CommandError, match="event 3"):
        call_command("verify_audit")


def test_a_trail_whose_end_was_taken_off_is_found(numbered: int) -> None:
    tamper("DELETE FROM outreach_auditevent WHERE number = %s", numbered)
    assert verify_trail().broken_at == numbered


def test_what_is_numbered_while_the_chain_is_followed_is_no_break(
    place: builders.County, numbered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another office's system asks for its feed while the nightly check reads a long trail."""
    whole = trail._in_order

    def read() -> Iterator[AuditEvent]:
        yield from list(whole())
        record("test.write", [place.liaison], by=place.administrator, at=builders.START)
        assert number_trail() == 1

    monkeypatch.setattr(trail, "_in_order", read)
    assert verify_trail().broken_at is None
    monkeypatch.undo()
    assert (verify_trail().events, verify_trail().broken_at) == (numbered + 1, None)


def test_an_event_slipped_in_behind_the_last_one_is_found(numbered: int) -> None:
    tamper("UPDATE outreach_counter SET value = value - 1 WHERE name = 'trail'")
    assert verify_trail().broken_at == numbered + 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: AuditEvent.objects.filter(number=2).update(action="x"),
        lambda: AuditEvent.objects.filter(number=2).delete(),
    ],
)
def test_the_database_refuses_to_change_a_numbered_event(
    numbered: int, spoil: Callable[[], object]
) -> None:
    with pytest.raises(DatabaseError, match="never"), transaction.atomic():
        spoil()
    assert verify_trail().broken_at is None


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_eight_writers_and_three_readers_miss_no_event(place: builders.County) -> None:
    """Readers go by number alone, as other offices do, while transactions overlap."""
    rounds, writers = 30, 8
    user, subject = place.administrator, place.administrator
    stop = threading.Event()
    read: list[list[int]] = [[], [], []]

    def write() -> None:
        for _ in range(rounds):
            with transaction.atomic():
                record("test.write", [subject], by=user, at=builders.START)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(random() * 0.01)")
        connection.close()

    def follow(seen: list[int]) -> None:
        last = 0
        while True:
            ending = stop.is_set()
            number_trail()
            rows = AuditEvent.objects.filter(number__gt=last).order_by("number")
            found = list(rows.values_list("number", flat=True))
            seen.extend(found)
            last = found[-1] if found else last
            if ending:
                break
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(writers)]
    readers = [threading.Thread(target=follow, args=(seen,)) for seen in read]
    for thread in (*threads, *readers):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    for thread in readers:
        thread.join()
    expected = list(range(1, AuditEvent.objects.count() + 1))
    assert len(expected) >= rounds * writers
    assert read == [expected] * 3
    assert verify_trail().broken_at is None
