"""What can happen: in the field, at the office, to tablets, to the server, on the line.

Each rule takes the world and a source of choices of its own, so that leaving one step out
changes no other: scenarios shrink.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any
from uuid import uuid4

from mobile_api import devices as enrolling
from mobile_api.auth import fingerprint
from mobile_api.disputes import decide
from mobile_api.models import Decision, Dispute
from mobile_api.models import Device as Enrolled
from outreach.actions import applications, visits
from outreach.domain.workflow import OPEN_VISITS
from outreach.models import Application, User, Visit
from outreach.models.ids import new_id
from outreach.rules import Refused
from tests import builders
from tests.generative.device import Device, State, fresh_key
from tests.generative.world import HEARS_NOTHING, KINDS, NOW, Made, World, administrator, enrol

Rule = Callable[[World, Random], None]
RULES: dict[str, tuple[int, Rule]] = {}


def rule(weight: int) -> Callable[[Rule], Rule]:
    """Register a rule by its name; it comes as often as its weight says."""

    def register(function: Rule) -> Rule:
        RULES[function.__name__] = (weight, function)
        return function

    return register


def any_device(world: World, choose: Random, *usernames: str) -> Device | None:
    fitting = [one for one in world.devices.values() if one.username in usernames or not usernames]
    return choose.choice(fitting) if fitting else None


def _assessing(world: World, choose: Random) -> Device | None:
    """Return an assessor's tablet, one with something to do where there is one."""
    fitting = [one for one in world.devices.values() if one.username != "liaison"]
    busy = [one for one in fitting if _visits(one, "scheduled")]
    return choose.choice(busy or fitting) if fitting else None


def _visits(device: Device, *states: str) -> list[tuple[str, dict[str, Any]]]:
    rows = sorted(device.state.rows.items())
    found = [(key[6:], row) for key, (_, row) in rows if key.startswith("visit/")]
    return [(pk, row) for pk, row in found if row["state"] in states]


def _said_of(device: Device) -> set[str]:
    return {str(said["args"].get("visit")) for said in device.state.log.values()}


# In the field


@rule(24)
def evaluate(world: World, choose: Random) -> None:
    """Finish an evaluation of a visit that the tablet shows as due."""
    device = _assessing(world, choose)
    if device is None:
        return
    due = [(pk, row) for pk, row in _visits(device, "scheduled") if pk not in _said_of(device)]
    if due:
        _evaluate(world, device, choose.choice(due)[0])


@rule(3)
def evaluate_again(world: World, choose: Random) -> None:
    """Evaluate a visit for the second time, or one that another tablet has done."""
    device = _assessing(world, choose)
    known = _visits(device, "scheduled", "done", "not_done") if device else []
    if device and known:
        _evaluate(world, device, choose.choice(known)[0])


def _evaluate(world: World, device: Device, visit: str) -> None:
    at = NOW.isoformat()
    media = [
        {
            **device.photo(world.picture()),
            "kind": kind,
            "type": "image/jpeg",
            "taken_at": at,
            "place": None,
        }
        for kind in KINDS
    ]
    others = {"assessor": world.place.colleague, "colleague": world.place.assessor}
    evaluation, remark = str(new_id()), f"said by {device.name}, {uuid4().hex}"
    args = {
        "evaluation": evaluation,
        "visit": visit,
        "parts": [{"category": "hearing", "findings": HEARS_NOTHING, "grade": 1, "reason": ""}],
        "grade": 1,
        "identity_checked": True,
        "guardian_present": True,
        "consent": {"by": "resident", "name": "赵青山"},
        "co_signers": [str(others[device.username].pk)],
        "arrived_at": at,
        "evaluated_at": at,
        "place": None,
        "remark": remark,
        "media": media,
    }
    device.say("submit_evaluation", args, at)
    names = [one["sha256"] for one in media]
    world.made[evaluation] = Made(evaluation, visit, remark, names, device.name)
    world.kept_by[device.name].add(evaluation)
    world.reached["evaluations"] += 1


@rule(11)
def field_move(world: World, choose: Random) -> None:
    """Move a visit from the tablet, naming the appointment that its user sees."""
    device = any_device(world, choose)
    due = [(pk, row) for pk, row in _visits(device, "scheduled")] if device else []
    if device is None or not due:
        return
    pk, row = choose.choice(due)
    on, start = world.next_slot()
    args = {
        "visit": pk,
        "on": on.isoformat(),
        "start": f"{start:%H:%M}",
        "minutes": 30,
        "seen": {"on": row["on"], "start": row["start"]},
        "reason": f"mark {uuid4().hex}",
    }
    device.say("move_visit", args, NOW.isoformat())
    world.reached["field edits"] += 1


@rule(2)
def field_cancel(world: World, choose: Random) -> None:
    """Cancel a visit from the tablet."""
    device = _assessing(world, choose)
    due = _visits(device, "scheduled") if device else []
    if device and due:
        pk, row = choose.choice(due)
        seen = {"on": row["on"], "start": row["start"]}
        args = {"visit": pk, "reason": f"mark {uuid4().hex}", "seen": seen}
        device.say("cancel_visit", args, NOW.isoformat())


