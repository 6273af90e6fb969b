"""Campaigns: their days, teams and shifts, what came in between, promises, calls and feeds."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from outreach.actions.audit import record
from outreach.domain.daytime import is_past, time_at
from outreach.domain.vocabulary import Role
from outreach.files import lines
from outreach.models import (
    Application,
    Assessor,
    Call,
    Campaign,
    Division,
    Hindrance,
    Pin,
    Shift,
    Team,
    TeamMember,
    User,
    Visit,
    working_calendar,
)
from outreach.models.planning import HindranceKind
from outreach.models.visits import VisitQuerySet
from outreach.rules import Refused, administers, applications_for, campaigns_for, not_yours

#: A campaign longer than this is two campaigns.
LONGEST = timedelta(days=190)


@dataclass(frozen=True)
class CampaignTerms:
    """What a person decides about a campaign."""

    name: str
    first_on: date
    last_on: date
    minutes: int = 40
    lunch_at: int = 690
    lunch_minutes: int = 60
    promise_days: int = 30
    overtime_minutes: int = 0
    overtime_fen_per_hour: int = 6000


@dataclass(frozen=True)
class Hours:
    """When a team works on one day, in minutes after midnight."""

    on: date
    start: int = 510
    end: int = 1050


@dataclass(frozen=True)
class Crew:
    """A team as a person describes it."""

    name: str
    members: Sequence[Assessor]
    base_name: str
    latitude: float
    longitude: float
    vehicle: str = ""
    start: int = 510
    end: int = 1050


def check_plans(user: User, campaign: Campaign) -> None:
    """Refuse to plan where the user is no administrator of the campaign's division."""
    if user.role != Role.ADMINISTRATOR or not campaigns_for(user).filter(pk=campaign.pk).exists():
        raise not_yours()


def working_days(first_on: date, last_on: date) -> list[date]:
    """List the working days from the first to the last. Raises `CalendarNotLoaded`."""
    calendar = working_calendar(first_on)
    count = (last_on - first_on).days + 1
    days = (first_on + timedelta(days=number) for number in range(count))
    return [day for day in days if calendar.is_working_day(day)]


def create(terms: CampaignTerms, division: Division, *, by: User, at: datetime) -> Campaign:
    """Open a campaign in a division. Raises `Refused` for days that cannot be worked."""
    if not administers(by, division.code):
        raise not_yours()
    _check_terms(terms)
    with transaction.atomic():
        made = Campaign.objects.create(
            division=division, created_by=by, created_at=at, **vars(terms)
        )
        record("campaign.create", [made], by=by, at=at)
    return made


def _check_terms(terms: CampaignTerms) -> None:
    if terms.last_on < terms.first_on:
        raise Refused("span-reversed", _("The last day lies before the first."))
    if terms.last_on - terms.first_on > LONGEST:
        raise Refused("campaign-too-long", _("A campaign lasts at most six months."))
    if not working_days(terms.first_on, terms.last_on):
        raise Refused("no-working-day", _("There is no working day in these dates."))


def change(campaign: Campaign, terms: CampaignTerms, *, by: User, at: datetime) -> list[Visit]:
    """Change a campaign; plans that were made stay as they are.

    Shifts outside its new days go; on days that it did not have each team works its usual hours.
    Return the visits to come outside the new days: they stand, and no plan looks at them any more.
    """
    check_plans(by, campaign)
    _check_terms(terms)
    with transaction.atomic():
        hold_teams(campaign)
        stood = Campaign.objects.get(pk=campaign.pk)
        known = set(working_days(stood.first_on, stood.last_on))
        new = [day for day in working_days(terms.first_on, terms.last_on) if day not in known]
        people = list(campaign.members.values_list("user", flat=True))
        kept = _coming(stood, people, at).exclude(on__range=(terms.first_on, terms.last_on))
        outside = list(kept)
        for name, value in vars(terms).items():
            setattr(campaign, name, value)
        campaign.save()
        for team in campaign.teams.all():
            _work_on(team, new)
        shifts = Shift.objects.filter(team__campaign=campaign)
        shifts.filter(on__lt=terms.first_on).delete()
        shifts.filter(on__gt=terms.last_on).delete()
        record("campaign.change", [campaign], by=by, at=at)
    return outside


