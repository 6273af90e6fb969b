"""What becomes of certificates while tablets are away with them: lost, made anew, frozen, ended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from random import Random

from certificates import life
from certificates.actions import reissue
from certificates.models import Certificate
from certificates.steps import CERTIFICATE, Ground
from outreach.rules import Refused
from tests.generative.booking import say_hand_over
from tests.generative.choosing import any_device, rows_of, seldom
from tests.generative.promises import check
from tests.generative.world import NOW, World, administrator

Step = Callable[[World, Random, Certificate], None]


@seldom(4)
def a_paper_lives_on(world: World, choose: Random) -> None:
    """Let a paper be lost, made anew, frozen or ended, which a tablet may be about to hand over."""
    papers = list(Certificate.objects.filter(state__in=_STEPS).order_by("pk"))
    if not papers:
        return
    paper = choose.choice(papers)
    if choose.random() < 0.5:
        _hand_it_over(world, choose, paper)
    if choose.random() < 0.3:
        world.back_up()
    _go_on(world, choose, paper)
    if choose.random() < 0.3:
        world.restore()
    if device := any_device(world, choose):
        world.exchange(device, choose.choice(["whole", "whole", "cut", "twice", "late"]))


def _hand_it_over(world: World, choose: Random, paper: Certificate) -> None:
    showing = [
        device
        for device in world.devices.values()
        for pk, row in rows_of(device, "certificate")
        if pk == str(paper.pk) and not row["handed_over"] and not device.state.halt
    ]
    if showing:
        say_hand_over(world, choose.choice(showing), str(paper.pk))


def _go_on(world: World, choose: Random, paper: Certificate) -> None:
    for _ in range(choose.randrange(1, 4)):
        paper = Certificate.objects.select_related("application", "resident").get(pk=paper.pk)
        stands = paper.state
        if stands not in _STEPS:
            break
        with suppress(Refused):
            choose.choice(_STEPS[stands])(world, choose, paper)
            world.reached[f"a paper that was {stands} went on"] += 1


def _lose(world: World, _choose: Random, paper: Certificate) -> None:
    life.declare_lost([paper], by=administrator(world), at=NOW)


def _find(world: World, _choose: Random, paper: Certificate) -> None:
    life.find([paper], by=administrator(world), at=NOW)


def _make_anew(world: World, _choose: Random, paper: Certificate) -> None:
    world.reached["made anew"] += len(reissue([paper], by=world.place.approver, at=NOW))


def _freeze(world: World, _choose: Random, paper: Certificate) -> None:
    life.freeze([paper], reason="desk", by=administrator(world), at=NOW)


def _unfreeze(world: World, _choose: Random, paper: Certificate) -> None:
    life.unfreeze([paper], reason="desk", by=administrator(world), at=NOW)


def _cancel(world: World, choose: Random, paper: Certificate) -> None:
    ground = choose.choice([Ground.OWN_WISH, Ground.FALSE_INFORMATION, Ground.DEATH])
    life.cancel([paper], ground=ground, reason="desk", by=administrator(world), at=NOW)


def _take_back(world: World, _choose: Random, paper: Certificate) -> None:
    life.restore([paper], reason="desk", by=world.place.approver, at=NOW)


#: By where a paper stands, what may become of it.
_STEPS: dict[str, list[Step]] = {
    "valid": [_lose, _lose, _freeze, _cancel],
    "lost": [_find, _make_anew, _make_anew, _cancel],
    "frozen": [_unfreeze, _cancel],
    "cancelled": [_take_back],
}


def papers_stand_by_their_history() -> None:
    """Each paper stands where its last step led, and whoever has one has one."""
    for paper in Certificate.objects.prefetch_related("events"):
        last = [step for event in paper.events.all() if (step := CERTIFICATE.get(event.name))][-1:]
        leads = last[0].target if last else "valid"
        check("papers", paper.state == leads, f"it is {paper.state}, its last step led to {leads}")
