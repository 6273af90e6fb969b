"""What can happen: at the office, to tablets, to the server, on the line; see also `fieldwork`.

Each rule takes the world and a source of choices of its own, so that leaving one step out
changes no other: scenarios shrink.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from random import Random

from mobile_api import devices as enrolling
from mobile_api.auth import fingerprint
from mobile_api.models import Decision
from mobile_api.models import Device as Enrolled
from outreach.actions import applications, contacts, visits
from outreach.domain.vocabulary import Role
from outreach.domain.workflow import OPEN_VISITS
from outreach.models import Application, User, Visit
from outreach.rules import Refused
from tests import builders
from tests.generative import beside, booking, carrying, forgetting, office, papers, places
from tests.generative.choosing import RULES, any_device, rule, said_of, visits_of
from tests.generative.deciding import decided, open_disputes
from tests.generative.device import State, fresh_key
from tests.generative.fieldwork import finish_evaluation, say_contact
from tests.generative.home import lose_enrolments
from tests.generative.world import NOW, World, administrator, enrol

__all__ = ["RULES", "booking", "carrying", "forgetting", "papers", "places"]

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
        with suppress(Refused):  # its assessor's account is ended
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
    if user.role != Role.ASSESSOR or not user.is_active:
        return
    try:
        applications.assign([case], user, by=administrator(world), at=NOW)
    except Refused:  # at that time the other one is elsewhere, or they are a relative
        return
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
def office_contact(world: World, choose: Random) -> None:
    """Correct at the desk where a family lives, which a tablet may be about to do otherwise."""
    visit = _open_visit(choose)
    if visit:
        _say_another_address(world, choose, str(visit.application_id))
        resident = visit.application.resident
        stands = contacts.Contact(resident.telephone, resident.address)
        to = contacts.Contact(resident.telephone, f"desk {choose.getrandbits(64):x}")
        correction = contacts.Correction(visit.application, to, stands)
        contacts.correct_contacts([correction], by=administrator(world), at=NOW)
        world.note_history()
        world.reached["contacts corrected at the desk"] += 1


def _say_another_address(world: World, choose: Random, case: str) -> None:
    devices = world.devices.values()
    visits = [(one, row) for one in devices for _, row in visits_of(one, "scheduled")]
    showing = [(one, row) for one, row in visits if row["application"] == case]
    if showing and choose.random() < 0.3:
        say_contact(*choose.choice(showing))
        world.reached["contacts corrected"] += 1


@rule(3)
def office_cancel(world: World, choose: Random) -> None:
    """Cancel a visit at the desk."""
    visit = _open_visit(choose)
    if visit:
        visits.cancel(visit, by=administrator(world), at=NOW, reason="desk")
        world.note_history()
        world.reached["cancelled"] += 1


@rule(16)
def decide_dispute(world: World, choose: Random) -> None:
    """Accept what a tablet said and was disputed, or set it aside: one that can be decided."""
    waiting = open_disputes()
    sending = [one for one in world.devices.values() if one.outbox() and not one.state.halt]
    if not waiting and sending:
        world.exchange(choose.choice(sending))
        waiting = open_disputes()
    decision = choose.choice([Decision.ACCEPTED, Decision.ACCEPTED, Decision.SET_ASIDE])
    any(decided(world, one, decision) for one in choose.sample(waiting, len(waiting)))


@rule(3)
def move_area(world: World, choose: Random) -> None:
    """Give the liaison another area: grants one, revokes the other."""
    place = world.place
    area = choose.choice([place.village, place.other_village, place.township])
    account = User.objects.get(username="liaison")
    office.give(world, account, Role(account.role), area)
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
    if device is None or world.is_stopped(device):
        return
    before = world.everywhere()
    world.forget(device)
    world.excused |= before - world.everywhere()
    device.state, device.key = State(), fresh_key()
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
            due = [pk for pk, _ in visits_of(one, "scheduled") if pk not in said_of(one)]
            if due and one.username != "liaison":
                finish_evaluation(world, one, choose.choice(due))
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
    """Restore the newest backup; sometimes the file of enrolments is lost as well."""
    if choose.random() < 0.3:
        lose_enrolments()
        world.enrolments_lost = True
        world.reached["enrolments lost"] += 1
    world.restore()


@rule(2)
def restore_to_before_an_enrolment(world: World, choose: Random) -> None:
    """Enrol a tablet, let it work and send, and go back to a backup that does not know it."""
    device = any_device(world, choose)
    if device is None or world.is_stopped(device):
        return
    evict(world, choose)
    fresh = [one for one in world.devices.values() if not one.state.log and not one.state.halt]
    for one in fresh:
        world.exchange(one)
        due = [pk for pk, _ in visits_of(one, "scheduled")]
        if due and one.username != "liaison":
            finish_evaluation(world, one, choose.choice(due))
            world.exchange(one)
    restore(world, choose)
    for one in fresh:
        if not world.knows(one) and choose.random() < 0.6:
            # Nobody comes with a new code; it hands in what it has.
            world.exchange(one)
            beside.hand_over(world, one, choose.choice([None, None, 1]))


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
