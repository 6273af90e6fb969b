"""The register of what can happen, and how a rule chooses what it happens to."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from tests.generative.device import Device
from tests.generative.world import World

Rule = Callable[[World, Random], None]
RULES: dict[str, tuple[int, Rule]] = {}


def rule(weight: int) -> Callable[[Rule], Rule]:
    """Register a rule by its name; it comes as often as its weight says."""

    def register(function: Rule) -> Rule:
        RULES[function.__name__] = (weight, function)
        return function

    return register


#: Rules that come between the others, those of the office that come between all these, and what
#: is seldom.
BETWEEN: dict[str, int] = {}
MEANWHILE: dict[str, int] = {}
SELDOM: dict[str, int] = {}


def between(weight: int, among: dict[str, int] = BETWEEN) -> Callable[[Rule], Rule]:
    """Register a rule that a scenario plays between the others, as often as its weight says.

    By choices of their own: a scenario stays what it was without them, and so do the seeds that
    catch a fault.
    """

    def register(function: Rule) -> Rule:
        among[function.__name__] = weight
        return rule(0)(function)

    return register


def meanwhile(weight: int) -> Callable[[Rule], Rule]:
    """Register what the office does between all of these, in some scenarios."""
    return between(weight, MEANWHILE)


def seldom(weight: int) -> Callable[[Rule], Rule]:
    """Register what happens now and then in a year, in some scenarios and beside those."""
    return between(weight, SELDOM)


def any_device(world: World, choose: Random, *usernames: str) -> Device | None:
    fitting = [one for one in world.devices.values() if one.username in usernames or not usernames]
    return choose.choice(fitting) if fitting else None


def assessing(world: World, choose: Random) -> Device | None:
    """Return an assessor's tablet, one with something to do where there is one."""
    fitting = [one for one in world.devices.values() if one.username != "liaison"]
    busy = [one for one in fitting if visits_of(one, "scheduled")]
    return choose.choice(busy or fitting) if fitting else None


def visits_of(device: Device, *states: str) -> list[tuple[str, dict[str, Any]]]:
    return [(pk, row) for pk, row in rows_of(device, "visit") if row["state"] in states]


def rows_of(device: Device, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows of a kind that the tablet shows, by what stands after the kind."""
    keys = (key for key in sorted(device.state.rows) if key.startswith(f"{kind}/"))
    return [(key.partition("/")[2], device.state.rows[key][1]) for key in keys]


def said_of(device: Device) -> set[str]:
    return {str(said["args"].get("visit")) for said in device.state.log.values()}
