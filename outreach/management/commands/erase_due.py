"""Erase what was kept as long as the terms say; certificates, trail and savings stay provable."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from outreach import clock
from outreach.actions.trail import ClockAhead, check_clock
from outreach.domain.retention import Holding, MalformedTerms
from outreach.files import files
from outreach.management.bars import bar
from outreach.retention.due import terms
from outreach.retention.erasing import (
    Erased,
    count_due,
    erase_due,
    forget_what_is_over,
    remove_files,
)
from outreach.retention.requests import erase_what_came_back, erase_what_came_late

UNDECIDED = (
    "Nothing was erased: this office has not decided yet how long it keeps what. Read --terms, "
    "write yours to a file (an empty one takes those), and name it in OUTREACH_RETENTION."
)


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="only count what is due; change nothing"
        )
        parser.add_argument(
            "--terms", action="store_true", help="only show each term, its reason and its source"
        )
        parser.add_argument(
            "--clock-is-right",
            action="store_true",
            help="erase also where nothing was done for two months, as where nobody worked",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            if options["terms"]:
                self._show_terms()
            elif options["dry_run"]:
                self._show(count_due(clock.today()), "due")
            else:
                self._erase(clock_is_right=options["clock_is_right"])
        except ClockAhead as error:
            raise CommandError(
                f"{error} Nothing was erased by term. Where it is right: --clock-is-right."
            ) from error
        except (MalformedTerms, OSError) as error:
            raise CommandError(f"{error} Run it again; what was erased stays erased.") from error

    def _erase(self, *, clock_is_right: bool) -> None:
        forget_what_is_over(files())
        if again := erase_what_came_back(clock.now()):
            self.stdout.write(f"erased again at request, after a restore: {again:,}")
        if late := erase_what_came_late(clock.now()):
            self.stdout.write(f"records of tablets that came too late, erased: {late:,}")
        if settings.OUTREACH_RETENTION is None:
            remove_files(clock.now(), files())
            self._show(count_due(clock.today()), "due")
            self.stdout.write(UNDECIDED)
            return
        if not clock_is_right:
            check_clock(clock.now())
        with bar("Erasing", unit="things") as progress:
            told = erase_due(clock.now(), files(), progress)
        self._show(told, "erased")
        self.stdout.write(f"files removed: {told.files:,}")

    def _show(self, told: Erased, word: str) -> None:
        for (kind, county), count in sorted(told.records.items()):
            if count:
                self.stdout.write(f"{county} {kind}: {count:,} {word}")
        self.stdout.write(f"in all: {told.records.total():,} {word}")

    def _show_terms(self) -> None:
        said = terms()
        for county, kinds in [("default", said.default), *sorted(said.counties.items())]:
            for kind in Holding:
                term = kinds[kind]
                kept = f"{term.months} months" if term.months else "for ever"
                asked = ", sooner on request" if term.on_request else ""
                self.stdout.write(f"{county} {kind}: {kept}{asked}; {term.why} ({term.source})")
