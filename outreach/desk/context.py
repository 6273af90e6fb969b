"""What every page shows: where one can go, today's date, whether this is the demo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
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


PLACES = (
    Place("desk:home", _("Home"), EVERYBODY),
    Place("desk:taken_in", _("Taken in here"), (Role.OUTLET,)),
    Place("desk:nominate", _("Nominate"), (Role.LIAISON, Role.OUTLET)),
    Place("desk:cases", _("Cases"), EVERYBODY),
    Place("desk:campaigns", _("Campaigns"), (Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR)),
    Place("desk:certificates", _("Certificates"), EVERYBODY),
    Place("desk:savings", _("Savings"), EVERYBODY),
    Place(
        "desk:report",
        _("Reports"),
        (Role.LIAISON, Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR),
    ),
    Place(
        "desk:rates",
        _("Unusual rates"),
        (Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR),
    ),
    Place("desk:enquiries", _("Enquiries"), (Role.LIAISON, Role.ADMINISTRATOR, Role.AUDITOR)),
    Place("desk:notifications", _("Messages"), (Role.ADMINISTRATOR, Role.AUDITOR)),
    Place("desk:outlets", _("Outlets"), (Role.ADMINISTRATOR, Role.AUDITOR)),
    Place("desk:institutions", _("Institutions"), (Role.ADMINISTRATOR, Role.AUDITOR)),
    Place(
        "desk:standards",
        _("Standards and tariffs"),
        (Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR),
    ),
    Place("desk:accounts", _("Accounts"), (Role.ADMINISTRATOR, Role.AUDITOR)),
    Place("desk:tablets", _("Tablets"), (Role.ADMINISTRATOR, Role.AUDITOR)),
    Place("desk:disputes", _("Disputes"), (Role.ADMINISTRATOR, Role.AUDITOR)),
    Place("desk:trail", _("Audit trail"), (Role.AUDITOR,)),
)


def desk(request: HttpRequest) -> dict[str, Any]:
    """Return the navigation of the signed-in user, the register's date and the demo's mark."""
    user = getattr(request, "user", None)
    role = user.role if user is not None and user.is_authenticated else None
    return {
        "places": [place for place in PLACES if role in place.roles],
        "now": SimpleLazyObject(clock.now),
        "is_demo": settings.OUTREACH_DEMO,
        "has_demo_clock": settings.OUTREACH_CLOCK == "simulated",
        "issuer": settings.OUTREACH_ISSUER,
    }
