"""The forms of the desk: they read what was typed and name what is wrong; actions decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.core.validators import MaxValueValidator
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from outreach.actions.evaluations import NOT_MET
from outreach.desk import words
from outreach.desk.person_fields import TelephoneField
from outreach.desk.words import choices
from outreach.domain.vocabulary import Level, Role
from outreach.models import Assessor, Division, User
from outreach.reports import By


class ReturnForm(forms.Form):
    """Everything that is missing or wrong, told at once."""

    missing = forms.MultipleChoiceField(
        label=_("Which papers are missing?"),
        choices=choices(words.PAPERS),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    reasons = forms.MultipleChoiceField(
        label=_("What else is not as it should be?"),
        choices=choices(words.RETURN_REASONS),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    note = forms.CharField(
        label=_("Anything else"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For the liaison; the family reads the ticked points only."),
    )

    def clean(self) -> dict[str, Any]:
        """Ask for one point at least."""
        said = super().clean() or {}
        if not any(said.get(name) for name in ("missing", "reasons", "note")):
            raise forms.ValidationError(_("Say what is missing or wrong, everything at once."))
        return said


class AppointmentForm(forms.Form):
    """A day and a time."""

    on = forms.DateField(
        label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    start = forms.TimeField(
        label=_("Time"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    minutes = forms.IntegerField(label=_("Minutes"), min_value=5, max_value=480, initial=40)


class SeenForm(forms.Form):
    """What stood on the page when it was opened, and what stands now where that is another."""

    #: Whether no field hangs on another: then what two people change apart is both kept.
    each_for_itself = False
    stands: Sequence[tuple[str, str]] = ()
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def lacks(self, name: str) -> bool:  # noqa: ARG002  # a form's fields are mostly always the same
        """Tell whether the page that was sent did not have this field yet."""
        return False

    def put_in(self, said: Mapping[str, list[str]]) -> None:
        """Take over what somebody else changed, in the words that a browser sends."""
        typed = cast(QueryDict, self.data).copy()
        for name, value in said.items():
            typed.setlist(name, value)
        self.data = typed
        self.full_clean()

    def show(self, mark: str, stands: Sequence[tuple[str, str]] = ()) -> None:
        """List what stands now beside what was typed; whoever sends it once more has seen it."""
        typed = cast(QueryDict, self.data).copy()
        typed["seen"] = mark
        self.data, self.stands = typed, stands


class MovingForm(AppointmentForm, SeenForm):
    """Another day and time, and why."""

    reason = forms.CharField(label=_("Reason"), max_length=500, required=False)


class UrgencyForm(SeenForm):
    """Why a case cannot wait its turn."""

    urgency = forms.ChoiceField(
        label=_("What is the matter?"),
        choices=choices(words.URGENCIES),
        widget=forms.RadioSelect,
    )
    why = forms.CharField(
        label=_("Reason"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For example: the subsidy ends on 30 June."),
    )


class ContactForm(forms.Form):
    """How a family is reached, and what stood there when the page was opened."""

    telephone = TelephoneField(label=_("Telephone"), required=False)
    address = forms.CharField(
        label=_("Address of the home"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("So that somebody who has never been there finds the door."),
    )
    seen_telephone = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)
    seen_address = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)


class NoteForm(forms.Form):
    """A written reason."""

    note = forms.CharField(
        label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )


class AppealForm(NoteForm):
    """Why the family appeals, and since when the city has it where it went there first."""

    made_on = forms.DateField(
        label=_("The appeal was made on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("The day on which the city, or the province, received it; left empty, today."),
    )


class CancellingForm(NoteForm, SeenForm):
    """Why a visit is cancelled."""


class ObjectionForm(forms.Form):
    """Somebody's objection against a running notice."""

    from_whom = forms.CharField(label=_("Who objects?"), max_length=100)
    text = forms.CharField(
        label=_("What do they say?"), max_length=2000, widget=forms.Textarea(attrs={"rows": 5})
    )
    made_on = forms.DateField(
        label=_("The objection was made on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("The day on which somebody told the village or the office; left empty, today."),
    )


class DecisionForm(forms.Form):
    """How an objection was decided, and why."""

    upheld = forms.TypedChoiceField(
        label=_("Decision"),
        choices=[
            ("no", _("Dismissed: the notice goes on")),
            ("yes", _("Upheld: the person is assessed again")),
        ],
        coerce=lambda text: text == "yes",
        widget=forms.RadioSelect,
    )
    decision = forms.CharField(
        label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )


class HandInForm(forms.Form):
    """What becomes of a hand-in, and why."""

    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=[
            (
                "accepted",
                _("Take it in: as if the tablet had sent it; what does not fit is disputed"),
            ),
            ("set_aside", _("Set aside: it is kept, but changes nothing")),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )


class DisputeForm(HandInForm, SeenForm):
    """What becomes of a disputed record, and why."""

    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=[
            ("accepted", _("Accept: it is applied as it was recorded")),
            ("set_aside", _("Set aside: it is kept, but changes nothing")),
        ],
        widget=forms.RadioSelect,
    )


