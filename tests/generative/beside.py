"""What happens beside the line: hand-ins, other offices that read, a second window."""

from __future__ import annotations

from random import Random

from mobile_api.pull import digest
from tests.generative.choosing import any_device, rule, said_of, visits_of
from tests.generative.device import Device, State, fresh_key
from tests.generative.fieldwork import finish_evaluation
from tests.generative.handed import hand_in
from tests.generative.promises import check
from tests.generative.speaking import post
from tests.generative.world import World, enrol


@rule(6)
def hand_in_what_is_stuck(world: World, choose: Random) -> None:
    """Hand in, on whatever line there is, what a tablet that came to a halt still holds."""
    if halted := stuck(world):
        device = choose.choice(halted)
        hand_over(world, device, choose.choice([None, 1, 2]))
        due = [pk for pk, _ in visits_of(device, "scheduled") if pk not in said_of(device)]
        goes_on = device.state.handing and device.state.halt != "revoked"
        if goes_on and due and device.username != "liaison":
            # The line broke, and the day's work goes on.
            finish_evaluation(world, device, choose.choice(due))


def stuck(world: World) -> list[Device]:
    """Return the tablets that came to a halt with something in their stores."""
    found = [one for one in world.devices.values() if one.state.halt]
    return [one for one in found if one.state.log or one.state.handing]


def hand_over(world: World, device: Device, room: int | None = None) -> None:
    """Hand in; when all is receipted the tablet forgets, and begins anew unless it was stopped."""
    halt, unknown = device.state.halt, not world.knows(device)
    if not hand_in(device, room):
        world.reached["hand-in cut"] += 1
        return
    world.reached["handed in"] += 1
    world.reached[f"handed in {halt}"] += 1
    world.reached["handed in unknown to all"] += unknown
    world.forget(device)
    device.state, device.key = State(), fresh_key()
    if world.is_stopped(device):
        device.state.halt = "revoked"
        world.told_revoked.add(device.name)
        device.save()
    else:
        world.cloned.discard(device.name)
        enrol(device, world.place)


@rule(6)
def read_changes(world: World, choose: Random) -> None:
    """Let another office's system read a page or two."""
    reader = choose.choice(world.readers)
    for _ in range(choose.choice([1, 1, 3])):
        step = reader.read()
        world.reached["feed read"] += 1
        world.reached["feed restored"] += step == "restored"


@rule(5)
def second_window(world: World, choose: Random) -> None:
    """Pull from two windows over the same store, each from the view it holds (I10)."""
    device = any_device(world, choose)
    if device is None or device.state.halt or world.is_stopped(device):
        return
    state = device.state
    view, rows = state.view, dict(state.rows)
    if view is None or world.clean_views.get(device.name) != view or state.app == "0.0.1":
        return
    world.exchange(device)
    asked = {"view": view, "digest": digest_of(rows), "max_bytes": 65_536}
    body = {"replica": state.replica, "app": state.app, "rid": "second window", "pull": asked}
    status, answer = post("/api/v1/sync", body, state.token)
    if status != 200:
        return
    page = answer["pull"]
    check("I10", page["base"] == view, "the second window's view is forgotten")
    for key in page["dels"]:
        rows.pop(key, None)
    rows.update({row["k"]: (row["h"], row["d"]) for row in page["puts"]})
    check("I4", digest_of(rows) == page["digest"], "the second window holds other rows")
    # And the first window goes on from its own: `World` checks that its view stands.
    world.exchange(device)
    world.reached["second windows"] += 1


def digest_of(rows: dict[str, tuple[str, dict[str, object]]]) -> str:
    """Return the digest of rows as a tablet works it out."""
    return digest({key: hashed for key, (hashed, _) in rows.items()})
