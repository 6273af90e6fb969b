"""Older versions of what tablets say become today's by pure functions.

The ledger keeps what was said; only what is read from it is upcast. A step turns the arguments
of one version into those of the next and never touches its input. What has no path to a version
that the server takes in is parked, as is a version that is newer than the server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Args = dict[str, Any]
Step = Callable[[Args], Args]
#: From a mutation's name and version to the step that makes the next version of it.
UPCASTERS: dict[tuple[str, int], Step] = {}


def upcaster(name: str, version: int) -> Callable[[Step], Step]:
    """Register a step from `version` of the mutation `name` to the version after it."""

    def register(step: Step) -> Step:
        if (name, version) in UPCASTERS:
            raise ValueError(f"{name} v{version} has a step already")
        UPCASTERS[name, version] = step
        return step

    return register


def upcast(name: str, version: int, args: Args) -> tuple[int, Args]:
    """Return the newest version that `args` can be read as, and the arguments in its form."""
    while step := UPCASTERS.get((name, version)):
        version, args = version + 1, step(args)
    return version, args


@upcaster("cancel_visit", 1)
@upcaster("move_visit", 1)
def appointment_by_its_visit_alone(args: Args) -> Args:
    """Return a move or a cancellation that does not say of which case: `application` is null."""
    return {**args, "application": None}


@upcaster("record_not_done", 1)
def not_done_whatever_was_seen(args: Args) -> Args:
    """Return a report that names neither case nor appointment: both are null."""
    return {**args, "application": None, "seen": None}


@upcaster("submit_evaluation", 1)
def evaluation_by_its_visit_alone(args: Args) -> Args:
    """Return an evaluation that does not say of which case it is: `application` is null."""
    return {**args, "application": None}


@upcaster("nominate", 1)
def nominate_without_photos(args: Args) -> Args:
    """Return a nomination without photos of papers: `media` is empty."""
    return {**args, "media": []}


@upcaster("nominate", 2)
def nominate_without_a_guardian(args: Args) -> Args:
    """Return a nomination that names no guardian: `guardian` is null."""
    return {**args, "guardian": None}
