"""What families were told by short message, and whom it did not reach."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from outreach import clock
from outreach.actions.notifying.delivery import AGAIN
from outreach.actions.notifying.delivery import send_again as put_back
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import done
from outreach.desk.listing import Calendar, list_rows, of_a_case
from outreach.desk.words import NOTIFIED
from outreach.domain.vocabulary import Role
from outreach.models import Notification, User
from outreach.rules import scope


def notifications_for(user: User) -> QuerySet[Notification]:
    """Return the messages about the user's cases."""
    return Notification.objects.filter(scope(user, prefix="application__"))


@only(Role.LIAISON, Role.ADMINISTRATOR, Role.AUDITOR)
def notifications(request: DeskRequest) -> HttpResponse:
    """List the messages, newest first, with their states counted."""
    rows = notifications_for(request.user)
    counts = dict(rows.values_list("state").annotate(count=Count("pk")).order_by("state"))
    state = request.GET.get("state", "")
    chosen = rows.filter(state=state) if state in NOTIFIED else rows
    listing = list_rows(
        request,
        chosen.select_related("application__resident").order_by("-due_at", "-pk"),
        Calendar.of(clock.today()),
        search_in=of_a_case("application__"),
        since=lambda one: one.due_at,
    )
    context = {
        "listing": listing,
        "counts": [(code, counts[code]) for code in NOTIFIED if code in counts],
        "states": NOTIFIED,
        "state": state,
        "again": AGAIN,
        "may_take": request.user.role == Role.ADMINISTRATOR,
    }
    return render(request, "desk/notifications.html", context)


@only(Role.ADMINISTRATOR)
@require_POST
def send_again(request: DeskRequest, notification: UUID) -> HttpResponse:
    """Put a message that went wrong back into the outbox; the list stays as it was looked at."""
    held = found(notifications_for(request.user), pk=notification)
    put_back(held, by=request.user, at=clock.now())
    to = f"{reverse('desk:notifications')}?{request.GET.urlencode()}"
    return done(request, _("The message goes out with the next round."), to)
