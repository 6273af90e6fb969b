"""From nomination to acceptance: how an application comes to be and moves on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from outreach.actions.audit import record
from outreach.actions.holding import hold_appointments, hold_diaries, hold_residents
from outreach.domain.identity import (
    age_on,
    normalise_name,
    normalise_telephone,
    parse_id_number,
)
from outreach.domain.vocabulary import Category, Paper
from outreach.domain.workflow import (
    APPLICATION,
    ApplicationState,
    NotAllowed,
    check_step,
)
from outreach.models import (
    Application,
    ApplicationEvent,
    Counter,
    Division,
    Guardian,
    Kept,
    KeptUpdate,
    Notice,
    PaperPhoto,
    Resident,
    Slot,
    User,
    Visit,
    insert,
    is_held,
)
from outreach.models.ids import new_id
from outreach.models.sealed import blind_index
from outreach.rules import (
    NOT_BORN,
    Raters,
    Refused,
    check_in_scope,
    check_not_barred,
    check_role,
    check_village_in_scope,
    needs_guardian,
    open_already,
    papers_required,
)


@dataclass(frozen=True)
class Guarding:
    """The guardian named in a nomination."""

    name: str
    telephone: str
    relation: str
    id_number: str = ""


@dataclass(frozen=True)
class PhotographedPaper:
    """A photo of a paper that will follow, named by its SHA-256."""

    paper: Paper
    sha256: str
    size: int
    content_type: str
    taken_at: datetime


@dataclass(frozen=True)
class Nomination:
    """What a liaison, assessor or import knows of a person when nominating them."""

    name: str
    id_number: str
    village: Division
    categories: Sequence[str]
    telephone: str = ""
    address: str = ""
    ethnicity: str = ""
    diagnosis: str = ""
    place: dict[str, float] | None = None
    is_bedridden: bool | None = None
    can_sit: bool | None = None
    is_poor_household: bool | None = None
    severity_expected: int | None = None
    possible_times: Sequence[dict[str, Any]] = ()
    guardian: Guarding | None = None
    papers: Sequence[str] = tuple(Paper)
    photographed: Sequence[PhotographedPaper] = ()
    consent: Mapping[str, object] | None = None
    fee_paid_by_county: bool = False
    urgency: str = ""
    urgent_why: str = ""
    id: UUID = field(default_factory=new_id)


def advance(
    applications: Sequence[Application],
    name: str,
    *,
    by: User,
    at: datetime,
    note: str = "",
) -> None:
    """Take one step with every application, or with none: events, states and trail together.

    Raises `Refused` for a step that is not the user's, a case out of scope, or a case that
    does not stand where the step starts.
    """
    check_role(by, APPLICATION[name])
    check_in_scope(by, applications)
    with transaction.atomic():
        take(applications, name, by=by, at=at, note=note)


def take(
    applications: Sequence[Application], name: str, *, by: User, at: datetime, note: str = ""
) -> None:
    """Take the step like `advance`, as part of a deed: in its transaction, under its checks.

    Raises `Refused` for a case that does not stand where the step starts.
    """
    move_on(applications, name, by=by, at=at, note=note)
    record(f"application.{name}", applications, by=by, at=at)


def move_on(
    applications: Sequence[Application], name: str, *, by: User, at: datetime, note: str = ""
) -> None:
    """Take the step like `take`; the trail is the caller's."""
    if not applications:
        return
    target = APPLICATION[name].target
    ids = [application.id for application in applications]
    standing = _standing(ids=ids)
    if len(standing) < len(set(ids)):
        raise erased()
    for number, state in standing:
        _check_stands(number, state, name)
    insert(
        ApplicationEvent,
        ({"application_id": pk} for pk in ids),
        name=name,
        target=target,
        by_id=by.pk,
        at=at,
        note=note,
    )
    _step(ids=ids, state=target, at=at)
    for application in applications:
        application.state, application.state_since = target, at


@Kept
def _standing(ids: Slot) -> QuerySet[Application, tuple[str, str]]:
    held = Application.objects.select_for_update().filter(pk__among=ids, erased_at=None)
    return held.order_by("pk").values_list("number", "state")


@KeptUpdate
def _step(ids: Slot, state: Slot, at: Slot) -> tuple[QuerySet[Application], dict[str, Any]]:
    changes = {"state": state, "state_since": at, "revision": F("revision") + 1}
    return Application.objects.filter(pk__among=ids), changes


def take_down(notices: QuerySet[Notice], on: date) -> None:
    """Take down those of these notices that hang still, as part of a deed."""
    notices.filter(taken_down_on=None).update(taken_down_on=on)


def _check_stands(number: str, state: str, name: str) -> None:
    try:
        check_step(APPLICATION, name, ApplicationState(state))
    except NotAllowed as error:
        raise moved_on(number) from error


