"""What the office does meanwhile: plans, other roles for its people, other rules."""

from __future__ import annotations

from contextlib import suppress
from random import Random

from django.conf import settings

from mobile_api.models import Decision, Dispute
from outreach.actions import accounts, applications, arranging, visits
from outreach.actions.relatives import declare_relative
from outreach.domain.vocabulary import Role
from outreach.models import Application, Assessor, Division, User
from outreach.rules import Refused
from tests.generative.beside import hand_over
from tests.generative.choosing import (
    any_device,
    assessing,
    meanwhile,
    said_of,
    seldom,
    visits_of,
)
from tests.generative.deciding import decided
from tests.generative.device import Device
from tests.generative.fieldwork import finish_evaluation, say_contact, say_nomination
from tests.generative.world import NOW, World, administrator, enrol

FIELD = {"assessor": Role.ASSESSOR, "colleague": Role.ASSESSOR, "liaison": Role.LIAISON}


@meanwhile(2)
def publish_a_plan(world: World, choose: Random) -> None:
    """Book, move and give away several visits at once, as a plan does that is published."""
    waiting = Application.objects.standing("accepted").filter(erased_at=None).order_by("pk")
    rating = User.objects.filter(role=Role.ASSESSOR, username__in=FIELD, is_active=True)
    doctors = list(rating.order_by("pk"))
    cases = choose.sample(list(waiting), min(3, len(waiting)))
    if cases and doctors:
        bookings = [
            arranging.Booking(
                visits.Appointment(case, *world.next_slot(), 30), choose.choice(doctors)
            )
            for case in cases
        ]
        with suppress(Refused):  # one of them is a relative
            came = arranging.arrange(bookings, by=administrator(world), at=NOW, reason="a plan")
            world.note_history()
            world.reached["planned"] += len(came.scheduled) + len(came.moved)


# Other roles


@meanwhile(2)
def give_another_role(world: World, choose: Random) -> None:
    """Make an approver or auditor of somebody whose tablet is away, or give them theirs back."""
    others = User.objects.filter(username__in=FIELD).exclude(role__in=FIELD.values())
    if account := others.first():
        give(world, account, FIELD[account.username], account.division)
        return
    account = User.objects.get(username=choose.choice(sorted(FIELD)))
    device = any_device(world, choose, account.username)
    if device:
        _say_something(world, choose, device)
    give(world, account, choose.choice([Role.APPROVER, Role.AUDITOR]), account.division)
    world.reached["another role"] += 1
    if device:
        world.exchange(device, choose.choice(["whole", "whole", "cut"]))
    for dispute in Dispute.objects.filter(decided_at=None, code="not-your-step"):
        decided(world, dispute, Decision.ACCEPTED)


def _say_something(world: World, choose: Random, device: Device) -> None:
    showing = visits_of(device, "scheduled")
    due = [pk for pk, _ in showing if pk not in said_of(device)]
    if device.username == "liaison" and (not showing or choose.random() < 0.5):
        say_nomination(world, choose, device, is_bad=False)
    elif device.username == "liaison":
        say_contact(device, choose.choice(showing)[1])
    elif due:
        finish_evaluation(world, device, choose.choice(due))


def give(world: World, account: User, role: Role, area: Division) -> None:
    """Give an account a role and an area; where that could be misused, a second person agrees."""
    doctor = Assessor.objects.filter(user=account).first()
    knows = doctor and {"institution": doctor.institution, "categories": doctor.categories}
    duty = accounts.Duty(role, area, **(knows or {}))
    said = {"telephone": account.telephone, "reason": "desk"}
    by = administrator(world)
    wish = accounts.change_account(account, account.full_name, duty, **said, by=by, at=NOW)
    if wish:
        accounts.confirm(wish, by=User.objects.get(pk=world.place.approver.pk), at=NOW)


@meanwhile(1)
def ask_for_other_signatures(world: World, choose: Random) -> None:
    """Have two sign beside the rater, or one again, while tablets are away with one signature."""
    if device := assessing(world, choose):
        _say_something(world, choose, device)
        settings.OUTREACH_CO_SIGNERS = 3 - settings.OUTREACH_CO_SIGNERS
        world.exchange(device)
    for dispute in Dispute.objects.filter(decided_at=None, code="co-signer-missing"):
        decided(world, dispute, Decision.ACCEPTED)


# Accounts that end, and relatives


@seldom(3)
def end_an_account(world: World, choose: Random) -> None:
    """End the account of somebody whose tablet is away with work, or let one in again."""
    ended = User.objects.filter(username__in=FIELD, is_active=False).first()
    if ended:
        _let_in_again(world, ended)
        return
    account = User.objects.get(username=choose.choice(sorted(FIELD)))
    device = any_device(world, choose, account.username)
    if device:
        _say_something(world, choose, device)
    if choose.random() < 0.4:
        world.back_up()
    accounts.end_account(account, "desk", by=administrator(world), at=NOW)
    world.reached["accounts ended"] += 1
    if choose.random() < 0.4:
        world.restore()
    if device:
        world.exchange(device, choose.choice(["whole", "whole", "cut"]))


def _let_in_again(world: World, account: User) -> None:
    """Let somebody in again, as a second person agrees; a tablet that was wiped begins anew."""
    wish = accounts.resume_account(account, "desk", by=administrator(world), at=NOW)
    accounts.confirm(wish, by=User.objects.get(pk=world.place.approver.pk), at=NOW)
    world.reached["accounts let in again"] += 1
    for device in world.devices.values():
        if device.username == account.username and device.state.halt == "revoked":
            _begin_anew(world, device)


def _begin_anew(world: World, device: Device) -> None:
    if device.state.log:
        hand_over(world, device)
    elif not world.is_stopped(device):
        enrol(device, world.place)


@seldom(3)
def declare_a_relative(world: World, choose: Random) -> None:
    """Let a doctor find a relative among their cases, maybe after they have been there.

    The office gives the case to the other one, who takes whom they always take as second.
    """
    device = assessing(world, choose)
    showing = visits_of(device, "scheduled") if device else []
    due = [one for one in showing if device and one[0] not in said_of(device)]
    if device is None or not due:
        return
    visit, row = choose.choice(due)
    if choose.random() < 0.6:
        finish_evaluation(world, device, visit)
    case = Application.objects.filter(pk=row["application"], erased_at=None).first()
    if case is None or case.assessor is None:
        return
    with suppress(Refused):
        declare_relative(case, by=case.assessor, at=NOW)
        world.reached["relatives declared"] += 1
        if choose.random() < 0.6:
            name = {"assessor": "colleague"}.get(case.assessor.username, "assessor")
            other = User.objects.get(username=name)
            applications.assign([case], other, by=administrator(world), at=NOW)
            world.note_history()
    world.exchange(device, choose.choice(["whole", "whole", "cut"]))
