"""What stopped, forked and locked tablets handed in: listed, looked into, taken in or set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from mobile_api.federation import CannotOpen, FederationKeys, NoKey
from mobile_api.models import Decision, HandInPart
from mobile_api.quarantine import Contents, decide, hand_ins_for, look_into, verdict_on
from mobile_api.wire import Mutation
from outreach import clock
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, check_takes, done
from outreach.desk.forms import HandInForm
from outreach.desk.listing import Calendar, list_rows
from outreach.desk.views.tablets import OFFICE, as_uuid
from outreach.domain.vocabulary import Role
from outreach.models import User
from outreach.rules import Refused, applications_for, visits_for

#: So many records of a hand-in are named on its page; the rest is counted.
NAMED = 200


def rows_for(user: User) -> QuerySet[Any]:
    """Return the hand-ins of the user's area with whose they are."""
    return hand_ins_for(user).select_related("replica__device__user")


@only(*OFFICE)
def hand_ins(request: DeskRequest) -> HttpResponse:
    """List what was handed in: what waits for a decision first, then the newest."""
    listing = list_rows(
        request,
        rows_for(request.user).order_by("decided", "-received_at", "pk"),
        Calendar.of(clock.today()),
        search_in=("replica__device__label", "replica__device__user__full_name"),
        since=lambda first: first.received_at,
    )
    unknown = HandInPart.objects.filter(replica=None)
    context = {
        "listing": listing,
        "unknown": unknown.values("hand_in", "said_replica").distinct().count(),
    }
    return render(request, "desk/hand_ins.html", context)


@only(*OFFICE)
def hand_in(request: DeskRequest, hand_in: UUID) -> HttpResponse:
    """Show what a hand-in holds; on POST take it in as its tablet would have, or set it aside."""
    first = found(rows_for(request.user), pk=hand_in)
    form = HandInForm(request.POST or None)
    keys = FederationKeys(settings.OUTREACH_KEYS_DIR)

    def act() -> HttpResponse:
        check_takes(request.user, (Role.ADMINISTRATOR,))
        if not form.is_valid():
            raise Refused("malformed-form", _("Choose what becomes of it and write the reason."))
        decision = Decision(form.cleaned_data["decision"])
        reason = form.cleaned_data["reason"]
        try:
            decide(first, decision, reason=reason, keys=keys, by=request.user, at=clock.now())
        except CannotOpen as error:
            raise Refused(
                "cannot-open", _("It is sealed to another key, or was changed.")
            ) from error
        except NoKey as error:
            raise Refused("no-key", _("The key that opens it is not on this server.")) from error
        text = _("Set aside: it is kept, and changes nothing.")
        if decision == Decision.ACCEPTED:
            text = _("Taken in: what came of each record stands below.")
        return done(request, text, "desk:hand_in", first.pk)

    def page() -> dict[str, Any]:
        held = _seen(first, keys, request.user)
        return {"first": first, "form": form, "verdict": verdict_on(first), **held}

    return answer(request, act, "desk/hand_in.html", page)


def _seen(first: HandInPart, keys: FederationKeys, user: User) -> dict[str, Any]:
    try:
        contents = look_into(first, keys)
    except CannotOpen:
        return {"shut": "changed"}
    except NoKey:
        return {"shut": "no_key"}
    return {
        "contents": contents,
        "records": _records(contents, user),
        "more": max(0, len(contents.mutations) - NAMED),
    }


@dataclass(frozen=True)
class Record:
    """One record of a hand-in, whom it is about, and whether the register has it."""

    mutation: Mutation
    name: str
    case: UUID | None
    is_here: bool


def _records(contents: Contents, user: User) -> list[Record]:
    """Return the first records with the people of the area whom they are about: two queries."""
    shown = contents.mutations[:NAMED]
    people = _people(shown, user)
    rows: list[Record] = []
    for one in shown:
        about = _about(one)
        case, name = people[about] if about in people else (None, _new_name(one, user))
        rows.append(Record(one, name, case, one.id in contents.here))
    return rows


def _about(mutation: Mutation) -> UUID | None:
    return as_uuid(mutation.args.get("visit") or mutation.args.get("application"))


def _people(mutations: Sequence[Mutation], user: User) -> dict[UUID, tuple[UUID, str]]:
    ids = {pk for one in mutations if (pk := _about(one))}
    visits = visits_for(user).filter(pk__in=ids).select_related("application__resident")
    cases = applications_for(user).filter(pk__in=ids).select_related("resident")
    by_visit = {one.pk: (one.application_id, one.application.resident.name) for one in visits}
    return by_visit | {one.pk: (one.pk, one.resident.name) for one in cases}


def _new_name(mutation: Mutation, user: User) -> str:
    """Return whom a record nominates in the user's area: its author may have moved here since."""
    if not str(mutation.args.get("village")).startswith(user.division.code):
        return ""
    person = mutation.args.get("resident")
    name = person.get("name") if isinstance(person, dict) else ""
    return name if isinstance(name, str) else ""
