"""Who may see and do what: the scope of each account, and the duties that stay apart.

`check_…` raises `Refused` with a sentence for the person in front of the screen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext_lazy as _

from outreach.domain.savings import NoTariff
from outreach.domain.vocabulary import GUARDED_CATEGORIES, Category, Paper, Role
from outreach.domain.workdays import CalendarNotLoaded, add_months
from outreach.domain.workflow import OPEN_STATES, ApplicationState, Transition
from outreach.models import (
    Application,
    Assessor,
    Bar,
    Call,
    Campaign,
    DeclaredRelative,
    Division,
    Evaluation,
    Kept,
    Resident,
    Slot,
    User,
    Visit,
)
from outreach.models.applications import ApplicationQuerySet
from outreach.models.planning import CallQuerySet
from outreach.models.visits import VisitQuerySet

ADULT = 18
#: Said wherever an ID number is typed.
NOT_BORN = _("By this number the person is not born yet; compare it with the card.")
#: What a negative result ended a case in.
NEGATIVE = (ApplicationState.NOT_MET, ApplicationState.APPEAL_DISMISSED)
BARRED_MONTHS = 12
"""《残疾人证管理办法》: no new application for a year after a negative result."""


def worded(sentence: str | Promise, **values: object) -> Promise:
    """Return a lazy sentence with its values filled in, still in the language of its reader."""
    return cast(Promise, lazy(lambda: str(sentence) % values, str)())


class Refused(Exception):
    """A rule says no: what happened and what to do, in the language of the reader.

    `code` is stable and names the rule; `message` is a lazily translated sentence.
    """

    def __init__(self, code: str, message: str | Promise) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


@contextmanager
def plainly() -> Iterator[None]:
    """Turn what the office must load first, a calendar or a tariff, into a refusal that says so."""
    try:
        yield
    except CalendarNotLoaded as error:
        raise Refused(
            "calendar-not-loaded",
            _("The calendar for %(year)d is not loaded; load it, then go on.")
            % {"year": error.year},
        ) from error
    except NoTariff as error:
        raise Refused(
            "no-tariff",
            _("No tariff is in force in this place on that day; load one, then go on."),
        ) from error


def scope(user: User, *, prefix: str = "") -> Q:
    """Return the condition on applications that `user` may see.

    An assessor sees the cases assigned to them, outside their division until they are over: whoever
    works elsewhere by now reads no more of them. An outlet sees what it took in; everybody else
    their division and what lies below it. `prefix` leads from another model to the application,
    e.g. `"application__"`.
    """
    return scope_of(user.role, user.pk, user.division.code, prefix=prefix)


def scope_of(role: str, user: UUID | Slot, division: str | Slot, *, prefix: str = "") -> Q:
    """Return the same for an account's role, id and division code, as a kept query has them."""
    within = Q(**{f"{prefix}village__code__startswith": division})
    if role == Role.ASSESSOR:
        under_way = Q(**{f"{prefix}state__in": sorted(OPEN_STATES)})
        return Q(**{f"{prefix}assessor": user}) & (within | under_way)
    if role == Role.OUTLET:
        return Q(**{f"{prefix}outlet__accounts": user})
    return within


def applications_for(user: User) -> ApplicationQuerySet:
    """Return the applications in the user's scope."""
    return Application.objects.filter(scope(user))


def visits_for(user: User) -> VisitQuerySet:
    """Return the visits in the user's scope."""
    return Visit.objects.filter(scope(user, prefix="application__"))


def campaigns_for(user: User) -> QuerySet[Campaign]:
    """Return the campaigns of the user's division and of what lies below it."""
    return Campaign.objects.filter(division__code__startswith=user.division.code)


def calls_for(user: User) -> CallQuerySet:
    """Return the families in the user's scope that are to be told of an appointment."""
    return Call.objects.filter(scope(user, prefix="visit__application__"))


def second_opinions_for(user: User) -> QuerySet[Evaluation]:
    """Return the evaluations with grade 1 or 2 in the county on which `user` may still opine.

    Of several categories they must know one that the grade comes from.
    """
    assessor = Assessor.objects.filter(user=user).first()
    qualified = assessor.categories if assessor else []
    waiting = Evaluation.objects.filter(
        application__state=ApplicationState.EVALUATED,
        application__village__code__startswith=user.division.code,
        grade__in=(1, 2),
        corrections=None,
        second_opinions=None,
    )
    own = Q(assessor=user) | Q(application__nominated_by=user)
    others = waiting.exclude(own).exclude(co_signers=user)
    others = others.exclude(application__resident__relatives_in_office__user=user)
    several = [
        one.pk
        for one in others.filter(category=Category.MULTIPLE).only("parts")
        if _graded_by(one) & set(qualified)
    ]
    return others.filter(Q(category__in=qualified) | Q(pk__in=several))


