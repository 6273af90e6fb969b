"""What is due to be erased on a day: asked county by county, each with its own terms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from certificates.models import Certificate, CertificateEvent
from certificates.steps import LIVING
from mobile_api.models import Dispute, HandInPart, HandInVerdict, LedgerEntry
from outreach.domain.retention import Holding, Terms, read_terms
from outreach.domain.vocabulary import EvidenceKind, Level
from outreach.domain.workdays import add_months
from outreach.domain.workflow import OPEN_STATES, ApplicationState
from outreach.models import (
    Application,
    Division,
    Enquiry,
    Evaluation,
    ImportDraft,
    Notification,
    PaperPhoto,
    Photo,
    Plan,
    StoredBlob,
)
from outreach.rules import BARRED_MONTHS, NEGATIVE

#: Pictures of body and home; portraits and signatures belong to the case.
EVIDENCE = (
    EvidenceKind.WHOLE_BODY,
    EvidenceKind.AFFECTED_PART,
    EvidenceKind.ENVIRONMENT,
    EvidenceKind.DOCUMENT,
)
CLOSED = frozenset(ApplicationState) - OPEN_STATES
_SENDING = ("waiting", "sending")
#: Stands for the county of tablets that the register does not know.
NO_COUNTY = "unknown"


@dataclass(frozen=True)
class Due:
    """Records of one kind in one county whose term is over."""

    kind: Holding
    county: str
    rows: QuerySet[Any, Any]


def terms() -> Terms:
    """Return the terms of the settings; raises `MalformedTerms` and the file's `OSError`."""
    file = settings.OUTREACH_RETENTION
    return read_terms(file.read_text(encoding="utf-8") if file else "")


def all_due(on: date) -> Iterator[Due]:
    """Yield what is due on a day, cases before what hangs on them; empty ones too."""
    said = terms()
    counties = Division.objects.filter(level=Level.COUNTY).order_by("code")
    for county in dict.fromkeys(counties.values_list("code", flat=True)):
        for kind in Holding:
            cutoff = said.of(county, kind).cutoff(on)
            if cutoff is not None:
                rows = _ROWS[kind](county, _midnight(cutoff))
                yield Due(
                    kind, county, rows.exclude(_bars(on)) if kind == Holding.NOT_MET else rows
                )
    if cutoff := said.default[Holding.HAND_INS].cutoff(on):
        yield Due(Holding.HAND_INS, NO_COUNTY, _hand_ins_of_nobody(_midnight(cutoff)))


def kind_of(application: Application) -> Holding:
    """Return which term a closed case falls under."""
    if Certificate.objects.filter(application=application).exists():
        return Holding.ASSESSED
    return Holding.NOT_MET if application.evaluations.exists() else Holding.UNFINISHED


def beside(application: Application) -> list[tuple[Holding, QuerySet[Any, Any]]]:
    """Return what stands beside a case and is over: refused papers, answered questions, messages.

    Each with the term it falls under.
    """
    refused = Q(taken_back_at__isnull=False) | Q(is_accepted=False)
    mine = {"application": application, "erased_at": None}
    return [
        (Holding.PAPERS, PaperPhoto.objects.filter(refused, _kept_file(), application=application)),
        (Holding.ENQUIRIES, Enquiry.objects.filter(**mine, replied_at__isnull=False)),
        (Holding.MESSAGES, Notification.objects.filter(**mine).exclude(state__in=_SENDING)),
    ]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _cases(county: str) -> QuerySet[Application]:
    """Return the closed cases of a county that hold personal data still."""
    mine = Application.objects.filter(erased_at=None, village__code__startswith=county)
    return mine.standing(*CLOSED).order_by("pk")


def _bars(on: date) -> Q:
    """Tell that a result bars on that day still: without its case nobody would know whom."""
    barred_since = _midnight(add_months(on, -BARRED_MONTHS))
    return Q(state__in=NEGATIVE, state_since__gte=barred_since)


_ISSUED = Exists(Certificate.objects.filter(application=OuterRef("pk")))
_ASSESSED = Exists(Evaluation.objects.filter(application=OuterRef("pk")))


def _unfinished(county: str, before: datetime) -> QuerySet[Application]:
    return _cases(county).filter(~_ISSUED, ~_ASSESSED, state_since__lt=before)


