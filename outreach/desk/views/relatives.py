"""A relative among the cases: declared by whoever would rate or approve them."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _

from outreach import clock
from outreach.actions.relatives import declare_relative
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, done
from outreach.desk.life import EmptyForm
from outreach.desk.stepping import cases_of
from outreach.domain.vocabulary import Role
from outreach.domain.workflow import ApplicationState


@only(Role.ASSESSOR, Role.APPROVER)
def relative(request: DeskRequest, case: UUID) -> HttpResponse:
    """Ask once more; on POST declare the person of a case a relative."""
    application = found(cases_of(request.user), pk=case)

    def act() -> HttpResponse:
        declare_relative(application, by=request.user, at=clock.now())
        if application.state == ApplicationState.ACCEPTED and application.assessor == request.user:
            said = _(
                "It is noted. The case is still with you: ask the office to give it, and the visit,"
                " to a colleague."
            )
        else:
            said = _("It is noted: a colleague decides about this person.")
        return done(request, said, "desk:cases")

    context = {
        "application": application,
        "form": EmptyForm(),
        "title": _("A relative of mine"),
        "lead": _("You neither rate nor approve this person then. It cannot be taken back."),
        "button": _("Declare it"),
    }
    return answer(request, act, "desk/case_form.html", lambda: context)
