"""What the outreach cost: the county's administrator records it and takes slips back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from outreach import clock
from outreach.actions import costs as actions
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, check_form, done
from outreach.desk.listing import Calendar, list_rows
from outreach.domain.vocabulary import Role
from outreach.models import OutreachCost


class CostForm(forms.Form):
    """One thing of a team's day; the names that were used before are offered."""

    on = forms.DateField(
        label=gettext_lazy("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    team = forms.CharField(label=gettext_lazy("Team"), max_length=20)
    what = forms.CharField(
        label=gettext_lazy("For what"),
        max_length=60,
        help_text=gettext_lazy("As the car, the doctors' allowance, meals."),
    )
    amount = forms.DecimalField(
        label=gettext_lazy("Yuan"), min_value=0, max_value=1_000_000, decimal_places=2
    )
    source = forms.CharField(
        label=gettext_lazy("Where it comes from"),
        max_length=120,
        help_text=gettext_lazy("As the number of the receipt or of the travel sheet."),
    )

    def __init__(self, *args: Any, recorded: QuerySet[OutreachCost], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].widget.attrs["max"] = clock.today().isoformat()
        teams, things = (_used_before(name, recorded) for name in ("team", "what"))
        self.known = {"team": sorted(teams), "what": sorted(things)}
        if newest := recorded.order_by("-pk").first():  # the rest of a day comes with it
            self.initial = {"on": newest.on, "team": newest.team}
        for name in self.known:
            self.fields[name].widget.attrs["list"] = f"known-{name}"

    @property
    def amount_fen(self) -> int:
        """What was paid, in fen."""
        return int(self.cleaned_data["amount"] * 100)


def _used_before(name: str, recorded: QuerySet[OutreachCost]) -> set[str]:
    return set(recorded.order_by().values_list(name, flat=True).distinct())


def _recorded(request: DeskRequest) -> QuerySet[OutreachCost]:
    """Return the county's costs; a township has none of its own."""
    if not actions.keeps_costs(request.user):
        raise Http404
    rows = OutreachCost.objects.filter(place__in=("", request.user.division.code))
    return rows.order_by("-on", "team", "what", "pk")


def _page(request: DeskRequest, form: CostForm) -> dict[str, Any]:
    listing = list_rows(
        request,
        _recorded(request),
        Calendar.of(clock.today()),
        search_in=("team", "what", "source"),
        since=lambda cost: cost.on,
    )
    return {"form": form, "listing": listing}


@only(Role.ADMINISTRATOR)
def costs(request: DeskRequest) -> HttpResponse:
    """List what was recorded, the newest day first; on POST record one thing more."""
    form = CostForm(request.POST or None, recorded=_recorded(request))

    def act() -> HttpResponse:
        check_form(form)
        said = form.cleaned_data
        actions.record_cost(
            said["on"],
            said["team"],
            said["what"],
            form.amount_fen,
            said["source"],
            by=request.user,
            at=clock.now(),
        )
        return done(request, _("Recorded; the net follows from it."), "desk:costs")

    return answer(request, act, "desk/costs.html", lambda: _page(request, form))


@only(Role.ADMINISTRATOR)
@require_POST
def take_back(request: DeskRequest, cost: UUID) -> HttpResponse:
    """Take one thing back that was recorded by a slip."""
    held = found(_recorded(request), pk=cost)

    def act() -> HttpResponse:
        actions.take_back(held, by=request.user, at=clock.now())
        return done(request, _("Taken back; record it anew if it was another sum."), "desk:costs")

    return answer(
        request,
        act,
        "desk/costs.html",
        lambda: _page(request, CostForm(recorded=_recorded(request))),
    )
