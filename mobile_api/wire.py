"""The shapes that travel between tablet and server (`docs/explanation/sync.md`); no behaviour."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any, Literal, NotRequired
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from outreach.actions.evaluations import Declared, Part
from outreach.domain.vocabulary import Category, EvidenceKind, NextStep, NotDone, Paper

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True)]
Grade = Annotated[int, Field(ge=1, le=4)]


class Shape(BaseModel):
    """A shape of ours: unknown members are errors, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid")


#: The same for what goes on as it was said, without a copy: as a dictionary, or as what an action
#: takes.
_AS_SAID = ConfigDict(extra="forbid", use_enum_values=True)


class Tolerant(BaseModel):
    """A shape that newer tablets may extend."""

    model_config = ConfigDict(extra="ignore")


#: Text that PostgreSQL can keep.
NO_NUL = r"^[^\x00]*$"
Line = Annotated[str, StringConstraints(pattern=NO_NUL)]


class EnrolIn(Shape):
    """What a tablet sends with its one-time code."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=NO_NUL)]
    label: Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=NO_NUL)]
    public_key: Annotated[str, StringConstraints(max_length=400, pattern=NO_NUL)]
    replica: UUID


class Whoami(BaseModel):
    """The user that a tablet works for."""

    id: UUID
    full_name: str
    role: str
    division: str
    categories: list[str]


class EnrolOut(BaseModel):
    """The device, its replica and its token."""

    device: UUID
    replica: UUID
    token: str
    epoch: str
    server_time: datetime
    user: Whoami
    receipt_key: str | None = None
    federation_key: str | None = None


class LeaseOut(BaseModel):
    """The server's part of the tablet's key, and how to ask for it when the lease has ended."""

    share: str
    ask: str
    lease_until: datetime


class ShareIn(Shape):
    """How a locked tablet asks for its part again."""

    replica: UUID
    ask: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class ShareOut(BaseModel):
    """The part, for another lease."""

    share: str
    lease_until: datetime
    server_time: datetime


class HandInIn(Shape):
    """One part of a hand-in, from 0 to `of` - 1; the last one is the end."""

    hand_in: UUID
    replica: UUID
    reason: Literal["revoked", "fork", "gap", "damaged", "unknown", "locked"]
    n: Annotated[int, Field(ge=0, le=100_000)]
    of: Annotated[int, Field(ge=1, le=100_001)]
    kind: Literal["log", "drafts", "media", "store", "end"]
    # recipient, ephemeral, iv, wrapped: base64; ECDH-ES on P-256, HKDF-SHA256, AES-256-GCM
    sealed: Annotated[dict[Line, Line], Field(min_length=4, max_length=4)]
    at: Annotated[str, StringConstraints(max_length=40, pattern=NO_NUL)]
    sig: Annotated[str, StringConstraints(max_length=120, pattern=NO_NUL)] = ""


class HandInOut(BaseModel):
    """The receipt of a part: the number of the whole hand-in, and the part's."""

    receipt: UUID
    n: int


class Mutation(Tolerant):
    """One entry of a replica's ordered log."""

    seq: Annotated[int, Field(ge=1)]
    id: UUID
    name: Annotated[str, StringConstraints(max_length=40)]
    v: Annotated[int, Field(ge=1, le=999)]
    at: Annotated[str, StringConstraints(max_length=40)]
    args: dict[str, Any]
    chain: Sha256
    sig: Annotated[str, StringConstraints(max_length=120)] = ""


class PushIn(Tolerant):
    """A stretch of the log, from `first` on."""

    first: Annotated[int, Field(ge=1)]
    prev_chain: Sha256
    mutations: Annotated[list[Mutation], Field(max_length=500)]


class PullIn(Tolerant):
    """What the tablet proves to hold, and how much it can take."""

    view: UUID | None = None
    digest: Line | None = None
    max_bytes: Annotated[int, Field(ge=1024, le=1_048_576)] = 65_536


class SyncIn(Tolerant):
    """One exchange; either half may be absent."""

    replica: UUID
    schema_: Annotated[int, Field(alias="schema")] = 1
    app: Annotated[str, StringConstraints(max_length=20)] = "0.0.0"
    rid: Annotated[str, StringConstraints(max_length=64)] = ""
    clock: dict[str, Any] = {}
    health: dict[str, Any] = {}
    push: PushIn | None = None
    pull: PullIn | None = None
    #: Asks for a receipt although nothing is pushed.
    receipt: bool = False


class OutcomeOut(BaseModel):
    """What became of one mutation."""

    seq: int
    outcome: Literal["applied", "duplicate", "refused", "conflict", "parked"]
    was: str | None = None
    code: str | None = None
    dispute: UUID | None = None
    message: str | None = None


class Row(BaseModel):
    """One projected row: key, hash, content."""

    k: str
    h: str
    d: dict[str, Any]


class PullOut(BaseModel):
    """The step from what the tablet holds to what it should hold."""

    base: UUID | None
    view: UUID
    digest: str
    more: bool
    remaining: int
    dels: list[str]
    puts: list[Row]


class Policy(BaseModel):
    """What the office expects of every tablet."""

    min_app: str
    lease_until: datetime
    lock_after_s: int
    clock: Literal["real", "simulated"]
    #: Assessors who must sign beside the rater.
    co_signers: int
    receipt_key: str | None = None
    federation_key: str | None = None


class TallyOut(BaseModel):
    """What a month's home assessments spared citizens, in fen, by line of the tariff."""

    month: str
    assessments: int
    saved_fen: int
    lines: dict[str, int]


