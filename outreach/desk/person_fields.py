"""The fields that say who somebody is, as the cards and the telephone have it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from outreach.domain.identity import (
    MalformedIdNumber,
    MalformedName,
    MalformedTelephone,
    as_meant,
    normalise_name,
    normalise_telephone,
    parse_id_number,
)

ID_NUMBER_MESSAGES = {
    "length": _("An ID number has 18 characters; count them again."),
    "characters": _("An ID number is 17 digits and then a digit or X."),
    "birth_date": _("Characters 7 to 14 are no date of birth; compare with the card."),
    "check_digit": _("One of the characters is wrong; compare each with the card."),
}


#: Said where the person's card was copied in place of the guardian's.
OWN_NUMBER = _("This is the number of the person; write that of the guardian, or nothing.")


class NumberField(forms.CharField):
    """A number or code to be compared, whatever it was typed with or copied from."""

    def to_python(self, value: Any) -> str:
        """Return it without blanks and invisible marks, in usual capital characters."""
        return as_meant(super().to_python(value) or "").upper()


class IdNumberField(forms.CharField):
    """An ID number of GB 11643-1999; what is wrong with it is said without repeating it."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        super().__init__(max_length=30, widget=forms.TextInput(attrs=attrs), **kwargs)

    def clean(self, value: Any) -> str:
        """Return the number as the card has it."""
        text = super().clean(value)
        if not text:
            return ""
        try:
            return parse_id_number(text).value
        except MalformedIdNumber as error:
            raise forms.ValidationError(ID_NUMBER_MESSAGES[error.reason], "malformed") from error


class NameField(forms.CharField):
    """A person's name in Chinese characters."""

    def clean(self, value: Any) -> str:
        """Return the name with look-alike dots made one."""
        text = super().clean(value)
        if not text:
            return ""
        try:
            return normalise_name(text)
        except MalformedName as error:
            message = _("A name is at most 50 Chinese characters, with “·” only between them.")
            raise forms.ValidationError(message, "malformed") from error


class TelephoneField(forms.CharField):
    """A telephone number of mainland China."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"autocomplete": "off", "inputmode": "tel"}
        super().__init__(max_length=30, widget=forms.TextInput(attrs=attrs), **kwargs)

    def clean(self, value: Any) -> str:
        """Return the number in its usual form."""
        text = super().clean(value)
        if not text:
            return ""
        try:
            return normalise_telephone(text)
        except MalformedTelephone as error:
            message = _("A telephone is 11 digits of a mobile, or area code and number.")
            raise forms.ValidationError(message, "malformed") from error
