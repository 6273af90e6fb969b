"""Public notices: posted, objected to, decided, taken down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from outreach import clock
from outreach.actions import publicity as actions
from outreach.actions.evaluations import current_evaluation
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, check_form, check_takes, done
from outreach.desk.forms import DecisionForm, ObjectionForm
from outreach.desk.listing import of_a_case
from outreach.desk.stepping import cases_of, page_of, work_on
from outreach.desk.steps import (
    APPEALS,
    END_NOTICES,
    NOTICES,
    OBJECTIONS,
    POST_NOTICES,
    notices_running,
)
from outreach.domain.vocabulary import Role
from outreach.models import Appeal, Application, Evaluation, Notice, Objection, SecondOpinion
from outreach.rules import Refused, scope

FIELD = (Role.LIAISON, Role.ADMINISTRATOR)


def with_evaluations(cases: list[Application]) -> Callable[[Application], dict[str, Any]]:
    """Add to each case its newest evaluation and whether that may go on."""
    newest = current_evaluation([case.pk for case in cases])
    ids = [evaluation.pk for evaluation in newest.values()]
    waiting = set(
        Evaluation.objects.filter(pk__in=ids).awaiting_media().values_list("pk", flat=True)
    )
    wanted = (1, 2) if settings.OUTREACH_SECOND_OPINION else ()
    rows = SecondOpinion.objects.filter(evaluation__in=ids).select_related("assessor")
    opinions = {opinion.evaluation_id: opinion for opinion in rows}

    def more(case: Application) -> dict[str, Any]:
        evaluation = newest.get(case.pk)
        if evaluation is None:
            return {}
        opinion = opinions.get(evaluation.pk)
        return {
            "evaluation": evaluation,
            "awaits_media": evaluation.pk in waiting,
            "opinion": opinion,
            "awaits_opinion": evaluation.grade in wanted and opinion is None,
        }

    return more


@only(Role.ADMINISTRATOR, Role.AUDITOR)
def post(request: DeskRequest) -> HttpResponse:
    """List evaluated cases; on POST hang the chosen notices out."""

    def take(cases: list[Application]) -> str:
        posted = actions.post_notices(cases, by=request.user, at=clock.now())
        skipped = len(cases) - len(posted)
        text = ngettext("%(count)d notice posted.", "%(count)d notices posted.", len(posted))
        said = text % {"count": len(posted)}
        if skipped:
            text = ngettext(
                "%(count)d minor is not publicised.",
                "%(count)d minors are not publicised.",
                skipped,
            )
            said = f"{said} {text % {'count': skipped}}"
        return said

    return work_on(request, POST_NOTICES, "desk/post_notices.html", take, more=with_evaluations)


def with_notices(cases: list[Application]) -> Callable[[Application], dict[str, Any]]:
    """Add to each case the notice that hangs."""
    rows = Notice.objects.filter(application__in=[case.pk for case in cases], taken_down_on=None)
    hanging = {notice.application_id: notice for notice in rows}
    return lambda case: {"notice": hanging.get(case.pk)}


@only(Role.ADMINISTRATOR, Role.AUDITOR)
def end(request: DeskRequest) -> HttpResponse:
    """List notices that are over; on POST take the chosen down."""

    def take(cases: list[Application]) -> str:
        actions.end_notices(cases, by=request.user, at=clock.now())
        count = len(cases)
        text = ngettext("%(count)d notice taken down.", "%(count)d notices taken down.", count)
        return text % {"count": count}

    return work_on(
        request,
        END_NOTICES,
        "desk/end_notices.html",
        take,
        more=with_notices,
        extra=_running(request),
    )


def _running(request: DeskRequest) -> Callable[[], dict[str, Any]]:
    return lambda: {"running": notices_running(request.user, clock.today()).count()}


@only(Role.ADMINISTRATOR, Role.AUDITOR, Role.LIAISON)
def running(request: DeskRequest) -> HttpResponse:
    """List the notices that hang in the villages, with their last day."""
    return render(request, "desk/notices.html", page_of(request, NOTICES, more=with_notices))


@only(Role.ADMINISTRATOR, Role.AUDITOR, Role.LIAISON)
def poster(request: DeskRequest, notice: UUID) -> HttpResponse:
    """Show a notice as it hangs in the village, to be printed; taken down, it is gone.

    It names what the public must know to object and nothing else: no ID number, telephone,
    address, diagnosis or photo.
    """
    rows = Notice.objects.filter(scope(request.user, prefix="application__"), taken_down_on=None)
    held = found(
        rows.select_related(
            "application__resident",
            "application__village__parent",
            "evaluation__assessor__assessor__institution",
            "evaluation__institution",
        ),
        pk=notice,
    )
    return render(
        request,
        "desk/poster.html",
        {"notice": held, "telephone": settings.OUTREACH_ISSUER_TELEPHONE},
    )


@only(*FIELD)
def record_objection(request: DeskRequest, case: UUID) -> HttpResponse:
    """Record an objection against a running notice; the case waits until it is decided."""
    application = found(cases_of(request.user), pk=case)
    # The newest: one that was taken down while this was being written says that it is over.
    notice = application.notices.select_related("application").order_by("pk").last()
    if notice is None or (notice.taken_down_on and request.method != "POST"):
        raise Http404
    form = ObjectionForm(request.POST or None)

    def act() -> HttpResponse:
        check_form(form)
        actions.object_to(notice, by=request.user, at=clock.now(), **form.cleaned_data)
        return done(request, _("The objection is recorded."), "desk:case", application.pk)

    context = {
        "application": application,
        "form": form,
        "title": _("Record an objection"),
        "lead": _("The case waits until the office has heard both sides and decided."),
        "button": _("Record the objection"),
    }
    return answer(request, act, "desk/case_form.html", lambda: context)


@only(Role.ADMINISTRATOR, Role.AUDITOR)
def objections(request: DeskRequest) -> HttpResponse:
    """List the objections that wait for a decision."""
    context = page_of(
        request,
        OBJECTIONS,
        since=lambda objection: objection.recorded_at,
        search_in=of_a_case("notice__application__"),
    )
    return render(request, "desk/objections.html", context)


@only(Role.ADMINISTRATOR, Role.AUDITOR)
def appeals(request: DeskRequest) -> HttpResponse:
    """List the appeals that the city federation has not decided, with when each came in."""

    def more(cases: list[Application]) -> Callable[[Application], dict[str, Any]]:
        rows = Appeal.objects.filter(application__in=cases, decided_at=None)
        made = {row.application_id: row for row in rows.select_related("recorded_by")}
        return lambda case: {"appeal": made.get(case.pk)}

    return render(request, "desk/appeals.html", page_of(request, APPEALS, more=more))


@only(Role.ADMINISTRATOR, Role.AUDITOR)
def decide(request: DeskRequest, objection: UUID) -> HttpResponse:
    """Show one objection; on POST decide it with a reason."""
    rows = Objection.objects.filter(scope(request.user, prefix="notice__application__"))
    held = found(rows.select_related("notice__application__resident", "recorded_by"), pk=objection)
    form = DecisionForm(request.POST or None)

    def act() -> HttpResponse:
        check_takes(request.user, OBJECTIONS.roles)
        if not form.is_valid():
            raise Refused("reason-missing", _("Write the reason of the decision."))
        actions.decide_objection(held, by=request.user, at=clock.now(), **form.cleaned_data)
        return done(request, _("The objection is decided."), "desk:objections")

    context = {
        "application": held.notice.application,
        "objection": held,
        "others": held.notice.objections.filter(decided_at=None).exclude(pk=held.pk).count(),
        "form": form,
        "title": _("Decide the objection"),
        "button": _("Decide"),
    }
    return answer(request, act, "desk/decide.html", lambda: context)