class Receipt(BaseModel):
    """What was acknowledged: the text that is signed, ECDSA P-256 (r||s, base64), key's name."""

    said: str
    sig: str
    key: str


class SyncOut(BaseModel):
    """The answer to one exchange."""

    rid: str
    server_time: datetime
    epoch: str
    last_seq: int
    chain: str
    outcomes: list[OutcomeOut]
    pull: PullOut | None
    policy: Policy
    blobs_missing: list[str]
    receipt: Receipt | None = None


class Place(TypedDict):
    """A position in WGS-84 with its accuracy in metres."""

    __pydantic_config__ = _AS_SAID  # type: ignore[misc]

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    accuracy_m: NotRequired[Annotated[float, Field(ge=0)] | None]


class Seen(Shape):
    """The appointment that the author had before their eyes."""

    on: date
    start: time


class Consent(TypedDict):
    """Who agreed, by name."""

    __pydantic_config__ = _AS_SAID  # type: ignore[misc]

    by: Literal["resident", "guardian"]
    name: Annotated[str, StringConstraints(min_length=1, max_length=50)]


class Said(Shape):
    """What a tablet may say: it may be a corrected copy of something that was not applied."""

    # The id of the mutation that it corrects; both are kept.
    corrects: UUID | None = None


class ScheduleVisit(Said):
    """schedule_visit v1."""

    visit: UUID
    application: UUID
    on: date
    start: time
    minutes: Annotated[int, Field(ge=5, le=480)] = 40


class MoveVisit(Said):
    """move_visit v2: with the case, by which it is known whom it is about after a restore."""

    visit: UUID
    application: UUID | None = None
    on: date
    start: time
    minutes: Annotated[int, Field(ge=5, le=480)] = 40
    seen: Seen
    reason: Text = ""


class CancelVisit(Said):
    """cancel_visit v2: with the case, as `move_visit` has it."""

    visit: UUID
    application: UUID | None = None
    reason: Text
    seen: Seen


class RecordNotDone(Said):
    """record_not_done v2: with the case, and the appointment that its author kept."""

    visit: UUID
    application: UUID | None = None
    seen: Seen | None = None
    reason: NotDone
    next_step: NextStep
    note: Text = ""
    recorded_at: datetime
    place: Place | None = None


@dataclass(config=_AS_SAID)
class PartIn(Part):
    """One category of an evaluation."""

    category: Category
    findings: dict[str, Any]
    grade: Grade | None
    reason: Text = ""


@dataclass(config=_AS_SAID)
class Media(Declared):
    """A declared photo or signature."""

    sha256: Sha256
    kind: EvidenceKind
    size: Annotated[int, Field(ge=1, le=100_000_000)]
    content_type: Annotated[Literal["image/jpeg", "image/png"], Field(alias="type")]
    taken_at: datetime
    place: Place | None = None


class SubmitEvaluation(Said):
    """submit_evaluation v2: with the case, by which a visit that a restore lost is found."""

    evaluation: UUID
    visit: UUID
    application: UUID | None = None
    parts: Annotated[list[PartIn], Field(min_length=1, max_length=6)]
    grade: Grade | None
    identity_checked: bool
    guardian_present: bool
    consent: Consent | None
    co_signers: list[UUID] = []
    arrived_at: datetime | None = None
    evaluated_at: datetime
    place: Place | None = None
    remark: Text = ""
    media: Annotated[list[Media], Field(max_length=40)]


class NominatedResident(Shape):
    """The person a nomination is about."""

    name: str
    id_number: str
    telephone: str = ""
    address: Text = ""
    ethnicity: Annotated[str, StringConstraints(max_length=20)] = "汉族"
    bedridden: bool = False
    poor_household: bool = False
    severity_expected: Grade | None = None


class PaperMedia(Shape):
    """A declared photo of a paper; it travels and is verified like any photo."""

    sha256: Sha256
    kind: Literal["paper"]
    paper: Paper
    size: Annotated[int, Field(ge=1, le=100_000_000)]
    type: Literal["image/jpeg", "image/png"]
    taken_at: datetime
    place: Place | None = None


class NominatedGuardian(Shape):
    """Who stands up for the person."""

    name: str
    relation: Annotated[str, StringConstraints(max_length=20, pattern=NO_NUL)]
    telephone: str = ""


class Nominate(Said):
    """nominate v3: with the guardian, and photos of the papers, which are not missing any more."""

    application: UUID
    resident: NominatedResident
    village: Annotated[str, StringConstraints(pattern=r"^\d{12}$")]
    categories: Annotated[list[Category], Field(min_length=1)]
    guardian: NominatedGuardian | None
    consent: Consent | None = None
    media: Annotated[list[PaperMedia], Field(max_length=20)]


class HandOverCertificate(Shape):
    """hand_over_certificate v1."""

    certificate: UUID
    to: Literal["resident", "guardian"]
    handed_over_at: datetime


class Contact(Shape):
    """How a family is reached; an empty text where nothing is known."""

    telephone: Annotated[str, StringConstraints(max_length=30)]
    address: Annotated[str, StringConstraints(max_length=200)]


class CorrectContact(Said):
    """correct_contact v1: a shared field, with what its author had before their eyes."""

    application: UUID
    to: Contact
    seen: Contact


class Change(BaseModel):
    """One deed: its number, and the record it was done to."""

    n: int
    at: datetime
    kind: str
    id: UUID
    action: str


class ChangesOut(BaseModel):
    """A stretch of the feed; ask again after `last`, at once where there is `more`.

    Where `epoch` is another one than before, the register was restored from a backup and numbers
    are given anew: begin again after 0.
    """

    epoch: str
    changes: list[Change]
    last: int
    more: bool
