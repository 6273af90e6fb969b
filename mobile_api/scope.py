"""What a tablet should hold: its user's scope, projected into rows of plain JSON."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from typing import Any
from uuid import UUID

import orjson
from django.db import models

from certificates.models import Certificate, CertificateFile
from mobile_api.models import Dispute
from mobile_api.wire import Whoami
from outreach.domain import vocabulary
from outreach.domain.grading import load_standard, standard_as_json
from outreach.domain.promises import FAST_STATES, fast_due
from outreach.domain.vocabulary import Category, Role, evidence_for
from outreach.domain.workflow import OPEN_VISITS, ApplicationState, VisitState
from outreach.models import (
    Answers,
    Application,
    Assessor,
    Division,
    Evaluation,
    Guardian,
    Kept,
    Resident,
    Slot,
    User,
    Visit,
    working_calendar,
)
from outreach.rules import scope_of

#: Visits that are over stay on the tablet this long, for their receipts; others until they are.
RECENT = timedelta(days=14)

#: Who works at people's homes. Others see at the desk what is theirs, and no tablet is to hold it.
HOLDERS = (Role.ASSESSOR, Role.LIAISON)
#: No division's code begins so.
NOWHERE = "-"

Projected = tuple[str, dict[str, Any]]


def rows_for(user: User, on: date) -> Scope:
    """Return every row in the user's scope on that day, in the order a tablet wants them."""
    me, calendars = whoami(user).model_dump(mode="json"), list(_calendars(on))
    role, code = Role(user.role), user.division.code
    if role not in HOLDERS:
        role, code = Role.LIAISON, NOWHERE
    account = {"user": user.pk, "division": code}
    visits = _visits_since(role, since=on - RECENT, **account)
    ids = visits.column("id")
    cases = _cases_without_visit(role, **account)
    certificates = _valid_certificates(role, **account)
    return Scope(
        on,
        me,
        calendars,
        _colleagues_of(**account) if role == Role.ASSESSOR else Answers(),
        _villages_in(division=code, on=on),
        visits,
        _evaluated(visits=ids),
        _waiting(visits=ids),
        _Around.of(visits, "application__"),
        cases,
        _Around.of(cases, ""),
        certificates,
        _newest_files(certificates=certificates.column("id")),
        _disputes_of(user=user.pk, since=on - RECENT),
    )


