"""What a tablet should hold: its user's scope, projected into rows of plain JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from certificates.models import Certificate
from mobile_api.models import Dispute
from mobile_api.wire import Whoami
from outreach.domain.grading import load_standard, standard_as_json
from outreach.domain.vocabulary import Category, Role, evidence_for
from outreach.domain.workflow import ApplicationState, VisitState
from outreach.models import (
    Application,
    Assessor,
    Division,
    Evaluation,
    Resident,
    User,
    Visit,
    working_calendar,
)
from outreach.rules import applications_for, scope

#: Visits that are over stay on the tablet this long, for their receipts.
RECENT = timedelta(days=14)

Projected = tuple[str, dict[str, Any]]


def rows_for(user: User, on: date) -> list[Projected]:
    """Return every row in the user's scope on that day, in the order a tablet wants them."""
    return [
        ("me", whoami(user).model_dump(mode="json")),
        *_standards(),
        *_calendars(on),
        *_colleagues(user),
        *_villages(user, on),
        *_visits(user, on),
        *_cases(user),
        *_certificates(user),
        *_disputes(user, on),
    ]


def whoami(user: User) -> Whoami:
    """Describe the user to their own tablet."""
    assessor = Assessor.objects.filter(user=user).first()
    return Whoami(
        id=user.pk,
        full_name=user.full_name,
        role=user.role,
        division=user.division.name,
        categories=list(assessor.categories) if assessor else [],
    )


def _standards() -> Iterator[Projected]:
    standard = standard_as_json()
    yield f"standard/{standard['edition']}", standard


def _calendars(on: date) -> Iterator[Projected]:
    for year, days in working_calendar(on).years.items():
        if year >= on.year:
            yield f"calendar/{year}", {"non_working": [day.isoformat() for day in sorted(days)]}


def _colleagues(user: User) -> Iterator[Projected]:
    if user.role != Role.ASSESSOR:
        return
    rows = Assessor.objects.filter(
        user__division__code__startswith=user.division.code, user__is_active=True
    ).exclude(user=user)
    for row in rows.select_related("user", "institution").order_by("pk"):
        yield (
            f"colleague/{row.pk}",
            {
                "full_name": row.user.full_name,
                "institution": row.institution.name,
                "categories": row.categories,
                "team": row.team,
            },
        )


def _villages(user: User, on: date) -> Iterator[Projected]:
    """Yield where the user may nominate: one row a township, which lists its villages."""
    found = Division.objects.villages().valid(on).within(user.division).select_related("parent")
    townships: dict[str, dict[str, Any]] = {}
    for village in found.order_by("code"):
        assert village.parent is not None
        row = townships.setdefault(
            village.parent.code, {"name": village.parent.name, "villages": []}
        )
        row["villages"].append({"code": village.code, "name": village.name})
    for code, row in townships.items():
        yield f"township/{code}", row


def _visits(user: User, on: date) -> Iterator[Projected]:
    found = (
        Visit.objects.filter(scope(user, prefix="application__"), on__gte=on - RECENT)
        .exclude(state=VisitState.CANCELLED)
        .select_related("application__resident", "application__village__parent")
        .prefetch_related("application__resident__guardians", "application__nominated_by")
        .order_by("on", "start", "pk")
    )
    visits = sorted(found, key=lambda visit: (visit.on != on, visit.on, visit.start))
    evaluations = {
        row.visit_id: row for row in Evaluation.objects.filter(visit__in=visits).only("visit_id")
    }
    waiting = set(
        Evaluation.objects.filter(visit__in=visits).awaiting_media().values_list("pk", flat=True)
    )
    for visit, order in _ordered(visits):
        evaluation = evaluations.get(visit.pk)
        media_state = "awaiting_media" if evaluation and evaluation.pk in waiting else "complete"
        yield (
            f"visit/{visit.pk}",
            {
                "application": str(visit.application_id),
                "state": visit.state,
                "on": visit.on.isoformat(),
                "start": visit.start.strftime("%H:%M"),
                "minutes": visit.minutes,
                "order": order,
                "assessors": [str(visit.assessor_id)],
                "evaluation": str(evaluation.pk) if evaluation else None,
                "media_state": media_state if evaluation else None,
                "not_done": (
                    {"reason": visit.not_done_reason, "next_step": visit.next_step}
                    if visit.not_done_reason
                    else None
                ),
                **_case(visit.application),
            },
        )


