"""The form for somebody who moved here with a certificate, and what becomes of its pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, BinaryIO, cast

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from certificates.moving_in import Left
from certificates.portrait import SIZE, UnreadablePortrait, portrait
from mobile_api.photos import Picture, examine
from mobile_api.problems import Problem
from outreach.actions.applications import Nomination
from outreach.actions.evaluations import Declared
from outreach.desk import words
from outreach.desk.keeping import kept
from outreach.desk.nomination_form import CONSENT_BY, NominationForm, consent
from outreach.desk.person_fields import NameField
from outreach.domain.vocabulary import Category, EvidenceKind

CATEGORIES = tuple(one for one in Category if one != Category.MULTIPLE)
#: What only an assessment at home needs to know.
NOT_ASKED = (
    *("categories", "diagnosis", "severity_expected", "is_bedridden", "can_sit"),
    *("is_poor_household", "fee_paid_by_county", "times", "papers", "latitude", "longitude"),
)
SUFFIXES = [("", _("None")), *((f"B{n}", f"B{n}") for n in range(1, 10))]


@dataclass(frozen=True)
class Chosen:
    """A picture that was looked at: what it is, and the file with it."""

    file: UploadedFile[bytes]
    sha256: str
    picture: Picture


class PictureField(forms.FileField):
    """A photo or a scan: JPEG or PNG, within what a tablet may send too."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.FileInput(attrs={"accept": "image/jpeg,image/png"})
        super().__init__(widget=widget, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return a `Chosen`: a file that was looked at and is a whole picture."""
        file = super().clean(data, initial)
        if (file.size or 0) > settings.OUTREACH_MAX_PHOTO_BYTES:
            raise forms.ValidationError(_("This picture is too large; make it smaller."), "large")
        try:
            picture = self.examine(cast(BinaryIO, file))
            file.seek(0)
            return Chosen(file, hashlib.file_digest(file, "sha256").hexdigest(), picture)
        except (Problem, UnreadablePortrait) as error:
            message = _("This is no whole picture; save it as JPEG or PNG.")
            raise forms.ValidationError(message, "no-picture") from error

    def examine(self, content: BinaryIO) -> Picture:
        """Return what the picture is, or raise where it cannot be kept."""
        return examine(content, max_pixels=settings.OUTREACH_MAX_PHOTO_PIXELS)


class PortraitField(PictureField):
    """A portrait that can be printed on the paper."""

    def examine(self, content: BinaryIO) -> Picture:
        """Raise where it cannot be kept or printed, or is so small that nobody is recognised."""
        found = super().examine(content)
        portrait(content)
        if min(found.width, found.height) < SIZE[0] // 2:
            message = _("This portrait is too small to be printed; scan it with 300 dpi.")
            raise forms.ValidationError(message, "small")
        return found


class MoveInForm(NominationForm):
    """Who moved here, and what the certificate of the county left says."""

    office = forms.CharField(
        label=_("Office that issued it"),
        max_length=50,
        help_text=_("As on the seal, for example 蓬安县残疾人联合会."),
    )
    issued_on = forms.DateField(
        label=_("Issued on"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    valid_until = forms.DateField(
        label=_("Valid until"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    suffix = forms.ChoiceField(
        label=_("Mark of a reissue behind the number"), choices=SUFFIXES, required=False
    )
    portrait = PortraitField(
        label=_("Portrait"), help_text=_("Bare-headed, on white, as it is to be printed.")
    )
    document = PictureField(label=_("Picture of the certificate"))
    household_seen = forms.BooleanField(
        label=_("The household book shows the new address"),
        error_messages={"required": _("Look at the household book first.")},
    )
    consent_by = forms.ChoiceField(
        label=_("Who asks for the certificate?"), choices=CONSENT_BY, widget=forms.RadioSelect
    )
    consent_name = NameField(label=_("Name of who asks"))

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, today=today, **kwargs)
        for name in NOT_ASKED:
            del self.fields[name]
        for category in CATEGORIES:
            self.fields[f"grade_{category}"] = forms.TypedChoiceField(
                label=str(words.CATEGORIES[category]),
                choices=[("", _("Not on it")), *((n, words.GRADES[n]) for n in (1, 2, 3, 4))],
                coerce=int,
                empty_value=None,
                required=False,
            )

    @property
    def grades(self) -> Iterator[forms.BoundField]:
        """The grades of all categories, for the page."""
        return (self[f"grade_{category}"] for category in CATEGORIES)

    def clean(self) -> dict[str, Any]:
        """Check what hangs together: grades, days, guardian, consent."""
        said = self.cleaned_data
        said["categories"] = list(self._grades())
        if not said["categories"]:
            message = _("Choose category and grade as the certificate reads.")
            self.add_error(f"grade_{Category.VISION}", message)
        cleaned = super().clean()
        issued_on, last = cleaned.get("issued_on"), cleaned.get("valid_until")
        if issued_on and issued_on > self.today:
            message = _("The certificate cannot have been issued in the future.")
            self.add_error("issued_on", message)
        if issued_on and last and last <= issued_on:
            self.add_error("valid_until", _("The last day lies before the first."))
        return cleaned

    def wrong_pictures(self) -> list[str | Promise]:
        """Name the pictures that must be chosen once more: a browser never sends them again."""
        return [self[name].label for name in ("portrait", "document") if name in self.files]

    def _grades(self) -> dict[Category, int]:
        said = ((one, self.cleaned_data.get(f"grade_{one}")) for one in CATEGORIES)
        return {category: grade for category, grade in said if grade}

    def nomination(self) -> Nomination:
        """Return who moved here as the action takes it."""
        said = self.cleaned_data
        return Nomination(
            name=said["name"],
            id_number=said["id_number"],
            village=self.villages[said["village"]],
            categories=said["categories"],
            telephone=said["telephone"],
            address=said["address"],
            ethnicity=said["ethnicity"],
            guardian=self._guardian(),
            consent=consent(said),
        )

    def left(self) -> Left:
        """Return what the certificate of the county left says."""
        said = self.cleaned_data
        return Left(
            said["office"], self._grades(), said["issued_on"], said["valid_until"], said["suffix"]
        )

    def pictures(self, at: datetime) -> list[Declared]:
        """Return both pictures as an evaluation declares them."""
        return [
            Declared(one.sha256, kind, one.picture.size, one.picture.content_type, at)
            for kind, one in self._chosen()
        ]

    def keep_pictures(self) -> None:
        """Store both pictures among the files; last, so that a refused person leaves none."""
        for _kind, one in self._chosen():
            kept(cast(BinaryIO, one.file), one.picture)

    def _chosen(self) -> Iterator[tuple[EvidenceKind, Chosen]]:
        yield EvidenceKind.PORTRAIT, self.cleaned_data["portrait"]
        yield EvidenceKind.DOCUMENT, self.cleaned_data["document"]
