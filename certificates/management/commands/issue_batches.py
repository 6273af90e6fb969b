"""Make the papers that approvers signed for."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from certificates import batches

PAUSE_S = 1.0


class Command(BaseCommand):
    """Works beside the server and beside others of its kind; killed, it loses nothing."""

    help = (
        "Make the papers of all batches that approvers started at the desk, with a progress bar."
        " Any number may run at once; one that is killed loses nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whether to stay."""
        parser.add_argument("--watch", action="store_true", help="stay and wait for new batches")

    def handle(self, *_args: Any, watch: bool, **_options: Any) -> None:
        """Work until nothing waits; with --watch for ever."""
        worker, made = uuid4(), 0
        while True:
            made += self._work_off(worker)
            if not watch:
                break
            time.sleep(PAUSE_S)
        self.stdout.write(f"{made} papers made here, {batches.waiting()} waiting.")

    def _work_off(self, worker: Any) -> int:
        """Work until nothing is left to lease, the leases of dead workers included."""
        left, made = batches.waiting(), 0
        if not left:
            return 0
        with _bar() as bar:
            task = bar.add_task("", total=left)
            while left:
                taken = batches.work(worker)
                made += taken
                left = batches.waiting()
                bar.update(task, completed=(bar.tasks[0].total or 0) - left)
                if not taken and left:
                    time.sleep(PAUSE_S)  # others hold the rest, or died with it
        return made


def _bar() -> Progress:
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("papers"), TimeRemainingColumn())
    return Progress(*columns, console=Console())