def _ordered(visits: Iterable[Visit]) -> Iterator[tuple[Visit, int]]:
    counts: dict[tuple[Any, date], int] = {}
    for visit in visits:
        day = (visit.assessor_id, visit.on)
        counts[day] = counts.get(day, 0) + 1
        yield visit, counts[day]


def _case(application: Application) -> dict[str, Any]:
    liaison = application.nominated_by
    categories = [Category(category) for category in application.categories]
    return {
        "number": application.number,
        "categories": list(application.categories),
        "standard": load_standard().edition,
        "resident": _resident(application.resident),
        "guardian": _guardian(application.resident),
        "village": application.village.name,
        "township": application.village.parent.name if application.village.parent else "",
        "possible_times": application.possible_times,
        "papers_missing": application.papers_missing,
        "evidence": [str(kind) for kind in evidence_for(categories)],
        "liaison": (
            {"name": liaison.full_name, "telephone": liaison.telephone}
            if liaison.role == Role.LIAISON
            else None
        ),
        "nominated_by": str(application.nominated_by_id),
    }


def _resident(resident: Resident) -> dict[str, Any]:
    identity = resident.identity
    return {
        "name": resident.name,
        "sex": identity.sex,
        "birth_on": identity.birth_on.isoformat(),
        "id_number": identity.value,
        "telephone": resident.telephone,
        "address": resident.address,
        "ethnicity": resident.ethnicity,
        "place": resident.place,
        "bedridden": resident.is_bedridden,
    }


def _guardian(resident: Resident) -> dict[str, str] | None:
    newest = max(resident.guardians.all(), key=lambda row: row.pk, default=None)
    if newest is None:
        return None
    return {"name": newest.name, "telephone": newest.telephone, "relation": newest.relation}


def _cases(user: User) -> Iterator[Projected]:
    rows = (
        applications_for(user)
        .standing(ApplicationState.ACCEPTED)
        .exclude(visits__state__in=[VisitState.SCHEDULED, VisitState.IN_PROGRESS])
        .select_related("resident", "village__parent", "nominated_by")
        .prefetch_related("resident__guardians", "visits")
        .order_by("pk")
    )
    for application in rows:
        before = [visit for visit in application.visits.all() if visit.state == VisitState.NOT_DONE]
        yield (
            f"case/{application.pk}",
            {"state": application.state, "not_done_before": len(before), **_case(application)},
        )


def _certificates(user: User) -> Iterator[Projected]:
    rows = (
        Certificate.objects.filter(scope(user, prefix="application__"), state="valid")
        .select_related("application__resident", "evaluation")
        .prefetch_related("files")
        .order_by("pk")
    )
    for certificate in rows:
        file = max(certificate.files.all(), key=lambda row: row.version)
        yield (
            f"certificate/{certificate.pk}",
            {
                "application": str(certificate.application_id),
                "visit": str(certificate.evaluation.visit_id or "") or None,
                "resident_name": certificate.application.resident.name,
                "category": certificate.category,
                "grade": certificate.grade,
                "issued_on": certificate.issued_on.isoformat(),
                "valid_until": certificate.valid_until.isoformat(),
                "sha256": file.sha256,
                "size": file.size,
                "handed_over": certificate.handed_over_at is not None,
            },
        )


def _disputes(user: User, on: date) -> Iterator[Projected]:
    """Yield what became of the user's disputed records; decided ones stay for a while."""
    rows = Dispute.objects.filter(replica__device__user=user).exclude(
        decided_at__date__lt=on - RECENT
    )
    for row in rows.order_by("pk"):
        yield (
            f"dispute/{row.pk}",
            {
                "replica": str(row.replica_id),
                "seq": row.seq,
                "outcome": row.outcome,
                "code": row.code,
                "decision": row.decision or None,
                "reason": row.reason,
            },
        )
