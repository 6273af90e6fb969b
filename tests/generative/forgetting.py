"""People who ask to be forgotten, while tablets are away with what they recorded of them."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

from django.conf import settings

from mobile_api import disputes
from mobile_api.models import Decision
from mobile_api.photos import remove_files
from outreach.actions import visits
from outreach.files import files
from outreach.models import Application
from outreach.retention.requests import erase_on_request
from tests.generative.choosing import any_device, between, said_of, visits_of
from tests.generative.fieldwork import finish_evaluation, say_contact
from tests.generative.forgotten import disputes_about, keys_of, nothing_was_said
from tests.generative.promises import check
from tests.generative.world import NOW, World, administrator

#: Time stands still in a scenario: whatever comes again after a restore comes later than this.
ASKED_AT = NOW - timedelta(minutes=1)


@between(4)
def forget_a_person(world: World, choose: Random) -> None:
    """Withdraw a case as its family asks and erase what is kept of them, in the midst of it all."""
    case = _case_to_forget(choose)
    if case is None:
        return
    if choose.random() < 0.5:
        _record_it_before(world, choose, case)
    if choose.random() < 0.3:
        world.back_up()
    if case.state not in ("withdrawn", "closed"):
        by = administrator(world)
        visits.leave(case, "withdraw", by=by, at=NOW, note="they asked to be forgotten")
        world.note_history()
    if not carry_out(world, case) and choose.random() < 0.7:
        for dispute in disputes_about(keys_of(case)):
            by = administrator(world)
            disputes.decide(dispute, Decision.SET_ASIDE, reason="gone", by=by, at=NOW)
        check("erasure", carry_out(world, case), "nothing waits, and the person stays")
    if choose.random() < 0.25:
        world.restore()
    if device := any_device(world, choose):
        world.exchange(device, choose.choice(["whole", "whole", "cut", "twice", "late"]))


def _case_to_forget(choose: Random) -> Application | None:
    """Choose a case that is withdrawn or can be: to be visited, visited, or just nominated."""
    states = ("applied", "accepted", "withdrawn", "closed")
    found = Application.objects.filter(state__in=states, erased_at=None)
    cases = found.filter(certificates=None).order_by("pk")  # of these the office keeps the file
    kinds: list[dict[str, Any]] = [
        {"visits__state": "scheduled"},
        {"visits__state__in": ("done", "not_done")},
        {"state": "applied"},
    ]
    found = list(cases.filter(**choose.choice(kinds)).distinct()) or list(cases)
    return choose.choice(found) if found else None


def _record_it_before(world: World, choose: Random, case: Application) -> None:
    """Let a tablet record the visit that it shows, or another address, and stay away with it."""
    showing = [
        (device, visit)
        for device in world.devices.values()
        for visit, row in visits_of(device, "scheduled", "done", "not_done")
        if row["application"] == str(case.pk)
    ]
    if not showing:
        return
    device, visit = choose.choice(showing)
    is_theirs = device.username != "liaison" and visit not in said_of(device)
    if is_theirs and choose.random() < 0.7:
        finish_evaluation(world, device, visit)
    else:
        say_contact(device, device.state.rows[f"visit/{visit}"][1])
    world.reached["recorded of who is erased"] += 1


def carry_out(world: World, case: Application) -> bool:
    """Carry out a request as the office does; tell whether nothing kept it from being done."""
    keys = keys_of(case)
    waiting = disputes_about(keys)
    erase_on_request(case.resident, by=administrator(world), at=ASKED_AT, request="2018-7")
    remove_files(ASKED_AT, files())
    case.refresh_from_db()
    check("erasure", bool(case.erased_at) != bool(waiting), "what waits is decided first")
    if waiting:
        world.reached["erasure waits for a decision"] += 1
        return False
    world.gone |= keys
    world.reached["erased at request"] += 1
    nothing_was_said(keys)
    check("erasure", str(case.pk) in settings.OUTREACH_ERASURES.read_text(), "a restore forgets it")
    return True
