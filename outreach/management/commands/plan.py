"""Plan a campaign file: who goes where and when, and why not; prints the plan as JSON."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from outreach.domain.planning import (
    MalformedProblem,
    Progress,
    Until,
    plan,
    plan_as_json,
    read_campaign,
)
from outreach.management.bars import searching


class Command(BaseCommand):
    help = __doc__
    # planning a file needs no database: a broken deployment must not stand in its way
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the campaign, as JSON")
        parser.add_argument("--seconds", type=float, default=60, help="how long to search")
        parser.add_argument("--seed", type=int, default=0, help="the same seed, the same search")
        parser.add_argument(
            "--rounds",
            type=int,
            help="search so many rounds instead: the same plan on every machine",
        )
        parser.add_argument(
            "--workers",
            type=int,
            default=min(2, os.cpu_count() or 1),
            help="processes that search",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["seconds"] < 0 or (options["rounds"] or 0) < 0 or options["workers"] < 0:
            raise CommandError("Seconds, rounds and workers cannot be negative.", returncode=2)
        try:
            problem = read_campaign(options["file"].read_bytes())
        except (OSError, MalformedProblem) as error:
            raise CommandError(f"Nothing was planned: {error}", returncode=2) from error
        asked = _Interrupted()
        rounds = options["rounds"]
        stop = Until(None if rounds is not None else options["seconds"], rounds, asked)
        with searching("Planning") as progress, asked:

            def heard(step: Progress) -> None:
                progress(step.share, _figures(step))

            try:
                best = plan(
                    problem,
                    seed=options["seed"],
                    stop=stop,
                    progress=heard,
                    workers=options["workers"],
                )
            except MalformedProblem as error:
                raise CommandError(f"Nothing was planned: {error}", returncode=2) from error
        self.stdout.write(json.dumps(plan_as_json(best), ensure_ascii=False))


def _figures(step: Progress) -> str:
    best = step.best
    return (
        f"{len(best.unassigned)} left out, {best.late} late, {best.km:,.0f} km,"
        f" {len(best.routes)} team-days"
    )


class _Interrupted:
    """Ctrl-C ends the search and prints the best plan so far; a second one ends the command."""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self) -> bool:
        return self._asked

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGINT, self._stop)

    def __exit__(self, *_exit: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
