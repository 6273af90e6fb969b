"""What becomes of a case once somebody was assessed: notice, objection, review, paper, appeal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from random import Random

from certificates.actions import issue
from outreach.actions import applications, evaluations, publicity, visits
from outreach.models import Application, Evaluation, Objection, User
from outreach.retention.requests import APPEAL_DAYS, erase_on_request
from outreach.rules import Refused
from tests import builders
from tests.generative.choosing import any_device, meanwhile, said_of, visits_of
from tests.generative.device import Device
from tests.generative.fieldwork import finish_evaluation
from tests.generative.forgetting import ASKED_AT, carry_out
from tests.generative.promises import check
from tests.generative.world import NOW, World, administrator

#: A notice hangs for five working days, and time stands still in a scenario.
POSTED_AT = NOW - timedelta(days=10)
OBJECTED_AT = POSTED_AT + timedelta(days=1)
Step = Callable[[World, Random, Application], None]


@meanwhile(7)
def carry_on(world: World, choose: Random) -> None:
    """Carry a case on that was assessed, as far as chance goes, maybe to its certificate."""
    fresh = _assessed(world, choose) if choose.random() < 0.7 else None
    waiting = Application.objects.filter(state__in=_STEPS, erased_at=None).order_by("pk")
    if case := fresh or choose.choice(list(waiting) or [None]):
        carry(world, choose, case)
    if choose.random() < 0.15:
        world.restore()
    if device := any_device(world, choose):
        world.exchange(device, choose.choice(["whole", "whole", "cut", "twice"]))


def carry(world: World, choose: Random, case: Application) -> None:
    """Take steps with a case, until one is refused or there is none."""
    for _ in range(choose.randrange(3, 9)):
        case = Application.objects.get(pk=case.pk)
        stands = case.state
        if stands not in _STEPS:
            break
        try:
            choose.choice(_STEPS[stands])(world, choose, case)
        except Refused:
            break
        world.reached[f"carried on from {stands}"] += 1
    world.note_history()


def _assessed(world: World, choose: Random, *, met: bool = True) -> Application | None:
    """Let a tablet finish a visit and bring it here with its photos; return the case."""
    found = _due(world, choose) or _newly_due(world, choose)
    if found is None:
        return None
    device, visit = found
    finish_evaluation(world, device, visit, met=met)
    while device.outbox() and world.exchange(device) == "more":
        pass
    for name in device.wanted():
        world.upload(device, name)
    return Application.objects.filter(visits=visit, erased_at=None).first()


def _due(world: World, choose: Random) -> tuple[Device, str] | None:
    doctors = [one for one in world.devices.values() if one.username != "liaison"]
    for device in choose.sample(doctors, len(doctors)):
        world.exchange(device)
        due = [pk for pk, _ in visits_of(device, "scheduled") if pk not in said_of(device)]
        if due and not device.state.halt:
            return device, choose.choice(due)
    return None


def _newly_due(world: World, choose: Random) -> tuple[Device, str] | None:
    """Accept a case and book its visit."""
    # Numbers come round after a thousand: born on a day of their own, nobody meets the beginning's.
    number = builders.id_number(date(1965, 6, 6))
    [case] = builders.accepted(world.place, 1, categories=["hearing"], id_number=number)
    _book_again(world, case)
    world.note_history()
    return _due(world, choose)


def _post(world: World, _choose: Random, case: Application) -> None:
    current = evaluations.current_evaluation([case.pk])[case.pk]
    if not current.second_opinions.exists():
        second = User.objects.get(username="second")
        evaluations.give_second_opinion([current], by=second, at=NOW)
    publicity.post_notices([case], by=administrator(world), at=POSTED_AT)
    waits = Evaluation.objects.filter(pk=current.pk).awaiting_media()
    check("I9", not waits.exists(), "it was announced before its photos are here")


def _object(world: World, _choose: Random, case: Application) -> None:
    notice = case.notices.get(taken_down_on=None)
    by = administrator(world)
    publicity.object_to(notice, from_whom="邻居", text="看错了", by=by, at=OBJECTED_AT)


def _decide_objection(world: World, choose: Random, case: Application) -> None:
    objection = Objection.objects.get(notice__application=case, decided_at=None)
    upheld = choose.random() < 0.5
    by = administrator(world)
    publicity.decide_objection(objection, upheld=upheld, decision="desk", by=by, at=NOW)
    _book_again(world, case)


def _end_notice(world: World, _choose: Random, case: Application) -> None:
    publicity.end_notices([case], by=administrator(world), at=NOW)


def _review(world: World, _choose: Random, case: Application) -> None:
    publicity.review([case], by=administrator(world), at=NOW)


def _approve(world: World, _choose: Random, case: Application) -> None:
    publicity.approve([case], by=world.place.approver, at=NOW)


def _issue(world: World, _choose: Random, case: Application) -> None:
    world.reached["issued"] += len(issue([case], by=world.place.approver, at=NOW))


def _send_back(world: World, choose: Random, case: Application) -> None:
    is_left = choose.random() < 0.4
    if is_left:
        world.back_up()
    applications.advance([case], "send_back", by=administrator(world), at=NOW, note="desk")
    if is_left:
        _leave_for_good(world, case)
    else:
        _book_again(world, case)


def _leave_for_good(world: World, case: Application) -> None:
    """Let somebody withdraw and be forgotten, in a register that goes back to before then."""
    visits.leave(case, "withdraw", by=administrator(world), at=NOW, note="desk")
    if carry_out(world, case):
        world.restore()
        world.reached["forgotten, and assessed at the backup"] += 1


def _appeal(world: World, _choose: Random, case: Application) -> None:
    publicity.appeal(case, text="desk", by=administrator(world), at=NOW)
    world.reached["appealed"] += 1


def _decide_appeal(world: World, choose: Random, case: Application) -> None:
    upheld, by = choose.random() < 0.7, administrator(world)
    publicity.decide_appeal(case, upheld=upheld, note="desk", by=by, at=NOW)
    _book_again(world, case)


def _book_again(world: World, case: Application) -> None:
    """Book another visit of a case that is to be assessed once more."""
    case = Application.objects.select_related("assessor").get(pk=case.pk)
    with suppress(Refused):
        wanted = visits.Appointment(case, *world.next_slot(), 30)
        visits.schedule([wanted], by=administrator(world), at=NOW)
        world.reached["to be assessed once more"] += 1


#: By where a case stands, what may be done with it.
_STEPS: dict[str, list[Step]] = {
    "evaluated": [_post, _post, _post, _post, _send_back],
    "on_notice": [_end_notice, _end_notice, _object],
    "under_objection": [_decide_objection],
    "noticed": [_review, _review, _review, _review, _send_back],
    "reviewed": [_approve, _approve, _approve, _approve, _send_back],
    "approved": [_issue],
    "not_met": [_appeal],
    "under_appeal": [_decide_appeal],
}


@meanwhile(3)
def find_not_met(world: World, choose: Random) -> None:
    """Find that somebody does not meet the standard; they appeal, or ask to be forgotten."""
    case = _assessed(world, choose, met=False)
    if case is None or case.state != "not_met":
        return
    world.reached["not met"] += 1
    if choose.random() < 0.4:
        carry(world, choose, case)
        return
    if choose.random() < 0.3:
        world.back_up()
    _ask_too_early(world, case)
    if carry_out(world, case) and choose.random() < 0.5:
        world.restore()
    if device := any_device(world, choose):
        world.exchange(device, choose.choice(["whole", "whole", "cut", "twice", "late"]))


def _ask_too_early(world: World, case: Application) -> None:
    """Ask while the family may appeal still, and while the result bars; let both pass.

    Each by itself: an evaluation that came a year late bars no more, and can be appealed.
    """
    a_year_ago = NOW - timedelta(days=400)
    case.evaluations.update(evaluated_at=a_year_ago)
    _ask_in_vain(world, case, "erased while the family may appeal still")
    long_ago = NOW - timedelta(days=APPEAL_DAYS + 1)
    Application.objects.filter(pk=case.pk).update(state_since=long_ago)
    case.evaluations.update(evaluated_at=long_ago)
    _ask_in_vain(world, case, "erased while nobody may apply for the person again")
    case.evaluations.update(evaluated_at=a_year_ago)
    case.refresh_from_db()


def _ask_in_vain(world: World, case: Application, wrong: str) -> None:
    erase_on_request(case.resident, by=administrator(world), at=ASKED_AT, request="2018-8")
    case.refresh_from_db()
    check("erasure", case.erased_at is None, wrong)
