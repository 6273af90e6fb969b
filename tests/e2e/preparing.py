"""Make a register before its server starts.

Run as `python -m tests.e2e.preparing REGISTER` by `tests.e2e.serving`, in the server's own
environment: `campaign` is the demo county, in which nobody is nominated yet; `cases` is the
tests' small county with work to do on a tablet; `days` is the same county with a visit for
each day that goes wrong, and codes for as many tablets; `crowded` has names and lists that no
screen was drawn for.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import date, time, timedelta
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from outreach.actions.applications import Nomination
    from outreach.demo.county import DemoResident
    from outreach.models import Division

#: The villages begin to nominate.
DAY_ONE = date(2018, 5, 14)
#: The office plans June, and so many homes wait.
PLANNING_DAY, HOMES = date(2018, 5, 28), 60
#: Today in the small county: a notice is over, and a visit is due.
TODAY = date(2018, 6, 12)
#: Who waits in the small county: for the visit of today, for a visit to be scheduled.
DUE, WAITING, CERTIFIED = "钱白石", "孙长河", "赵青山"
#: Whose visits are due in the county of bad days, one for each day.
PEOPLE = (
    *("冯一山", "陈二水", "褚三石", "卫四木", "蒋五云", "沈六月", "韩七星", "杨八里"),
    *("朱九江", "秦十春", "尤百草", "许千秋", "何万里", "吕半夏", "施雨声"),
)
#: Who is called like nobody else, and lives where no map has room for the name.
LONG_NAME = "迪丽努尔·阿卜杜热西提·买买提·吐尔逊阿依古丽"
LONG_VILLAGE = "双江拉祜族佤族布朗族傣族自治乡任家祠村委会第十二村民小组"
#: Enrolment codes lie ready in this file, one for each tablet.
CODES, TABLETS = "codes.json", 64


def campaign() -> None:
    """Enter the demo county's map and staff, and what its first visit costs the federation."""
    from outreach import clock
    from outreach.demo.county import demo_county
    from outreach.demo.field import at
    from outreach.demo.loading import load
    from outreach.demo.script import campaign_days, write_script
    from outreach.models import working_calendar

    clock.advance_to(at(DAY_ONE, "08:00"))
    county = demo_county()
    script = write_script(county, campaign_days(working_calendar(DAY_ONE)))
    load(county, tuple(visit for visit in script if visit.resident == county.residents[0]))


def cases() -> None:
    """Enter the small county: one certificate, one visit today, one case to schedule."""
    from certificates.actions import issue
    from outreach import clock
    from outreach.actions import hastening, publicity
    from outreach.demo.field import at
    from outreach.domain.vocabulary import Urgency
    from tests import builders
    from tests.outreach.desk.pictures import real_media

    now = at(TODAY, "09:00")
    clock.advance_to(now)
    place = builders.county()
    signed = builders.reviewed(place, pictures=real_media)
    publicity.approve(signed, by=place.approver, at=now)
    issue(signed, by=place.approver, at=now)
    [visit] = builders.scheduled(place, on=TODAY, name=DUE)
    [waiting] = builders.accepted(place, name=WAITING)
    office, why = place.administrator, "县医院已下病危通知，家属盼早日评定。"
    hastening.hasten(visit.application, Urgency.TERMINAL_ILLNESS, why, by=office, at=now)
    hastening.hasten(waiting, Urgency.SUBSIDY_LAPSING, "补贴 6 月 30 日到期。", by=office, at=now)


