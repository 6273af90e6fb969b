"""Every list as XLSX or CSV: the columns a person reads, and nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from certificates.models import Batch, Certificate, PaperRequest
from mobile_api.api import MIN_APP
from mobile_api.condition import Condition, condition
from mobile_api.models import Device, Dispute, HandInPart
from outreach import clock
from outreach.desk import workbooks
from outreach.desk.tags import listed, masked, revoked_why, said
from outreach.models import (
    AccountRequest,
    Application,
    AuditEvent,
    Call,
    Campaign,
    Enquiry,
    Evaluation,
    Institution,
    Notification,
    Objection,
    Outlet,
    User,
    Visit,
)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: What begins with one of these is a formula to some spreadsheet program.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "＝", "＋", "－", "＠")

Column = tuple[str | Promise, Callable[[Any], Any]]


def _case(at: Callable[[Any], Application]) -> list[Column]:
    return [
        (_("Case number"), lambda row: at(row).number),
        (_("Name"), lambda row: at(row).resident.name),
        (_("Township"), lambda row: parent.name if (parent := at(row).village.parent) else ""),
        (_("Village"), lambda row: at(row).village.name),
    ]


def _condition(row: Device) -> Condition:
    return condition(row, clock.now(), oldest_app=MIN_APP)


#: What an export shows of each record.
COLUMNS: dict[type, list[Column]] = {
    Application: [
        *_case(lambda row: row),
        (_("ID number"), lambda row: masked(row.resident.id_number)),
        (_("Disability"), lambda row: listed(row.categories, "category")),
        (_("Where it stands"), lambda row: said(row.state, "state")),
        (_("Since"), lambda row: row.state_since),
        (_("Assessor"), lambda row: row.assessor.full_name if row.assessor else ""),
        (
            _("Returned because"),
            lambda row: (
                listed(row.return_reasons, "return_reason") if row.state == "returned" else ""
            ),
        ),
        (_("Papers missing"), lambda row: listed(row.papers_missing, "paper")),
    ],
    Visit: [
        *_case(lambda row: row.application),
        (_("Day"), lambda row: row.on),
        (_("Time"), lambda row: f"{row.start:%H:%M}"),
        (_("Assessor"), lambda row: row.assessor.full_name),
        (_("State"), lambda row: said(row.state, "visit")),
        (_("Why not"), lambda row: said(row.not_done_reason, "not_done")),
        (_("Next step"), lambda row: said(row.next_step, "next_step")),
    ],
    Evaluation: [
        *_case(lambda row: row.application),
        (_("Disability"), lambda row: said(row.category, "category")),
        (_("Grade"), lambda row: said(row.grade, "grade")),
        (_("Assessor"), lambda row: row.assessor.full_name),
        (_("Day"), lambda row: row.evaluated_at),
    ],
    Certificate: [
        *_case(lambda row: row.application),
        (_("Disability"), lambda row: said(row.category, "category")),
        (_("Grade"), lambda row: said(row.grade, "grade")),
        (_("Kind"), lambda row: said(row.kind, "kind")),
        (_("Issued on"), lambda row: row.issued_on),
        (_("Issued by"), lambda row: row.issued_by.full_name),
        (_("Valid until"), lambda row: row.valid_until),
        (_("State"), lambda row: said(row.state, "certificate")),
        (_("Handed over"), lambda row: row.handed_over_at),
    ],
    Enquiry: [
        (_("Number"), lambda row: row.number),
        (_("Village"), lambda row: row.division.name),
        (_("Asked on"), lambda row: row.asked_at),
        (_("Promised for"), lambda row: row.promised_on),
        (_("Question"), lambda row: row.question),
        (_("Answered"), lambda row: row.replied_at),
        (_("Reply"), lambda row: row.reply),
    ],
    Notification: [
        (_("Case number"), lambda row: row.application.number),
        (_("Message"), lambda row: said(row.kind, "notification")),
        (_("Due"), lambda row: row.due_at),
        (_("State"), lambda row: said(row.state, "notified")),
        (_("Sent"), lambda row: row.sent_at),
    ],
    User: [
        (_("User name"), lambda row: row.username),
        (_("Full name"), lambda row: row.full_name),
        (_("Role"), lambda row: said(row.role, "role")),
        (_("Area"), lambda row: row.division.name),
        (_("Outlet"), lambda row: row.outlet.name if row.outlet else ""),
        (_("Last signed in"), lambda row: row.last_login),
        (_("In use"), lambda row: _("Yes") if row.is_active else _("No")),
    ],
    Dispute: [
        (_("When"), lambda row: row.raised_at),
        (_("What was recorded"), lambda row: said(row.said, "mutation")),
        (_("By"), lambda row: row.replica.device.user.full_name),
        (_("Tablet"), lambda row: row.replica.device.label),
        (_("Outcome"), lambda row: said(row.outcome, "outcome")),
        (_("Why"), lambda row: row.code),
    ],
    Batch: [
        (_("Signed for on"), lambda row: row.at),
        (_("Signed by"), lambda row: row.by.full_name),
        (_("Papers"), lambda row: row.total),
        (_("Made"), lambda row: row.done),
        (_("Could not be made"), lambda row: row.refused),
    ],
    Campaign: [
        (_("Campaign"), lambda row: row.name),
        (_("Area"), lambda row: row.division.name),
        (_("First day"), lambda row: row.first_on),
        (_("Last day"), lambda row: row.last_on),
    ],
    Outlet: [
        (_("Outlet"), lambda row: row.name),
        (_("Kind of counter"), lambda row: said(row.kind, "outlet_kind")),
        (_("Area"), lambda row: row.division.name),
        (_("Open since"), lambda row: row.opened_at),
        (_("Closed"), lambda row: row.closed_at),
    ],
    Institution: [
        (_("Institution"), lambda row: row.name),
        (_("Designated for"), lambda row: listed(row.categories, "category")),
        (_("Designated since"), lambda row: row.designated_from),
        (_("Assessors of this area"), lambda row: row.people),
        (_("Retired on"), lambda row: row.retired_on),
    ],
    # What people said of each other stays here; that they did, when, and who waits does not.
    Objection: [
        *_case(lambda row: row.notice.application),
        (_("Recorded by"), lambda row: row.recorded_by.full_name),
        (_("When"), lambda row: row.recorded_at),
    ],
    Call: [
        *_case(lambda row: row.visit.application),
        (_("What to tell"), lambda row: said(row.kind, "call")),
        (_("Day"), lambda row: row.on),
        (_("Time"), lambda row: f"{row.start:%H:%M}" if row.start else ""),
        (_("Day before"), lambda row: row.was_on),
        (_("Time before"), lambda row: f"{row.was_start:%H:%M}" if row.was_start else ""),
        (_("Assessor"), lambda row: row.visit.assessor.full_name),
    ],
    PaperRequest: [
        *_case(lambda row: row.certificate.application),
        (_("Kind"), lambda row: said(row.kind, "kind")),
        (_("Disability"), lambda row: said(row.certificate.category, "category")),
        (_("Grade"), lambda row: said(row.certificate.grade, "grade")),
        (_("Asked by"), lambda row: row.requested_by.full_name),
        (_("Asked on"), lambda row: row.requested_at),
    ],
    AccountRequest: [
        (_("Full name"), lambda row: row.account.full_name),
        (_("What is asked"), lambda row: said(row.kind, "wish")),
        (_("Reason"), lambda row: row.reason),
        (_("Asked by"), lambda row: row.asked_by.full_name),
        (_("Asked on"), lambda row: row.asked_at),
    ],
    Device: [
        (_("Tablet"), lambda row: row.label),
        (_("Whose"), lambda row: row.user.full_name),
        (_("Area"), lambda row: row.user.division.name),
        (_("Enrolled"), lambda row: row.enrolled_at),
        (_("Last spoke"), lambda row: row.last_seen_at),
        (_("App"), lambda row: _condition(row).app),
        (_("Not sent yet"), lambda row: _condition(row).unsent),
        (_("Hours the oldest waits"), lambda row: _condition(row).oldest_h),
        (_("Free space, MB"), lambda row: _condition(row).free_mb),
        (_("To look at"), lambda row: listed(_condition(row).worries, "worry")),
        (_("Stopped"), lambda row: row.revoked_at),
        (_("Why"), lambda row: revoked_why(row.revoked_why)),
    ],
    HandInPart: [
        (_("Tablet"), lambda row: row.replica.device.label),
        (_("Whose"), lambda row: row.replica.device.user.full_name),
        (_("Handed in"), lambda row: row.received_at),
        (_("Why"), lambda row: said(row.reason, "hand_in")),
        (_("Receipt"), lambda row: row.hand_in),
        (_("Parts"), lambda row: row.parts),
        (_("Parts in all"), lambda row: row.of),
        (_("Decision"), lambda row: said(row.decided or "waits", "decision")),
    ],
    AuditEvent: [
        (_("When"), lambda row: row.at),
        (_("Who"), lambda row: row.by.full_name if row.by else ""),
        (_("What"), lambda row: said(row.action, "deed")),
        (_("Which record"), lambda row: f"{said(row.subject, 'subject')} {row.subject_id}"),
    ],
}


@dataclass(frozen=True)
class Export:
    """One list that may be taken along: who may, and its rows."""

    roles: tuple[str, ...]
    rows: Callable[[User], QuerySet[Any]]


def plain(value: Any) -> Any:
    """Return a value as a spreadsheet keeps it: local time, and text that is only text."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return timezone.localtime(value).replace(tzinfo=None)
    if isinstance(value, bool | int | float | date):
        return value
    return "".join(letter for letter in str(value) if _is_kept(letter))