@rule(2)
def field_not_done(world: World, choose: Random) -> None:
    """Find nobody at home."""
    device = _assessing(world, choose)
    due = _visits(device, "scheduled") if device else []
    if device and due:
        args = {
            "visit": choose.choice(due)[0],
            "reason": "absent",
            "next_step": "revisit",
            "note": "",
            "recorded_at": NOW.isoformat(),
            "place": None,
        }
        device.say("record_not_done", args, NOW.isoformat())


@rule(3)
def nominate(world: World, choose: Random) -> None:
    """Nominate somebody from the liaison's tablet."""
    device = any_device(world, choose, "liaison")
    if device is None:
        return
    args = {
        "application": str(new_id()),
        "resident": {"name": "钱小河", "id_number": builders.id_number(date(1970, 1, 1))},
        "village": choose.choice(["511302201201", "511302201201", "511302202201"]),
        "categories": ["hearing"],
        "consent": {"by": "resident", "name": "钱小河"},
    }
    version = choose.choice([1, 2])
    if version == 2:
        args["media"] = [
            {
                **device.photo(world.picture()),
                "kind": "paper",
                "paper": paper,
                "type": "image/jpeg",
                "taken_at": NOW.isoformat(),
                "place": None,
            }
            for paper in choose.sample(["id_card", "household_book", "photos"], 2)
        ]
    device.say("nominate", args, NOW.isoformat(), version)
    world.reached[f"nominate v{version}"] += 1


@rule(2)
def say_what_the_server_does_not_know(world: World, choose: Random) -> None:
    """Say something in a form that this server cannot take in."""
    device = any_device(world, choose)
    if device:
        name, v = choose.choice([("submit_evaluation", 77), ("teleport", 1), ("move_visit", 1)])
        device.say(name, {"what": "ever"}, NOW.isoformat(), v)
        world.reached["not understood"] += 1


# At the office


@rule(5)
def create_visit(world: World, choose: Random) -> None:
    """Accept a new case and schedule its visit."""
    number = builders.id_number(date(1960, 1, 1))
    try:
        [case] = builders.accepted(world.place, 1, categories=["hearing"], id_number=number)
    except Refused:
        return
    if choose.random() < 0.3:
        applications.assign([case], world.place.colleague, by=administrator(world), at=NOW)
    if choose.random() < 0.8:
        on, start = world.next_slot()
        wanted = visits.Appointment(case, on, start, 30)
        visits.schedule([wanted], by=administrator(world), at=NOW)
    world.note_history()


@rule(7)
def reassign(world: World, choose: Random) -> None:
    """Give a case with an open visit to the other assessor."""
    cases = Application.objects.filter(state="accepted", visits__state__in=OPEN_VISITS)
    found = list(cases.order_by("pk").distinct())
    if not found:
        return
    case = choose.choice(found)
    other = {"assessor": "colleague"}.get(case.assessor.username if case.assessor else "")
    user = User.objects.get(username=other or "assessor")
    applications.assign([case], user, by=administrator(world), at=NOW)
    world.note_history()
    world.reached["reassigned"] += 1


def _open_visit(choose: Random) -> Visit | None:
    found = list(Visit.objects.filter(state="scheduled").select_related("application", "assessor"))
    return choose.choice(sorted(found, key=lambda one: one.pk)) if found else None


@rule(9)
def office_move(world: World, choose: Random) -> None:
    """Move a visit at the desk."""
    visit = _open_visit(choose)
    if visit:
        on, start = world.next_slot()
        to = visits.Appointment(visit.application, on, start, 30)
        visits.move(visit, to, by=administrator(world), at=NOW, reason="desk")
        world.note_history()
        world.reached["office edits"] += 1


@rule(3)
def office_cancel(world: World, choose: Random) -> None:
    """Cancel a visit at the desk."""
    visit = _open_visit(choose)
    if visit:
        visits.cancel(visit, by=administrator(world), at=NOW, reason="desk")
        world.note_history()
        world.reached["cancelled"] += 1


@rule(5)
def decide_dispute(world: World, choose: Random) -> None:
    """Accept what a tablet said and was disputed, or set it aside."""
    waiting = list(Dispute.objects.filter(decided_at=None).order_by("pk"))
    if not waiting:
        return
    decision = choose.choice([Decision.ACCEPTED, Decision.ACCEPTED, Decision.SET_ASIDE])
    try:
        decide(choose.choice(waiting), decision, reason="seen", by=administrator(world), at=NOW)
        world.reached[f"dispute {decision}"] += 1
    except Refused:
        world.reached["dispute stays open"] += 1
    world.note_history()


@rule(3)
def move_area(world: World, choose: Random) -> None:
    """Give the liaison another area: grants one, revokes the other."""
    place = world.place
    area = choose.choice([place.village, place.other_village, place.township])
    User.objects.filter(username="liaison").update(division=area)
    world.reached["areas"] += 1


