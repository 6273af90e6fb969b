"""Questions to the office: asked at the desk or by a citizen, answered within a promise."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from outreach.actions.audit import record
from outreach.domain.workdays import CalendarNotLoaded
from outreach.models import Application, Counter, Division, Enquiry, User, working_calendar
from outreach.rules import Refused, administers

#: No 0/O, 1/I/L: the code is copied from a screen by hand.
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


def fingerprint(code: str) -> str:
    """Return what is kept of a code."""
    return hashlib.sha256(code.strip().upper().encode()).hexdigest()


@transaction.atomic
def ask(
    question: str,
    *,
    division: Division,
    at: datetime,
    by: User | None = None,
    name: str = "",
    telephone: str = "",
    application: Application | None = None,
) -> tuple[Enquiry, str]:
    """Enter a question and promise a day; return it with the code that opens the reply.

    Where the calendar of the promised day is not loaded, no day is promised.
    """
    if not question.strip():
        raise Refused("question-missing", _("Write your question."))
    code = "".join(secrets.choice(_LETTERS) for _index in range(8))
    try:
        promised = working_calendar(timezone.localdate(at)).add(
            timezone.localdate(at), settings.OUTREACH_REPLY_WORKING_DAYS
        )
    except CalendarNotLoaded:
        promised = None
    made = Enquiry.objects.create(
        number=f"W{at.year}-{Counter.take(f'enquiry-{at.year}'):05d}",
        division=division,
        application=application,
        asked_by=by,
        name=name,
        telephone=telephone,
        question=question.strip(),
        code_sha256=fingerprint(code),
        asked_at=at,
        promised_on=promised,
    )
    record("enquiry.ask", [made], by=by, at=at)
    return made, code


def reply(enquiry: Enquiry, text: str, *, by: User, at: datetime) -> None:
    """Answer a question, once; only an administrator of the area does."""
    if not administers(by, enquiry.division.code):
        raise Refused("not-your-step", _("Only an administrator of the area answers questions."))
    if not text.strip():
        raise Refused("reply-missing", _("Write the reply."))
    with transaction.atomic():
        held = Enquiry.objects.select_for_update().get(pk=enquiry.pk)
        if held.replied_at:
            raise Refused("replied-already", _("A colleague has answered this meanwhile."))
        held.reply, held.replied_by, held.replied_at = text.strip(), by, at
        held.save(update_fields=["reply", "replied_by", "replied_at"])
        record("enquiry.reply", [held], by=by, at=at)
