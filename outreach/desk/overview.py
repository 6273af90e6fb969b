"""What the campaign came to, counted from the register."""

from __future__ import annotations

from dataclasses import dataclass

from certificates.models import Certificate
from outreach.domain.savings import JourneyFacts, load_tariff, saved
from outreach.domain.workflow import VisitState
from outreach.models import Evaluation, Journey, Photo, StoredBlob, Visit


@dataclass(frozen=True)
class Overview:
    """Counts of the register; money in fen."""

    visits: int
    evaluations: int
    certificates: int
    not_met: int
    photos: int
    saved_fen: int


def overview() -> Overview:
    """Count visits that took place or were tried, evaluations, certificates, verified photos."""
    tried = [VisitState.DONE, VisitState.NOT_DONE]
    held = StoredBlob.objects.values("sha256")
    return Overview(
        visits=Visit.objects.filter(state__in=tried).count(),
        evaluations=Evaluation.objects.count(),
        certificates=Certificate.objects.count(),
        not_met=Evaluation.objects.filter(met=False).count(),
        photos=Photo.objects.filter(sha256__in=held).count(),
        saved_fen=sum(_saved_fen(journey) for journey in Journey.objects.select_related("tariff")),
    )


def _saved_fen(journey: Journey) -> int:
    facts = JourneyFacts(
        distance_km=journey.distance_km,
        road_factor=journey.road_factor,
        bedridden=journey.is_bedridden,
        can_sit=journey.can_sit,
        rides_free=journey.rides_free,
        fee_paid_by_county=journey.fee_paid_by_county,
        companions=journey.companions,
    )
    return saved(facts, load_tariff(journey.tariff.body)).total_fen
