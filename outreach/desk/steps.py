"""The steps of a case that wait for somebody: who takes each, what waits there, since when.

The home page counts them, each step's page lists them, and the navigation links them; so a
step is described once, here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Least
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from certificates.models import (
    BatchItem,
    Certificate,
    CertificateQuerySet,
    ItemState,
    PaperRequest,
    was_found_not_met,
)
from certificates.steps import CertificateState, Kind, renewable_from
from outreach.actions.accounts import requests_for
from outreach.actions.publicity import APPEAL_WORKING_DAYS
from outreach.desk.listing import Age, Calendar, Urgency
from outreach.domain.promises import FAST_STATES, promises
from outreach.domain.vocabulary import NextStep, NotDone, Role
from outreach.domain.workflow import OPEN_VISITS, VisitState
from outreach.domain.workflow import ApplicationState as A
from outreach.models import (
    Application,
    Call,
    DeclaredRelative,
    Objection,
    PaperPhoto,
    User,
    Visit,
)
from outreach.models.visits import VisitQuerySet
from outreach.rules import (
    applications_for,
    calls_for,
    noted_dead,
    scope,
    second_opinions_for,
    visits_for,
)

Waiting = Callable[[User, date], QuerySet[Any]]


@dataclass(frozen=True)
class Step:
    """One step: its page, its words, who takes it, what waits, and the promise it is held against.

    What waits is ordered by the column `since`, unless `order` names others; `begins` turns its
    value into the day from which on it waits.
    """

    url: str
    title: str | Promise
    lead: str | Promise
    button: str | Promise
    roles: tuple[Role, ...]
    waiting: Waiting
    since: str = "state_since"
    order: tuple[str, ...] = ()
    promise: str | None = None
    begins: Callable[[Any], Any] = lambda since: since

    @property
    def promised(self) -> int | None:
        """The working days that the office promises for it."""
        return promises()[self.promise].promised if self.promise else None

    @property
    def legal(self) -> int | None:
        """The working days that the law allows for it."""
        return promises()[self.promise].legal if self.promise else None

    def tally(self, user: User, calendar: Calendar) -> Tally:
        """Count what waits, since when the oldest does, and what is past a term: one query."""
        terms = {"over": self.promised, "late": self.legal}
        before = {name: calendar.over_since(term) for name, term in terms.items()}
        counts = {
            name: Count("pk", filter=Q(**{f"{self.since}__lt": moment}))
            for name, moment in before.items()
            if moment is not None
        }
        found = self.waiting(user, calendar.today).aggregate(
            count=Count("pk"), oldest=Min(self.since), **counts
        )
        oldest = self.begins(found["oldest"]) if found["oldest"] else None
        age = calendar.age(oldest, self.legal, self.promised)
        return Tally(self, found["count"], age, found.get("over", 0), found.get("late", 0))

    def waits_since(self, row: Any) -> datetime | date:
        """Return since when a row waits."""
        since: datetime | date = self.begins(getattr(row, self.since))
        return since


@dataclass(frozen=True)
class Tally:
    """How much waits at a step, how long the oldest does, how many are past each term."""

    step: Step
    count: int
    age: Age
    over: int = 0
    late: int = 0


#: The most urgent first.
URGENCIES = tuple(Urgency)


def most_urgent_first(tallies: list[Tally]) -> list[Tally]:
    """Sort steps by how urgent their oldest wait is; what waits nowhere comes last."""
    return sorted(
        tallies, key=lambda one: (not one.count, URGENCIES.index(one.age.urgency), -one.late)
    )


def _standing(*states: A) -> Waiting:
    return lambda user, _today: applications_for(user).standing(*states)


def unassigned(user: User) -> QuerySet[Application]:
    """Return accepted cases that nobody has, or only somebody who declared a relative in them."""
    declared = DeclaredRelative.objects.filter(
        user=OuterRef("assessor"), resident=OuterRef("resident")
    )
    rows = applications_for(user).standing(A.ACCEPTED)
    return rows.filter(Q(assessor=None) | Exists(declared))


def unscheduled(user: User) -> QuerySet[Application]:
    """Return accepted cases with an assessor and no visit to come."""
    rows = applications_for(user).standing(A.ACCEPTED).filter(assessor__isnull=False)
    return rows.exclude(visits__state__in=OPEN_VISITS)


def notices_over(user: User, today: date) -> QuerySet[Application]:
    """Return cases whose notice hung through its last working day and still hangs."""
    rows = applications_for(user).standing(A.ON_NOTICE)
    return rows.filter(notices__taken_down_on=None, notices__ends_on__lt=today)


def notices_running(user: User, today: date) -> QuerySet[Application]:
    """Return cases whose notice has working days left."""
    rows = applications_for(user).standing(A.ON_NOTICE)
    return rows.filter(notices__taken_down_on=None, notices__ends_on__gte=today)


def objections(user: User) -> QuerySet[Objection]:
    """Return the objections that nobody decided yet; where the case has ended, nobody need."""
    in_scope = scope(user, prefix="notice__application__")
    return Objection.objects.filter(in_scope, decided_at=None, notice__taken_down_on=None)


#: After so many days without a word of a visit its tablet is not just out of the net.
UNHEARD = timedelta(days=3)


def unfinished_visits(user: User, today: date) -> VisitQuerySet:
    """Return visits that assessed nobody, or of which nothing was heard, and whose case waits.

    The newest of each case: what followed on the others has been tried. Whom a doctor referred to
    a hospital waits too: for the office, which hears what came of it. And of whom one heard at the
    door that they have died, until the office has noted it, or they were met after all.
    """
    rows = visits_for(user)
    waits = Q(application__state__in=(A.ACCEPTED, A.REFERRED))
    others = Visit.objects.filter(application=OuterRef("application"))
    later = Q(on__gt=OuterRef("on")) | Q(on=OuterRef("on"), start__gt=OuterRef("start"))
    after = Q(state__in=OPEN_VISITS) | Q(state=VisitState.NOT_DONE) & later
    follows = Q(application__state=A.ACCEPTED, next_step__in=(NextStep.REVISIT, NextStep.WAIT))
    referred = Q(application__state=A.REFERRED)
    assessed_nobody = Q(
        ~Exists(others.filter(after)), follows | referred, state=VisitState.NOT_DONE
    )
    unheard = Q(state__in=OPEN_VISITS, on__lt=today - UNHEARD)
    whose = OuterRef("application__resident")
    done_since = {"state": VisitState.DONE, "on__gt": OuterRef("on")}
    met = Visit.objects.filter(application__resident=whose, **done_since)
    said_dead = Q(
        *(~Exists(noted_dead().filter(resident=whose)), ~Exists(met)),
        not_done_reason=NotDone.DIED,
        application__erased_at=None,
    )
    return rows.filter(waits & (assessed_nobody | unheard) | said_dead)


def families_to_tell(user: User, today: date) -> QuerySet[Call]:
    """Return the families whose appointment a plan made, moved or cancelled, not told yet.

    `soonest` is the first day that is another one than they know, or that they have to know.
    """
    rows = calls_for(user).to_make().still_true(today)
    soonest = Least(Coalesce("was_on", "on"), Coalesce("on", "was_on"))
    return rows.annotate(soonest=soonest, hour=Coalesce("was_start", "start"))


def papers_sent(user: User, _today: date) -> QuerySet[Application]:
    """Return open cases with photos from the family that nobody looked at, since the oldest."""
    photos = PaperPhoto.objects.undecided().filter(application=OuterRef("pk")).order_by("sent_at")
    rows = applications_for(user).open().filter(Exists(photos))
    return rows.annotate(sent_at=Subquery(photos.values("sent_at")[:1]))


#: Whose step it is while an urgent case stands there; the auditor looks at all.
HASTENED: dict[str, frozenset[A]] = {
    Role.LIAISON: frozenset({A.NOMINATED, A.RETURNED, A.ISSUED}),
    Role.ADMINISTRATOR: frozenset({A.APPLIED, A.ACCEPTED, A.EVALUATED, A.NOTICED, A.ISSUED}),
    Role.APPROVER: frozenset({A.REVIEWED, A.APPROVED}),
    Role.AUDITOR: FAST_STATES,
}


def urgent(user: User, _today: date) -> QuerySet[Application]:
    """Return cases of the fast lane whose next step is the user's."""
    return applications_for(user).urgent().standing(*HASTENED.get(user.role, ()))


