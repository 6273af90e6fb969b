"""Play the reference campaign on the demo county through the HTTP interface, then serve it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from certificates.actions import open_file
from certificates.models import Certificate
from outreach import clock
from outreach.demo.county import FIRST_NAME, County, demo_county
from outreach.demo.field import at
from outreach.demo.loading import load, password_of
from outreach.demo.player import Player
from outreach.demo.script import PlannedVisit, campaign_days, write_script
from outreach.demo.server import free_port, serving
from outreach.desk.overview import overview
from outreach.domain.workdays import WorkingCalendar
from outreach.models import working_calendar

PORT = 8000
#: The villages begin to nominate.
DAY_ONE = date(2018, 5, 14)
PEOPLE = ("administrator-1", "approver-1", "auditor-1", "assessor-a1", "liaison-201")


class Bars:
    """Two bars: the whole campaign, and the step at hand, with counts and time left."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._campaign = progress.add_task("campaign", total=None)
        self._step: tuple[str, TaskID] | None = None

    def moment(self, title: str, done: int, total: int) -> None:
        """Move the campaign's bar on; the bar of the step before it is over."""
        self._end_step()
        self._progress.update(self._campaign, completed=done, total=total, description=title)

    def step(self, title: str, done: int, total: int) -> None:
        """Move the bar of the step `title` on."""
        if self._step is None or self._step[0] != title:
            self._end_step()
            self._step = title, self._progress.add_task(title, total=total)
        self._progress.update(self._step[1], completed=done)

    def _end_step(self) -> None:
        if self._step is not None:
            self._progress.remove_task(self._step[1])
            self._step = None


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []  # the first run makes what the checks ask for

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="end after the play")
        parser.add_argument("--port", type=int, default=PORT)
        parser.add_argument(
            "--until",
            type=date.fromisoformat,
            metavar="DAY",
            help="stop in the middle of the work, after this day (2018-05-14 to 2018-07-31)",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.OUTREACH_DEMO:
            raise CommandError("Set OUTREACH_DEMO=1: the demo never touches a real register.")
        if not 0 <= options["port"] < 65536:
            raise CommandError("A port is a number from 0 to 65535.")
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
        call_command("migrate", verbosity=0)
        call_command("create_authority", verbosity=0, stdout=self.stdout)
        call_command("create_handin_key", verbosity=0, stdout=self.stdout)
        call_command("create_receipt_key", verbosity=0, stdout=self.stdout)
        calendar = working_calendar(DAY_ONE)
        county = demo_county()
        script = write_script(county, campaign_days(calendar))
        clock.advance_to(at(DAY_ONE, "08:00"))
        load(county, script)
        port = free_port(options["port"])
        address = f"http://127.0.0.1:{port}"
        with serving(port, environment={"OUTREACH_PUBLIC_URL": address, **os.environ}) as server:
            player = self._play(address, county, script, calendar, options["until"])
            self._report(player)
            if not options["no_serve"]:
                self._invite(address)
                server.wait()
        self.stdout.write(_last_line())

    def _play(
        self,
        base_url: str,
        county: County,
        script: Sequence[PlannedVisit],
        calendar: WorkingCalendar,
        until: date | None,
    ) -> Player:
        columns = (
            TextColumn("{task.description:<28}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bars = Bars(progress)
            folder = settings.OUTREACH_DATA / "demo-tablets"
            player = Player(base_url, county, script, calendar, folder, bars.step)
            player.play(bars.moment, until)
        return player

    def _report(self, player: Player) -> None:
        for refusal in player.refusals:
            self.stdout.write(f"Approval tried on day 4 of a notice, refused: {refusal}")
        call_command("savings", stdout=self.stdout)

    def _invite(self, address: str) -> None:
        self.stdout.write(_last_line())
        self.stdout.write(f"\nLook at {address}/ and …/tablet/ – sign in as:")
        for name in PEOPLE:
            self.stdout.write(f"  {name:<18} password {password_of(name)}")


def _last_line() -> str:
    return json.dumps({**asdict(overview()), "pdf": _first_paper()})


def _first_paper() -> str:
    """Lay the first stop's certificate in plain beside the data; return where, for the reader.

    Among the files it lies sealed. The people of the demo county are invented.
    """
    first = Certificate.objects.filter(application__resident__name=FIRST_NAME).first()
    if first is None:
        return ""
    copy = settings.OUTREACH_DATA / "first-certificate.pdf"
    with open_file(first) as paper:
        copy.write_bytes(paper.read())
    return os.path.relpath(copy, settings.BASE_DIR)
