"""Visits that a tablet books while others book, move, give away and erase; papers handed over."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, time
from random import Random

from certificates.actions import hand_over
from certificates.models import Certificate
from outreach.actions import applications, visits
from outreach.models import Application, User, Visit
from outreach.models.ids import new_id
from outreach.rules import Refused
from tests import builders
from tests.generative.choosing import any_device, between, rows_of
from tests.generative.device import Device
from tests.generative.fieldwork import finish_evaluation
from tests.generative.forgetting import carry_out
from tests.generative.world import NOW, World, administrator

Slot = tuple[date, time]


@between(4)
def book_a_visit(world: World, choose: Random) -> None:
    """Book the visit of a case from a tablet that shows it; what comes between, comes first."""
    found = unvisited(world) or newly_unvisited(world)
    if not found:
        return
    device, pk = choose.choice(found)
    slot = world.next_slot()
    visit = say_booking(world, device, pk, slot)
    if device.username != "liaison" and choose.random() < 0.3:
        # Somebody is near, and goes there at once.
        finish_evaluation(world, device, visit)
    case = Application.objects.filter(pk=pk, erased_at=None).first()
    meanwhile = choose.choice([None, None, None, *_MEANWHILE])
    if meanwhile and case:
        with suppress(Refused):
            meanwhile(world, choose, case, slot)
            world.reached["booked, and meanwhile " + meanwhile.__name__[1:]] += 1
        world.note_history()
    world.exchange(device, choose.choice(["whole", "whole", "whole", "cut", "twice", "lost"]))


def unvisited(world: World) -> list[tuple[Device, str]]:
    """Return the cases without a visit that tablets show."""
    rows = ((one, pk) for one in world.devices.values() for pk, _ in rows_of(one, "case"))
    return [(one, pk) for one, pk in rows if not one.state.halt]


def newly_unvisited(world: World) -> list[tuple[Device, str]]:
    """Accept a case that nobody has a time for, and let a tablet hear of it."""
    # Numbers come round after a thousand: born on a day of their own, nobody meets the beginning's.
    number = builders.id_number(date(1955, 5, 5))
    builders.accepted(world.place, 1, categories=["hearing"], id_number=number)
    for device in list(world.devices.values()):
        world.exchange(device)
    return unvisited(world)


def say_booking(world: World, device: Device, case: str, slot: Slot) -> str:
    """Say into a tablet when a case is visited; return the visit."""
    on, start = slot
    visit = str(new_id())
    args = {
        "visit": visit,
        "application": case,
        "on": on.isoformat(),
        "start": f"{start:%H:%M}",
        "minutes": 30,
    }
    device.say("schedule_visit", args, NOW.isoformat())
    world.reached["booked"] += 1
    return visit


# What happens before the office hears of it


def _the_desk_takes_the_time(world: World, choose: Random, case: Application, slot: Slot) -> None:
    others = Visit.objects.filter(assessor=case.assessor, state="scheduled").order_by("pk")
    visit = choose.choice(list(others.select_related("application", "assessor")) or [None])
    if visit:
        to = visits.Appointment(visit.application, *slot, 30)
        visits.move(visit, to, by=administrator(world), at=NOW, reason="desk")


def _the_desk_books_the_case(world: World, _choose: Random, case: Application, _slot: Slot) -> None:
    wanted = visits.Appointment(case, *world.next_slot(), 30)
    visits.schedule([wanted], by=administrator(world), at=NOW)


def _it_is_given_away(world: World, _choose: Random, case: Application, _slot: Slot) -> None:
    name = "colleague" if case.assessor and case.assessor.username == "assessor" else "assessor"
    other = User.objects.get(username=name)
    applications.assign([case], other, by=administrator(world), at=NOW)


def _it_is_withdrawn(world: World, _choose: Random, case: Application, _slot: Slot) -> None:
    visits.leave(case, "withdraw", by=administrator(world), at=NOW, note="desk")


def _it_is_erased(world: World, choose: Random, case: Application, slot: Slot) -> None:
    _it_is_withdrawn(world, choose, case, slot)
    carry_out(world, case)


def _another_books_the_case(world: World, choose: Random, case: Application, slot: Slot) -> None:
    also = [one for one, pk in unvisited(world) if pk == str(case.pk)]
    if also:
        device = choose.choice(also)
        say_booking(world, device, str(case.pk), choose.choice([slot, world.next_slot()]))
        world.exchange(device, choose.choice(["whole", "cut"]))


def _another_takes_the_time(world: World, choose: Random, case: Application, slot: Slot) -> None:
    also = [(one, pk) for one, pk in unvisited(world) if pk != str(case.pk)]
    if also:
        device, pk = choose.choice(also)
        say_booking(world, device, pk, slot)
        world.exchange(device, choose.choice(["whole", "cut"]))


_MEANWHILE: list[Callable[[World, Random, Application, Slot], None]] = [
    _the_desk_takes_the_time,
    _the_desk_books_the_case,
    _it_is_given_away,
    _it_is_withdrawn,
    _it_is_erased,
    _another_books_the_case,
    _another_takes_the_time,
]


@between(2)
def hand_over_a_certificate(world: World, choose: Random) -> None:
    """Put a certificate into somebody's hands, which others may have done, and say so."""
    showing = [
        (one, pk)
        for one in world.devices.values()
        for pk, row in rows_of(one, "certificate")
        if not row["handed_over"] and not one.state.halt
    ]
    if not showing:
        return
    device, pk = choose.choice(showing)
    for one in [device, *(other for other, same in showing if same == pk and other is not device)]:
        say_hand_over(world, one, pk)
        if choose.random() < 0.7:
            break
    if choose.random() < 0.2:
        with suppress(Refused):
            hand_over([Certificate.objects.get(pk=pk)], by=administrator(world), at=NOW)
    if other := any_device(world, choose):
        world.exchange(other)
    world.exchange(device, choose.choice(["whole", "whole", "cut", "twice"]))


def say_hand_over(world: World, device: Device, certificate: str) -> None:
    """Say into a tablet that a certificate is in its owner's hands."""
    args = {"certificate": certificate, "to": "resident", "handed_over_at": NOW.isoformat()}
    device.say("hand_over_certificate", args, NOW.isoformat())
    world.reached["handed over"] += 1