def no_longer_met(user: User, today: date) -> QuerySet[Application]:
    """Return cases of holders who do not meet the standard any more, and appeal no more either."""
    over = Calendar.of(today).over_since(APPEAL_WORKING_DAYS)
    rows = applications_for(user).standing(A.NOT_MET, A.APPEAL_DISMISSED)
    if over is None:  # the days of an appeal cannot be counted: its calendar is not loaded
        return rows.none()
    held = Certificate.objects.living().filter(
        was_found_not_met(),
        resident=OuterRef("resident"),
        evaluation__received_at__lt=OuterRef("state_since"),
    )
    return rows.filter(Exists(held), state_since__lt=over)


def to_sign(user: User, _today: date) -> QuerySet[Application]:
    """Return cases that wait for the approver, without those whose papers are being made."""
    rows = applications_for(user).standing(A.REVIEWED, A.APPROVED)
    at_work = BatchItem.objects.filter(application=OuterRef("pk"), state=ItemState.WAITING)
    return rows.exclude(Exists(at_work))


def to_hand_over(user: User, _today: date) -> QuerySet[Application]:
    """Return cases whose certificate can be brought to the person: made, and valid."""
    papers = Certificate.objects.to_hand_over().filter(application=OuterRef("pk"))
    return applications_for(user).standing(A.ISSUED).filter(Exists(papers))


