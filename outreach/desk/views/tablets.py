"""Tablets: who has which, when it last spoke, a code for a new one, a stop for a lost one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import segno
from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from mobile_api.api import MIN_APP
from mobile_api.condition import condition
from mobile_api.devices import CODE_LIFETIME, make_code
from mobile_api.devices import revoke as revoke_device
from mobile_api.disputes import (
    StandsOtherwise,
    correction_of,
    decide,
    disputes_for,
    entry_of,
    reached,
    standing,
)
from mobile_api.models import Decision, Device, Dispute, LedgerEntry
from mobile_api.quarantine import hand_ins_for
from outreach import clock
from outreach.desk import words
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, check_form, check_takes, done, refused
from outreach.desk.forms import CodeForm, DisputeForm, RevokeForm
from outreach.desk.listing import Calendar, first_without, list_rows
from outreach.desk.tags import moment
from outreach.domain.vocabulary import Role
from outreach.models import Application, User
from outreach.rules import Refused, applications_for

OFFICE = (Role.ADMINISTRATOR, Role.AUDITOR)


def _within(user: User, prefix: str) -> Q:
    return Q(**{f"{prefix}division__code__startswith": user.division.code})


def tablets_for(user: User) -> QuerySet[Device]:
    """Return the tablets of the user's area."""
    return Device.objects.filter(_within(user, "user__")).select_related("user__division")


def _page(request: DeskRequest, form: CodeForm) -> dict[str, Any]:
    now, rows = clock.now(), tablets_for(request.user)
    worried = [
        one.pk
        for one in rows.filter(revoked_at=None)
        if not condition(one, now, oldest_app=MIN_APP).is_ready
    ]
    only_worried = request.GET.get("look") == "1"
    shown = rows.filter(pk__in=worried) if only_worried else rows
    return {
        "listing": list_rows(
            request,
            shown.order_by(first_without("revoked_at"), "user__full_name", "pk"),
            Calendar.of(clock.today()),
            search_in=("label", "user__full_name"),
            since=lambda device: device.last_seen_at,
            more=lambda _devices: (
                lambda one: {"condition": condition(one, now, oldest_app=MIN_APP)}
            ),
        ),
        "worried": len(worried),
        "handed_in": hand_ins_for(request.user).filter(decided="").count(),
        "only_worried": only_worried,
        "hidden": {"look": "1"} if only_worried else {},
        "form": form,
        "may_take": request.user.role == Role.ADMINISTRATOR,
    }


@only(*OFFICE)
def tablets(request: DeskRequest) -> HttpResponse:
    """List the tablets, with a form for a new one's code."""
    return render(request, "desk/tablets.html", _page(request, CodeForm(user=request.user)))


@only(Role.ADMINISTRATOR)
@require_POST
def code(request: DeskRequest) -> HttpResponse:
    """Make a one-time code and show it, this once."""
    form = CodeForm(request.POST, user=request.user)
    if not form.is_valid():
        refusal = Refused("malformed-form", _("Choose whose tablet it is."))
        return refused(request, refusal, "desk/tablets.html", _page(request, form))
    holder, at = form.cleaned_data["user"], clock.now()
    made = make_code(holder, by=request.user, at=at)
    context = {
        "code": made,
        "spelled": list(made.replace("-", "")),
        "holder": holder,
        "until": at + CODE_LIFETIME,
        "tablet_address": f"{settings.OUTREACH_PUBLIC_URL}/tablet/",
        "picture": _picture(made),
    }
    return render(request, "desk/code.html", context)


def _picture(code: str) -> SafeString:
    """Return the QR code of a link that opens the tablet app with the code filled in.

    The code stands behind the `#`, so that it reaches no server and no log.
    """
    link = f"{settings.OUTREACH_PUBLIC_URL}/tablet/#/enrol/{code}"
    drawn = segno.make(link, error="m", micro=False)
    return mark_safe(drawn.svg_inline(scale=6, border=4, light="#ffffff"))  # noqa: S308


@only(Role.ADMINISTRATOR)
def revoke(request: DeskRequest, device: UUID) -> HttpResponse:
    """Ask once more and why; on POST stop a tablet, which wipes itself at its next call."""
    held = found(tablets_for(request.user).filter(revoked_at=None), pk=device)
    form = RevokeForm(request.POST or None)

    def act() -> HttpResponse:
        check_form(form)
        why = " · ".join(filter(None, (form.cleaned_data["why"], form.cleaned_data["note"])))
        revoke_device(held, why=why, by=request.user, at=clock.now())
        text = _("The tablet is stopped; it wipes itself at its next call.")
        return done(request, text, "desk:tablets")

    return answer(request, act, "desk/revoke.html", lambda: {"device": held, "form": form})


@only(*OFFICE)
def disputes(request: DeskRequest) -> HttpResponse:
    """List what tablets said that could not be applied, for a person to decide."""
    rows = disputes_for(request.user).filter(decided_at=None)
    listing = list_rows(
        request,
        rows.select_related("replica__device__user").order_by("-raised_at", "-pk"),
        Calendar.of(clock.today()),
        search_in=("replica__device__user__full_name",),
        since=lambda dispute: dispute.raised_at,
        more=_with_entries,
    )
    return render(request, "desk/disputes.html", {"listing": listing})


