"""What passes through a family's link, and the photos of papers, whoever takes them."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from outreach.domain.vocabulary import Paper, PaperFault, Role
from outreach.models.applications import Application
from outreach.models.ids import new_id
from outreach.models.people import User

#: Who gives a family a link.
MAKERS = (Role.LIAISON, Role.ADMINISTRATOR)


class FamilyLinkQuerySet(models.QuerySet["FamilyLink"]):
    """Links in the field's words."""

    def standing(self, at: datetime) -> FamilyLinkQuerySet:
        """Links that open something then: neither over nor revoked, the case still the maker's."""
        return self.filter(
            revoked_at=None,
            expires_at__gt=at,
            made_by__is_active=True,
            made_by__role__in=MAKERS,
            application__village__code__startswith=F("made_by__division__code"),
            application__erased_at=None,
        )


class FamilyLink(models.Model):
    """A family's way to its one case without an account; only the secret's fingerprint is kept.

    What the family does with it counts as done through whoever made it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, models.PROTECT, related_name="links")
    secret_sha256 = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    objects = FamilyLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["application"], condition=Q(revoked_at=None), name="one_family_link"
            ),
        ]


class PaperPhotoQuerySet(models.QuerySet["PaperPhoto"]):
    """Photos of papers in the field's words."""

    def undecided(self) -> PaperPhotoQuerySet:
        """Photos that a family sent and nobody has looked at yet."""
        return self.filter(is_accepted=None, application__isnull=False, taken_back_at=None)

    def shown(self) -> PaperPhotoQuerySet:
        """Photos that the sender did not take back."""
        return self.filter(taken_back_at=None)


class PaperPhoto(models.Model):
    """A photo of a paper: by the family through a link, or on the spot by a member of staff.

    The file is a blob like any other evidence. A member of staff's photo belongs to no case
    until the nomination is registered; a family's counts when somebody has accepted it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(
        Application, models.PROTECT, null=True, related_name="paper_photos"
    )
    link = models.ForeignKey(FamilyLink, models.PROTECT, null=True, related_name="photos")
    sent_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    paper = models.CharField(max_length=20, choices=[(v.value, v.value) for v in Paper])
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.PositiveIntegerField()
    content_type = models.CharField(max_length=40)
    sent_at = models.DateTimeField()
    taken_back_at = models.DateTimeField(null=True)
    is_accepted = models.BooleanField(null=True)
    fault = models.CharField(
        max_length=20, blank=True, choices=[(v.value, v.value) for v in PaperFault]
    )
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    objects = PaperPhotoQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
