"""Processor time: what a search was given, whoever else uses the machine."""

from __future__ import annotations

import os
import resource
from multiprocessing import active_children
from pathlib import Path

from outreach.domain.planning import Until


def processor_seconds() -> float:
    """Return what this process, its workers and its ended children have computed."""
    own, ended = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    working = sum(_ticks(each.pid) for each in active_children()) / os.sysconf("SC_CLK_TCK")
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime + working


def _ticks(process: int | None) -> int:
    """Return the clock ticks a process has computed, 0 when it is gone."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def until(seconds: float, workers: int, *, processor: bool) -> Until:
    """Return the end of a search: seconds on the wall, or seconds of as many free processors.

    With `processor` a machine that has other users counts as what it gave: a search on two
    workers ends after twice the seconds of processor time, however long that takes.
    """
    if not processor:
        return Until(seconds=seconds)
    budget = processor_seconds() + seconds * max(1, workers)
    return Until(seconds=100 * seconds, asked=lambda: processor_seconds() > budget)