def _requests(user: User, _today: date) -> QuerySet[PaperRequest]:
    """Return the papers that can be signed: one of a frozen certificate waits until it is valid."""
    rows = PaperRequest.objects.open().filter(scope(user, prefix="certificate__application__"))
    at_work = BatchItem.objects.filter(
        application=OuterRef("certificate__application"), state=ItemState.WAITING
    )
    return rows.exclude(Exists(at_work)).exclude(certificate__state=CertificateState.FROZEN)


def certificates_for(user: User) -> CertificateQuerySet:
    """Return the certificates in the user's scope."""
    return Certificate.objects.filter(scope(user, prefix="application__"))


CONSENT = Step(
    "desk:consent",
    _("Ask for consent"),
    _("A nomination is not an application: the person or the guardian must ask for it."),
    _("Record the consent"),
    (Role.LIAISON,),
    _standing(A.NOMINATED),
)
PAPERS = Step(
    "desk:papers",
    _("Complete papers"),
    _("The office returned these cases; help the family find what is missing."),
    _("All papers are here now"),
    (Role.LIAISON, Role.ADMINISTRATOR),
    _standing(A.RETURNED),
)
FAST = Step(
    "desk:fast",
    _("Fast lane"),
    _("Urgent cases: take each step within 24 hours. The days of the notice stay as they are."),
    _("See the case"),
    (Role.ADMINISTRATOR, Role.LIAISON, Role.APPROVER),
    urgent,
)
SENT = Step(
    "desk:papers_sent",
    _("Papers from families"),
    _("Families sent photos of their papers through their link. Look at each, then accept it."),
    _("Look at them"),
    (Role.LIAISON, Role.ADMINISTRATOR),
    papers_sent,
    since="sent_at",
)
HAND_OVER = Step(
    "desk:hand_over",
    _("Hand over certificates"),
    _("The certificate is made. Bring it to the person and confirm that it arrived."),
    _("Confirm hand-over"),
    (Role.LIAISON, Role.ADMINISTRATOR),
    to_hand_over,
    promise="hand_over",
)
ACCEPT = Step(
    "desk:accept",
    _("Accept applications"),
    _("Accept complete applications; return the others and name everything missing at once."),
    _("Accept the chosen"),
    (Role.ADMINISTRATOR,),
    _standing(A.APPLIED),
    promise="accept",
)
ASSIGN = Step(
    "desk:assign",
    _("Assign assessors"),
    _(
        "Give each case to an assessor who is qualified for it. Of several disabilities they need"
        " to know one: another doctor comes along and signs for the others."
    ),
    _("Assign the chosen"),
    (Role.ADMINISTRATOR,),
    lambda user, _today: unassigned(user),
    promise="visit",
)
SCHEDULE = Step(
    "desk:schedule",
    _("Schedule visits"),
    _("Agree a working day and a time when the family is at home."),
    _("Schedule"),
    (Role.ADMINISTRATOR,),
    lambda user, _today: unscheduled(user),
    promise="visit",
)
NOT_DONE = Step(
    "desk:not_done",
    _("Visits not done"),
    _(
        "These visits assessed nobody, or nothing was heard of them for days. Each has a next"
        " step; take it."
    ),
    _("Schedule again"),
    (Role.ADMINISTRATOR,),
    unfinished_visits,
    since="on",
)
TELL = Step(
    "desk:calls",
    _("Tell families their time"),
    _("A plan made, moved or cancelled these appointments. Call each family and tick it off."),
    _("The chosen were told"),
    (Role.LIAISON, Role.ADMINISTRATOR),
    families_to_tell,
    since="created_at",
    order=("soonest", "hour"),
)
POST_NOTICES = Step(
    "desk:post_notices",
    _("Post notices"),
    _("Post the public notice in the village for five working days. Minors are not publicised."),
    _("Post the chosen"),
    (Role.ADMINISTRATOR,),
    _standing(A.EVALUATED),
    promise="post_notice",
)
END_NOTICES = Step(
    "desk:end_notices",
    _("Take notices down"),
    _("After the last working day the notice comes down and the review begins."),
    _("Take the chosen down"),
    (Role.ADMINISTRATOR,),
    notices_over,
)
#: Not a step that waits for somebody, but its list is the same.
NOTICES = replace(
    END_NOTICES,
    url="desk:notices",
    title=_("Notices on display"),
    lead=_("These notices hang in their villages. Somebody may object until the last day."),
    roles=(),
    waiting=notices_running,
)
OBJECTIONS = Step(
    "desk:objections",
    _("Decide objections"),
    _("Hear both sides, decide, and write the reason."),
    _("Decide"),
    (Role.ADMINISTRATOR,),
    lambda user, _today: objections(user),
    since="recorded_at",
)
APPEALS = Step(
    "desk:appeals",
    _("Appeals with city and province"),
    _(
        "The city federation decides these appeals, and after it the province's committee. Enter"
        " the decision as soon as it is there."
    ),
    _("Enter the decision"),
    (Role.ADMINISTRATOR,),
    _standing(A.UNDER_APPEAL),
)
NO_LONGER_MET = Step(
    "desk:no_longer_met",
    _("Cancel what is no longer met"),
    _(
        "These holders were assessed again, do not meet the standard, and cannot appeal any more."
        " Cancel their certificates."
    ),
    _("Cancel it"),
    (Role.ADMINISTRATOR,),
    no_longer_met,
)
REVIEW = Step(
    "desk:review",
    _("Review evaluations"),
    _("Look at findings, grade, photos, place and time of each before you pass it on."),
    _("Mark the chosen as reviewed"),
    (Role.ADMINISTRATOR,),
    _standing(A.NOTICED),
    promise="review",
)
OPINIONS = Step(
    "desk:opinions",
    _("Give second opinions"),
    _("Grades 1 and 2 want the view of a second assessor before the notice."),
    _("Agree with the chosen"),
    (Role.ASSESSOR,),
    lambda user, _today: second_opinions_for(user),
    since="evaluated_at",
)
SIGN = Step(
    "desk:sign",
    _("Approve and sign"),
    _("Your one signature approves the chosen cases and makes their signed certificates."),
    _("Approve and sign the chosen"),
    (Role.APPROVER,),
    to_sign,
    promise="sign",
)
RENEWALS = Step(
    "desk:renewals",
    _("Ask for renewals"),
    _("These certificates are in their last year, or over. Ask the holders, then the approver."),
    _("Ask for the chosen"),
    (Role.ADMINISTRATOR, Role.LIAISON),
    lambda user, today: certificates_for(user).renewable(today),
    since="valid_until",
    begins=renewable_from,
)
SIGN_PAPERS = Step(
    "desk:sign_papers",
    _("Sign renewals and replacements"),
    _("Another paper was asked for: ten more years, or one in place of a lost one."),
    _("Sign the chosen"),
    (Role.APPROVER,),
    _requests,
    since="requested_at",
)
HAND_OVER_PAPERS = Step(
    "desk:hand_over_papers",
    _("Hand over renewals and replacements"),
    _("The new paper is made. Bring it to the person and take the old one back."),
    _("Confirm hand-over"),
    (Role.LIAISON, Role.ADMINISTRATOR),
    lambda user, _today: (
        certificates_for(user)
        .to_hand_over()
        .filter(kind__in=(Kind.RENEWAL, Kind.REISSUE))
        .exclude(application__state=A.ISSUED)
    ),
    since="issued_at",
    promise="hand_over",
)

