"""A team's published days as an iCalendar feed (RFC 5545).

Whoever has the address can read it, and calendar programs hand it on: so it names villages and
times, and neither residents nor what they suffer from.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from outreach.models import Team, Visit

#: How often a calendar program should ask again (RFC 7986, 5.7).
REFRESH = timedelta(hours=1)


def calendar(team: Team) -> bytes:
    """Return the visits of the team's members that stand in the register, as a calendar."""
    made = Calendar()
    made.add("prodid", "-//Outreach//Campaign//ZH")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", f"{team.campaign.name} · {team.name}")
    made.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for visit in _visits(team):
        made.add_component(_event(visit))
    return bytes(made.to_ical())


def _visits(team: Team) -> list[Visit]:
    members = team.members.values("user")
    campaign = team.campaign
    rows = Visit.objects.open().filter(
        assessor__in=members, on__gte=campaign.first_on, on__lte=campaign.last_on
    )
    return list(rows.select_related("application__village__parent").order_by("on", "start", "pk"))


def _event(visit: Visit) -> Event:
    village = visit.application.village
    township = village.parent.name if village.parent else ""
    start = timezone.make_aware(datetime.combine(visit.on, visit.start)).astimezone(UTC)
    event = Event()
    event.add("uid", f"{visit.pk}@outreach")
    event.add("dtstamp", timezone.now())
    event.add("sequence", visit.revision)
    event.add("dtstart", start)
    event.add("dtend", start + timedelta(minutes=visit.minutes))
    event.add("summary", _("Home visit, %(village)s") % {"village": village.name})
    event.add("location", f"{township} {village.name}".strip())
    return event