def _work_on(team: Team, days: Iterable[date]) -> None:
    """Let a team work on these days, too, as it mostly does; one that has no day left has none."""
    hours = Counter(team.shifts.values_list("start", "end")).most_common(1)
    shifts = [
        Shift(team=team, on=day, start=start, end=end) for (start, end), _n in hours for day in days
    ]
    Shift.objects.bulk_create(shifts, ignore_conflicts=True)  # its own hours of a day stay


def work_on(days: Sequence[date]) -> None:
    """Let the teams of campaigns work on days that a newer calendar made working days."""
    if not days:
        return
    held = Campaign.objects.filter(first_on__lte=days[-1], last_on__gte=days[0]).order_by("pk")
    for campaign in held.select_for_update(no_key=True):
        for team in campaign.teams.all():
            _work_on(team, [day for day in days if campaign.first_on <= day <= campaign.last_on])


def add_team(campaign: Campaign, crew: Crew, *, by: User, at: datetime) -> Team:
    """Add a team that works on every working day of the campaign."""
    check_plans(by, campaign)
    with transaction.atomic():
        hold_teams(campaign)
        _check_crew(campaign, crew)
        team = Team.objects.create(campaign=campaign, **_described(crew))
        _man(team, crew)
        days = working_days(campaign.first_on, campaign.last_on)
        _set_hours(team, [Hours(day, crew.start, crew.end) for day in days])
        record("team.create", [team], by=by, at=at)
    return team


def change_team(team: Team, crew: Crew, *, by: User, at: datetime) -> list[Visit]:
    """Change a team; its days keep their own hours, which `set_hours` changes.

    Return the visits to come of who left it: they stay theirs, and no plan looks at them any more.
    """
    check_plans(by, team.campaign)
    with transaction.atomic():
        hold_teams(team.campaign)
        _check_crew(team.campaign, crew, team)
        staying = [member.user_id for member in crew.members]
        left = team.members.exclude(user__in=staying).values_list("user", flat=True)
        kept = list(_coming(team.campaign, list(left), at))
        for name, value in _described(crew).items():
            setattr(team, name, value)
        team.save()
        team.members.all().delete()
        _man(team, crew)
        record("team.change", [team], by=by, at=at)
    return kept


def _coming(campaign: Campaign, assessors: Sequence[UUID], at: datetime) -> VisitQuerySet:
    days = (max(campaign.first_on, timezone.localdate(at)), campaign.last_on)
    rows = Visit.objects.open().within(campaign.division)
    return rows.filter(assessor__in=assessors, on__range=days).select_related("assessor")


def hold_teams(campaign: Campaign) -> None:
    """Let nobody else change the campaign's teams and their days before the commit."""
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)


def _described(crew: Crew) -> dict[str, str | float]:
    return {
        "name": crew.name,
        "base_name": crew.base_name,
        "latitude": crew.latitude,
        "longitude": crew.longitude,
        "vehicle": crew.vehicle,
    }


def _check_crew(campaign: Campaign, crew: Crew, team: Team | None = None) -> None:
    same_name = campaign.teams.filter(name=crew.name).first()
    if same_name is not None and same_name != team:
        raise Refused("team-exists", _("Another team has this name; choose another one."))
    if not crew.members:
        raise Refused("team-empty", _("A team needs at least one assessor."))
    taken = TeamMember.objects.filter(
        campaign=campaign, user__in=[member.user_id for member in crew.members]
    ).exclude(team=team)
    if one := taken.select_related("user", "team").first():
        raise Refused(
            "assessor-taken",
            _("%(name)s is in team %(team)s already; take them out there first.")
            % {"name": one.user.full_name, "team": one.team.name},
        )


def _man(team: Team, crew: Crew) -> None:
    TeamMember.objects.bulk_create(
        TeamMember(campaign_id=team.campaign_id, team=team, user_id=member.user_id)
        for member in crew.members
    )


def remove_team(team: Team, *, by: User, at: datetime) -> None:
    """Remove a team that no plan names."""
    check_plans(by, team.campaign)
    with transaction.atomic():
        hold_teams(team.campaign)
        plans = team.campaign.plans
        # One that is being made may name any team of its question as soon as it is ready.
        if plans.filter(stops__team=team).exists() or plans.under_way().exists():
            raise _planned()
        if team.campaign.hindrances.filter(team=team).exists():
            raise _planned()
        _note_end_of_feed(team, at)
        record("team.remove", [team], by=by, at=at)
        team.delete()