def days() -> None:
    """Enter the small county with a visit today for each of the people, and make the codes."""
    from django.conf import settings

    from mobile_api.devices import make_code
    from outreach import clock
    from outreach.actions import visits
    from outreach.demo.field import at
    from tests import builders

    now = at(TODAY, "08:00")
    clock.advance_to(now)
    place = builders.county()
    appointments = [
        visits.Appointment(
            builders.accepted(place, name=name)[0], TODAY, time(9 + index // 2, index % 2 * 30), 30
        )
        for index, name in enumerate(PEOPLE)
    ]
    visits.schedule(appointments, by=place.administrator, at=now)
    codes = [make_code(place.assessor, by=place.administrator, at=now) for _ in range(TABLETS)]
    (settings.OUTREACH_DATA / CODES).write_text(json.dumps(codes))


def planning() -> None:
    """Enter the demo county with homes in every township that wait to be planned."""
    from outreach import clock
    from outreach.actions import applications
    from outreach.demo.county import demo_county
    from outreach.demo.field import at
    from outreach.demo.loading import load
    from outreach.models import Division, User

    now = at(PLANNING_DAY, "08:00")
    clock.advance_to(now)
    county = demo_county()
    load(county, ())
    homes = [one for one in county.residents if one.ending is None and one.consent]
    chosen = homes[:: max(1, len(homes) // HOMES)][:HOMES]
    cases = []
    for person in chosen:
        liaison = User.objects.get(username=county.liaison_of(person).username)
        village = Division.objects.get(code=person.village_code)
        cases += applications.nominate([nomination_of(person, village)], by=liaison, at=now)
    office = User.objects.get(username="administrator-1")
    applications.accept(cases, by=office, at=now)


def nomination_of(person: DemoResident, village: Division) -> Nomination:
    """Return what the village would fill in, with all papers at hand."""
    from outreach.actions.applications import Guarding, Nomination

    guardian = person.guardian
    return Nomination(
        name=person.name,
        id_number=person.id_number,
        village=village,
        categories=[str(category) for category in person.categories],
        telephone=person.telephone,
        address=person.address,
        diagnosis=person.diagnosis,
        place={"lat": person.latitude, "lon": person.longitude},
        is_bedridden=person.is_bedridden,
        can_sit=person.can_sit,
        possible_times=[
            {"weekday": span.weekday, "from": span.start, "to": span.end}
            for span in person.possible_times
        ],
        guardian=Guarding(guardian.name, guardian.telephone, guardian.relation)
        if guardian
        else None,
        consent=person.consent,
    )


def crowded() -> None:
    """Enter the small county with names, places and lists as long as they come."""
    from django.conf import settings

    from certificates.actions import issue
    from mobile_api.devices import make_code
    from outreach import clock
    from outreach.actions import hastening, publicity, visits
    from outreach.actions.applications import Guarding
    from outreach.demo.field import at
    from outreach.domain.vocabulary import Urgency
    from outreach.models import Division
    from tests import builders
    from tests.outreach.desk.pictures import real_media

    now = at(TODAY, "09:00")
    clock.advance_to(now)
    place = builders.county()
    Division.objects.filter(pk=place.village.pk).update(name=LONG_VILLAGE)
    signed = builders.reviewed(place, pictures=real_media)
    publicity.approve(signed, by=place.approver, at=now)
    issue(signed, by=place.approver, at=now)
    much = {
        "categories": ["physical", "vision", "hearing", "speech", "intellectual", "mental"],
        "address": LONG_VILLAGE * 6,
        "possible_times": [{"weekday": day, "from": "09:00", "to": "11:30"} for day in range(5)],
        "guardian": Guarding("阿依古丽·买买提", "13900000001", "母亲"),
    }
    due = builders.accepted(place, name=LONG_NAME, **much)
    waiting = builders.accepted(place, name=LONG_NAME, **much)
    visits.schedule(
        [visits.Appointment(due[0], TODAY, time(9), 45)], by=place.administrator, at=now
    )
    for case in (*due, *waiting):
        why = "县医院已下病危通知，家属盼早日评定。" * 5
        hastening.hasten(case, Urgency.TERMINAL_ILLNESS, why, by=place.administrator, at=now)
    codes = [make_code(place.assessor, by=place.administrator, at=now) for _ in range(8)]
    (settings.OUTREACH_DATA / CODES).write_text(json.dumps(codes))


def many() -> None:
    """Enter the days, and so many visits more that the tablet holds five hundred."""
    from outreach import clock
    from outreach.actions import visits
    from outreach.models import User, working_calendar
    from tests import builders

    days()
    staff = {user.username: user for user in User.objects.all()}
    area = staff["liaison"].division
    place = builders.County(
        area.parent.parent, area.parent, area, staff["other_liaison"].division,
        **{name: staff[name] for name in (
            "liaison", "other_liaison", "assessor", "colleague", "administrator", "approver",
            "auditor",
        )},
    )  # fmt: skip
    calendar = working_calendar(TODAY)
    later = (TODAY + timedelta(days=number) for number in range(1, 120))
    free = (
        (day, time(9 + number // 2, number % 2 * 30))
        for day in later
        if calendar.is_working_day(day)
        for number in range(12)
    )
    cases = builders.accepted(place, 500 - len(PEOPLE), name="宋长路")
    booked = [
        visits.Appointment(case, day, start, 30)
        for case, (day, start) in zip(cases, free, strict=False)
    ]
    visits.schedule(booked, by=place.administrator, at=clock.now())


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "outreach.settings"
    django.setup()

    from django.conf import settings
    from django.core.management import call_command

    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)
    call_command("create_authority", verbosity=0)
    call_command("create_handin_key", verbosity=0)
    call_command("create_receipt_key", verbosity=0)
    registers = {"campaign": campaign, "cases": cases, "days": days, "many": many}
    (registers | {"planning": planning, "crowded": crowded})[sys.argv[1]]()