def erased() -> Refused:
    """Return the refusal of whatever wants the data of a case that is erased."""
    return Refused(
        "erased", _("The data of this case was erased after its term. Register the person anew.")
    )


def moved_on(number: str) -> Refused:
    """Return the refusal of a step with a case that another step forestalled."""
    return Refused(
        "wrong-state",
        _("Case %(number)s has moved on meanwhile; load the page again to see where it stands.")
        % {"number": number},
    )


@transaction.atomic
def nominate(
    nominations: Sequence[Nomination], *, by: User, at: datetime, admitted_by: User | None = None
) -> list[Application]:
    """Register persons and their applications; with the consent they count as applied.

    One that an administrator admits afterwards need not lie in the nominator's area any more, nor
    be theirs to make by now. Names and ID numbers are checked (GB 11643-1999); the papers still
    missing are computed and kept. Raises `Refused` where a person has an open application already
    or lives elsewhere, and the identity errors of `outreach.domain.identity`.
    """
    check_role(admitted_by or by, APPLICATION["nominate"])
    for nomination in nominations:
        check_village_in_scope(admitted_by or by, nomination.village)
    hold_residents(parse_id_number(nomination.id_number).value for nomination in nominations)
    first = Counter.take(f"application-{at.year}", len(nominations))
    made = [
        _register(nomination, f"{at.year}-{first + index:05d}", by=by, at=at)
        for index, nomination in enumerate(nominations)
    ]
    events = [_event(application, "nominate", by, at) for application in made]
    record("application.nominate", made, by=by, at=at)
    applied = [application for application in made if application.consent]
    ApplicationEvent.objects.bulk_create(events)
    insert(PaperPhoto, (row for one in nominations for row in _photos(one, by, at)))
    take(applied, "apply", by=by, at=at)
    return made


def check_asked(nominations: Sequence[Nomination], at: datetime) -> None:
    """Refuse where a minor, or somebody with 智力 or 精神, asks without the guardian.

    The desk's form says so by itself.
    """
    for one in nominations:
        if one.consent:
            age = age_on(parse_id_number(one.id_number).birth_on, timezone.localdate(at))
            _check_who_asks(one.categories, age, one.consent)


def check_known(nominations: Sequence[Nomination]) -> None:
    """Refuse what would take the place of a name, contact or guardian that is known, unseen.

    The number may be somebody else's, and what the office has may be newer. The desk tells whoever
    nominates there, and lists name another name as a mistake.
    """
    said = {
        blind_index(parse_id_number(one.id_number).value, "id_number"): one for one in nominations
    }
    people = list(Resident.objects.filter(id_number_index__in=said))
    guardians = Guardian.objects.newest_of(known.pk for known in people)
    for known in people:
        one = said[known.id_number_index]
        if known.name != normalise_name(one.name):
            raise Refused(
                "known-otherwise",
                _(
                    "The register knows this ID number under another name: compare both with the"
                    " card. Where the name is new, the office decides."
                ),
            )
        if reaches_otherwise(known, one.telephone, one.address) or guarded_otherwise(
            guardians.get(known.pk), one.guardian
        ):
            raise Refused(
                "reached-otherwise",
                _(
                    "The register has another telephone, address or guardian of this person. The"
                    " office decides which stands; or leave yours out, and it stays as it is."
                ),
            )


def reaches_otherwise(known: Resident, telephone: str, address: str) -> bool:
    """Tell whether a nomination would put another telephone or address over one that is known."""
    told = normalise_telephone(telephone) if telephone else ""
    pairs = ((told, known.telephone), (address, known.address))
    return any(value and stands and value != stands for value, stands in pairs)


def guarded_otherwise(present: Guardian | None, said: Guarding | None) -> bool:
    """Tell whether a nomination would put another guardian, or telephone, over who is named."""
    if present is None or said is None:
        return False
    pairs = ((normalise_name(said.name), present.name), (said.telephone, present.telephone))
    return any(value and stands and value != stands for value, stands in pairs)


def _photos(nomination: Nomination, by: User, at: datetime) -> Iterator[dict[str, Any]]:
    if len({photo.sha256 for photo in nomination.photographed}) < len(nomination.photographed):
        raise Refused("photo-twice", _("The same photo is declared twice; take another one."))
    for photo in nomination.photographed:
        yield {
            "application_id": nomination.id,
            "paper": photo.paper,
            "sha256": photo.sha256,
            "size": photo.size,
            "content_type": photo.content_type,
            "sent_by_id": by.pk,
            "sent_at": photo.taken_at,
            "is_accepted": True,
            "decided_by_id": by.pk,
            "decided_at": at,
        }