def _planned() -> Refused:
    return Refused("team-planned", _("Plans name this team; set all its days to off instead."))


def set_hours(team: Team, hours: Iterable[Hours], *, by: User, at: datetime) -> list[Visit]:
    """Set on which days a team works, and when; days that are not named are off.

    Return the team's visits to come on days that are off: they stand until somebody moves them.
    """
    check_plans(by, team.campaign)
    hours = list(hours)
    days = set(working_days(team.campaign.first_on, team.campaign.last_on))
    for one in hours:
        if one.on not in days:
            raise Refused("no-working-day", _("This is no working day of the campaign."))
        if not 0 <= one.start < one.end <= 24 * 60:
            raise Refused("hours-reversed", _("A day must end after it begins."))
    with transaction.atomic():
        hold_teams(team.campaign)
        _set_hours(team, hours)
        record("team.hours", [team], by=by, at=at)
        crew = list(team.members.values_list("user", flat=True))
        return list(_coming(team.campaign, crew, at).exclude(on__in=[one.on for one in hours]))


def _set_hours(team: Team, hours: Sequence[Hours]) -> None:
    team.shifts.all().delete()
    Shift.objects.bulk_create(
        Shift(team=team, on=one.on, start=one.start, end=one.end) for one in hours
    )


@dataclass(frozen=True)
class Happening:
    """What came in between, as somebody reports it."""

    kind: HindranceKind
    first_on: date
    last_on: date
    application: Application | None = None
    place: Division | None = None
    doctor: User | None = None
    team: Team | None = None
    #: From which minute of the first day on, where they had set out.
    since: int | None = None
    note: str = ""


def hinder(campaign: Campaign, what: Happening, *, by: User, at: datetime) -> Hindrance:
    """Record what came in between; the next plan takes it into account."""
    check_plans(by, campaign)
    if what.last_on < what.first_on:
        raise Refused("span-reversed", _("The last day lies before the first."))
    if what.last_on < campaign.first_on or what.first_on > campaign.last_on:
        raise Refused("outside-campaign", _("These days are not in the campaign."))
    if what.since is not None and not is_past(what.first_on, time_at(what.since), at):
        raise Refused("hour-to-come", _("This hour is still to come; name one that is over."))
    _check_subject(campaign, what, by)
    with transaction.atomic():
        made = Hindrance.objects.create(
            campaign=campaign, recorded_by=by, recorded_at=at, **vars(what)
        )
        record("hindrance.record", [made], by=by, at=at)
    return made


def _check_subject(campaign: Campaign, what: Happening, by: User) -> None:
    """Refuse a happening that does not say to whom, or names somebody of elsewhere."""
    subjects: Mapping[HindranceKind, object | None] = {
        HindranceKind.ABSENT: what.application,
        HindranceKind.ROAD_CUT: what.place,
        HindranceKind.DOCTOR_AWAY: what.doctor,
        HindranceKind.TEAM_AWAY: what.team,
    }
    named = [one for one in subjects.values() if one is not None]
    if subjects[what.kind] is None or len(named) != 1:
        raise Refused("subject-missing", _("Choose whom or what it is about."))
    ours = (
        (what.application and applications_for(by).filter(pk=what.application.pk).exists())
        or (what.place and what.place.code.startswith(campaign.division.code))
        or (what.doctor and campaign.members.filter(user=what.doctor).exists())
        or (what.team and what.team.campaign_id == campaign.pk)
    )
    if not ours:
        raise Refused("out-of-scope", _("This is not part of the campaign."))


def withdraw(hindrance: Hindrance, *, by: User, at: datetime) -> None:
    """Take back what came in between: the road is open again, the doctor is well."""
    check_plans(by, hindrance.campaign)
    with transaction.atomic():
        hindrance.withdrawn_at = at
        hindrance.save(update_fields=["withdrawn_at"])
        record("hindrance.withdraw", [hindrance], by=by, at=at)


