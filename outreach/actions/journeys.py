"""The journeys a home evaluation spared: facts pinned at the moment they are known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from geopy.distance import geodesic

from outreach.domain.savings import Tariff as Prices
from outreach.domain.savings import load_tariff, shipped_tariffs, tariff_for, tariff_text
from outreach.models import Division, Evaluation, Journey, Kept, Resident, Slot, Tariff, insert


def record_spared(evaluations: Sequence[Evaluation]) -> None:
    """Pin the facts of the journeys that these home evaluations spared, once for each case.

    Where one corrects another, these stay, and stand under its category; whether there is a
    certificate to collect follows from the later one.
    """
    tariffs, zone = _Tariffs(), timezone.get_current_timezone()
    firsts = [evaluation for evaluation in evaluations if evaluation.corrects_id is None]
    holders = _Holders(firsts)
    insert(
        Journey,
        [
            _facts(evaluation, tariffs, holders, evaluation.evaluated_at.astimezone(zone).date())
            for evaluation in firsts
        ],
        road_factor=settings.OUTREACH_ROAD_FACTOR,
    )
    again = [evaluation for evaluation in evaluations if evaluation.corrects_id is not None]
    for category, met in sorted({(one.category, one.met) for one in again}):
        cases = [one.application_id for one in again if (one.category, one.met) == (category, met)]
        pinned = Journey.objects.filter(evaluation__application__in=cases)
        pinned.update(category=category, collects=met)


def _facts(
    evaluation: Evaluation, tariffs: _Tariffs, holders: _Holders, on: date
) -> dict[str, Any]:
    application = evaluation.application
    resident, village = application.resident, application.village
    prices = tariffs.in_force(village.code, on)
    return {
        "evaluation_id": evaluation.pk,
        "tariff_id": prices.code,
        "on": on,
        "village_code": village.code,
        "village_name": village.name,
        "township_name": village.parent.name if village.parent else village.name,
        "category": evaluation.category,
        "distance_km": _crow_km_to(resident, village),
        "is_bedridden": resident.is_bedridden,
        "can_sit": resident.can_sit,
        "rides_free": prices.rides_free(resident.age(on), holders.include(resident.pk, on)),
        "fee_paid_by_county": application.fee_paid_by_county,
        "companions": None,
        "collects": evaluation.met,
    }


@Kept
def _certified(residents: Slot) -> QuerySet[Resident, tuple[UUID, date, date]]:
    """Ask the room above by name: who is assessed again may hold a certificate already."""
    valid = Resident.objects.filter(pk__among=residents, certificates__state="valid")
    return valid.values_list("pk", "certificates__issued_on", "certificates__valid_until")


class _Holders:
    """Who of a batch held a valid certificate, and when, read once."""

    def __init__(self, evaluations: Sequence[Evaluation]) -> None:
        ids = {evaluation.application.resident_id for evaluation in evaluations}
        self.days = {pk: (first, last) for pk, first, last in _certified(residents=ids)}

    def include(self, resident: UUID, on: date) -> bool:
        """Tell whether somebody held one on a day."""
        first, last = self.days.get(resident, (date.max, date.min))
        return first <= on <= last


def _crow_km_to(resident: Resident, village: Division) -> float:
    """Nobody is counted as spared a way that nobody knows."""
    home = resident.place
    place = (home["lat"], home["lon"]) if home else village.place
    return crow_km(place) if place else 0.0


@lru_cache(maxsize=4096)
def crow_km(place: tuple[float, float]) -> float:
    """Return the geodesic kilometres (WGS-84) from a home to the county seat's hospital."""
    latitude, longitude = settings.OUTREACH_COUNTY_SEAT.split(",")
    return round(float(geodesic(place, (float(latitude), float(longitude))).km), 3)


@Kept
def _tariffs() -> QuerySet[Tariff]:
    return Tariff.objects.all()


def known_tariffs(stored: Iterable[Tariff]) -> dict[str, Prices]:
    """Return the tariffs by their codes, those of the register before the shipped ones."""
    shipped = {tariff.code: tariff for tariff in shipped_tariffs()}
    return shipped | {row.code: load_tariff(row.body) for row in stored}


class _Tariffs:
    """The tariffs known when a batch is priced, read once.

    A tariff in the register wins over a shipped one of the same code, so that old figures
    reproduce whatever a later release ships. One that is used is kept in the register.
    """

    def __init__(self) -> None:
        stored = list(_tariffs())
        self.stored = {row.code for row in stored}
        self.known = known_tariffs(stored)
        self._chosen: dict[tuple[str, date], Prices] = {}

    def in_force(self, division_code: str, on: date) -> Prices:
        """Return the tariff of that place and day. Raises `NoTariff`."""
        chosen = self._chosen.get((division_code, on))
        if chosen is None:
            chosen = tariff_for(division_code, on, self.known.values())
            self._chosen[division_code, on] = chosen
        if chosen.code not in self.stored:
            _keep(chosen)
            self.stored.add(chosen.code)
        return chosen


def _keep(tariff: Prices) -> None:
    body = tariff_text(tariff.code)
    Tariff.objects.get_or_create(
        code=tariff.code,
        defaults={
            "place": tariff.place,
            "valid_from": tariff.valid_from,
            "body": body,
            "sha256": hashlib.sha256(body.encode()).hexdigest(),
        },
    )
