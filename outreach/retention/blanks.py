"""What is left of each sealed value after its erasure, and why some stay.

One table names every sealed column of the register; a test fails when one is missing in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models

#: What stands in place of a name: shown as it is in every language.
NAMELESS = "＊＊＊"


@dataclass(frozen=True)
class Blank:
    """The columns of a record that are erased, and the way from it to its case or person."""

    record: str
    path: str
    columns: Mapping[str, Any]

    def erase(self, ids: list[Any]) -> None:
        """Blank the columns of all records of these cases or persons."""
        for row in self.model._base_manager.filter(**{f"{self.path}__in": ids}):
            self.blank(row)

    def blank(self, row: models.Model) -> None:
        """Put what is left in place of each value of one record."""
        for name, left in self.columns.items():
            setattr(row, name, left(getattr(row, name)) if callable(left) else left)
        row.save(update_fields=list(self.columns))

    @property
    def model(self) -> type[models.Model]:
        """The record's model."""
        return apps.get_model(self.record)


def _only_by(consent: Any) -> Any:
    """Keep that there was consent, and whether by the resident or the guardian."""
    return {"by": consent.get("by")} if isinstance(consent, dict) else None


def _only_grades(parts: Any) -> Any:
    """Keep what certificates and tallies stand on: category, grades, met."""
    kept = ("category", "grade", "computed_grade", "met")
    return [
        {name: part.get(name) for name in kept} | {"findings": {}, "reason": "", "questions": []}
        for part in parts
    ]


OF_A_CASE = (
    Blank(
        "outreach.Application",
        "pk",
        {"diagnosis": "", "urgent_why": None, "consent": _only_by, "possible_times": lambda _: []},
    ),
    Blank("outreach.ApplicationEvent", "application", {"note": ""}),
    Blank(
        "outreach.Objection",
        "notice__application",
        {"from_whom": "", "text": "", "decision": ""},
    ),
    Blank("outreach.Appeal", "application", {"text": ""}),
    Blank("outreach.SecondOpinion", "evaluation__application", {"reason": ""}),
    Blank("outreach.VisitEvent", "visit__application", {"note": "", "place": None}),
    Blank(
        "outreach.Evaluation",
        "application",
        {"parts": _only_grades, "circumstances": lambda _: {}, "remark": ""},
    ),
    Blank("outreach.Photo", "evaluation__application", {"place": None}),
    Blank("outreach.Hindrance", "application", {"note": ""}),
    Blank("certificates.CertificateEvent", "certificate__application", {"note": ""}),
)
#: Whoever holds or held a certificate keeps name and ID number: they are its number's and paper's.
OF_A_HOLDER = Blank(
    "outreach.Resident",
    "pk",
    {
        "address": "",
        "telephone": "",
        "ethnicity": "",
        "place": None,
        "is_bedridden": False,
        "can_sit": True,
        "is_poor_household": False,
        "severity_expected": None,
    },
)
OF_A_PERSON = Blank(
    "outreach.Resident",
    "pk",
    {**OF_A_HOLDER.columns, "name": NAMELESS, "id_number": ""},
)
ENQUIRY = Blank(
    "outreach.Enquiry",
    "application",
    {"name": "", "telephone": "", "question": "", "reply": ""},
)
MESSAGE = Blank("outreach.Notification", "application", {"telephone": "", "text": ""})
PLAN = Blank("outreach.Plan", "pk", {"problem": None})
RECORD = Blank("mobile_api.LedgerEntry", "pk", {"args": lambda _: {"erased": True}, "message": ""})
DISPUTE = Blank("mobile_api.Dispute", "pk", {"reason": ""})
#: Records that are erased by the row.
WHOLE = ("outreach.ImportDraft", "outreach.Guardian")
ALL = (
    *OF_A_CASE,
    *(OF_A_PERSON, ENQUIRY, MESSAGE, PLAN, RECORD, DISPUTE),
)
#: Sealed columns that no term erases, each with the reason.
KEPT: Mapping[str, str] = {
    "certificates.Certificate.number": "a certificate is the county's archive, and stays checkable",
    "outreach.AuditEvent.detail": "erased with its case by the trail itself, which stays chained",
    "outreach.User.telephone": "staff; it goes with the account",
    "outreach.SecondFactor.secret": "staff; taken off with the telephone",
    "outreach.SecondFactor.spare_codes": "staff; taken off with the telephone",
    "mobile_api.Device.share": "gone when the tablet is stopped",
    "mobile_api.HandInVerdict.reason": "about a tablet and its whole hand-in, not about a case",
    "mobile_api.Hook.secret": "another office's system, no person",
}
