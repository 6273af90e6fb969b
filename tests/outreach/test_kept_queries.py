"""Questions that are compiled once answer as the querysets they were written from would."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import F, QuerySet
from pytest_django import DjangoAssertNumQueries

from outreach.models import Kept, KeptUpdate, Slot, Visit
from outreach.rules import scope, scope_of
from tests import builders
from tests.builders import START

pytestmark = pytest.mark.django_db


@Kept
def seen(role: str, *, user: Slot, division: Slot, since: Slot, ids: Slot) -> QuerySet[Visit]:
    theirs = scope_of(role, user, division, prefix="application__")
    found = Visit.objects.filter(theirs, on__gte=since, pk__among=ids)
    return found.select_related("application__resident").order_by("pk")


@Kept
def days_of(ids: Slot) -> QuerySet[Visit, tuple[UUID, object]]:
    return Visit.objects.filter(pk__among=ids).order_by("pk").values_list("pk", "on")


@KeptUpdate
def delay(ids: Slot, on: Slot) -> tuple[QuerySet[Visit], dict[str, object]]:
    return Visit.objects.filter(pk__among=ids), {"on": on, "revision": F("revision") + 1}


def test_it_answers_as_the_queryset_for_every_role_and_value(place: builders.County) -> None:
    visits = builders.scheduled(place, 4)
    days = [visit.on + timedelta(days=shift) for visit in visits for shift in (-1, 0, 1)]
    for user in (place.assessor, place.colleague, place.administrator, place.liaison):
        for since in days:
            for ids in ([], [visits[0].pk, uuid4()], [visit.pk for visit in visits]):
                asked = seen(
                    user.role,
                    user=user.pk,
                    division=user.division.code,
                    since=since,
                    ids=ids,
                )
                plain = Visit.objects.filter(
                    scope(user, prefix="application__"), on__gte=since, pk__in=ids
                )
                assert asked == list(plain.order_by("pk"))


def test_what_was_joined_is_there_and_sealed_columns_open(
    place: builders.County, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    [visit] = builders.scheduled(place)
    user = place.assessor
    with django_assert_num_queries(1):
        [row] = seen(
            user.role,
            user=user.pk,
            division=user.division.code,
            since=START.date(),
            ids=[visit.pk],
        )
        found = row.application.resident
        assert (found.name, found.id_number) == (
            visit.application.resident.name,
            visit.application.resident.id_number,
        )


def test_columns_come_as_tuples(place: builders.County) -> None:
    visits = builders.scheduled(place, 2)
    expected = sorted((visit.pk, visit.on) for visit in visits)
    assert days_of(ids=[visit.pk for visit in visits]) == expected
    assert days_of.first(ids=[]) is None


def test_a_change_touches_its_rows_only(place: builders.County) -> None:
    first, other = builders.scheduled(place, 2)
    later = first.on + timedelta(days=7)
    delay(ids=[first.pk], on=later)
    rows = {visit.pk: (visit.on, visit.revision) for visit in Visit.objects.all()}
    assert rows == {
        first.pk: (later, first.revision + 1),
        other.pk: (other.on, other.revision),
    }


@pytest.mark.django_db(transaction=True)
def test_threads_that_ask_at_once_get_their_own_answers(place: builders.County) -> None:
    visits = builders.scheduled(place, 6)

    def ask(visit: Visit) -> list[UUID]:
        try:
            return [pk for _ in range(30) for pk, _on in days_of(ids=[visit.pk])]
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, visits))
    assert answers == [[visit.pk] * 30 for visit in visits]
