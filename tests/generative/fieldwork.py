"""What happens in the field: what assessors and liaisons say into their tablets."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from random import Random
from typing import Any
from uuid import uuid4

from outreach.actions import visits
from outreach.models import Visit
from outreach.models.ids import new_id
from tests import builders
from tests.generative.choosing import any_device, assessing, rule, said_of, seldom, visits_of
from tests.generative.device import Device
from tests.generative.expected import A_BAD_NUMBER, A_CHILDS_BIRTHDAY
from tests.generative.world import (
    HEARS_NOTHING,
    HEARS_WELL,
    KINDS,
    NOW,
    Made,
    World,
    administrator,
)


@rule(24)
def evaluate(world: World, choose: Random) -> None:
    """Finish an evaluation of a visit that the tablet shows as due."""
    device = assessing(world, choose)
    if device is None:
        return
    due = [(pk, row) for pk, row in visits_of(device, "scheduled") if pk not in said_of(device)]
    if due:
        finish_evaluation(world, device, choose.choice(due)[0])


@rule(6)
def evaluate_again(world: World, choose: Random) -> None:
    """Evaluate a visit for the second time, or one that another tablet has done."""
    device = assessing(world, choose)
    known = visits_of(device, "scheduled", "done", "not_done") if device else []
    if device and known:
        finish_evaluation(world, device, choose.choice(known)[0])


def finish_evaluation(world: World, device: Device, visit: str, *, met: bool = True) -> None:
    at, grade = NOW.isoformat(), 1 if met else None
    findings = HEARS_NOTHING if met else HEARS_WELL
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
        "parts": [{"category": "hearing", "findings": findings, "grade": grade, "reason": ""}],
        "grade": grade,
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
    due = [(pk, row) for pk, row in visits_of(device, "scheduled")] if device else []
    if device is None or not due:
        return
    pk, row = choose.choice(due)
    on, start = world.next_slot()
    args = {
        "visit": pk,
        "application": row["application"],
        "on": on.isoformat(),
        "start": f"{start:%H:%M}",
        "minutes": 30,
        "seen": {"on": row["on"], "start": row["start"]},
        "reason": f"mark {uuid4().hex}",
    }
    device.say("move_visit", args, NOW.isoformat(), 2)
    world.reached["field edits"] += 1


@rule(6)
def field_contact(world: World, choose: Random) -> None:
    """Correct where a family lives, naming the address that the tablet shows."""
    device = any_device(world, choose)
    known = visits_of(device, "scheduled", "done") if device else []
    if device is None or not known:
        return
    _, row = choose.choice(known)
    say_contact(device, row)
    world.reached["contacts corrected"] += 1


def say_contact(device: Device, row: dict[str, Any]) -> None:
    seen = {name: row["resident"][name] for name in ("telephone", "address")}
    args = {
        "application": row["application"],
        "to": {**seen, "address": f"mark {uuid4().hex}"},
        "seen": seen,
    }
    device.say("correct_contact", args, NOW.isoformat())


@rule(2)
def field_cancel(world: World, choose: Random) -> None:
    """Cancel a visit from the tablet."""
    device = assessing(world, choose)
    due = visits_of(device, "scheduled") if device else []
    if device and due:
        pk, row = choose.choice(due)
        seen = {"on": row["on"], "start": row["start"]}
        args = {"visit": pk, "reason": f"mark {uuid4().hex}", "seen": seen}
        device.say("cancel_visit", args, NOW.isoformat())


@rule(2)
def field_not_done(world: World, choose: Random) -> None:
    """Find nobody at home, sometimes since the family has asked the office for another day."""
    device = assessing(world, choose)
    due = visits_of(device, "scheduled") if device else []
    if device and due:
        pk, row = choose.choice(due)
        if choose.random() < 0.5:
            _put_off(world, pk)
        args = {
            "visit": pk,
            "application": row["application"],
            "seen": {"on": row["on"], "start": row["start"]},
            "reason": "absent",
            "next_step": "revisit",
            "note": f"mark {uuid4().hex}",
            "recorded_at": NOW.isoformat(),
            "place": None,
        }
        device.say("record_not_done", args, NOW.isoformat(), 2)
        world.reached["not done"] += 1


def _put_off(world: World, pk: str) -> None:
    visit = Visit.objects.filter(pk=pk, state="scheduled").select_related("application__assessor")
    for one in visit:
        on, start = world.next_slot()
        to = visits.Appointment(one.application, on, start, 30)
        visits.move(one, to, by=administrator(world), at=NOW, reason="desk")
        world.note_history()
        world.reached["not done, and put off"] += 1


@rule(3)
def nominate(world: World, choose: Random) -> None:
    """Nominate somebody from the liaison's tablet."""
    device = any_device(world, choose, "liaison")
    if device:
        say_nomination(world, choose, device, is_bad=choose.random() < 0.25)