SECOND_PERSON = Step(
    "desk:second_person",
    _("Agree to changes of accounts"),
    _("A colleague asks for this. Make sure that it is right, best by asking the person."),
    _("Agree"),
    (Role.ADMINISTRATOR, Role.APPROVER),
    lambda user, _today: requests_for(user),
    since="asked_at",
)

#: In the order of the process.
STEPS = (
    FAST,
    RENEWALS,
    CONSENT,
    PAPERS,
    SENT,
    ACCEPT,
    ASSIGN,
    SCHEDULE,
    NOT_DONE,
    TELL,
    OPINIONS,
    POST_NOTICES,
    END_NOTICES,
    OBJECTIONS,
    APPEALS,
    NO_LONGER_MET,
    REVIEW,
    SIGN,
    SIGN_PAPERS,
    HAND_OVER_PAPERS,
    HAND_OVER,
    SECOND_PERSON,
)


def steps_for(user: User) -> list[Step]:
    """Return the steps a user takes; the auditor looks at all but an assessor's opinions."""
    if user.role == Role.AUDITOR:
        return [step for step in STEPS if step is not OPINIONS]
    return [step for step in STEPS if user.role in step.roles]


def next_of(user: User, tallies: list[Tally]) -> Tally | None:
    """Return the next thing to do: what is mainly theirs, the most urgent nearest to the paper."""
    mine = [
        row
        for row in reversed(tallies)
        if row.count and row.step.roles[0] == user.role and row.step is not SECOND_PERSON
    ]
    return min(mine, key=lambda row: URGENCIES.index(row.age.urgency), default=None)
