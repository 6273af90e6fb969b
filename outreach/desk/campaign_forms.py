"""The forms of campaigns: days, teams, hours, what came in between, and how a plan is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from outreach.actions.campaigns import CampaignTerms, Crew, Happening, Hours
from outreach.desk.forms import PlaceField, SeenForm, with_qualification
from outreach.domain.daytime import minutes_of, time_at
from outreach.domain.vocabulary import Level
from outreach.models import Application, Assessor, Campaign, Division, Shift, Team, User
from outreach.models.planning import HindranceKind

if TYPE_CHECKING:
    _Members = forms.ModelMultipleChoiceField[Assessor]
    _Cases = forms.ModelChoiceField[Application]
    _Doctors = forms.ModelChoiceField[User]
    _Teams = forms.ModelChoiceField[Team]
else:
    _Members = forms.ModelMultipleChoiceField
    _Cases = _Doctors = _Teams = forms.ModelChoiceField


def _day(label: Any, **more: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=widget, **more)


def _moment(label: Any, **more: Any) -> forms.TimeField:
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    return forms.TimeField(label=label, widget=widget, **more)


class CampaignForm(forms.Form):
    """A campaign's days and customs."""

    name = forms.CharField(label=_("Name of the campaign"), max_length=60)
    first_on = _day(_("First day"))
    last_on = _day(_("Last day"))
    minutes = forms.IntegerField(
        label=_("Minutes for one home"), min_value=10, max_value=240, initial=40
    )
    lunch_at = _moment(_("Lunch not before"), initial=time(11, 30))
    lunch_minutes = forms.IntegerField(
        label=_("Minutes of lunch"), min_value=0, max_value=180, initial=60
    )
    promise_days = forms.IntegerField(
        label=_("Promised working days"),
        help_text=_("From the acceptance to the visit; a later visit counts as late."),
        min_value=1,
        max_value=250,
        initial=30,
    )
    overtime_minutes = forms.IntegerField(
        label=_("Overtime allowed a day, minutes"), min_value=0, max_value=240, initial=0
    )
    overtime_yuan = forms.IntegerField(
        label=_("An hour of overtime costs, yuan"), min_value=0, max_value=10_000, initial=60
    )

    @classmethod
    def showing(cls, campaign: Campaign) -> dict[str, Any]:
        """Return what the form shows of a campaign."""
        return {
            "name": campaign.name,
            "first_on": campaign.first_on,
            "last_on": campaign.last_on,
            "minutes": campaign.minutes,
            "lunch_at": time_at(campaign.lunch_at),
            "lunch_minutes": campaign.lunch_minutes,
            "promise_days": campaign.promise_days,
            "overtime_minutes": campaign.overtime_minutes,
            "overtime_yuan": campaign.overtime_fen_per_hour // 100,
        }

    def terms(self) -> CampaignTerms:
        """Return what was typed as the action wants it."""
        said = dict(self.cleaned_data)
        yuan = said.pop("overtime_yuan")
        said["lunch_at"] = minutes_of(said["lunch_at"])
        return CampaignTerms(**said, overtime_fen_per_hour=yuan * 100)


class ChangingCampaignForm(CampaignForm, SeenForm):
    """Other days and customs of a campaign."""

    each_for_itself = True

    def terms(self) -> CampaignTerms:
        """Return what was typed, without what was seen."""
        del self.cleaned_data["seen"]
        return super().terms()


class MembersField(_Members):
    """Choose the assessors of a team."""

    def label_from_instance(self, obj: Assessor) -> str:
        """Name the assessor, the hospital and the categories."""
        return with_qualification(obj)