def _event(application: Application, name: str, by: User, at: datetime) -> ApplicationEvent:
    return ApplicationEvent(
        application=application, name=name, target=APPLICATION[name].target, by=by, at=at
    )


def _register(nomination: Nomination, number: str, *, by: User, at: datetime) -> Application:
    if not nomination.categories or set(nomination.categories) - set(Category):
        raise Refused("unknown-category", _("Choose at least one category of disability."))
    if parse_id_number(nomination.id_number).birth_on > timezone.localdate(at):
        raise Refused("not-born", NOT_BORN)
    resident = _resident(nomination, at)
    if resident.applications.open().exists():
        raise open_already()
    check_not_barred(resident, timezone.localdate(at))
    if nomination.guardian:
        add_guardian(resident, _as_known(nomination.guardian, resident), at)
    needed = papers_required(nomination.categories, resident.age(timezone.localdate(at)))
    return Application.objects.create(
        id=nomination.id,
        number=number,
        resident=resident,
        village=nomination.village,
        categories=list(nomination.categories),
        diagnosis=nomination.diagnosis,
        state=ApplicationState.NOMINATED,
        state_since=at,
        nominated_by=by,
        outlet_id=by.outlet_id,
        consent=nomination.consent,
        papers_missing=[paper for paper in needed if paper not in nomination.papers],
        possible_times=list(nomination.possible_times),
        fee_paid_by_county=nomination.fee_paid_by_county,
        urgency=nomination.urgency,
        urgent_why=nomination.urgent_why or None,
        urgent_since=at if nomination.urgency else None,
        created_at=at,
    )


def _resident(nomination: Nomination, at: datetime) -> Resident:
    """Return the person as they are known now; what the nomination leaves empty stays as it was."""
    identity = parse_id_number(nomination.id_number)
    known = Resident.objects.with_id_number(identity.value).select_related("village").first()
    resident = known or Resident(
        id_number=identity.value,
        id_number_index=blind_index(identity.value, "id_number"),
        created_at=at,
    )
    resident.name = normalise_name(nomination.name)
    if known and known.village.code != nomination.village.code:
        resident.place, resident.address = None, ""  # those of the home that was left
    resident.village = nomination.village
    resident.place = nomination.place or resident.place
    resident.erased_at = None  # who held a certificate is known still, and is here again
    if nomination.telephone:
        resident.telephone = normalise_telephone(nomination.telephone)
    resident.address = nomination.address or resident.address
    resident.ethnicity = nomination.ethnicity or resident.ethnicity
    if nomination.is_bedridden not in (None, resident.is_bedridden):
        # Neither a list nor a tablet asks; who does says so below.
        resident.can_sit = not nomination.is_bedridden
    for name in ("is_bedridden", "can_sit", "is_poor_household", "severity_expected"):
        if getattr(nomination, name) is not None:
            setattr(resident, name, getattr(nomination, name))
    resident.save()
    return resident


def _as_known(guarding: Guarding, resident: Resident) -> Guarding:
    """Return whom a nomination names; what it leaves empty of the present guardian stays."""
    present = Guardian.objects.newest_of([resident.pk]).get(resident.pk)
    if present is None or present.name != normalise_name(guarding.name):
        return guarding
    return replace(
        guarding,
        telephone=guarding.telephone or present.telephone,
        id_number=guarding.id_number or present.id_number,
    )


def add_guardian(resident: Resident, guarding: Guarding, at: datetime) -> Guardian:
    """Enter a resident's guardian, as part of a deed; the newest one counts."""
    return Guardian.objects.create(
        resident=resident,
        name=normalise_name(guarding.name),
        telephone=guarding.telephone,
        relation=guarding.relation,
        id_number=parse_id_number(guarding.id_number).value if guarding.id_number else "",
        created_at=at,
    )


def record_consent(
    application: Application, consent: dict[str, str], *, by: User, at: datetime
) -> None:
    """Turn a nomination into an application: the person or the guardian asked for it.

    Raises `Refused` where a minor, or somebody with 智力 or 精神, asks without the guardian.
    """
    if application.erased_at:
        raise erased()
    age = application.resident.age(timezone.localdate(at))
    _check_who_asks(application.categories, age, consent)
    with transaction.atomic():
        application.consent = consent
        application.save(update_fields=["consent"])
        advance([application], "apply", by=by, at=at)


def _check_who_asks(categories: Sequence[str], age: int, consent: Mapping[str, object]) -> None:
    if needs_guardian(categories, age) and consent.get("by") != "guardian":
        raise Refused("guardian-asks", _("Here the guardian must ask, not the person alone."))