@only(*OFFICE)
def dispute(request: DeskRequest, dispute: UUID) -> HttpResponse:
    """Show what a tablet recorded and why it waits; on POST accept it or set it aside."""
    rows = disputes_for(request.user).select_related("replica__device__user", "decided_by")
    held = found(rows, pk=dispute)
    entry = entry_of(held)
    initial = {"seen": standing(entry, request.user)}
    form = DisputeForm(request.POST or None, initial=initial)

    def act() -> HttpResponse:
        check_takes(request.user, (Role.ADMINISTRATOR,))
        if not form.is_valid():
            raise Refused("malformed-form", _("Choose what becomes of it and write the reason."))
        said = form.cleaned_data
        decision = Decision(said["decision"])
        given = {"reason": said["reason"], "seen": said["seen"]}
        try:
            decide(held, decision, **given, by=request.user, at=clock.now())
        except StandsOtherwise:
            form.show(standing(entry, request.user))
            raise
        told = {
            Decision.ACCEPTED: _("Accepted: what was recorded is in the register now."),
            Decision.SET_ASIDE: _("Set aside: it is kept, and changes nothing."),
        }
        return done(request, told[decision], "desk:disputes")

    def page() -> dict[str, Any]:
        return {
            "dispute": held,
            "form": form,
            "correction": correction_of(entry),
            **_recorded(entry, request.user),
        }

    return answer(request, act, "desk/dispute.html", page)


#: What the page calls that which accepting would write over.
_STANDING = {
    "record_not_done": "stands_visit",
    "correct_contact": "stands_contact",
    "move_visit": "stands_visit",
    "cancel_visit": "stands_visit",
    "submit_evaluation": "stands_evaluation",
    "nominate": "stands_nominated",
    "known-otherwise": "stands_person",
}


#: What may be said by a code; a reason is also written by hand.
_CODED: dict[str, words.Words] = {"reason": words.NOT_DONE, "next_step": words.NEXT_STEPS}


def _recorded(entry: LedgerEntry, user: User) -> dict[str, Any]:
    """Return what the entry says, with the person it is about."""
    args, case = entry.args, _case_of(entry, user)
    person = args.get("resident")
    name = case.resident.name if case else person.get("name") if isinstance(person, dict) else ""
    shown = [
        (words.RECORDED[key], value)
        for key, value in (*_flat(args), (_stands(entry), standing(entry, user)))
        if key in words.RECORDED and value not in ("", None)
    ]
    return {"entry": entry, "case": case, "name": name, "recorded": shown}


def _stands(entry: LedgerEntry) -> str:
    return _STANDING.get(entry.code) or _STANDING.get(entry.name, "")


def _case_of(entry: LedgerEntry, user: User) -> Application | None:
    """Return the case that the entry names, where it lies in the user's area."""
    rows = applications_for(user).select_related("resident")
    for name, way in (("visit", "visits"), ("application", "pk"), ("certificate", "certificates")):
        named = as_uuid(entry.args.get(name))
        if named and (case := rows.filter(**{way: named}).first()):
            return case
    return None


def _reached(contact: dict[str, Any]) -> str:
    return reached(str(contact.get("telephone") or ""), str(contact.get("address") or ""))


def _flat(args: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in args.items():
        if key == "resident" and isinstance(value, dict):
            yield "nominated", _reached(value)
        elif key == "guardian" and isinstance(value, dict):
            yield (
                key,
                " ".join(str(value[name]) for name in ("name", "telephone") if value.get(name)),
            )
        elif key in ("to", "seen") and isinstance(value, dict) and "telephone" in value:
            yield ("to" if key == "to" else "seen_contact"), _reached(value)
        elif key == "seen" and isinstance(value, dict):
            yield "seen", f"{value.get('on')} {value.get('start')}"
        elif key == "media" and isinstance(value, list):
            yield "media", len(value)
        elif value and key in _CODED and isinstance(value, str):
            yield key, _CODED[key].get(value, value)
        elif key.endswith("_at") and isinstance(value, str):
            yield key, moment(value)
        elif isinstance(value, (str, int)) and not isinstance(value, bool):
            yield key, value


def as_uuid(text: Any) -> UUID | None:
    """Return the id that a record names, or nothing."""
    try:
        return UUID(text)
    except (ValueError, TypeError, AttributeError):
        return None


def _with_entries(disputes: list[Dispute]) -> Any:
    wanted = Q(pk=None)
    for dispute in disputes:
        wanted |= Q(replica=dispute.replica_id, seq=dispute.seq)
    rows = LedgerEntry.objects.filter(wanted).defer("args")
    said = {(row.replica_id, row.seq): row for row in rows}
    return lambda dispute: {"entry": said.get((dispute.replica_id, dispute.seq))}