def _not_met(county: str, before: datetime) -> QuerySet[Application]:
    return _cases(county).filter(~_ISSUED, _ASSESSED, state_since__lt=before)


def _assessed(county: str, before: datetime) -> QuerySet[Application]:
    """Return issued cases of people whose every certificate had ended by then."""
    later = CertificateEvent.objects.filter(certificate=OuterRef("pk"), at__gte=before)
    ended = Q(state__in=LIVING, valid_until__lt=timezone.localdate(before)) | (
        ~Q(state__in=LIVING) & ~Exists(later)
    )
    standing = Certificate.objects.filter(resident=OuterRef("resident")).exclude(ended)
    return _cases(county).filter(_ISSUED, ~Exists(standing), state_since__lt=before)


def _evidence(county: str, before: datetime) -> QuerySet[Photo]:
    """Return pictures taken in by then: another county's file may be as old as a certificate."""
    return (
        Photo.objects.filter(
            kind__in=EVIDENCE,
            evaluation__received_at__lt=before,
            evaluation__application__village__code__startswith=county,
            evaluation__application__state__in=CLOSED,
        )
        .filter(_kept_file())
        .order_by("pk")
    )


def _papers(county: str, before: datetime) -> QuerySet[PaperPhoto]:
    unwanted = Q(taken_back_at__lt=before) | Q(is_accepted=False, decided_at__lt=before)
    mine = PaperPhoto.objects.filter(unwanted, application__village__code__startswith=county)
    return mine.filter(_kept_file()).order_by("pk")


def _kept_file() -> Exists:
    return Exists(StoredBlob.objects.filter(pk=OuterRef("sha256"), erased_at=None))


def _enquiries(county: str, before: datetime) -> QuerySet[Enquiry]:
    mine = Enquiry.objects.filter(erased_at=None, division__code__startswith=county)
    return mine.filter(replied_at__lt=before).order_by("pk")


def _messages(county: str, before: datetime) -> QuerySet[Notification]:
    mine = Notification.objects.filter(
        erased_at=None, application__village__code__startswith=county, created_at__lt=before
    )
    return mine.exclude(state__in=_SENDING).order_by("pk")


def _lists(county: str, before: datetime) -> QuerySet[ImportDraft]:
    mine = ImportDraft.objects.filter(by__division__code__startswith=county)
    return mine.filter(read_at__lt=before).order_by("pk")


def _plans(county: str, before: datetime) -> QuerySet[Plan]:
    mine = Plan.objects.filter(campaign__division__code__startswith=county)
    return mine.filter(problem__isnull=False, finished_at__lt=before).order_by("pk")


def _records(county: str, before: datetime) -> QuerySet[LedgerEntry]:
    """Return what the county's tablets said; not what somebody still has to decide on."""
    waiting = Dispute.objects.filter(
        replica=OuterRef("replica"), seq=OuterRef("seq"), decided_at=None
    )
    mine = LedgerEntry.objects.filter(
        erased_at=None, replica__device__user__division__code__startswith=county
    )
    return mine.filter(~Exists(waiting), received_at__lt=before).order_by("pk")


def _hand_ins(county: str, before: datetime) -> QuerySet[HandInPart]:
    """Return the parts of what the county's tablets handed in and somebody has decided about."""
    decided = HandInVerdict.objects.filter(
        hand_in=OuterRef("hand_in"), said_replica=OuterRef("said_replica"), decided_at__lt=before
    )
    mine = HandInPart.objects.filter(replica__device__user__division__code__startswith=county)
    return mine.filter(Exists(decided)).defer("sealed").order_by("pk")


def _hand_ins_of_nobody(before: datetime) -> QuerySet[HandInPart]:
    """Return what tablets handed in that the register does not know: nobody decides about it."""
    mine = HandInPart.objects.filter(replica=None, received_at__lt=before)
    return mine.defer("sealed").order_by("pk")


_ROWS: dict[Holding, Any] = {
    Holding.UNFINISHED: _unfinished,
    Holding.NOT_MET: _not_met,
    Holding.ASSESSED: _assessed,
    Holding.EVIDENCE: _evidence,
    Holding.PAPERS: _papers,
    Holding.ENQUIRIES: _enquiries,
    Holding.MESSAGES: _messages,
    Holding.LISTS: _lists,
    Holding.PLANS: _plans,
    Holding.RECORDS: _records,
    Holding.HAND_INS: _hand_ins,
}
