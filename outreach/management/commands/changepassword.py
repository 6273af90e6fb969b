"""Set an account's password, typed twice; the trail says so, and a restore knows of it."""

from __future__ import annotations

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.core.management.base import CommandError
from django.db import transaction

from outreach import clock
from outreach.actions import outlasting
from outreach.actions.audit import record
from outreach.models import User


class Command(changepassword.Command):
    help = __doc__

    def _get_pass(self, prompt: str = "Password: ") -> str:
        try:
            return str(super()._get_pass(prompt))  # type: ignore[misc]
        except EOFError as error:
            raise CommandError(
                "Nothing was changed: there is no terminal to type the password at. Run it in one"
                " (ssh -t), or pipe the password in, on two lines."
            ) from error

    def handle(self, *args: Any, **options: Any) -> str | None:
        name = options["username"] or getpass.getuser()
        before = User.objects.filter(username=name).values_list("password", flat=True).first()
        told = super().handle(*args, **options)
        account, at = User.objects.get(username=name), clock.now()
        with transaction.atomic():
            record("account.password", [account], by=None, at=at)
            outlasting.note_password(account, before or "", at)
        return told