class DifferForm(forms.Form):
    """A second opinion that differs."""

    grade = forms.TypedChoiceField(
        label=_("Your grade"),
        choices=[(n, words.GRADES[n or None]) for n in (1, 2, 3, 4, NOT_MET)],
        coerce=int,
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )


if TYPE_CHECKING:
    _AssessorChoice = forms.ModelChoiceField[Assessor]
else:
    _AssessorChoice = forms.ModelChoiceField


def with_qualification(assessor: Assessor) -> str:
    """Name an assessor, the hospital and the categories."""
    qualified = " ".join(str(words.CATEGORIES[code]) for code in assessor.categories)
    return f"{assessor.user.full_name} · {assessor.institution.name} · {qualified}"


class AssessorField(_AssessorChoice):
    """Choose an assessor of the county, with what they are qualified for."""

    def label_from_instance(self, obj: Assessor) -> str:
        """Name the assessor, the hospital and the categories."""
        return with_qualification(obj)


class AssignForm(forms.Form):
    """To whom the chosen cases go."""

    assessor = AssessorField(
        label=_("Assessor"), queryset=Assessor.objects.none(), empty_label=_("Choose an assessor")
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = user.division.code
        rows = Assessor.objects.serving().filter(user__division__code__startswith=code)
        field = self.fields["assessor"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows.select_related("user", "institution").order_by("user__full_name")


if TYPE_CHECKING:
    _HolderChoice = forms.ModelChoiceField[User]
else:
    _HolderChoice = forms.ModelChoiceField


class HolderField(_HolderChoice):
    """Choose who holds a tablet; two people may share a name, so role and place stand beside."""

    def label_from_instance(self, obj: User) -> str:
        """Name the person, the role and the place."""
        return f"{obj.full_name} · {words.ROLES[obj.role]} · {obj.division.name}"


if TYPE_CHECKING:
    _PlaceChoice = forms.ModelChoiceField[Division]
else:
    _PlaceChoice = forms.ModelChoiceField


class PlaceField(_PlaceChoice):
    """Choose a division; a village is named with its township."""

    def label_from_instance(self, obj: Division) -> str:
        """Return township and village."""
        above = obj.parent.name if obj.parent and obj.level == Level.VILLAGE else ""
        return f"{above} {obj.name}".strip()


class CodeForm(forms.Form):
    """For whom a tablet is enrolled."""

    user = HolderField(
        label=_("Whose tablet is it?"),
        queryset=User.objects.none(),
        empty_label=_("Choose a person"),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["user"]
        assert isinstance(field, forms.ModelChoiceField)
        rows = User.objects.filter(
            division__code__startswith=user.division.code,
            role__in=(Role.ASSESSOR, Role.LIAISON),
            is_active=True,
        )
        field.queryset = rows.select_related("division").order_by("role", "full_name")


class RevokeForm(forms.Form):
    """Why a tablet is stopped."""

    why = forms.ChoiceField(
        label=_("Why is it stopped?"),
        choices=list(words.REVOKED.items()),
        widget=forms.RadioSelect,
        initial="lost",
    )
    note = forms.CharField(label=_("Note"), max_length=100, required=False)


#: The demo's clock goes no further: it never goes back, and the calendar of Python ends with 9999.
LAST_MOMENT = datetime(2100, 1, 1, tzinfo=UTC)


class ClockForm(forms.Form):
    """To when the demo's clock is moved on."""

    at = forms.DateTimeField(
        label=_("Move on to"),
        validators=[MaxValueValidator(LAST_MOMENT)],
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


class SpanForm(forms.Form):
    """Which days a report covers, and how its totals are grouped."""

    first = forms.DateField(
        label=_("From"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    last = forms.DateField(
        label=_("Up to"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    by = forms.ChoiceField(
        label=_("Totals by"),
        choices=[
            (By.TOWNSHIP, _("Township")),
            (By.VILLAGE, _("Village")),
            (By.CATEGORY, _("Disability")),
            (By.MONTH, _("Month")),
        ],
    )

    def clean_by(self) -> By:
        """Return what to group by."""
        return By(self.cleaned_data["by"])

    def clean(self) -> dict[str, Any]:
        """Refuse a span that ends before it begins."""
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            self.add_error("last", _("The last day lies before the first."))
        return cleaned
