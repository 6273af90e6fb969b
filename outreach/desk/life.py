"""What the desk can do with one certificate: the words, the form and the action of each step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from certificates import life
from certificates.models import Certificate
from certificates.steps import CERTIFICATE, CertificateState, Ground, renewable_from
from outreach.desk.forms import NoteForm
from outreach.desk.words import GROUNDS
from outreach.domain.vocabulary import Role
from outreach.models import User


class EmptyForm(forms.Form):
    """Nothing to write, only to confirm."""


class LossForm(forms.Form):
    """How a paper got lost, and whether another one is wanted."""

    note = forms.CharField(
        label=_("How was it lost?"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    wants_another = forms.BooleanField(
        label=_("The person wants another paper in its place"), required=False, initial=True
    )


class MoveForm(forms.Form):
    """When a household register moved, and where to."""

    moved_on = forms.DateField(
        label=_("The household register moved on"),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    note = forms.CharField(label=_("Where to?"), max_length=200)


class OfficeForm(forms.Form):
    """Who takes a file over."""

    to = forms.CharField(label=_("Office that takes over"), max_length=100)


class CancelForm(NoteForm):
    """Why a certificate ends."""

    ground = forms.ChoiceField(
        label=_("Ground"),
        choices=[(ground.value, GROUNDS[ground]) for ground in Ground if ground != "not_moved"],
        widget=forms.RadioSelect,
    )
    field_order = ("ground", "note")


@dataclass(frozen=True)
class Deed:
    """One step with a certificate: its words, who may ask for it, its form, what it does."""

    name: str
    title: str | Promise
    lead: str | Promise
    button: str | Promise
    done: str | Promise
    form: type[forms.Form]
    take: Callable[..., None]
    is_grave: bool = False

    @property
    def roles(self) -> frozenset[Role]:
        """Who takes the step, by the table."""
        return CERTIFICATE[self.name].roles


Fields = dict[str, Any]


def _take(act: Callable[..., None], *names: str, **renamed: str) -> Callable[..., None]:
    """Return a function that calls an action with the chosen fields of a form."""

    def take(one: Certificate, fields: Fields, by: User, at: datetime) -> None:
        given = {name: fields[name] for name in names}
        given |= {argument: fields[name] for argument, name in renamed.items()}
        act([one], by=by, at=at, **given)

    return take


def _cancel(one: Certificate, fields: Fields, by: User, at: datetime) -> None:
    ground = Ground(fields["ground"])
    life.cancel([one], ground=ground, reason=fields["note"], by=by, at=at)


DEEDS = {
    deed.name: deed
    for deed in (
        Deed(
            "not_handed_over",
            _("It was not handed over"),
            _("Only where another one was meant: it waits to be brought to the person again."),
            _("Take the hand-over back"),
            _("The certificate waits to be handed over again."),
            NoteForm,
            _take(life.take_hand_over_back, reason="note"),
        ),
        Deed(
            "ask_renewal",
            _("Ask for a renewal"),
            _("The approver signs a certificate for ten more years; this one is valid until then."),
            _("Ask for the renewal"),
            _("The renewal is asked for; the approver signs it."),
            EmptyForm,
            _take(life.ask_renewal),
        ),
        Deed(
            "declare_lost",
            _("Declare it lost"),
            _("The paper is void at once, for everybody who checks it."),
            _("Declare it lost"),
            _("The paper is void. The approver signs another one if it is wanted."),
            LossForm,
            _take(life.declare_lost, "note", "wants_another"),
            is_grave=True,
        ),
        Deed(
            "ask_another",
            _("Ask for another paper"),
            _("The approver signs another paper in place of the lost one, marked B1, B2…"),
            _("Ask for another paper"),
            _("Another paper is asked for; the approver signs it."),
            EmptyForm,
            _take(life.ask_another),
        ),
        Deed(
            "find",
            _("It was found"),
            _("The paper is valid again, and no other one is made in its place."),
            _("Make it valid again"),
            _("The paper is valid again."),
            EmptyForm,
            _take(life.find),
        ),
        Deed(
            "note_move",
            _("The household moved away"),
            _("The certificate must follow: frozen after six months, cancelled after a year."),
            _("Note the move"),
            _("The move is noted. Send the file when the new office asks for it."),
            MoveForm,
            _take(life.note_move, "moved_on", "note"),
        ),
        Deed(
            "forget_move",
            _("The household is here"),
            _(
                "Where the move was another one's, or the household is back: it is neither frozen"
                " nor cancelled for it."
            ),
            _("Take the move back"),
            _("The noted move is taken back."),
            NoteForm,
            _take(life.forget_move, reason="note"),
        ),
        Deed(
            "move_out",
            _("Send the file to another office"),
            _("The other office issues its own certificate; this one is no longer valid."),
            _("Confirm that the file was sent"),
            _("The certificate moved to the other office."),
            OfficeForm,
            _take(life.move_out, "to"),
            is_grave=True,
        ),
        Deed(
            "freeze",
            _("Freeze it"),
            _("While it is frozen, everybody who checks it reads so. It can be valid again."),
            _("Freeze it"),
            _("The certificate is frozen."),
            NoteForm,
            _take(life.freeze, reason="note"),
            is_grave=True,
        ),
        Deed(
            "unfreeze",
            _("Make it valid again"),
            _("The certificate is valid again from now on."),
            _("Make it valid again"),
            _("The certificate is valid again."),
            NoteForm,
            _take(life.unfreeze, reason="note"),
        ),
        Deed(
            "cancel",
            _("Cancel it"),
            _("The certificate ends for good. Take the paper back if you can."),
            _("Cancel it for good"),
            _("The certificate is cancelled."),
            CancelForm,
            _cancel,
            is_grave=True,
        ),
        Deed(
            "restore",
            _("Take its end back"),
            _("Only where it was a mistake: it stands as before, and a bar is lifted."),
            _("Take it back"),
            _("Its end is taken back."),
            NoteForm,
            _take(life.restore, reason="note"),
        ),
    )
}


def deeds_for(user: User, certificate: Certificate, on: date, *, asked: bool) -> list[Deed]:
    """List what this person can do with this certificate today."""
    return [
        deed
        for deed in DEEDS.values()
        if user.role in deed.roles
        and certificate.state in CERTIFICATE[deed.name].sources
        and _makes_sense(deed.name, certificate, on, asked=asked)
    ]


def _makes_sense(name: str, certificate: Certificate, on: date, *, asked: bool) -> bool:
    if name == "ask_renewal":
        is_due = renewable_from(certificate.valid_until) <= on
        return is_due and not asked and certificate.application.erased_at is None
    if name == "ask_another":
        return not asked and on < certificate.valid_until
    if name == "not_handed_over":
        return certificate.handed_over_at is not None and certificate.application.erased_at is None
    if name in ("note_move", "forget_move"):
        return (certificate.household_moved_on is None) is (name == "note_move")
    return True


#: What a certificate's state means for its holder, in a sentence.
MEANINGS = {
    CertificateState.VALID: _("Whoever checks it reads: ours, unchanged and valid."),
    CertificateState.FROZEN: _("Whoever checks it reads that it is frozen."),
    CertificateState.LOST: _("The paper is void; whoever checks it reads that it was lost."),
    CertificateState.REPLACED: _("A newer certificate has taken its place."),
    CertificateState.MOVED: _("The file went to another office, which issues its own."),
    CertificateState.CANCELLED: _("It ended for good; whoever checks it reads so."),
}
EXPIRED = _("Its last day is over; whoever checks it reads that it has expired.")