def pin(campaign: Campaign, cases: Sequence[Application], *, by: User, at: datetime) -> None:
    """Promise the appointments of these cases: no later plan may move them."""
    check_plans(by, campaign)
    with transaction.atomic():
        Pin.objects.bulk_create(
            [
                Pin(campaign=campaign, application=case, pinned_by=by, pinned_at=at)
                for case in cases
            ],
            ignore_conflicts=True,
        )
        record("visit.pin", cases, by=by, at=at)


def unpin(campaign: Campaign, cases: Sequence[Application], *, by: User, at: datetime) -> None:
    """Let later plans move these appointments again."""
    check_plans(by, campaign)
    with transaction.atomic():
        campaign.pins.filter(application__in=cases).delete()
        record("visit.unpin", cases, by=by, at=at)


def told(calls: Sequence[Call], *, by: User, at: datetime) -> None:
    """Note that these families were told of their appointment."""
    _check_of_area(calls, by)
    with transaction.atomic():
        ids = [call.pk for call in calls]
        Call.objects.filter(pk__in=ids, told_at=None).update(told_by=by, told_at=at)
        record("call.told", calls, by=by, at=at)


def not_told(call: Call, *, by: User, at: datetime) -> None:
    """Take back that a family was told, as where another row was meant: it is to be called again.

    Raises `Refused` where there is newer news of its visit.
    """
    _check_of_area([call], by)
    with transaction.atomic():
        if Call.objects.to_make().filter(pk=call.pk).exists():
            return  # sent once more, as where an answer was lost
        newest = Call.objects.select_for_update().filter(pk=call.pk).ticked()
        if not newest:
            raise Refused("other-news", _("There is other news for this family by now. See it."))
        newest.update(told_by=None, told_at=None)
        record("call.not_told", [call], by=by, at=at)


def _check_of_area(calls: Sequence[Call], by: User) -> None:
    cases = {call.visit.application_id for call in calls}
    if applications_for(by).filter(pk__in=cases).count() != len(cases):
        raise Refused("out-of-scope", _("This case is not in your area; ask the office."))


def open_feed(team: Team, *, seen: str | None = None, by: User, at: datetime) -> str:
    """Make the secret of a team's calendar feed, in place of an earlier one, and return it.

    It is shown this once; the register keeps its SHA-256. Whoever ends an earlier one by a page
    names the one that it showed as `seen`. Raises `Refused` where another one stands by now.
    """
    check_plans(by, team.campaign)
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        _end_feed(team, seen, at)
        team.feed_digest, team.feed_made_at = digest_of(secret), at
        team.save(update_fields=["feed_digest", "feed_made_at"])
        record("team.feed", [team], by=by, at=at)
    return secret


def close_feed(team: Team, *, seen: str | None = None, by: User, at: datetime) -> None:
    """Revoke a team's calendar feed, the one `seen` where it is named: it answers 404 then."""
    check_plans(by, team.campaign)
    with transaction.atomic():
        _end_feed(team, seen, at)
        team.feed_digest, team.feed_made_at = "", None
        team.save(update_fields=["feed_digest", "feed_made_at"])
        record("team.feed_revoked", [team], by=by, at=at)


def mark_of_feed(team: Team) -> str:
    """Return by which mark a page says which address it showed; nothing where there is none."""
    return team.feed_digest[:8]


def _end_feed(team: Team, seen: str | None, at: datetime) -> None:
    rows = Team.objects.select_for_update(no_key=True)
    team.refresh_from_db(fields=["feed_digest", "feed_made_at"], from_queryset=rows)
    if seen is not None and team.feed_digest and mark_of_feed(team) != seen:
        raise Refused(
            "feed-meanwhile",
            _("Somebody made another address meanwhile, which stands; see since when."),
        )
    _note_end_of_feed(team, at)


def _note_end_of_feed(team: Team, at: datetime) -> None:
    """Note an address that ends, beside the database as stopped tablets are."""
    if team.feed_digest:
        said = {"feed": team.feed_digest, "at": at.isoformat()}
        lines.note(settings.OUTREACH_REVOCATIONS, said, "the end of a calendar's address")


def digest_of(secret: str) -> str:
    """Return what the register keeps of a feed's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def team_of_feed(secret: str) -> Team | None:
    """Return the team whose feed has this secret."""
    rows = Team.objects.select_related("campaign")
    return rows.filter(feed_digest=digest_of(secret)).first()