@rule(2)
def revoke(world: World, choose: Random) -> None:
    """Revoke a tablet; it hears of it at its next call."""
    device = any_device(world, choose)
    if device is None or world.revoked:
        return
    token = fingerprint(device.state.token)
    enrolled = Enrolled.objects.filter(token_sha256=token, revoked_at=None).first()
    if enrolled:
        enrolling.revoke(enrolled, by=administrator(world), at=NOW)
        world.revoked |= {
            one.name for one in world.devices.values() if one.state.token == device.state.token
        }
        world.reached["revoked"] += 1


# To the tablets


@rule(3)
def upgrade(world: World, choose: Random) -> None:
    """Run an app that is too old, or the present one again."""
    device = any_device(world, choose)
    if device:
        device.upgrade("0.0.1" if device.state.app != "0.0.1" else "0.1.0")
        world.reached["app versions"] += 1


@rule(2)
def evict(world: World, choose: Random) -> None:
    """Lose the whole store of a tablet: the browser needed the room."""
    device = any_device(world, choose)
    if device is None or device.name in world.revoked:
        return
    before = world.everywhere()
    world.kept_by[device.name] = set()
    world.excused |= before - world.everywhere()
    device.state, device.key = State(), fresh_key()
    world.late.pop(device.name, None)
    world.clean_views.pop(device.name, None)
    world.cloned.discard(device.name)
    enrol(device, world.place)
    world.reached["evicted"] += 1


@rule(4)
def row_vanishes(world: World, choose: Random) -> None:
    """Lose one pulled row of a tablet, as a damaged store does."""
    device = any_device(world, choose)
    if device and device.state.rows:
        device.state.rows.pop(choose.choice(sorted(device.state.rows)))
        device.save()
        world.clean_views.pop(device.name, None)
        world.reached["vanished"] += 1


@rule(3)
def clone(world: World, choose: Random) -> None:
    """Copy a tablet's whole profile to another one."""
    device = any_device(world, choose)
    if device is None or len(world.devices) > 4:
        return
    name = f"{device.name}{len(world.devices)}"
    world.devices[name] = device.copied(name)
    world.kept_by[name] = set(world.kept_by[device.name])
    world.cloned |= {device.name, name}
    world.clean_views.pop(device.name, None)
    for told in (world.revoked, world.told_revoked):
        if device.name in told:
            told.add(name)
    world.reached["clones"] += 1
    if choose.random() < 0.6:
        # Both go on from the same place, and both find a line.
        for one in choose.sample([device, world.devices[name]], 2):
            due = [pk for pk, _ in _visits(one, "scheduled") if pk not in _said_of(one)]
            if due and one.username != "liaison":
                _evaluate(world, one, choose.choice(due))
            else:
                one.say("teleport", {"from": one.name}, NOW.isoformat())
            world.exchange(one, choose.choice(["whole", "whole", "cut"]))


@rule(3)
def crash(world: World, choose: Random) -> None:
    """Cut a tablet's power between two steps."""
    device = any_device(world, choose)
    if device:
        device.crash()
        world.reached["crash"] += 1


# To the server


@rule(3)
def back_up(world: World, choose: Random) -> None:
    """Make a backup."""
    world.back_up()


@rule(3)
def restore(world: World, choose: Random) -> None:
    """Restore the newest backup."""
    world.restore()


# On the line


@rule(22)
def exchange(world: World, choose: Random) -> None:
    """Do a round trip or two on a good line."""
    device = any_device(world, choose)
    if device:
        device.max_bytes = choose.choice([1024, 65_536, 65_536])
        for _ in range(choose.choice([1, 1, 3])):
            if world.exchange(device) != "more":
                break


@rule(14)
def exchange_on_a_bad_line(world: World, choose: Random) -> None:
    """Do a round trip on a line that loses, cuts, delays or doubles."""
    device = any_device(world, choose)
    if device:
        device.max_bytes = choose.choice([1024, 65_536])
        world.exchange(device, choose.choice(["lost", "cut", "cut", "twice", "late", "crash"]))


@rule(6)
def late_answer(world: World, choose: Random) -> None:
    """Deliver an answer long after its request was given up."""
    waiting = [one for name, one in world.devices.items() if world.late.get(name)]
    if waiting:
        world.late_answer(choose.choice(waiting))
    elif device := any_device(world, choose):
        world.exchange(device, "late")


@rule(4)
def replay(world: World, choose: Random) -> None:
    """Let the network deliver an old request once more; nobody waits for the answer."""
    if world.old:
        name, request, token = choose.choice(world.old)
        world.replayed(name, request, token)


@rule(12)
def upload(world: World, choose: Random) -> None:
    """Upload a photo or two that the server misses, on whatever line there is."""
    fitting = [one for one in world.devices.values() if one.wanted() and not one.state.halt]
    device = choose.choice(fitting) if fitting else None
    if device is None:
        return
    for name in device.wanted()[: choose.choice([1, 3])]:
        world.upload(device, name, choose.choice(["whole", "cut", "damaged"]))
