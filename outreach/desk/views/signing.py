"""The one signature at the end, the certificates it makes, and their way into people's hands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import FileResponse, Http404, HttpResponse
from django.utils.translation import ngettext

from certificates import actions as certifying
from certificates import batches
from certificates.models import Certificate
from outreach import clock
from outreach.actions.audit import record
from outreach.desk.access import EVERYBODY, DeskRequest, found, only
from outreach.desk.stepping import work_on
from outreach.desk.steps import HAND_OVER, SIGN, certificates_for
from outreach.desk.views.certificates import signed
from outreach.desk.views.notices import with_evaluations
from outreach.domain.vocabulary import Role
from outreach.models import Application


@only(Role.APPROVER, Role.AUDITOR)
def sign(request: DeskRequest) -> HttpResponse:
    """List reviewed cases; on POST approve the chosen and make their signed certificates."""

    def take(cases: list[Application]) -> HttpResponse:
        # A case whose papers broke off is approved already, and goes on from there.
        made = batches.sign(cases, by=request.user, at=clock.now())
        return signed(request, made, SIGN.url)

    return work_on(request, SIGN, "desk/sign.html", take, more=with_evaluations)


def with_certificates(cases: list[Application]) -> Callable[[Application], dict[str, Any]]:
    """Add to each case its newest certificate."""
    rows = Certificate.objects.filter(application__in=[case.pk for case in cases])
    newest = {row.application_id: row for row in rows.order_by("pk")}
    return lambda case: {"certificate": newest.get(case.pk)}


@only(Role.LIAISON, Role.ADMINISTRATOR, Role.AUDITOR)
def hand_over(request: DeskRequest) -> HttpResponse:
    """List issued certificates; on POST confirm that the chosen reached their owners."""

    def take(cases: list[Application]) -> str:
        more, shown = with_certificates(cases), request.POST.getlist("papers")
        papers = []
        for case in cases:
            paper = more(case)["certificate"]
            if paper is not None:
                paper.application = case
                papers.append(paper)
                if shown and str(paper.pk) not in shown:  # made since, in place of the one shown
                    raise certifying.has_moved_on(paper)
        certifying.hand_over(papers, by=request.user, at=clock.now())
        text = ngettext(
            "%(count)d certificate handed over.", "%(count)d certificates handed over.", len(papers)
        )
        return text % {"count": len(papers)}

    return work_on(request, HAND_OVER, "desk/hand_over.html", take, more=with_certificates)


@only(*EVERYBODY)
def paper(request: DeskRequest, certificate: UUID) -> FileResponse:
    """Serve the signed PDF to those in scope, and note who looked."""
    held = found(certificates_for(request.user).select_related("application"), pk=certificate)
    name = f"{held.application.number}.pdf"
    try:
        opened = certifying.open_file(held)
    except FileNotFoundError as error:
        raise Http404 from error
    record("certificate.view", [held], by=request.user, at=clock.now())
    return FileResponse(opened, content_type="application/pdf", filename=name)