class TeamForm(forms.Form):
    """A team: who, from where, in what."""

    name = forms.CharField(label=_("Name of the team"), max_length=20)
    members = MembersField(
        label=_("Assessors"),
        queryset=Assessor.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Together they must be qualified for what they visit."),
    )
    base = PlaceField(
        label=_("Starts and ends at"),
        queryset=Division.objects.none(),
        help_text=_("Where the vehicle stands in the morning and returns to."),
    )
    vehicle = forms.CharField(label=_("Vehicle"), max_length=40, required=False)
    start = _moment(_("Leaves at"), initial=time(8, 30))
    end = _moment(_("Back by"), initial=time(17, 30))

    def __init__(self, *args: Any, campaign: Campaign, on: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = campaign.division.code
        members, base = self.fields["members"], self.fields["base"]
        assert isinstance(members, forms.ModelMultipleChoiceField)
        assert isinstance(base, forms.ModelChoiceField)
        rows = Assessor.objects.serving().filter(user__division__code__startswith=code[:6])
        serving = rows.select_related("user", "institution")
        members.queryset = serving.order_by("user__full_name", "pk")
        places = Division.objects.valid(on).filter(code__startswith=code[:6])
        located = places.filter(latitude__isnull=False).exclude(level=Level.VILLAGE)
        base.queryset = located.order_by("level", "code")

    @classmethod
    def showing(cls, team: Team) -> dict[str, Any]:
        """Return what the form shows of a team."""
        near = Division.objects.filter(
            name=team.base_name, latitude=team.latitude, longitude=team.longitude
        )
        return {
            "name": team.name,
            "members": list(team.members.values_list("user", flat=True)),
            "base": near.first(),
            "vehicle": team.vehicle,
        }

    def clean(self) -> dict[str, Any]:
        """Refuse a day that ends before it begins."""
        said = super().clean() or self.cleaned_data
        start, end = said.get("start"), said.get("end")
        if start and end and end <= start:
            self.add_error("end", _("A day must end after it begins."))
        return said

    def crew(self) -> Crew:
        """Return what was typed as the action wants it."""
        said = self.cleaned_data
        base: Division = said["base"]
        assert base.latitude is not None
        assert base.longitude is not None
        hours = {
            name: minutes_of(said[name]) for name in ("start", "end") if said.get(name) is not None
        }
        return Crew(
            said["name"],
            list(said["members"]),
            base.name,
            base.latitude,
            base.longitude,
            said["vehicle"],
            **hours,
        )


class ChangingTeamForm(TeamForm, SeenForm):
    """Another crew of a team, or another place to start from; its days have a form of their own."""

    each_for_itself = True
    start = end = None  # type: ignore[assignment]


class HoursForm(SeenForm):
    """Which days a team works, and when: one row a day."""

    def __init__(self, *args: Any, days: Sequence[date], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.days = list(days)
        for day in days:
            works = f"{day:%Y-%m-%d} {_('Works on')}"
            self.fields[f"on-{day}"] = forms.BooleanField(label=works, required=False)
            for name, label in (("start", _("Leaves at")), ("end", _("Back by"))):
                said = f"{day:%Y-%m-%d} {label}"
                self.fields[f"{name}-{day}"] = _moment(said, required=False)

    def lacks(self, name: str) -> bool:
        """Tell whether the day came after the page, as where the campaign was made longer."""
        _what, _dash, day = name.partition("-")
        return f"start-{day}" not in self.data

    @staticmethod
    def showing(days: Sequence[date], shifts: Iterable[Shift]) -> dict[str, Any]:
        """Return what the form shows of a team's days."""
        found: dict[str, Any] = {}
        held = {shift.on: shift for shift in shifts}
        for day in days:
            shift = held.get(day)
            found[f"on-{day}"] = shift is not None
            found[f"start-{day}"] = time_at(shift.start) if shift else time(8, 30)
            found[f"end-{day}"] = time_at(shift.end) if shift else time(17, 30)
        return found

    def rows(self) -> list[tuple[date, Any, Any, Any]]:
        """Return the fields day by day."""
        return [
            (day, self[f"on-{day}"], self[f"start-{day}"], self[f"end-{day}"]) for day in self.days
        ]

    def clean(self) -> dict[str, Any]:
        """Refuse a working day without hours, or one that ends before it begins."""
        said = super().clean() or self.cleaned_data
        for day in self.days:
            if not said.get(f"on-{day}") or {f"start-{day}", f"end-{day}"} & self.errors.keys():
                continue
            start, end = said.get(f"start-{day}"), said.get(f"end-{day}")
            if not start or not end or end <= start:
                self.add_error(f"end-{day}", _("A day must end after it begins."))
        return said

    def hours(self) -> list[Hours]:
        """Return the working days as the action wants them."""
        said = self.cleaned_data
        return [
            Hours(day, minutes_of(said[f"start-{day}"]), minutes_of(said[f"end-{day}"]))
            for day in self.days
            if said[f"on-{day}"]
        ]


EFFORTS = ((20, _("20 seconds: a first look")), (60, _("1 minute")), (180, _("3 minutes: good")))


class AskForm(forms.Form):
    """How long to plan."""

    seconds = forms.TypedChoiceField(
        label=_("How long may it take?"), choices=EFFORTS, coerce=int, initial=60
    )
    label = forms.CharField(label=_("A name for this plan"), max_length=60, required=False)


class WhatIfForm(AskForm):
    """What would be different: longer days, fewer teams, more time for each promise."""

    overtime_minutes = forms.IntegerField(
        label=_("Overtime allowed a day, minutes"), min_value=0, max_value=240, required=False
    )
    minutes = forms.IntegerField(
        label=_("Minutes for one home"), min_value=10, max_value=240, required=False
    )
    last_on = _day(_("Last day"), required=False)
    without = forms.MultipleChoiceField(
        label=_("Without these teams"), widget=forms.CheckboxSelectMultiple, required=False
    )

    def __init__(self, *args: Any, campaign: Campaign, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.campaign = campaign
        without = self.fields["without"]
        assert isinstance(without, forms.MultipleChoiceField)
        without.choices = [(str(team.pk), team.name) for team in campaign.teams.all()]

    def clean_last_on(self) -> date | None:
        """Refuse a day outside the campaign: there are no shifts to work on it."""
        day: date | None = self.cleaned_data["last_on"]
        if day and not self.campaign.first_on <= day <= self.campaign.last_on:
            raise forms.ValidationError(_("This day is not in the campaign."), "outside")
        return day

    def wishes(self) -> dict[str, Any]:
        """Return what differs from the campaign; nothing when nothing was changed."""
        said, campaign = self.cleaned_data, self.campaign
        usual = {
            "overtime_minutes": campaign.overtime_minutes,
            "minutes": campaign.minutes,
            "last_on": campaign.last_on.isoformat(),
        }
        wanted = {
            "overtime_minutes": said["overtime_minutes"],
            "minutes": said["minutes"],
            "last_on": said["last_on"].isoformat() if said["last_on"] else None,
            "without": said["without"] or None,
        }
        return {
            name: value
            for name, value in wanted.items()
            if value is not None and value != usual.get(name)
        }


class _CaseField(_Cases):
    def label_from_instance(self, obj: Application) -> str:
        return f"{obj.resident.name} · {obj.village.name} · {obj.number}"


class _DoctorField(_Doctors):
    def label_from_instance(self, obj: User) -> str:
        return obj.full_name


KINDS = (
    (HindranceKind.DOCTOR_AWAY, _("A doctor cannot come")),
    (HindranceKind.TEAM_AWAY, _("A whole team cannot go")),
    (HindranceKind.ROAD_CUT, _("A road is cut")),
    (HindranceKind.ABSENT, _("A person is not at home")),
)
#: Which field names the subject of each kind.
SUBJECT_OF: dict[str, str] = {
    HindranceKind.DOCTOR_AWAY: "doctor",
    HindranceKind.TEAM_AWAY: "team",
    HindranceKind.ROAD_CUT: "place",
    HindranceKind.ABSENT: "application",
}


#: Kinds of which it counts since when.
AWAY = (HindranceKind.DOCTOR_AWAY, HindranceKind.TEAM_AWAY)


class HindranceForm(forms.Form):
    """What came in between, and on which days; only the field of its kind counts."""

    kind = forms.ChoiceField(label=_("What happened?"), choices=KINDS, widget=forms.RadioSelect)
    doctor = _DoctorField(
        label=_("Which doctor?"),
        queryset=User.objects.none(),
        required=False,
        help_text=_("A team of which fewer are left than must sign does not go out."),
    )
    team = _Teams(label=_("Which team?"), queryset=Team.objects.none(), required=False)
    place = PlaceField(
        label=_("Which township or village?"), queryset=Division.objects.none(), required=False
    )
    application = _CaseField(
        label=_("Which person?"), queryset=Application.objects.none(), required=False
    )
    first_on = _day(_("From"))
    last_on = _day(_("Up to and including"))
    since = _moment(
        _("Since when on the first day?"),
        required=False,
        help_text=_(
            "Only where they had set out: whom they were to visit before that hour counts as"
            " visited. Left empty, nobody went out on that day."
        ),
    )
    note = forms.CharField(label=_("What is known"), max_length=500, required=False)

    def __init__(self, *args: Any, campaign: Campaign, cases: Any, on: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        doctors = User.objects.filter(memberships__campaign=campaign).order_by("full_name", "pk")
        places = Division.objects.valid(on).filter(code__startswith=campaign.division.code)
        below = places.exclude(level=Level.COUNTY).select_related("parent")
        choices = {
            "doctor": doctors,
            "team": campaign.teams.all(),
            "place": below.order_by("code"),
            "application": cases,
        }
        subject = SUBJECT_OF.get(str(self.data.get("kind")))
        for name, rows in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows
            # Of the four that a page holds, the one that is sent with its kind.
            field.required = not self.is_bound or name == subject
            field.error_messages["required"] = _("Choose whom or what it is about.")

    def clean(self) -> dict[str, Any]:
        """Ask for days in their order."""
        said = super().clean() or self.cleaned_data
        first, last = said.get("first_on"), said.get("last_on")
        if first and last and last < first:
            self.add_error("last_on", _("The last day lies before the first."))
        return said

    def happening(self) -> Happening:
        """Return what was typed as the action wants it."""
        said = self.cleaned_data
        kind = HindranceKind(said["kind"])
        subject = {SUBJECT_OF[kind]: said[SUBJECT_OF[kind]]}
        if kind in AWAY and said["since"]:
            subject["since"] = minutes_of(said["since"])
        return Happening(kind, said["first_on"], said["last_on"], note=said["note"], **subject)
