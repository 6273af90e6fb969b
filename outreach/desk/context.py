"""What every page shows: where one can go, today's date, whether this is the demo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from outreach import clock
from outreach.desk.access import EVERYBODY
from outreach.domain.vocabulary import Role


@dataclass(frozen=True)
class Place:
    """One entry of the navigation."""

    url: str
    label: str | Promise
    roles: tuple[Role, ...]

    @property
    def address(self) -> str:
        """Where it leads."""
        return reverse(self.url)


@dataclass(frozen=True)
class Group:
    """Places behind one word, and which of them is looked at, or what belongs to it."""

    label: str | Promise
    places: list[Place]
    here: Place | None


OFFICE = (Role.ADMINISTRATOR, Role.AUDITOR)
LOOKERS = (Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR)
#: The day's work stands first, for everybody to see.
DAILY = (
    Place("desk:home", _("Home"), EVERYBODY),
    Place("desk:taken_in", _("Taken in here"), (Role.OUTLET,)),
    Place("desk:nominate", _("Nominate"), (Role.LIAISON, Role.OUTLET)),
    Place("desk:cases", _("Cases"), EVERYBODY),
    Place("desk:campaigns", _("Campaigns"), LOOKERS),
    Place("desk:certificates", _("Certificates"), EVERYBODY),
    Place("desk:enquiries", _("Enquiries"), (Role.LIAISON, *OFFICE)),
    Place("desk:disputes", _("Disputes"), OFFICE),
    Place("desk:trail", _("Audit trail"), (Role.AUDITOR,)),
)
#: What is looked at now and then.
GROUPS = (
    (
        _("Figures"),
        (
            Place("desk:savings", _("Savings"), EVERYBODY),
            Place("desk:report", _("Reports"), (Role.LIAISON, *LOOKERS)),
            Place("desk:rates", _("Unusual rates"), LOOKERS),
        ),
    ),
    (
        _("Office"),
        (
            Place("desk:notifications", _("Messages"), OFFICE),
            Place("desk:tablets", _("Tablets"), OFFICE),
            Place("desk:accounts", _("Accounts"), OFFICE),
            Place("desk:outlets", _("Outlets"), OFFICE),
            Place("desk:institutions", _("Institutions"), OFFICE),
            Place("desk:standards", _("Standards and tariffs"), LOOKERS),
        ),
    ),
)
#: So many fit beside each other; a role with more finds the rest in groups.
FEW = 8


def navigation(role: Role | None, path: str) -> tuple[list[Place], list[Group]]:
    """Return what stands in the navigation of a role, and the groups behind it."""
    daily = [place for place in DAILY if role in place.roles]
    grouped = [(label, [one for one in places if role in one.roles]) for label, places in GROUPS]
    rest = [place for _label, places in grouped for place in places]
    if len(daily) + len(rest) <= FEW:
        return daily + rest, []
    return daily, [
        Group(label, places, next((one for one in places if path.startswith(one.address)), None))
        for label, places in grouped
        if places
    ]


def desk(request: HttpRequest) -> dict[str, Any]:
    """Return the navigation of the signed-in user, the register's date and the demo's mark."""
    user = getattr(request, "user", None)
    role = user.role if user is not None and user.is_authenticated else None
    places, groups = navigation(role, request.path)
    return {
        "places": places,
        "groups": groups,
        "now": SimpleLazyObject(clock.now),
        "is_demo": settings.OUTREACH_DEMO,
        "has_demo_clock": settings.OUTREACH_CLOCK == "simulated",
        "issuer": settings.OUTREACH_ISSUER,
    }
