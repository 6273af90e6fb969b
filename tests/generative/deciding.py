"""What the office makes of hand-ins, and tablets that lock their users out."""

from __future__ import annotations

from random import Random
from typing import Any

from django.conf import settings

from mobile_api import disputes
from mobile_api.federation import FederationKeys
from mobile_api.models import Decision, Dispute, HandInPart
from mobile_api.quarantine import decide, hand_ins_for
from outreach.rules import Refused
from tests.generative.beside import hand_over, stuck
from tests.generative.choosing import rule
from tests.generative.device import Device
from tests.generative.fieldwork import declined, say_corrected
from tests.generative.promises import check
from tests.generative.world import NOW, World, administrator


@rule(10)
def decide_a_hand_in(world: World, choose: Random) -> None:
    """Take a hand-in in, or set it aside; fetch one where none waits."""
    if not undecided(world):
        if halted := stuck(world):
            hand_over(world, choose.choice(halted), choose.choice([None, None, 0, 1, 2]))
        else:
            lock_out(world, choose)
    if waiting := undecided(world):
        decision = choose.choice([Decision.ACCEPTED, Decision.ACCEPTED, Decision.SET_ASIDE])
        first = choose.choice(waiting)
        decide_one(world, first, decision)
        world.reached[f"hand-in {decision}"] += 1
        goes_on(world, first, choose.choice([None, None, 1]))


def goes_on(world: World, first: HandInPart, room: int | None) -> None:
    """Let the tablet whose hand-in was decided while it was cut off go on with it."""
    for device in stuck(world):
        if device.state.handing == str(first.hand_in):
            hand_over(world, device, room)
            world.reached["hand-in went on when it was decided"] += 1


@rule(5)
def lock_out(world: World, choose: Random) -> None:
    """Forget a tablet's PIN and hand in what it holds; where that is cut off, remember the PIN.

    Then the tablet comes back and sends what the office may have in its hands already.
    """
    fitting = [one for one in world.devices.values() if one.state.log and not one.state.halt]
    if fitting:
        wronged = [one for one in fitting if _to_correct(one)]
        device = choose.choice(wronged or fitting)
        if wronged:  # the copy comes with the hand-in alone
            say_corrected(world, choose, device, _to_correct(device)[-1])
            world.reached["a correction handed in"] += 1
        device.state.halt = "locked"
        hand_over(world, device, None if wronged else choose.choice([None, 0, 0, 1, 2]))
        if device.state.halt == "locked":
            device.state.halt = device.state.handing = None
            device.save()
            world.reached["PIN remembered"] += 1
            waiting = undecided(world)
            if waiting and choose.random() < 0.5:
                decide_one(world, waiting[-1], Decision.ACCEPTED)
                world.exchange(device)


def _to_correct(device: Device) -> list[dict[str, Any]]:
    copied = {said["args"].get("corrects") for said in device.state.log.values()}
    return [said for said in declined(device) if said["id"] not in copied]


def undecided(world: World) -> list[HandInPart]:
    """Return the hand-ins that wait at the desk, also those that were cut off."""
    found = hand_ins_for(administrator(world)).order_by("pk")
    return [one for one in found if not one.decided]


#: Of what was said in another role, or under another rule of the office, a person decides.
_NO_REASONS = {"not-your-step", "co-signer-missing"}


def decided(world: World, dispute: Dispute, decision: Decision) -> bool:
    """Decide about a dispute as far as the rules let somebody; tell whether it is decided."""
    try:
        disputes.decide(dispute, decision, reason="seen", by=administrator(world), at=NOW)
    except Refused as refused:
        check("I2", refused.code not in _NO_REASONS, f"{dispute.code} can only be set aside")
        world.reached["dispute stays open"] += 1
        return False
    world.reached[f"dispute {decision}"] += 1
    world.note_history()
    return True


def open_disputes() -> list[Dispute]:
    """Return the disputes that wait at the desk."""
    return list(Dispute.objects.filter(decided_at=None).order_by("pk"))


def set_one_aside(world: World) -> None:
    """Set the newest dispute aside, of which its tablet hears although nothing else is new."""
    for dispute in open_disputes()[-1:]:
        by = administrator(world)
        disputes.decide(dispute, Decision.SET_ASIDE, reason="seen", by=by, at=NOW)
        world.reached["dispute set_aside at last"] += 1


def decide_one(world: World, first: HandInPart, decision: Decision) -> None:
    """Decide about a hand-in."""
    keys = FederationKeys(settings.OUTREACH_KEYS_DIR)
    verdict = decide(first, decision, reason="seen", keys=keys, by=administrator(world), at=NOW)
    world.note_history()
    world.reached[f"hand-in {decision} {first.reason}"] += 1
    world.reached["records taken in"] += sum(
        count for name, count in verdict.told.items() if name not in _NO_RECORDS
    )


_NO_RECORDS = {"picture", "no_picture", "here", "unreadable"}
