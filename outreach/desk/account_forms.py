"""The forms about accounts: who, with which role, where; a reason; one's own password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib.auth import password_validation
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from outreach import clock
from outreach.actions.accounts import Duty
from outreach.desk import words
from outreach.desk.forms import PlaceField, SeenForm
from outreach.desk.guessing import forget, password_counted
from outreach.desk.person_fields import TelephoneField
from outreach.domain.vocabulary import Category, Role
from outreach.models import AccountRequest, Division, Institution, Outlet, User

if TYPE_CHECKING:
    _OutletChoice = forms.ModelChoiceField[Outlet]
else:
    _OutletChoice = forms.ModelChoiceField


class OutletField(_OutletChoice):
    """A counter, with its area."""

    def label_from_instance(self, obj: Outlet) -> str:
        """Return name and area."""
        return f"{obj.name} · {obj.division.name}"


def _to_choose(held: UUID | None) -> QuerySet[Institution]:
    """Return the institutions in use, and the one that somebody belongs to."""
    return Institution.objects.filter(Q(retired_on=None) | Q(pk=held)).order_by("name")


class DutyForm(forms.Form):
    """A person's name, role and area, and what an assessor or an outlet wants besides."""

    full_name = forms.CharField(label=_("Full name"), max_length=50)
    telephone = TelephoneField(label=_("Telephone"), required=False)
    role = forms.ChoiceField(
        label=_("Role"), choices=list(words.ROLES.items()), widget=forms.RadioSelect
    )
    division = PlaceField(
        label=_("Area"),
        queryset=Division.objects.none(),
        required=False,
        empty_label=_("Choose an area"),
        help_text=_("The account sees and does what belongs to this area."),
    )
    outlet = OutletField(
        label=_("Outlet"),
        queryset=Outlet.objects.none(),
        required=False,
        empty_label=_("Choose an outlet"),
    )
    institution = forms.ModelChoiceField(
        label=_("Institution"),
        queryset=Institution.objects.none(),
        required=False,
        empty_label=_("Choose an institution"),
    )
    categories = forms.MultipleChoiceField(
        label=_("Qualified for"),
        choices=words.choices(words.CATEGORIES, Category.MULTIPLE),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        help_text=_(
            "Wanted for administrators, approvers and auditors:"
            " a second person reads it and must agree."
        ),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = Division.objects.within(user.division).valid(clock.today())
        outlets = Outlet.objects.filter(
            division__code__startswith=user.division.code, closed_at=None
        )
        rows = {
            "division": places.select_related("parent").order_by("code"),
            "outlet": outlets.select_related("division").order_by("name"),
            "institution": _to_choose(self.initial.get("institution")),
        }
        for name, found in rows.items():
            self.fields[name].queryset = found  # type: ignore[attr-defined]

        # A form that nobody filled in yet shows with each role what that role wants.
        role = self.data.get("role") if self.is_bound else None
        wanted = {
            "division": role != Role.OUTLET,
            "outlet": role in (Role.OUTLET, None),
            "institution": role in (Role.ASSESSOR, None),
            "categories": role in (Role.ASSESSOR, None),
        }
        for name, is_wanted in wanted.items():
            self.fields[name].required = is_wanted

    def clean(self) -> dict[str, Any]:
        """Take an outlet's area from the outlet; what else is wanted hangs on the role."""
        said = super().clean() or {}
        if "role" in self.errors:
            for name in ("outlet", "institution", "categories"):
                self.errors.pop(name, None)
        if said.get("role") == Role.OUTLET and said.get("outlet"):
            said["division"] = said["outlet"].division
        return said

    @property
    def duty(self) -> Duty:
        """What was chosen; of a form that is valid."""
        said = self.cleaned_data
        role = Role(said["role"])
        return Duty(
            role,
            said["division"],
            said["outlet"] if role == Role.OUTLET else None,
            said["institution"],
            said["categories"],
        )


class ChangingDutyForm(DutyForm, SeenForm):
    """The same for somebody who has an account."""


class NewAccountForm(DutyForm):
    """The same for somebody new, with a name to sign in."""

    username = forms.SlugField(
        label=_("User name"),
        max_length=60,
        help_text=_("Letters, digits and hyphens, as they sign in."),
        error_messages={"invalid": _("Use the letters a to z, digits and hyphens only.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    field_order = ("username", "full_name")


class WhyForm(forms.Form):
    """A reason."""

    why = forms.CharField(label=_("Reason"), max_length=200)


class ResetForm(WhyForm):
    """What is taken off an account, and why."""

    what = forms.ChoiceField(
        label=_("What is lost?"),
        choices=[
            (AccountRequest.Kind.PASSWORD.value, _("The password")),
            (AccountRequest.Kind.SECOND_FACTOR.value, _("The telephone with the codes")),
        ],
        widget=forms.RadioSelect,
    )
    field_order = ("what", "why")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # It stands on one page with the reason of another step: each has labels of its own.
        self.auto_id = "id_reset_%s"


class PasswordForm(forms.Form):
    """One's own password: the one in use, and twice the new one."""

    old = forms.CharField(
        label=_("Your password until now"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label=_("New password"),
        strip=False,
        help_text=_("At least ten characters; a short sentence is easy to remember."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("New password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean(self) -> dict[str, Any]:
        """Check the old one, that the new ones agree, and that it is another and a good one."""
        said = super().clean() or {}
        if "old" in said:
            self._check_old(said["old"])
        new = said.get("new")
        if new is None:
            return said
        if said.get("again") not in (None, new):
            self.add_error("again", _("The two are not alike; type the new password again."))
        if new == said.get("old"):
            self.add_error("new", _("Choose another one than until now."))
        try:
            password_validation.validate_password(new, self.user)
        except forms.ValidationError as error:
            for one in error.error_list:
                is_short = one.code == "password_too_short"  # Django's own word has no Chinese
                self.add_error("new", _("Use at least ten characters.") if is_short else one)
        return said

    def _check_old(self, old: str) -> None:
        """Count it as at signing in: who finds a page left open may guess no oftener than there."""
        try:
            key = password_counted(self.user.username)
        except forms.ValidationError as error:
            self.add_error("old", error)
            return
        if self.user.check_password(old):
            forget(key)
        else:
            self.add_error("old", _("This is not your password."))
