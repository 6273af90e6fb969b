"""What a record of the trail is about: the case that it belongs to, or the name that it has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet

from certificates.models import Certificate
from outreach.models import (
    Appeal,
    Application,
    AuditEvent,
    Call,
    Campaign,
    Evaluation,
    FamilyLink,
    Institution,
    Notice,
    Notification,
    Objection,
    Outlet,
    PaperPhoto,
    Photo,
    Team,
    User,
    Visit,
)
from outreach.rules import scope

#: How to get to the case from a record.
_TO_THE_CASE: dict[type[Model], str] = {
    Application: "",
    **dict.fromkeys((Visit, Evaluation, Notice, Appeal, Certificate), "application__"),
    **dict.fromkeys((FamilyLink, PaperPhoto, Notification), "application__"),
    Photo: "evaluation__application__",
    Objection: "notice__application__",
    Call: "visit__application__",
}
_NAMES: dict[type[Model], str] = {
    User: "full_name",
    **dict.fromkeys((Campaign, Team, Outlet, Institution), "name"),
}


def about(events: Iterable[AuditEvent], user: User) -> Callable[[AuditEvent], dict[str, Any]]:
    """Return what to show of each event's record: one query for each kind among them.

    `case` and `number` are those of the case, `name` is the record's own; a photo that no case
    has yet, a case of another area than the user's, and whatever has neither, shows nothing.
    """
    wanted: dict[str, set[UUID]] = defaultdict(set)
    for event in events:
        wanted[event.subject].add(event.subject_id)
    found: dict[tuple[str, UUID], dict[str, Any]] = {}
    for model, way in _TO_THE_CASE.items():
        kind, fields = _kind(model), (f"{way}pk", f"{way}number")
        for key, case, number in _asked(_in_scope(model, way, user), wanted[kind], *fields):
            found[kind, key] = {"case": case, "number": number}
    for model, name in _NAMES.items():
        for key, said in _asked(model._default_manager.all(), wanted[_kind(model)], name):
            found[_kind(model), key] = {"name": said}
    return lambda event: found.get((event.subject, event.subject_id), {})


def records_of(number: str, user: User) -> list[UUID]:
    """Return the records of the user's case with that number that the trail may name."""
    return [
        key
        for model, way in _TO_THE_CASE.items()
        for key in _in_scope(model, way, user)
        .filter(**{f"{way}number": number})
        .values_list("pk", flat=True)
    ]


def _in_scope(model: type[Model], way: str, user: User) -> QuerySet[Any]:
    return model._default_manager.filter(scope(user, prefix=way))


def _kind(model: type[Model]) -> str:
    return model._meta.model_name or ""


def _asked(rows: QuerySet[Any], keys: set[UUID], *fields: str) -> Iterable[tuple[Any, ...]]:
    return rows.filter(pk__in=keys).values_list("pk", *fields) if keys else ()
