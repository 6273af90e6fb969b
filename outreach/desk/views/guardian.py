"""The guardian of a person, named or changed: the certificate prints who it is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outreach import clock
from outreach.actions.applications import Guarding
from outreach.actions.guardians import guardian_of, name_guardian
from outreach.desk import words
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, check_form, done
from outreach.desk.person_fields import OWN_NUMBER, IdNumberField, NameField, TelephoneField
from outreach.desk.stepping import cases_of
from outreach.desk.views.links import LINK_OVER, has_link
from outreach.desk.words import choices
from outreach.domain.vocabulary import Role
from outreach.models import Application
from outreach.rules import Refused


class GuardianForm(forms.Form):
    """Who the guardian is, and who was named when the page was opened."""

    name = NameField(label=gettext_lazy("Name of the guardian"))
    relation = forms.ChoiceField(
        label=gettext_lazy("Relation"), choices=[("", "—"), *choices(words.RELATIONS)]
    )
    telephone = TelephoneField(label=gettext_lazy("Telephone of the guardian"), required=False)
    id_number = IdNumberField(label=gettext_lazy("ID number of the guardian"), required=False)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, own_number: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.own_number = own_number

    def clean_id_number(self) -> str:
        """Refuse the number of the person."""
        value: str = self.cleaned_data["id_number"]
        if value and value == self.own_number:
            raise forms.ValidationError(OWN_NUMBER, "own")
        return value


@only(Role.LIAISON, Role.ADMINISTRATOR)
def guardian(request: DeskRequest, case: UUID) -> HttpResponse:
    """Name the guardian; where somebody else did meanwhile, show whom and ask again."""
    application = found(cases_of(request.user), pk=case)
    own = application.resident.id_number
    form = GuardianForm(request.POST or None, initial=_named(application), own_number=own)

    def act() -> HttpResponse:
        check_form(form)
        said = dict(form.cleaned_data)
        seen, had_link = said.pop("seen"), has_link(application)
        try:
            name_guardian(application, Guarding(**said), seen=seen, by=request.user, at=clock.now())
        except Refused as refusal:
            if refusal.code == "guardian-changed":  # whoever saves once more has seen who it is
                form.data = {**request.POST.dict(), "seen": _named(application).get("seen", "")}
            raise
        text = _("The guardian is named.")
        if had_link and not has_link(application):
            text = f"{text} {LINK_OVER}"
        return done(request, text, "desk:case", case)

    def page() -> dict[str, Any]:
        return {
            "application": application,
            "form": form,
            "guardian": guardian_of(application.resident),
        }

    return answer(request, act, "desk/guardian.html", page)


def _named(application: Application) -> dict[str, str]:
    present = guardian_of(application.resident)
    if present is None:
        return {}
    held = {name: getattr(present, name) for name in ("name", "relation", "telephone", "id_number")}
    return {**held, "seen": str(present.pk)}
