"""What a deed holds until its commit, in one order by all: none waits for another in a circle.

What the deed is about comes first: a tablet's log, a dispute, a hand-in, a campaign and its plan.
Then come

1. visits,
2. cases,
3. diaries, which are the accounts of whoever is booked,
4. residents,
5. counters,

those of one kind by their keys. A deed that holds one of them takes none from above it any more:
one of several steps holds at its beginning what they all want. What was read before that may have
changed meanwhile, so that whoever decides by it reads it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet

from outreach.models import Application, Resident, User, Visit
from outreach.models.sealed import blind_index

_COUNTING = Lock()
#: Seconds before each further attempt.
_PAUSES = (0.05, 0.2, 0.8)


def hold_named(visits: Collection[UUID], cases: Collection[UUID] = ()) -> None:
    """Let nobody else change these visits and cases, nor the cases of these visits."""
    if not (visits or cases):
        return
    rows = hold(Visit.objects.filter(pk__among=visits), "application_id")
    hold_cases([*cases, *(case for _visit, case in rows)])


def hold_appointments(cases: Collection[UUID]) -> None:
    """Let nobody else book, give away or close these cases, nor change their coming visits."""
    hold(Visit.objects.open().filter(application__among=cases))
    hold_cases(cases)


def hold_cases(cases: Collection[UUID]) -> None:
    """Let nobody else take a step with these cases, book them or give them away."""
    hold(Application.objects.filter(pk__among=cases))


def hold_diaries(assessors: Iterable[User | None]) -> None:
    """Let nobody else book these assessors; whoever books looks afterwards who is free."""
    hold(User.objects.filter(pk__among={one.pk for one in assessors if one}))


def hold_diaries_of(visits: Collection[UUID], cases: Collection[UUID]) -> None:
    """Let nobody else book the assessors of these visits and cases, which are held already."""
    theirs = Application.objects.filter(Q(pk__among=cases) | Q(visits__pk__among=visits))
    hold(User.objects.filter(pk__in=theirs.values("assessor")))


def hold_residents(id_numbers: Iterable[str], cases: Collection[UUID] = ()) -> None:
    """Let nobody else change what is known of these persons, and of those of these cases.

    Who is new is not there to be held.
    """
    indexes = {blind_index(number, "id_number") for number in id_numbers}
    theirs = Application.objects.filter(pk__among=cases).values("resident")
    hold(Resident.objects.filter(Q(id_number_index__in=indexes) | Q(pk__in=theirs)))


def hold(rows: QuerySet[Any], *columns: str) -> list[Any]:
    """Let nobody else change these rows; return their keys, and what else was asked for."""
    held = rows.select_for_update(no_key=True).order_by("pk")
    return list(held.values_list("pk", *columns))


@contextmanager
def counting(key: str) -> Iterator[None]:
    """Let nobody else count the same meanwhile: a count is read and written in two steps."""
    if settings.OUTREACH_COUNTS != "database":
        with _COUNTING:
            yield
        return
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        yield


def once_more(deed: Callable[[], None]) -> None:
    """Do something, and do it again where it and somebody's work waited for each other.

    The database ends one of the two so that the other goes on. It may be faster to begin again
    than the other to go on, and meet it anew: it waits a little longer before each attempt.
    """
    for pause in _PAUSES:
        try:
            return deed()
        except OperationalError:
            time.sleep(pause)
    return deed()
