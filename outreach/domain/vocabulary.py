"""The words of the field, one per thing: on the wire, in the database and in the standards."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Who a person is to the service; one role per account keeps the duties apart."""

    LIAISON = "liaison"
    ASSESSOR = "assessor"
    ADMINISTRATOR = "administrator"
    APPROVER = "approver"
    AUDITOR = "auditor"
    OUTLET = "outlet"


class OutletKind(StrEnum):
    """A counter outside the office that takes requests in."""

    TOWNSHIP_WINDOW = "township_window"
    VILLAGE_STATION = "village_station"
    BANK = "bank"
    CLINIC = "clinic"


class Urgency(StrEnum):
    """Why a case is in the fast lane."""

    TERMINAL_ILLNESS = "terminal_illness"
    SUBSIDY_LAPSING = "subsidy_lapsing"


class Level(StrEnum):
    """Administrative level of a division."""

    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"


class Sex(StrEnum):
    """Sex as the ID number carries it (GB 11643-1999)."""

    MALE = "male"
    FEMALE = "female"


class Category(StrEnum):
    """Category of disability (GB/T 26341-2010, clause 4)."""

    VISION = "vision"
    HEARING = "hearing"
    SPEECH = "speech"
    PHYSICAL = "physical"
    INTELLECTUAL = "intellectual"
    MENTAL = "mental"
    MULTIPLE = "multiple"


class Mode(StrEnum):
    """How an evaluation came about: at the person's home, or read off another county's file."""

    HOME = "home"
    FILE = "file"


#: Categories that need the proof of a legal guardian whatever the age.
GUARDED_CATEGORIES = frozenset({Category.INTELLECTUAL, Category.MENTAL})


class EvidenceKind(StrEnum):
    """What a photo of an evaluation shows."""

    PORTRAIT = "portrait"
    WHOLE_BODY = "whole_body"
    AFFECTED_PART = "affected_part"
    ENVIRONMENT = "environment"
    DOCUMENT = "document"
    SIGNATURE_RESIDENT = "signature_resident"
    SIGNATURE_ASSESSOR = "signature_assessor"


#: Photos every home evaluation carries, and those a category adds.
EVIDENCE_ALWAYS = (EvidenceKind.PORTRAIT, EvidenceKind.WHOLE_BODY, EvidenceKind.ENVIRONMENT)
EVIDENCE_BY_CATEGORY = {Category.PHYSICAL: (EvidenceKind.AFFECTED_PART,)}


def evidence_for(categories: list[Category]) -> list[EvidenceKind]:
    """List the evidence that an evaluation in these categories asks for."""
    extra = [kind for category in categories for kind in EVIDENCE_BY_CATEGORY.get(category, ())]
    return [*EVIDENCE_ALWAYS, *extra]


class Paper(StrEnum):
    """A paper that an application needs (《残疾人证管理办法》 2017)."""

    ID_CARD = "id_card"
    HOUSEHOLD_BOOK = "household_book"
    PHOTOS = "photos"
    GUARDIAN_PROOF = "guardian_proof"


class ReturnReason(StrEnum):
    """Why an application goes back, beside papers that are missing."""

    NAME_DIFFERS = "name_differs"
    ID_DIFFERS = "id_differs"
    REGISTERED_ELSEWHERE = "registered_elsewhere"
    ADDRESS_UNCLEAR = "address_unclear"
    NOT_REACHED = "not_reached"
    CONSENT_UNCLEAR = "consent_unclear"
    GUARDIAN_UNCLEAR = "guardian_unclear"
    CATEGORY_UNCLEAR = "category_unclear"
    PHOTO_UNFIT = "photo_unfit"
    PAPER_UNREADABLE = "paper_unreadable"
    PAPER_EXPIRED = "paper_expired"


class PaperFault(StrEnum):
    """Why a photo of a paper cannot be used."""

    BLURRED = "blurred"
    INCOMPLETE = "incomplete"
    WRONG_PAPER = "wrong_paper"
    OUT_OF_DATE = "out_of_date"


class NotDone(StrEnum):
    """Why a visit assessed nobody."""

    ABSENT = "absent"
    REFUSED = "refused"
    IN_HOSPITAL = "in_hospital"
    ROAD_CUT = "road_cut"
    WRONG_SPECIALTY = "wrong_specialty"
    PAPERS_MISSING = "papers_missing"
    GUARDIAN_ABSENT = "guardian_absent"
    DIED = "died"


class NextStep(StrEnum):
    """What follows a visit that was not done; none is left without one."""

    REVISIT = "revisit"
    REFER_HOSPITAL = "refer_hospital"
    CLOSE = "close"
    WAIT = "wait"
