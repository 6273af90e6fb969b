"""The forms of the office beside the cases: questions, replies, accounts, tables."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class QuestionForm(forms.Form):
    """A question to the office."""

    question = forms.CharField(
        label=_("Your question"), max_length=1000, widget=forms.Textarea(attrs={"rows": 5})
    )


class ReplyForm(forms.Form):
    """The office's answer."""

    reply = forms.CharField(
        label=_("Reply"), max_length=2000, widget=forms.Textarea(attrs={"rows": 6})
    )