def say_nomination(world: World, choose: Random, device: Device, *, is_bad: bool) -> None:
    args: dict[str, Any] = {
        "application": str(new_id()),
        "resident": {"name": "钱小河", "id_number": builders.id_number(date(1970, 1, 1))},
        "village": choose.choice(["511302201201", "511302201201", "511302202201"]),
        "categories": ["hearing"],
        "consent": {"by": "resident", "name": "钱小河"},
    }
    version = choose.choice([1, 2])
    if version == 2:
        papers = choose.sample(["id_card", "household_book", "photos"], 2)
        args["media"] = [photographed(world, device, paper) for paper in papers]
    if is_bad:
        args["resident"] = {"name": "钱小河", "id_number": A_BAD_NUMBER}
        world.reached["nominated with a bad number"] += 1
    device.say("nominate", args, NOW.isoformat(), version)
    world.reached[f"nominate v{version}"] += 1


@seldom(3)
def nominate_a_child(world: World, choose: Random) -> None:
    """Nominate a child with its guardian, who has to ask; some write down that the child does."""
    device = any_device(world, choose, "liaison")
    if device is None:
        return
    guardian = {"name": f"钱大河{choose.choice('甲乙丙')}", "relation": "parent", "telephone": ""}
    asks = choose.choice(["guardian", "guardian", "resident"])
    papers = choose.sample(["id_card", "household_book", "guardian_proof"], 2)
    args = {
        "application": str(new_id()),
        "resident": {"name": "钱小江", "id_number": builders.id_number(A_CHILDS_BIRTHDAY)},
        "village": choose.choice(["511302201201", "511302201201", "511302202201"]),
        "categories": ["hearing"],
        "guardian": guardian,
        "consent": {"by": asks, "name": guardian["name"] if asks == "guardian" else "钱小江"},
        "media": [photographed(world, device, paper) for paper in papers],
    }
    device.say("nominate", args, NOW.isoformat(), 3)
    world.reached["nominate v3"] += 1
    if choose.random() < 0.3:
        world.back_up()
    world.exchange(device, choose.choice(["whole", "whole", "cut", "twice", "lost"]))
    if choose.random() < 0.2:
        world.restore()


def photographed(world: World, device: Device, paper: str) -> dict[str, Any]:
    return {
        **device.photo(world.picture()),
        "kind": "paper",
        "paper": paper,
        "type": "image/jpeg",
        "taken_at": NOW.isoformat(),
        "place": None,
    }


@rule(5)
def correct_a_nomination(world: World, choose: Random) -> None:
    """Correct a nomination that was not taken in; sometimes the server loses the first one."""
    device = any_device(world, choose, "liaison")
    if device is None or device.state.halt or device.state.app == "0.0.1":
        return
    if not declined(device):
        say_nomination(world, choose, device, is_bad=True)
        if choose.random() < 0.3:
            world.back_up()
        world.exchange(device)
    if found := declined(device):
        say_corrected(world, choose, device, choose.choice(found))
        if choose.random() < 0.3:
            # Both come again, in one push.
            world.restore()
            world.reached["corrections restored"] += 1
        world.exchange(device, choose.choice(["whole", "whole", "cut", "twice", "lost"]))


def declined(device: Device) -> list[dict[str, Any]]:
    """Return the nominations that the tablet offers to correct: parked ones wait for the office."""
    told = device.state.outcomes
    return [
        said
        for seq, said in sorted(device.state.log.items())
        if said["name"] == "nominate" and (answer := told.get(seq))
        if (answer["was"] or answer["outcome"]) in ("refused", "conflict")
    ]


def say_corrected(world: World, choose: Random, device: Device, said: dict[str, Any]) -> None:
    """Say it again under its own number, with its photos and another one."""
    args = {"media": [], **deepcopy(said["args"]), "corrects": said["id"]}
    if choose.random() < 0.85:
        args["resident"]["id_number"] = builders.id_number(date(1970, 1, 1))
    papers = {one["paper"] for one in args["media"]}
    if left := sorted({"id_card", "household_book", "photos"} - papers):
        args["media"].append(photographed(world, device, choose.choice(left)))
    device.say("nominate", args, NOW.isoformat(), max(2, said["v"]))
    world.reached["corrections"] += 1


@rule(2)
def say_what_the_server_does_not_know(world: World, choose: Random) -> None:
    """Say something in a form that this server cannot take in."""
    device = any_device(world, choose)
    if device:
        name, v = choose.choice([("submit_evaluation", 77), ("teleport", 1), ("move_visit", 1)])
        device.say(name, {"what": "ever"}, NOW.isoformat(), v)
        world.reached["not understood"] += 1