@dataclass(frozen=True)
class Scope:
    """A user's scope as it was read: projected into rows only when somebody looks at them."""

    on: date
    me: dict[str, Any]
    calendars: list[Projected]
    colleagues: Answers[tuple[Any, ...]]
    villages: Answers[tuple[Any, ...]]
    visits: Answers[Visit]
    evaluated: Answers[tuple[UUID, UUID]]
    waiting: Answers[UUID]
    around_visits: _Around
    cases: Answers[Application]
    around_cases: _Around
    certificates: Answers[Certificate]
    files: Answers[CertificateFile]
    disputes: Answers[Dispute]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that the rows are made of, as it is stored: equal means equal rows.

        Nothing has to be noted where something changes, so no change can be forgotten: the
        rows are made of nothing else. A sealed column looks different whenever it is written.
        """
        read = (
            *(self.colleagues, self.villages, self.visits, self.evaluated, self.waiting),
            *(self.cases, self.certificates, self.files, self.disputes),
            *(*self.around_visits.read, *self.around_cases.read),
        )
        made_of = [_form(), self.on, self.me, self.calendars, [one.stored for one in read]]
        return hashlib.sha256(orjson.dumps(made_of, default=_hexadecimal)).hexdigest()

    @cached_property
    def rows(self) -> list[Projected]:
        """The rows: key and content."""
        return [
            ("me", self.me),
            *_standards(),
            *self.calendars,
            *_colleagues(self.colleagues),
            *_townships(self.villages),
            *_visits(self),
            *_cases(self),
            *_certificates(self.certificates, self.files),
            *_disputes(self.disputes),
        ]

    def __iter__(self) -> Iterator[Projected]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def _hexadecimal(value: Any) -> str:
    return bytes(value).hex()


@cache
def _form() -> str:
    """Return what names the form of the rows: this module, and what it takes from the law."""
    said = f"{inspect.getsource(sys.modules[__name__])}{inspect.getsource(vocabulary)}"
    return hashlib.sha256(said.encode() + orjson.dumps(_standards())).hexdigest()


@Kept
def _assessor(user: Slot) -> models.QuerySet[Assessor]:
    return Assessor.objects.filter(user=user)


def whoami(user: User) -> Whoami:
    """Describe the user to their own tablet."""
    assessor = _assessor.first(user=user.pk)
    return Whoami(
        id=user.pk,
        full_name=user.full_name,
        role=user.role,
        division=user.division.name,
        categories=list(assessor.categories) if assessor else [],
    )


@cache
def _standards() -> list[Projected]:
    standard = standard_as_json()
    return [(f"standard/{standard['edition']}", standard)]


def _calendars(on: date) -> Iterator[Projected]:
    for year, days in working_calendar(on).years.items():
        if year >= on.year:
            yield f"calendar/{year}", {"non_working": [day.isoformat() for day in sorted(days)]}


@Kept
def _colleagues_of(user: Slot, division: Slot) -> models.QuerySet[Assessor, tuple[Any, ...]]:
    serving = Assessor.objects.serving().filter(user__division__code__startswith=division)
    found = serving.exclude(user=user)
    shown = ("pk", "user__full_name", "institution__name", "categories")
    return found.order_by("pk").values_list(*shown)


def _colleagues(found: Iterable[tuple[Any, ...]]) -> Iterator[Projected]:
    names = ("full_name", "institution", "categories")
    for pk, *shown in found:
        yield f"colleague/{pk}", dict(zip(names, shown, strict=True))


@Kept
def _villages_in(division: Slot, on: Slot) -> models.QuerySet[Division, tuple[Any, ...]]:
    found = Division.objects.villages().valid(on).filter(code__startswith=division)
    return found.order_by("code").values_list("code", "name", "parent__code", "parent__name")


def _townships(villages: Iterable[tuple[Any, ...]]) -> Iterator[Projected]:
    """Yield where the user may nominate: one row a township, which lists its villages."""
    townships: dict[str, dict[str, Any]] = {}
    for code, name, township, its_name in villages:
        row = townships.setdefault(township, {"name": its_name, "villages": []})
        row["villages"].append({"code": code, "name": name})
    for code, row in townships.items():
        yield f"township/{code}", row


#: What a row shows of a case: the columns that stay behind are long and sealed.
_SHOWN = (
    *(f"application__{name}" for name in ("number", "categories", "state", "possible_times")),
    *(f"application__{name}" for name in ("papers_missing", "nominated_by", "resident")),
    *(f"application__{name}" for name in ("state_since", "urgency", "urgent_why", "urgent_since")),
    *(f"application__village__{name}" for name in ("name", "parent__name")),
    *(f"application__resident__{name}" for name in ("name", "id_number", "telephone", "address")),
    *(f"application__resident__{name}" for name in ("ethnicity", "place", "is_bedridden")),
)
_OF_VISITS = ("state", "on", "start", "minutes", "assessor", "not_done_reason", "next_step")


@Kept
def _visits_since(role: str, *, user: Slot, division: Slot, since: Slot) -> models.QuerySet[Visit]:
    theirs = scope_of(role, user, division, prefix="application__")
    is_open = models.Q(state__in=OPEN_VISITS)
    will_be = is_open & models.Q(application__state=ApplicationState.ACCEPTED)
    was = models.Q(on__gte=since) & ~is_open
    return (
        Visit.objects.filter(theirs, will_be | was, application__erased_at=None)
        .exclude(state=VisitState.CANCELLED)
        .select_related("application__resident", "application__village__parent")
        .only(*_OF_VISITS, "application", *_SHOWN)
        .order_by("on", "start", "pk")
    )


@Kept
def _evaluated(visits: Slot) -> models.QuerySet[Evaluation, tuple[UUID, UUID]]:
    newer = {"corrects": models.OuterRef("pk"), "visit": models.OuterRef("visit")}
    standing = ~models.Exists(Evaluation.objects.filter(**newer))  # whatever the clock said
    found = Evaluation.objects.filter(standing, visit__among=visits)
    return found.order_by("received_at", "pk").values_list("visit_id", "pk")


@Kept
def _waiting(visits: Slot) -> models.QuerySet[Evaluation, UUID]:
    found = Evaluation.objects.filter(visit__among=visits).awaiting_media()
    return found.order_by("pk").values_list("pk", flat=True)


def _visits(scope: Scope) -> Iterator[Projected]:
    today = scope.on
    visits = sorted(scope.visits, key=lambda visit: (visit.on != today, visit.on, visit.start))
    evaluations, waiting = dict(scope.evaluated), set(scope.waiting)
    around = scope.around_visits
    for visit, order in _ordered(visits):
        evaluation = evaluations.get(visit.pk)
        media_state = "awaiting_media" if evaluation in waiting else "complete"
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
                "evaluation": str(evaluation) if evaluation else None,
                "media_state": media_state if evaluation else None,
                "not_done": (
                    {"reason": visit.not_done_reason, "next_step": visit.next_step}
                    if visit.not_done_reason
                    else None
                ),
                **around.case(visit.application),
            },
        )


def _ordered(visits: Iterable[Visit]) -> Iterator[tuple[Visit, int]]:
    counts: dict[tuple[Any, date], int] = {}
    for visit in visits:
        day = (visit.assessor_id, visit.on)
        counts[day] = counts.get(day, 0) + 1
        yield visit, counts[day]


@Kept
def _guardians(residents: Slot) -> models.QuerySet[Guardian]:
    found = Guardian.objects.filter(resident__among=residents).order_by("created_at", "pk")
    return found.only("resident", "name", "telephone", "relation", "created_at")


@Kept
def _people(ids: Slot) -> models.QuerySet[User]:
    found = User.objects.filter(pk__among=ids).order_by("pk")
    return found.only("full_name", "role", "telephone")


@dataclass(frozen=True)
class _Around:
    """Who stands around some cases: each resident's newest guardian, and who nominated them."""

    read: tuple[Answers[Guardian], Answers[User]]

    @classmethod
    def of(cls, rows: Answers[Any], path: str) -> _Around:
        """Read it in two queries for rows on which `path` leads to the application."""
        residents = set(rows.column(f"{path}resident_id"))
        people = set(rows.column(f"{path}nominated_by_id"))
        return cls((_guardians(residents=residents), _people(ids=people)))

    @cached_property
    def guardians(self) -> dict[UUID, Guardian]:
        """Each resident's newest guardian."""
        return {row.resident_id: row for row in self.read[0]}

    @cached_property
    def nominators(self) -> dict[UUID, User]:
        """The people by their ids."""
        return {row.pk: row for row in self.read[1]}

    def case(self, application: Application) -> dict[str, Any]:
        """Return what a tablet must know of a case wherever it stands."""
        liaison = self.nominators[application.nominated_by_id]
        guardian = self.guardians.get(application.resident_id)
        categories = [Category(category) for category in application.categories]
        return {
            "number": application.number,
            "categories": list(application.categories),
            "standard": load_standard().edition,
            "resident": _resident(application.resident),
            "guardian": _guardian(guardian) if guardian else None,
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
            **_urgent(application),
        }