def _graded_by(evaluation: Evaluation) -> set[str]:
    """Return the categories of the most severe grade, which is that of the whole."""
    grades = {part["category"]: part["grade"] for part in evaluation.parts if part["grade"]}
    return {category for category, grade in grades.items() if grade == min(grades.values())}


def check_role(user: User, step: Transition) -> None:
    """Refuse a step that is not the user's to take."""
    if user.role not in step.roles:
        raise not_yours()


def not_yours() -> Refused:
    """Return the refusal of a step that is not the user's to take."""
    return Refused("not-your-step", _("This step is not yours to take; ask the office."))


def administers(user: User, code: str) -> bool:
    """Tell whether a division, by its code, lies in the area of which the user is administrator."""
    return user.role == Role.ADMINISTRATOR and code.startswith(user.division.code)


def check_took(user: User, step: Transition) -> None:
    """Refuse a step that never was the user's; who was an assessor may have another role by now."""
    if Role.ASSESSOR not in step.roles or not Assessor.objects.filter(user=user).exists():
        check_role(user, step)


@Kept
def _in_scope(role: str, *, user: Slot, division: Slot, ids: Slot) -> QuerySet[Application, UUID]:
    found = Application.objects.filter(scope_of(role, user, division), pk__among=ids)
    return found.values_list("pk", flat=True)


def check_in_scope(user: User, applications: Iterable[Application]) -> None:
    """Refuse a step on a case that the user may not see."""
    ids = {application.id for application in applications}
    seen = _in_scope(user.role, user=user.pk, division=user.division.code, ids=ids)
    if len(seen) != len(ids):
        raise Refused("out-of-scope", _("This case is not in your area; ask the office."))


def check_village_in_scope(user: User, village: Division) -> None:
    """Refuse to act in a village outside the user's division (an assessor's is the county)."""
    if not village.code.startswith(user.division.code):
        raise Refused("out-of-scope", _("This village is not in your area; ask the office."))


@Kept
def _assessors(users: Slot) -> QuerySet[Assessor]:
    return Assessor.objects.filter(user__among=users)


@Kept
def _relatives(users: Slot, residents: Slot) -> QuerySet[DeclaredRelative, tuple[UUID, UUID]]:
    found = DeclaredRelative.objects.filter(user__among=users, resident__among=residents)
    return found.values_list("user_id", "resident_id")


@dataclass(frozen=True)
class Raters:
    """What a batch must know of those who rate: qualifications, declared relatives, where from."""

    qualified: Mapping[UUID, Sequence[str]]
    relatives: Collection[tuple[UUID, UUID]]
    institutions: Mapping[UUID, UUID]

    @classmethod
    def among(cls, users: Iterable[User], applications: Iterable[Application]) -> Raters:
        """Read it for all of them in two queries."""
        ids = {user.id for user in users}
        residents = {application.resident_id for application in applications}
        assessors = list(_assessors(users=ids))
        return cls(
            {row.pk: row.categories for row in assessors},
            set(_relatives(users=ids, residents=residents)),
            {row.pk: row.institution_id for row in assessors},
        )

    def check_may_rate(self, users: Iterable[User], application: Application) -> None:
        """Refuse a rater or co-signer who nominated the person or declared them a relative."""
        resident = application.resident_id
        for user in users:
            if user.id == application.nominated_by_id:
                raise Refused(
                    "nominator-rates",
                    _("Whoever nominated this person cannot rate them; ask a colleague."),
                )
            if self.relatives and (user.id, resident) in self.relatives:
                raise Refused(
                    "relative-rates", _("A declared relative cannot rate; ask a colleague.")
                )

    def check_qualified(self, users: Iterable[User], categories: Iterable[str]) -> None:
        """Refuse a rating in a category for which none of the signing assessors is qualified."""
        qualified = {category for user in users for category in self.qualified.get(user.id, ())}
        if not set(categories) <= qualified:
            raise _not_qualified()

    def check_may_come(self, user: User, categories: Iterable[str]) -> None:
        """Refuse to send an assessor who is qualified for none of the categories of a case.

        Of several they need not know each: a colleague comes along and signs for the others.
        """
        if not set(categories) & set(self.qualified.get(user.id, ())):
            raise _not_qualified()


