"""Seal everything with the first key of the ring: old values, and files that lay in clear."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from outreach.actions.resealing import (
    UNKNOWN,
    Resealed,
    files_by_key,
    reseal_files,
    reseal_values,
    values_by_key,
)
from outreach.files import files
from outreach.management.bars import bar
from outreach.models.sealed import key_ring


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="only count what each key seals; change nothing"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if not options["check"]:
            self._reseal()
        self._count()

    def _reseal(self) -> None:
        with bar("Sealing the database", unit="things") as progress:
            values = reseal_values(progress)
        with bar("Sealing the files", unit="things") as progress:
            kept = reseal_files(files(), progress)
        self.stdout.write(
            f"{values.done:,} values and {kept.done:,} files sealed with {key_ring().first_name};"
            f" {kept.from_clear:,} of the files lay in clear."
        )
        self._refuse_broken(values, kept)

    def _refuse_broken(self, *told: Resealed) -> None:
        broken: Counter[str] = sum((one.broken for one in told), Counter())
        if broken:
            named = ", ".join(f"{where} ({count})" for where, count in sorted(broken.items()))
            raise CommandError(
                f"{broken.total():,} do not open and were left as they are: {named}. Put the key"
                " they were sealed with back into OUTREACH_SEALING_KEYS, or restore them from a"
                " backup."
            )

    def _count(self) -> None:
        values, kept = values_by_key(), files_by_key(files())
        for name in sorted({*key_ring().keys, *values, *kept}):
            self.stdout.write(f"{name}: {values[name]:,} values, {kept[name]:,} files")
        if values[UNKNOWN] or kept[UNKNOWN]:
            raise CommandError("What such a key sealed cannot be read: put it back into the ring.")
        old = [name for name in key_ring().keys if name != key_ring().first_name]
        unused = [name for name in old if not values[name] and not kept[name]]
        if unused:
            self.stdout.write(
                f"No longer needed here: {', '.join(unused)}. Backups from before need it still."
            )
