"""The journeys a home evaluation spared: facts pinned at the moment they are known."""

from __future__ import annotations

import hashlib
from datetime import date

from django.conf import settings
from django.utils import timezone
from geopy.distance import geodesic

from outreach.domain.savings import builtin_tariffs, tariff_for
from outreach.models import Evaluation, Journey, Tariff

#: From this age on the rural buses of the reference county are free (district press, 2018).
RIDES_FREE_FROM = 70


def spared(evaluation: Evaluation) -> Journey:
    """Return the (unsaved) facts of the journeys that this home evaluation spared."""
    application = evaluation.application
    resident, village = application.resident, application.village
    on = timezone.localdate(evaluation.evaluated_at)
    place = resident.place or {"lat": village.latitude, "lon": village.longitude}
    return Journey(
        evaluation=evaluation,
        tariff_id=tariff_code(village.code, on),
        on=on,
        village_code=village.code,
        village_name=village.name,
        township_name=village.parent.name if village.parent else village.name,
        category=evaluation.category,
        distance_km=road_km((place["lat"], place["lon"])),
        road_factor=settings.OUTREACH_ROAD_FACTOR,
        is_bedridden=resident.is_bedridden,
        can_sit=resident.can_sit,
        rides_free=resident.age(on) >= RIDES_FREE_FROM,
        fee_paid_by_county=application.fee_paid_by_county,
        companions=None,
    )


def road_km(place: tuple[float, float]) -> float:
    """Return the road kilometres from a home to the county seat: geodesic (WGS-84) × factor."""
    latitude, longitude = settings.OUTREACH_COUNTY_SEAT.split(",")
    seat = (float(latitude), float(longitude))
    return round(float(geodesic(place, seat).km) * settings.OUTREACH_ROAD_FACTOR, 3)


def tariff_code(division_code: str, on: date) -> str:
    """Return the code of the tariff in force, keeping its text in the register at first use."""
    stored = Tariff.objects.filter(valid_from__lte=on).order_by("-valid_from")
    for row in stored:
        if division_code.startswith(row.place):
            return row.code
    tariff = tariff_for(division_code, on, builtin_tariffs())
    digest = hashlib.sha256(tariff.text.encode()).hexdigest()
    Tariff.objects.get_or_create(
        code=tariff.code,
        defaults={
            "place": tariff.place,
            "valid_from": tariff.valid_from,
            "body": tariff.text,
            "sha256": digest,
        },
    )
    return tariff.code
