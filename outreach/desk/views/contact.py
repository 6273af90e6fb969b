"""How a family is reached, corrected at the desk without overwriting anybody unseen."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _

from outreach import clock
from outreach.actions.contacts import Contact, ContactChanged, Correction, correct_contacts
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, check_form, done
from outreach.desk.forms import ContactForm
from outreach.desk.stepping import cases_of
from outreach.desk.views.links import LINK_OVER, has_link
from outreach.domain.vocabulary import Role
from outreach.models import Application


@only(Role.LIAISON, Role.ADMINISTRATOR)
def contact(request: DeskRequest, case: UUID) -> HttpResponse:
    """Correct telephone and address; where somebody else did meanwhile, show both and ask again."""
    application = found(cases_of(request.user), pk=case)
    form = ContactForm(request.POST or None, initial=_stands(application))

    def act() -> HttpResponse:
        check_form(form)
        said, had_link = form.cleaned_data, has_link(application)
        correction = Correction(
            application,
            Contact(said["telephone"], said["address"]),
            Contact(said["seen_telephone"], said["seen_address"]),
        )
        try:
            correct_contacts([correction], by=request.user, at=clock.now())
        except ContactChanged:
            # Whoever saves once more has seen what stands now.
            form.data = {**request.POST.dict(), **_seen(application)}
            raise
        text = _("Telephone and address are corrected.")
        if had_link and not has_link(application):
            text = f"{text} {LINK_OVER}"
        return done(request, text, "desk:case", case)

    context = {"application": application, "form": form}
    return answer(request, act, "desk/contact.html", lambda: context)


def _stands(application: Application) -> dict[str, str]:
    resident = application.resident
    held = {"telephone": resident.telephone, "address": resident.address}
    return {**held, **_seen(application)}


def _seen(application: Application) -> dict[str, str]:
    resident = application.resident
    resident.refresh_from_db(fields=["telephone", "address"])
    return {"seen_telephone": resident.telephone, "seen_address": resident.address}