def _is_kept(letter: str) -> bool:
    """Tell whether a spreadsheet may hold a character (XML 1.0, 2.2)."""
    return letter in "\t\n\r" or (letter >= " " and letter not in "\ufffe\uffff")


def lines_of(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """Yield each record's columns, read in portions."""
    columns = COLUMNS[rows.model]
    for row in rows.iterator(chunk_size=1000):
        yield [plain(value(row)) for _head, value in columns]


def heads_of(rows: QuerySet[Any]) -> list[str]:
    """Return the headings of an export."""
    return [str(head) for head, _value in COLUMNS[rows.model]]


def as_csv(name: str, heads: Sequence[str], lines: Iterable[Sequence[Any]]) -> HttpResponseBase:
    """Answer a CSV in UTF-8 with a mark that Excel knows, row by row."""

    def written() -> Iterator[str]:
        yield "\ufeff" + _csv_line(heads)
        for line in lines:
            yield _csv_line([_defused(value) for value in line])

    return StreamingHttpResponse(
        written(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _csv_line(values: Sequence[Any]) -> str:
    """Write a line, all in quotes: a program that divides at ; too would begin a formula there."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow(values)
    return out.getvalue()


def _defused(value: Any) -> Any:
    """Put an apostrophe before text that a spreadsheet program would take for a formula."""
    is_formula = isinstance(value, str) and value.startswith(DANGEROUS)
    return f"'{value}" if is_formula else value


def table_as_xlsx(
    name: str, heads: Sequence[str | Promise], lines: Iterable[Sequence[Any]]
) -> HttpResponseBase:
    """Answer an XLSX of one sheet."""
    return book_as_xlsx(name, [(name, heads, lines)])


def book_as_xlsx(
    name: str, sheets: Iterable[tuple[str, Sequence[str | Promise], Iterable[Sequence[Any]]]]
) -> HttpResponseBase:
    """Answer an XLSX; no text in it is a formula."""
    out = io.BytesIO()
    workbooks.write(out, ((title, list(map(str, heads)), lines) for title, heads, lines in sheets))
    out.seek(0)
    return FileResponse(out, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX)
