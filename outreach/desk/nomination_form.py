"""The form of a nomination: everything that a liaison knows of a person, and who asks."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import date
from functools import cached_property
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from outreach.actions.applications import Guarding, Nomination
from outreach.actions.guardians import guardian_of
from outreach.desk import words
from outreach.desk.person_fields import OWN_NUMBER, IdNumberField, NameField, TelephoneField
from outreach.desk.words import choices
from outreach.domain.identity import IdNumber, age_on, parse_id_number
from outreach.domain.vocabulary import Category, Paper
from outreach.models import Application, Division, Resident, User
from outreach.models.sealed import blind_index
from outreach.rules import (
    ADULT,
    NOT_BORN,
    Refused,
    needs_guardian,
    open_already,
    papers_required,
)

CONSENT_BY = [("resident", _("The person")), ("guardian", _("The guardian"))]
WEEKEND = ("5-", "6-")
#: What stands in the register of a person, and gives way to what is typed.
_KNOWN = ("name", "ethnicity", "telephone", "address")
HALF_DAYS = {"am": ("08:00", "12:00"), "pm": ("13:00", "18:00")}
TIMES = [
    (f"{day}-{half}", format_lazy(_("{day}, {half}"), day=name, half=word))
    for day, name in enumerate(words.WEEKDAYS)
    for half, word in (("am", _("morning")), ("pm", _("afternoon")))
]


def check_working_day(times: Sequence[str]) -> None:
    """Refuse times on weekends only: at none of them could a visit be booked."""
    if times and all(text.startswith(WEEKEND) for text in times):
        raise forms.ValidationError(
            _("The doctors come on working days: tick one of these, too, or nothing at all."),
            "weekend",
        )


class NominationForm(forms.Form):
    """Everything a liaison knows of a person; what is wrong or missing is told all at once."""

    name = NameField(label=_("Name"), widget=forms.TextInput(attrs={"autocomplete": "off"}))
    id_number = IdNumberField(
        label=_("ID number"), help_text=_("18 characters, as on the card; the last may be X.")
    )
    village = forms.ChoiceField(label=_("Village or community"))
    address = forms.CharField(
        label=_("Address of the home"), max_length=200, required=False, help_text=_("As filed.")
    )
    telephone = TelephoneField(label=_("Telephone"), required=False)
    ethnicity = forms.CharField(
        label=_("Ethnicity"),
        max_length=20,
        required=False,
        help_text=_("Left empty, it stays as registered; of somebody new it is Han."),
    )
    categories = forms.MultipleChoiceField(
        label=_("Which disability?"),
        choices=choices(words.CATEGORIES, Category.MULTIPLE),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Tick all that apply; the doctor decides."),
    )
    diagnosis = forms.CharField(
        label=_("What is known of the illness"), max_length=500, required=False
    )
    severity_expected = forms.TypedChoiceField(
        label=_("How severe does it seem?"),
        choices=[("", _("Not sure")), *((n, words.GRADES[n]) for n in (1, 2, 3, 4))],
        coerce=int,
        empty_value=None,
        required=False,
    )
    is_bedridden = forms.BooleanField(label=_("Bedridden"), required=False)
    can_sit = forms.BooleanField(label=_("Could sit in a bus"), required=False, initial=True)
    is_poor_household = forms.BooleanField(label=_("Poor household on file"), required=False)
    fee_paid_by_county = forms.BooleanField(
        label=_("The county pays the assessment fee"), required=False
    )
    guardian_name = NameField(label=_("Name of the guardian"), required=False)
    guardian_relation = forms.ChoiceField(
        label=_("Relation"), choices=[("", "—"), *choices(words.RELATIONS)], required=False
    )
    guardian_telephone = TelephoneField(label=_("Telephone of the guardian"), required=False)
    guardian_id_number = IdNumberField(label=_("ID number of the guardian"), required=False)
    times = forms.MultipleChoiceField(
        label=_("When is the family at home?"),
        choices=TIMES,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        validators=[check_working_day],
        help_text=_("Tick nothing if any working day will do."),
    )
    papers = forms.MultipleChoiceField(
        label=_("Which papers were shown to you?"),
        choices=choices(words.PAPERS),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    consent_by = forms.ChoiceField(
        label=_("Who asks for the certificate?"),
        choices=[("", _("Nobody asked yet")), *CONSENT_BY],
        required=False,
        help_text=_("Nobody may be forced: without this it stays a nomination."),
    )
    consent_name = NameField(label=_("Name of who asks"), required=False)
    urgency = forms.ChoiceField(
        label=_("Can it not wait?"),
        choices=[("", _("It can wait its turn")), *choices(words.URGENCIES)],
        required=False,
        help_text=_("Urgent cases get the fast lane: each step of the office within 24 hours."),
    )
    urgent_why = forms.CharField(label=_("Why it cannot wait"), max_length=300, required=False)
    latitude = forms.FloatField(
        label=_("Latitude (WGS-84)"), min_value=-90, max_value=90, required=False
    )
    longitude = forms.FloatField(
        label=_("Longitude (WGS-84)"), min_value=-180, max_value=180, required=False
    )

    def __init__(
        self,
        *args: Any,
        user: User,
        today: date,
        photographed: Collection[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.photographed = set(photographed)
        self.user = user
        rows = Division.objects.villages().valid(today).within(user.division)
        self.villages = {row.code: row for row in rows.select_related("parent")}
        field = self.fields["village"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = _by_township(self.villages)

    def clean_id_number(self) -> str:
        """Refuse a person whose other application is still open."""
        value: str = self.cleaned_data["id_number"]
        if parse_id_number(value).birth_on > self.today:
            raise forms.ValidationError(NOT_BORN, "malformed")
        index = blind_index(value, "id_number")
        if Application.objects.open().filter(resident__id_number_index=index).exists():
            refusal = open_already()
            raise forms.ValidationError(str(refusal.message), refusal.code)
        return value

    def clean(self) -> dict[str, Any]:
        """Check what hangs together: guardian, consent, position."""
        cleaned = super().clean() or self.cleaned_data
        if self._is_guarded():
            self._check_guardian(cleaned)
        elif self._said_of_guardian() and not cleaned.get("guardian_name"):
            self.add_error("guardian_name", _("Write the name of the guardian, too."))
        theirs = cleaned.get("guardian_id_number")
        if theirs and theirs == cleaned.get("id_number"):
            self.add_error("guardian_id_number", OWN_NUMBER)
        unnamed = cleaned.get("consent_by") and not cleaned.get("consent_name")
        if unnamed and "consent_name" not in self.errors:
            self.add_error("consent_name", _("Write the name of who asks."))
        if cleaned.get("urgency") and not cleaned.get("urgent_why", "").strip():
            self.add_error("urgent_why", _("Write why it cannot wait."))
        if (cleaned.get("latitude") is None) != (cleaned.get("longitude") is None):
            self.add_error("longitude", _("A position is latitude and longitude, or neither."))
        return cleaned

    def _identity(self) -> IdNumber | None:
        value = self.cleaned_data.get("id_number")
        return parse_id_number(value) if value else None

    def _needed(self) -> list[Paper]:
        return papers_required(self.cleaned_data.get("categories", ()), self._age())

    def _is_guarded(self) -> bool:
        return needs_guardian(self.cleaned_data.get("categories", ()), self._age())

    def _age(self) -> int:
        identity = self._identity()
        return age_on(identity.birth_on, self.today) if identity else ADULT

    def _check_guardian(self, cleaned: dict[str, Any]) -> None:
        needed = _("Minors and persons with an intellectual or mental disability need a guardian.")
        for name in ("guardian_name", "guardian_relation"):
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, needed)
        if cleaned.get("consent_by") == "resident":
            self.add_error("consent_by", _("Here the guardian must ask, not the person alone."))

    def _said_of_guardian(self) -> bool:
        names = ("guardian_relation", "guardian_telephone", "guardian_id_number")
        return any(self.cleaned_data.get(name) for name in names)

    def wrong(self) -> list[tuple[Any, str]]:
        """List what keeps the nomination from being saved: field and sentence."""
        return [(field, str(error)) for field in self for error in field.errors]

    def missing(self) -> list[str | Promise]:
        """List what can follow later but must be there before the office accepts."""
        held = {*self.cleaned_data.get("papers", ()), *self.photographed}
        papers: list[str | Promise] = [
            words.PAPERS[paper] for paper in self._needed() if paper not in held
        ]
        if not self.cleaned_data.get("consent_by"):
            papers.append(_("The consent of the person or the guardian"))
        return papers

    def namesakes(self) -> list[Resident]:
        """List who is called the same in the same village: perhaps it is the same person."""
        name, village = self.cleaned_data.get("name"), self.cleaned_data.get("village")
        if not name or not village:
            return []
        rows = Resident.objects.filter(name=name, village__code=village)
        if number := self.cleaned_data.get("id_number"):
            rows = rows.exclude(id_number_index=blind_index(number, "id_number"))
        return list(rows.order_by("pk")[:3])

    def known_as(self) -> str:
        """Return under which other name the ID number is known: perhaps it is another person's."""
        return self._gives_way.get("name", "")

    def replaced(self) -> list[str | Promise]:
        """List what else the register knows of the person that would give way to what is typed.

        It is named and not shown: who types a number need not be who may read it.
        """
        return [self.fields[name].label or name for name in self._gives_way if name != "name"]

    def compared(self) -> str:
        """Return the mark of what gives way, by which a form says that its page told; or ""."""
        if not self._gives_way:
            return ""
        said = [self.cleaned_data["id_number"], self._gives_way]
        return blind_index(json.dumps(said), "compared")

    def check_compared(self) -> None:
        """Refuse, once, what takes the place of something that its author was not told of.

        Without our script, or sent before the live list came, a wrong number renames somebody else.
        """
        if self.compared() not in ("", self.data.get("compared")):
            raise Refused(
                "known-otherwise",
                _(
                    "The register knows the person of this ID number otherwise. Compare what is"
                    " said above the button with the card; send it once more if yours shall count."
                ),
            )

    @cached_property
    def _gives_way(self) -> dict[str, str]:
        """Return what the register knows of the person that is typed otherwise, by its field."""
        number = self.cleaned_data.get("id_number")
        known = Resident.objects.with_id_number(number).first() if number else None
        if known is None:
            return {}
        held = {name: getattr(known, name) for name in _KNOWN}
        if guardian := guardian_of(known):
            held["guardian_name"] = guardian.name
            if self.cleaned_data.get("guardian_name"):  # without whom the telephone says nothing
                held["guardian_telephone"] = guardian.telephone
        return {
            name: stands
            for name, stands in held.items()
            if stands and self.cleaned_data.get(name) not in ("", None, stands)
        }

    def nomination(self) -> Nomination:
        """Return what was typed as the action takes it."""
        said = self.cleaned_data
        return Nomination(
            name=said["name"],
            id_number=said["id_number"],
            village=self.villages[said["village"]],
            categories=said["categories"],
            telephone=said["telephone"],
            address=said["address"],
            ethnicity=said["ethnicity"],
            diagnosis=said["diagnosis"],
            place=self._place(),
            is_bedridden=said["is_bedridden"],
            can_sit=said["can_sit"],
            is_poor_household=said["is_poor_household"],
            severity_expected=said["severity_expected"],
            possible_times=spans(said["times"]),
            guardian=self._guardian(),
            papers=[*{*said["papers"], *self.photographed}],
            consent=consent(said),
            fee_paid_by_county=said["fee_paid_by_county"],
            urgency=said["urgency"],
            urgent_why=said["urgent_why"].strip() if said["urgency"] else "",
        )

    def _place(self) -> dict[str, float] | None:
        said = self.cleaned_data
        if said["latitude"] is None:
            return None
        return {"lat": said["latitude"], "lon": said["longitude"]}

    def _guardian(self) -> Guarding | None:
        said = self.cleaned_data
        if not said["guardian_name"]:
            return None
        return Guarding(
            name=said["guardian_name"],
            telephone=said["guardian_telephone"],
            relation=said["guardian_relation"],
            id_number=said["guardian_id_number"],
        )


def _by_township(villages: dict[str, Division]) -> list[Any]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for village in villages.values():
        township = village.parent.name if village.parent else ""
        groups.setdefault(township, []).append((village.code, village.name))
    if len(villages) == 1:
        return [choice for group in groups.values() for choice in group]
    return [("", _("Choose a village")), *groups.items()]


def spans(times: list[str]) -> list[dict[str, Any]]:
    """Turn ticked half days into the family's possible times."""
    return [
        {"weekday": int(day), "from": HALF_DAYS[half][0], "to": HALF_DAYS[half][1]}
        for day, half in (text.split("-") for text in times)
    ]


def consent(said: dict[str, Any]) -> dict[str, str] | None:
    """Return who asked, or none."""
    if not said["consent_by"]:
        return None
    return {"by": said["consent_by"], "name": said["consent_name"]}


class ConsentForm(forms.Form):
    """Who asks for the certificate."""

    consent_by = forms.ChoiceField(
        label=_("Who asks for the certificate?"), choices=CONSENT_BY, widget=forms.RadioSelect
    )
    consent_name = NameField(label=_("Name of who asks"))
