"""What the campaign came to, counted from the register."""

from __future__ import annotations

from dataclasses import dataclass

from certificates.models import Certificate
from outreach.domain.workflow import VisitState
from outreach.models import Evaluation, Photo, Visit, is_held
from outreach.reports import savings_report


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
    """Count visits that took place or were tried, evaluations, certificates, verified photos.

    Not met are the results that stand, and none that another assessment overturned.
    """
    tried = [VisitState.DONE, VisitState.NOT_DONE]
    return Overview(
        visits=Visit.objects.filter(state__in=tried).count(),
        evaluations=Evaluation.objects.made_here().count(),
        certificates=Certificate.objects.count(),
        not_met=Evaluation.objects.filter(met=False, corrections=None).count(),
        photos=Photo.objects.filter(is_held()).count(),
        saved_fen=savings_report().whole.saved_fen,
    )
