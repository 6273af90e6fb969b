"""Tell every tablet that the register went back; find and erase again what outlived it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from outreach import clock
from outreach.backups.whole import Again, named, stand_again


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            again = stand_again(clock.now())
        except OSError as error:
            raise CommandError(f"{error}. Run it again when that can be read.") from error
        self.stdout.write(
            f"A new epoch has begun: tablets send again what came after the backup. {told(again)}"
        )
        check_nothing_lost(again)


def check_nothing_lost(again: Again) -> None:
    """End as failed, and by name, where the disk does not read what the register does not know."""
    if again.lost:
        raise CommandError(
            f"{len(again.lost):,} files are not entered, for the disk does not read them:"
            f" {named(again.lost)}. Put them back from another copy of the disk, if there is one,"
            " and run begin_epoch again."
        )


def told(again: Again) -> str:
    """Say what a register that stands again found beside its database, and what to do."""
    since = again.since
    said = (
        f"Tablets enrolled again: {since.enrolled}; stopped again: {since.stopped}."
        f" Photos entered again: {again.photos:,}. Hand-ins found again: {since.handed_in:,}."
        f" Erased again: {again.erased:,}. Certificates that rest until seen to: {since.resting:,}."
    )
    if again.doubted:
        said += (
            f" Messages to families that were due, and may have gone out since: {again.doubted:,};"
            " they wait under Messages, as uncertain, until somebody sends them again."
        )
    return said