def _urgent(application: Application) -> dict[str, Any]:
    """Say why a case is in the fast lane, and until when its step is due; nothing of others."""
    if not application.urgency:
        return {}
    due = fast_due(application.state_since, application.urgent_since)
    is_ours = application.state in FAST_STATES
    why = {"why": application.urgency, "reason": application.urgent_why or ""}
    return {"urgent": {**why, "due": due.isoformat() if is_ours else None}}


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


def _guardian(row: Guardian) -> dict[str, str]:
    return {"name": row.name, "telephone": row.telephone, "relation": row.relation}


@Kept
def _cases_without_visit(role: str, *, user: Slot, division: Slot) -> models.QuerySet[Application]:
    return (
        Application.objects.filter(scope_of(role, user, division))
        .standing(ApplicationState.ACCEPTED)
        .exclude(visits__state__in=OPEN_VISITS)
        .select_related("resident", "village__parent")
        .order_by("pk")
    )


def _cases(scope: Scope) -> Iterator[Projected]:
    around = scope.around_cases
    for application in scope.cases:
        yield f"case/{application.pk}", {"state": application.state, **around.case(application)}


@Kept
def _valid_certificates(role: str, *, user: Slot, division: Slot) -> models.QuerySet[Certificate]:
    theirs = scope_of(role, user, division, prefix="application__")
    return (
        Certificate.objects.filter(theirs, state="valid")
        .select_related("application__resident", "evaluation")
        .order_by("pk")
    )


@Kept
def _newest_files(certificates: Slot) -> models.QuerySet[CertificateFile]:
    return CertificateFile.objects.filter(certificate__among=certificates).order_by("version", "pk")


def _certificates(
    found: Iterable[Certificate], files: Iterable[CertificateFile]
) -> Iterator[Projected]:
    newest = {row.certificate_id: row for row in files}
    for certificate in found:
        file = newest[certificate.pk]
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


@Kept
def _disputes_of(user: Slot, since: Slot) -> models.QuerySet[Dispute]:
    found = Dispute.objects.filter(replica__device__user=user)
    return found.exclude(decided_at__date__lt=since).order_by("pk")


def _disputes(found: Iterable[Dispute]) -> Iterator[Projected]:
    """Yield what became of the user's disputed records; decided ones stay for a while."""
    for row in found:
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
