"""Accounts, assessors and their institutions, residents and their guardians."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

from outreach.domain.identity import IdNumber, age_on, birth_date, parse_id_number
from outreach.domain.vocabulary import Category, OutletKind, Role
from outreach.models.divisions import Division
from outreach.models.ids import new_id
from outreach.models.sealed import SealedJSONField, SealedTextField, blind_index


class Outlet(models.Model):
    """A counter elsewhere that takes requests in for the office: a window, a station, a bank.

    What it took in stays counted for it after it was closed.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=20, choices=[(v.value, v.value) for v in OutletKind])
    division = models.ForeignKey(Division, models.PROTECT, related_name="outlets")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["division", "name"], name="outlet_once"),
        ]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Creates accounts."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> User:
        """Create an account with a hashed password."""
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """One person's account: one role, one division; everything seen and done is scoped by both."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(max_length=60, unique=True)
    full_name = models.CharField(max_length=50)
    role = models.CharField(max_length=20, choices=[(v.value, v.value) for v in Role])
    division = models.ForeignKey(Division, models.PROTECT, related_name="users")
    outlet = models.ForeignKey(Outlet, models.PROTECT, null=True, related_name="accounts")
    telephone = SealedTextField(default="")
    is_active = models.BooleanField(default=True)
    #: Somebody else has seen the password, so its owner sets another before anything else.
    password_was_given = models.BooleanField(default=False)

    USERNAME_FIELD = "username"
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role=Role.OUTLET, outlet__isnull=False)
                | ~models.Q(role=Role.OUTLET) & models.Q(outlet=None),
                name="outlet_accounts_have_an_outlet",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    def get_session_auth_hash(self) -> str:
        """Name what a session stands on: with another password, or role, one signs in anew.

        Some roles want a code beside the password, which the session of another one never saw.
        """
        return f"{super().get_session_auth_hash()}.{self.role}"


class AccountRequest(models.Model):
    """What one person asks to be done with an account and a second person must confirm.

    `wanted` holds the role and place that are asked for, where these change.
    """

    class Kind(models.TextChoices):
        """What is asked for."""

        OPEN = "open"
        CHANGE = "change"
        PASSWORD = "password"  # noqa: S105  # a kind of request
        SECOND_FACTOR = "second_factor"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(User, models.PROTECT, related_name="requests")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    wanted = models.JSONField(default=dict)
    reason = models.CharField(max_length=200)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    was_confirmed = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=models.Q(decided_at=None),
                name="one_request_of_an_account_waits",
            ),
        ]


class Institution(models.Model):
    """A hospital that the province designated for assessments."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=80, unique=True)
    designated_from = models.DateField()
    #: Since when no new assessor belongs to it.
    retired_on = models.DateField(null=True)
    categories = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.name


class AssessorQuerySet(models.QuerySet["Assessor"]):
    """Assessors in the field's words."""

    def serving(self) -> AssessorQuerySet:
        """Those who may rate now: with another role, or an ended account, nobody does."""
        return self.filter(user__is_active=True, user__role=Role.ASSESSOR)


class Assessor(models.Model):
    """The professional side of an assessor's account: where from, qualified for what."""

    user = models.OneToOneField(User, models.PROTECT, primary_key=True, related_name="assessor")
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="assessors")
    categories = models.JSONField(default=list)

    objects = AssessorQuerySet.as_manager()

    def __str__(self) -> str:
        return self.user.full_name


class ResidentQuerySet(models.QuerySet["Resident"]):
    """Residents in the field's words."""

    def with_id_number(self, value: str) -> ResidentQuerySet:
        """The resident with this ID number, if there is one."""
        return self.filter(id_number_index=blind_index(value, "id_number"))


class Resident(models.Model):
    """A person who may be entitled to a certificate.

    Birth date and sex follow from the ID number (GB 11643-1999) and are not stored beside it.
    The selection flags are what a campaign chooses by.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=50)
    id_number = SealedTextField()
    id_number_index = models.CharField(max_length=32, unique=True)
    village = models.ForeignKey(Division, models.PROTECT, related_name="residents")
    address = SealedTextField(default="")
    telephone = SealedTextField(default="")
    ethnicity = SealedTextField(default="汉族")
    place: Any = SealedJSONField(null=True)
    is_bedridden = models.BooleanField(default=False)
    can_sit = models.BooleanField(default=True)
    is_poor_household = models.BooleanField(default=False)
    severity_expected = models.PositiveSmallIntegerField(null=True)
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    objects = ResidentQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def identity(self) -> IdNumber:
        """The parsed ID number: value, birth date, sex."""
        return parse_id_number(self.id_number)

    def age(self, on: date) -> int:
        """Completed years of age on that day."""
        return age_on(birth_date(self.id_number), on)


class GuardianQuerySet(models.QuerySet["Guardian"]):
    """Guardians in the office's words."""

    def newest_of(self, residents: Iterable[UUID]) -> dict[UUID, Guardian]:
        """Map residents to the guardian who was named last; those before stay in the register."""
        rows = self.filter(resident__among=list(residents)).order_by("created_at", "pk")
        return {row.resident_id: row for row in rows}


class Guardian(models.Model):
    """The legal guardian of a minor or of a person in the categories that ask for one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    resident = models.ForeignKey(Resident, models.PROTECT, related_name="guardians")
    name = models.CharField(max_length=50)
    id_number = SealedTextField(default="")
    telephone = SealedTextField(default="")
    relation = models.CharField(max_length=20)
    created_at = models.DateTimeField()

    objects = GuardianQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class DeclaredRelative(models.Model):
    """A resident whom a member of staff declared a relative, and so decides nothing about."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="declared_relatives")
    resident = models.ForeignKey(Resident, models.PROTECT, related_name="relatives_in_office")
    declared_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "resident"], name="relative_declared_once"),
        ]


class Bar(models.Model):
    """Until the end of which day nobody applies for a resident again; without one, for good."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    resident = models.ForeignKey(Resident, models.PROTECT, related_name="bars")
    ground = models.CharField(max_length=20)
    until_on = models.DateField(null=True)
    set_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)


CATEGORY_CHOICES = [(v.value, v.value) for v in Category]
