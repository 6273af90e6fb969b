"""Every list to take along, in the scope of who asks; the trail notes that somebody did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpResponseBase

from mobile_api.disputes import disputes_for
from mobile_api.models import LedgerEntry
from outreach import clock
from outreach.actions.audit import record
from outreach.desk.access import EVERYBODY, DeskRequest, only
from outreach.desk.exporting import Export, as_csv, heads_of, lines_of, table_as_xlsx
from outreach.desk.stepping import SHOWN, cases_of
from outreach.desk.steps import NOTICES, STEPS, Step, certificates_for
from outreach.desk.views.accounts import OFFICE as ACCOUNT_READERS
from outreach.desk.views.accounts import accounts_for
from outreach.desk.views.campaigns import LOOKERS
from outreach.desk.views.certificates import batches_for
from outreach.desk.views.enquiries import enquiries_for
from outreach.desk.views.institutions import institutions_for
from outreach.desk.views.notifications import notifications_for
from outreach.desk.views.office import trail_for
from outreach.desk.views.outlets import OFFICE as OUTLET_READERS
from outreach.desk.views.outlets import outlets_for
from outreach.desk.views.quarantine import rows_for as hand_ins_for
from outreach.desk.views.tablets import OFFICE as TABLET_READERS
from outreach.desk.views.tablets import tablets_for
from outreach.domain.vocabulary import Role
from outreach.models import User
from outreach.rules import campaigns_for

TALKERS = (Role.LIAISON, Role.ADMINISTRATOR, Role.AUDITOR)


def exports() -> dict[str, Export]:
    """Return every list that can be taken along, by the name of its page."""
    found = {
        "cases": Export(EVERYBODY, lambda user: cases_of(user).order_by("pk")),
        "certificates": Export(EVERYBODY, _certificates),
        "accounts": Export(ACCOUNT_READERS, lambda user: accounts_for(user).order_by("pk")),
        "tablets": Export(TABLET_READERS, lambda user: tablets_for(user).order_by("pk")),
        "hand_ins": Export(TABLET_READERS, lambda user: hand_ins_for(user).order_by("pk")),
        "disputes": Export(TABLET_READERS, _disputes),
        "batches": Export(LOOKERS, lambda user: batches_for(user).order_by("pk")),
        "campaigns": Export(
            LOOKERS, lambda user: campaigns_for(user).select_related("division").order_by("pk")
        ),
        "outlets": Export(OUTLET_READERS, lambda user: outlets_for(user).order_by("pk")),
        "institutions": Export(
            OUTLET_READERS, lambda user: institutions_for(user).order_by("name", "pk")
        ),
        "enquiries": Export(TALKERS, lambda user: enquiries_for(user).order_by("pk")),
        "notifications": Export(
            TALKERS,
            lambda user: notifications_for(user).select_related("application").order_by("pk"),
        ),
        "trail": Export((Role.AUDITOR,), lambda user: trail_for(user).order_by("pk")),
    }
    for step in (*STEPS, NOTICES):
        name = step.url.removeprefix("desk:")
        found[name] = Export((*step.roles, Role.AUDITOR), _rows_of(step))
    return found


def _disputes(user: User) -> QuerySet[Any]:
    said = LedgerEntry.objects.filter(replica=OuterRef("replica"), seq=OuterRef("seq"))
    rows = disputes_for(user).filter(decided_at=None).select_related("replica__device__user")
    return rows.annotate(said=Subquery(said.values("name")[:1])).order_by("pk")


def _certificates(user: User) -> QuerySet[Any]:
    rows = certificates_for(user).order_by("pk")
    return rows.select_related("application__resident", "application__village__parent", "issued_by")


def _rows_of(step: Step) -> Callable[[User], QuerySet[Any]]:
    def rows(user: User) -> QuerySet[Any]:
        waiting = step.waiting(user, clock.today())
        return waiting.select_related(*SHOWN[waiting.model]).order_by(step.since, "pk")

    return rows


@only(*EVERYBODY)
def export(request: DeskRequest, what: str, kind: str) -> HttpResponseBase:
    """Serve a list as XLSX or CSV."""
    wanted = exports().get(what)
    if wanted is None or kind not in ("xlsx", "csv"):
        raise Http404
    if request.user.role not in wanted.roles:
        raise PermissionDenied
    rows = wanted.rows(request.user)
    record(f"export.{kind}", [request.user], by=request.user, at=clock.now(), detail={"list": what})
    write = table_as_xlsx if kind == "xlsx" else as_csv
    return write(what, heads_of(rows), lines_of(rows))