def accept(applications: Sequence[Application], *, by: User, at: datetime) -> None:
    """Accept applications whose papers are complete and their photos here; others are returned.

    Papers that were handed in after a return need no photo any more.
    """
    underway = (
        PaperPhoto.objects.shown()
        .filter(application__in=applications, is_accepted=True)
        .exclude(is_held())
        .exclude(application__events__name="resubmit")
    )
    if late := underway.values_list("application__number", flat=True).first():
        raise Refused(
            "papers-underway",
            _(
                "Photos of papers of case %(number)s are still on the tablet: wait for its next"
                " sync, or return the case naming the papers."
            )
            % {"number": late},
        )
    for application in applications:
        if application.papers_missing:
            raise Refused(
                "papers-missing",
                _("Papers are missing for case %(number)s: return it and name all of them.")
                % {"number": application.number},
            )
    advance(applications, "accept", by=by, at=at)


def send_back(
    application: Application,
    missing: Sequence[str],
    *,
    reasons: Sequence[str] = (),
    note: str = "",
    by: User,
    at: datetime,
) -> None:
    """Return an application and tell at once everything that is missing or not as it should be.

    `missing` names papers, `reasons` what else is the matter (`ReturnReason`), `note` says more.
    """
    if not (missing or reasons or note.strip()):
        raise Refused("reason-missing", _("Say what is missing or wrong, everything at once."))
    with transaction.atomic():
        application.papers_missing = list(missing)
        application.return_reasons = list(reasons)
        application.save(update_fields=["papers_missing", "return_reasons"])
        advance([application], "return", by=by, at=at, note=note)
        said = {"missing": list(missing), "reasons": list(reasons)}
        record("application.returned_for", [application], by=by, at=at, detail=said)


def complete_papers(application: Application, *, by: User, at: datetime) -> None:
    """Hand in a returned application again with everything that was missing."""
    with transaction.atomic():
        application.papers_missing = []
        application.save(update_fields=["papers_missing"])
        advance([application], "resubmit", by=by, at=at)


def assign(applications: Sequence[Application], assessor: User, *, by: User, at: datetime) -> None:
    """Give cases with their coming visits to an assessor, who sees them from the next sync on.

    Whoever had them before can record nothing there any more: a late evaluation is parked.
    Raises `Refused` also where a coming visit falls on another one of the new assessor's.
    """
    check_role(by, APPLICATION["accept"])
    check_in_scope(by, applications)
    raters = Raters.among([assessor], applications)
    for application in applications:
        raters.check_may_rate([assessor], application)
        raters.check_may_come(assessor, application.categories)
    with transaction.atomic():
        ids = [application.pk for application in applications]
        coming = Visit.objects.open().filter(application__in=ids)
        cases = Application.objects.filter(pk__in=ids)
        hold_appointments(ids)
        _check_as_read(applications)
        hold_diaries([assessor])
        _check_free(assessor, applications)
        coming.update(assessor=assessor, revision=F("revision") + 1)
        cases.update(assessor=assessor, revision=F("revision") + 1)
        record("application.assign", applications, by=by, at=at, detail={"to": str(assessor.pk)})
    for application in applications:
        application.assessor = assessor


def _check_as_read(applications: Sequence[Application]) -> None:
    """Refuse where somebody gave a case away, or took a step with it, after it was read."""
    rows = Application.objects.filter(pk__among=[application.pk for application in applications])
    now = {pk: stands for pk, *stands in rows.values_list("pk", "assessor", "state")}
    for application in applications:
        assessor, state = now[application.pk]
        if assessor != application.assessor_id:
            raise assigned_meanwhile(application)
        if state != application.state:
            raise moved_on(application.number)


def assigned_meanwhile(application: Application) -> Refused:
    """Return the refusal to give a case away that somebody else has given away already."""
    return Refused(
        "assigned-meanwhile",
        _("Somebody gave case %(number)s to an assessor meanwhile; see who has it now.")
        % {"number": application.number},
    )


def _check_free(assessor: User, applications: Sequence[Application]) -> None:
    """Refuse where the visits that come along overlap with each other or the assessor's own."""
    coming = list(
        Visit.objects.open().filter(application__in=applications).select_related("application")
    )
    days = {visit.on for visit in coming}
    own = Visit.objects.open().filter(assessor=assessor, on__in=days)
    others = list(own.exclude(pk__in=[visit.pk for visit in coming]))
    for index, visit in enumerate(coming):
        if any(visit.overlaps(other) for other in [*others, *coming[:index]]):
            raise Refused(
                "double-booking",
                _(
                    "The assessor has another visit when case %(number)s is to be visited"
                    " (%(day)s %(time)s): move one of them first."
                )
                % {
                    "number": visit.application.number,
                    "day": visit.on.isoformat(),
                    "time": f"{visit.start:%H:%M}",
                },
            )
