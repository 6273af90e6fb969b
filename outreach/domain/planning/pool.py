"""Where groups are solved: in this process, or in others that can be killed.

The solver may overrun its time, so whoever must answer in time gives it `workers`; a worker
that does not answer is killed and started again, and its group stays as it was.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from time import monotonic
from types import TracebackType
from typing import Self

from outreach.domain.planning.ground import Ground
from outreach.domain.planning.solver import Group, solve_group

#: Seconds beyond its time after which a worker is killed.
GRACE = 2.0
#: Seconds a group may take at most, when only rounds count.
LONGEST = 120.0
#: Seconds between two looks at whether somebody asked to stop.
LOOK = 0.2

Solved = dict[int, tuple[int, ...]] | None


@dataclass(frozen=True)
class Job:
    """One group to solve, with its seed."""

    group: Group
    seed: int
    iterations: int


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection


class Pool:
    """Solves the groups of a round, side by side when it has workers."""

    def __init__(self, ground: Ground, workers: int) -> None:
        self._ground = ground
        self._workers = [self._start() for _ in range(workers)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            _kill(worker)

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        ours.send(self._ground)
        return _Worker(process, ours)

    def solve(
        self, jobs: Sequence[Job], seconds: float | None, asked: Callable[[], bool]
    ) -> Iterator[tuple[Group, Solved]]:
        """Solve every job; yield them in the order given, None for those cut short."""
        if not self._workers:
            deadline = None if seconds is None else monotonic() + seconds
            for job in jobs:
                yield job.group, _solve(self._ground, job, deadline, asked)
            return
        answers = self._side_by_side(jobs, seconds, asked)
        for n, job in enumerate(jobs):
            yield job.group, answers.get(n)

    def _side_by_side(
        self, jobs: Sequence[Job], seconds: float | None, asked: Callable[[], bool]
    ) -> dict[int, Solved]:
        """Hand the jobs out as workers get free; kill those that overrun or are not wanted."""
        began = monotonic()
        until = began + (LONGEST if seconds is None else seconds + GRACE)
        waiting = list(range(len(jobs)))
        busy: dict[int, int] = {}
        answers: dict[int, Solved] = {}
        while (waiting or busy) and monotonic() < until and not asked():
            for n in range(len(self._workers)):
                if waiting and n not in busy:
                    left = None if seconds is None else max(0, began + seconds - monotonic())
                    if self._handed(n, jobs[waiting[0]], left):
                        busy[n] = waiting.pop(0)
            for pipe in wait([self._workers[n].pipe for n in busy], timeout=LOOK):
                n = next(n for n in busy if self._workers[n].pipe is pipe)
                job = busy.pop(n)
                try:
                    answers[job] = self._workers[n].pipe.recv()
                except (EOFError, OSError):
                    self._replace(n)
        for n in busy:
            self._replace(n)
        return answers

    def _handed(self, n: int, job: Job, seconds: float | None) -> bool:
        """Hand a worker its job; one that died meanwhile is replaced and gets the next."""
        try:
            self._workers[n].pipe.send((job, seconds))
        except OSError:
            self._replace(n)
            return False
        return True

    def _replace(self, n: int) -> None:
        _kill(self._workers[n])
        self._workers[n] = self._start()


def _kill(worker: _Worker) -> None:
    worker.pipe.close()
    worker.process.kill()
    worker.process.join()


def _solve(ground: Ground, job: Job, deadline: float | None, asked: Callable[[], bool]) -> Solved:
    return solve_group(
        ground,
        job.group,
        seed=job.seed,
        iterations=job.iterations,
        stop=lambda: asked() or (deadline is not None and monotonic() > deadline),
    )


def _work(pipe: Connection) -> None:
    """Solve jobs until the pipe closes; runs in a process of its own."""
    try:
        ground: Ground = pipe.recv()
        parent = multiprocessing.parent_process()
        assert parent is not None, "a worker has a parent"
        while True:
            job, seconds = pipe.recv()
            deadline = None if seconds is None else monotonic() + seconds
            pipe.send(_solve(ground, job, deadline, lambda: not parent.is_alive()))
    except (EOFError, OSError, KeyboardInterrupt):
        return
