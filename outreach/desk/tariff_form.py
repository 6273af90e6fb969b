"""The figures of a tariff as a form: amounts in yuan, each with where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.forms import BoundField
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from outreach.desk import words
from outreach.domain.savings import PARAMETERS, Tariff

FEN = "fen"
MOST = 1_000_000


class TariffForm(forms.Form):
    """A version from a day to come; it begins with the figures that it follows."""

    begins_with = forms.CharField(required=False, widget=forms.HiddenInput)
    valid_from = forms.DateField(
        label=_("Counts from"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Tomorrow at the earliest; everything before that day stays as it is."),
    )

    def __init__(self, *args: Any, follows: Tariff, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.follows, self.today = follows, today
        self.fields["begins_with"].initial = follows.code
        self.fields["valid_from"].widget.attrs["min"] = (today + timedelta(days=1)).isoformat()
        for code, unit in PARAMETERS.items():
            held = follows.parameters[code]
            self.fields[code] = _figure(code, unit, held.value)
            self.fields[f"{code}_source"] = forms.CharField(
                label=_("Where it comes from"), max_length=200, initial=gettext(held.source)
            )
            self.fields[f"{code}_assumed"] = forms.BooleanField(
                label=_("Our reading, not a source"), required=False, initial=held.assumed
            )

    def clean_valid_from(self) -> date:
        """Refuse a day that is not to come."""
        day: date = self.cleaned_data["valid_from"]
        if day <= self.today:
            raise forms.ValidationError(
                _("A new version begins tomorrow at the earliest: the past is never repriced.")
            )
        if day < self.follows.valid_from:
            raise forms.ValidationError(
                _("A version counts from %(day)s already: begin later, or withdraw that one first.")
                % {"day": self.follows.valid_from.isoformat()}
            )
        return day

    def begin_anew(self, before: Tariff | None) -> None:
        """Begin with another version: what was left as `before` had it stands as it is there."""
        typed = cast(QueryDict, self.data).copy()
        left = [
            code
            for code in PARAMETERS
            if before and self._value(code) == before.parameters[code].value
        ]
        for code in left:
            for name in (code, f"{code}_source"):
                typed[name] = str(self.fields[name].initial)
            typed[f"{code}_assumed"] = "on" if self.fields[f"{code}_assumed"].initial else ""
        typed["begins_with"] = self.follows.code
        self.data = typed

    def clean(self) -> dict[str, Any]:
        """Ask for the source of each figure that is new, and compare those that go together."""
        said = super().clean() or {}
        for code in PARAMETERS:
            held = self.follows.parameters[code]
            if self._value(code) not in (None, held.value) and (
                said.get(f"{code}_source") == self._first_source(code)
            ):
                self.add_error(f"{code}_source", _("Say where the new figure comes from."))
        least, most = self._value("car_minimum_fen"), self._value("car_maximum_fen")
        if least is not None and most is not None and least > most:
            self.add_error("car_maximum_fen", _("The highest price lies below the lowest."))
        return said

    def _first_source(self, code: str) -> str:
        """Return where a figure comes from as the form began with: in the reader's language."""
        return str(self.fields[f"{code}_source"].initial)

    def _source(self, code: str) -> str:
        """Return the source to keep: one that nobody touched stays as it is kept, untranslated."""
        typed: str = self.cleaned_data[f"{code}_source"]
        is_untouched = typed == self._first_source(code)
        return self.follows.parameters[code].source if is_untouched else typed

    def _value(self, code: str) -> int | None:
        said = self.cleaned_data.get(code)
        if said is None:
            return None
        return int(said * 100) if PARAMETERS[code] == FEN else int(said)

    @property
    def figures(self) -> dict[str, tuple[int, str, bool]]:
        """Value, source and whether it is assumed, by code; of a form that is valid."""
        said = self.cleaned_data
        return {
            code: (self._value(code) or 0, self._source(code), said[f"{code}_assumed"])
            for code in PARAMETERS
        }

    def rows(self) -> Iterator[tuple[str, BoundField, BoundField, BoundField]]:
        """Yield each figure: its code, and the fields of its value, its source, its certainty."""
        for code in PARAMETERS:
            yield code, self[code], self[f"{code}_source"], self[f"{code}_assumed"]


def _figure(code: str, unit: str, value: int) -> forms.Field:
    label = _("%(what)s (%(unit)s)") % {"what": words.PARAMETERS[code], "unit": words.UNITS[unit]}
    least = 1 if code == "bus_fare_km" else 0
    attrs = {"inputmode": "decimal", "autocomplete": "off"}
    if unit == FEN:
        return forms.DecimalField(
            label=label,
            min_value=Decimal(least),
            max_value=Decimal(MOST),
            decimal_places=2,
            initial=f"{value / 100:.2f}",
            widget=forms.TextInput(attrs=attrs),
        )
    return forms.IntegerField(
        label=label,
        min_value=least,
        max_value=MOST,
        initial=value,
        widget=forms.TextInput(attrs={**attrs, "inputmode": "numeric"}),
    )
