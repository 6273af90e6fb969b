"""Load a year's working calendar from the decree's file, so that its terms can be counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from outreach import clock
from outreach.actions.calendars import load_year
from outreach.working_calendar import MalformedCalendar, read_year

FORM = """\
The file is TOML:
  year = 2030
  source = "the decree that publishes the year"
  holidays = [2030-01-01, 2030-10-01]      every day off that it names
  make_up_days = [2030-02-09]              weekend days that are worked
"""


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a TOML file of one year")

    def handle(self, *_args: Any, **options: Any) -> None:
        file: Path = options["file"]
        try:
            loaded = read_year(file.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read.", returncode=2) from error
        except MalformedCalendar as error:
            raise CommandError(f"{file}: {error}\n{FORM}", returncode=2) from error
        load_year(loaded, by=None, at=clock.now())
        self.stdout.write(f"Calendar for {loaded.year} loaded: {len(loaded.non_working)} days off.")
