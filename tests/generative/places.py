"""What decrees change: the name of a village, and which days are off."""

from __future__ import annotations

from random import Random

from outreach import clock
from outreach.actions.calendars import load_year
from outreach.models import Division, User, working_calendar
from outreach.working_calendar import LoadedYear
from tests.generative.booking import newly_unvisited, say_booking, unvisited
from tests.generative.choosing import any_device, rows_of, seldom
from tests.generative.device import Device
from tests.generative.fieldwork import say_nomination
from tests.generative.promises import check
from tests.generative.world import NOW, World, administrator


@seldom(2)
def rename_a_village(world: World, choose: Random) -> None:
    """Give a village another name from today on, where a liaison may be about to nominate."""
    today = clock.today()
    villages = Division.objects.villages().valid(today).filter(valid_from__lt=today)
    if not villages:
        return
    village = choose.choice(list(villages.order_by("code")))
    if device := any_device(world, choose, "liaison"):
        say_nomination(world, choose, device, is_bad=False)
    Division.objects.filter(pk=village.pk).update(valid_to=today)
    village.pk, village.valid_from, village.name = None, today, f"新{village.name}"
    village.save()
    world.reached["villages renamed"] += 1
    if device:
        world.exchange(device, choose.choice(["whole", "whole", "cut"]))


@seldom(2)
def declare_a_holiday(world: World, choose: Random) -> None:
    """Let a day be off on which a tablet has just agreed a visit, of which nobody heard yet."""
    found = unvisited(world) or newly_unvisited(world)
    if not found:
        return
    device, case = choose.choice(found)
    slot = world.next_slot()
    say_booking(world, device, case, slot)
    days = working_calendar(slot[0]).years[slot[0].year]
    decree = LoadedYear(slot[0].year, days | {slot[0]}, "a decree")
    load_year(decree, by=administrator(world), at=NOW)
    world.reached["holidays declared"] += 1
    world.exchange(device, choose.choice(["whole", "whole", "cut", "twice"]))


def decrees_are_known(device: Device, user: User) -> None:
    """A tablet at rest shows each village by its present name, once, and this year's days off."""
    today = clock.today()
    if user.role not in ("assessor", "liaison"):
        return
    there = Division.objects.villages().valid(today).within(user.division)
    shown = [one for _, row in rows_of(device, "township") for one in row["villages"]]
    names = sorted((one["code"], one["name"]) for one in shown)
    check("decrees", names == sorted(there.values_list("code", "name")), f"{names} are shown")
    [off] = [row["non_working"] for year, row in rows_of(device, "calendar") if year == "2018"]
    days = working_calendar(today).years[today.year]
    check("decrees", off == sorted(map(str, days)), f"{device.name} knows other days off")