def _not_qualified() -> Refused:
    return Refused(
        "not-qualified",
        _("No assessor here is qualified for this category; refer the person to a hospital."),
    )


def check_may_approve(user: User, applications: Iterable[Application]) -> None:
    """Refuse an approver who nominated, rated, co-signed, or declared themself a relative."""
    applications = list(applications)
    ids = [application.pk for application in applications]
    rated = Q(assessor=user) | Q(co_signers=user) | Q(second_opinions__assessor=user)
    residents = [application.resident_id for application in applications]
    if (
        any(application.nominated_by_id == user.pk for application in applications)
        or Evaluation.objects.filter(rated, application__in=ids).exists()
        or DeclaredRelative.objects.filter(user=user, resident__in=residents).exists()
    ):
        raise Refused(
            "approver-involved",
            _(
                "You nominated or rated a person in this batch, or declared them a relative;"
                " another approver must sign."
            ),
        )


def check_no_relative(user: User, residents: Iterable[UUID]) -> None:
    """Refuse an approver another paper for somebody whom they declared a relative."""
    if DeclaredRelative.objects.filter(user=user, resident__in=residents).exists():
        raise Refused(
            "relative-signs",
            _("You declared a person in this batch a relative; another approver must sign."),
        )


def open_already() -> Refused:
    """Return the refusal of an application beside one that the person has open."""
    return Refused(
        "open-application", _("This person has an open application already; continue that one.")
    )


def last_barred_day(evaluated_at: datetime) -> date:
    """Return the last day of the year for which a negative result bars a new application."""
    return add_months(timezone.localdate(evaluated_at), BARRED_MONTHS)


def check_not_barred(resident: Resident, on: date) -> None:
    """Refuse an application within a year of a negative result, or after a cancellation's bar.

    《残疾人证管理办法》(2017). The year's last day is the one of the same date, and counts whole
    (民法典 art. 201, 202). A result that an appeal overturned bars nobody.
    """
    negative = Evaluation.objects.filter(
        application__resident=resident, application__state__in=NEGATIVE, met=False
    )
    found = negative.order_by("-evaluated_at").values_list("evaluated_at", flat=True).first()
    until = [last_barred_day(found)] if found else []
    bars = list(resident.bars.filter(lifted_at=None).values_list("until_on", flat=True))
    if None in bars:
        raise Refused("barred", _("The register says that this person has died; ask the office."))
    until += [day for day in bars if day is not None]
    if until and on <= max(until):
        raise Refused(
            "barred",
            _("After the last decision a new application is possible from %(day)s on.")
            % {"day": (max(until) + timedelta(days=1)).isoformat()},
        )


def noted_dead() -> QuerySet[Bar]:
    """Return the bars that stand for good, which are those of who has died."""
    return Bar.objects.filter(until_on=None, lifted_at=None)


def first_dead(applications: Iterable[Application]) -> Application | None:
    """Return the first case of somebody of whom the register says that they have died."""
    by_resident = {one.resident_id: one for one in applications}
    died = noted_dead().filter(resident__in=by_resident)
    residents = set(died.values_list("resident", flat=True))
    return next((case for pk, case in by_resident.items() if pk in residents), None)


def check_alive(applications: Iterable[Application]) -> None:
    """Refuse to send anybody to the home of somebody who has died since they applied."""
    if dead := first_dead(applications):
        raise Refused(
            "barred",
            worded(
                _("The register says that the person of case %(number)s has died; close the case."),
                number=dead.number,
            ),
        )


def papers_required(categories: Iterable[str], age: int) -> list[Paper]:
    """List the papers an application needs: a guardian's proof for minors and 智力, 精神."""
    always = [Paper.ID_CARD, Paper.HOUSEHOLD_BOOK, Paper.PHOTOS]
    return [*always, Paper.GUARDIAN_PROOF] if needs_guardian(categories, age) else always


def needs_guardian(categories: Iterable[str], age: int) -> bool:
    """Tell whether a guardian asks and signs: for minors and 智力, 精神."""
    return age < ADULT or bool(GUARDED_CATEGORIES & set(categories))
