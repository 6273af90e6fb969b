"""Follow the chain of the audit trail and say where it breaks, if it does."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from outreach.actions.trail import number_trail, verify_trail


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        number_trail()
        verdict = verify_trail()
        if verdict.broken_at is not None:
            raise CommandError(
                f"The trail was altered: event {verdict.broken_at} does not follow from the"
                f" {verdict.events} before it."
            )
        if verdict.erased:
            self.stdout.write(
                f"{verdict.erased} of them keep who, what and when; their details were erased by"
                " rule."
            )
        self.stdout.write(f"{verdict.events} events, unbroken. The last digest is")
        self.stdout.write(verdict.digest)
        self.stdout.write(
            "Write it down elsewhere: it proves later that nothing before it changed."
        )
