"""The trail: one audit event per deed and record, in the deed's own transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from outreach.models import AuditEvent, User, insert


def record(
    action: str,
    subjects: Iterable[models.Model],
    *,
    by: User | None,
    at: datetime,
    detail: dict[str, Any] | None = None,
) -> None:
    """Append one audit event per subject, in one statement."""
    record_all({action: subjects}, by=by, at=at, detail=detail)


def record_all(
    deeds: Mapping[str, Iterable[models.Model]],
    *,
    by: User | None,
    at: datetime,
    detail: dict[str, Any] | None = None,
) -> None:
    """Append one audit event per deed and subject, in one statement."""
    insert(
        AuditEvent,
        (
            {
                "action": action,
                "subject": subject._meta.model_name or "",
                "subject_id": _id_of(subject),
            }
            for action, subjects in deeds.items()
            for subject in subjects
        ),
        at=at,
        by_id=by.pk if by else None,
        detail=detail or {},
    )


def _id_of(subject: models.Model) -> UUID:
    """Return the record's id; a year of the calendar counts as the id of that number."""
    key = subject.pk
    return key if isinstance(key, UUID) else UUID(int=key)
