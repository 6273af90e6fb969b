"""The register: records, constraints and querysets in the field's words."""

from outreach.models.applications import (
    Appeal,
    Application,
    ApplicationEvent,
    Notice,
    Objection,
    SecondOpinion,
)
from outreach.models.batches import insert, insert_missing
from outreach.models.divisions import Division
from outreach.models.family import FamilyLink, PaperPhoto
from outreach.models.imports import ImportDraft
from outreach.models.kept import Answers, Kept, KeptUpdate, Slot, recalled
from outreach.models.office import (
    AuditEvent,
    CalendarYear,
    Counter,
    SimulatedClock,
    working_calendar,
)
from outreach.models.other_keys import OtherKeys, check_keys
from outreach.models.people import (
    AccountRequest,
    Assessor,
    Bar,
    DeclaredRelative,
    Guardian,
    Institution,
    Outlet,
    Resident,
    User,
)
from outreach.models.planning import (
    Call,
    Campaign,
    Hindrance,
    LeftOut,
    Pin,
    Plan,
    PlannedStop,
    Shift,
    Team,
    TeamMember,
)
from outreach.models.savings import Journey, OutreachCost, Tariff
from outreach.models.second_factor import SecondFactor
from outreach.models.talking import Enquiry, Notification
from outreach.models.visits import Evaluation, Photo, StoredBlob, Visit, VisitEvent, is_held

__all__ = [
    "AccountRequest",
    "Answers",
    "Appeal",
    "Application",
    "ApplicationEvent",
    "Assessor",
    "AuditEvent",
    "Bar",
    "CalendarYear",
    "Call",
    "Campaign",
    "Counter",
    "DeclaredRelative",
    "Division",
    "Enquiry",
    "Evaluation",
    "FamilyLink",
    "Guardian",
    "Hindrance",
    "ImportDraft",
    "Institution",
    "Journey",
    "Kept",
    "KeptUpdate",
    "LeftOut",
    "Notice",
    "Notification",
    "Objection",
    "OtherKeys",
    "Outlet",
    "OutreachCost",
    "PaperPhoto",
    "Photo",
    "Pin",
    "Plan",
    "PlannedStop",
    "Resident",
    "SecondFactor",
    "SecondOpinion",
    "Shift",
    "SimulatedClock",
    "Slot",
    "StoredBlob",
    "Tariff",
    "Team",
    "TeamMember",
    "User",
    "Visit",
    "VisitEvent",
    "check_keys",
    "insert",
    "insert_missing",
    "is_held",
    "recalled",
    "working_calendar",
]
