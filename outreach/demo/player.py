"""Plays the reference campaign against a running server, as its people would.

The office sends the desk's own forms; tablets speak the tablet protocol and upload real
pictures. The register is read only to see where the campaign stands, never written: killed at
any moment and started again, the play goes on. Its timeline is a list of moments; the
simulated clock moves on to a moment when everything before it is done, and everything at a
moment may be done twice.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property, partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import httpx
from django.db import connection

from outreach import clock
from outreach.demo.county import County, DemoResident
from outreach.demo.fates import Decision, Ending
from outreach.demo.findings import Found, find
from outreach.demo.loading import declare_relatives, password_of
from outreach.demo.office import Office, OfficeRefused
from outreach.demo.pictures import picture
from outreach.demo.script import Outcome, PlannedVisit
from outreach.demo.tablet import Tablet
from outreach.domain.vocabulary import EvidenceKind, NextStep, Role, evidence_for
from outreach.domain.workdays import WorkingCalendar
from outreach.domain.workflow import ApplicationState
from outreach.models import Application, Objection, Resident, User
from outreach.models.sealed import blind_index

SHANGHAI = ZoneInfo("Asia/Shanghai")
VISITS = UUID("2018f3a0-0000-7000-8000-000000000001")
TEAMS_AT_ONCE = 3
S = ApplicationState

Progress = Callable[[str, int, int], None]
Act = Callable[[], None]


@dataclass(frozen=True)
class Moment:
    """Something that happens at one time of the campaign."""

    at: datetime
    title: str
    act: Act


def at(day: date, clock_time: str) -> datetime:
    """Return a moment of the campaign in its own time zone."""
    return datetime.combine(day, time.fromisoformat(clock_time), SHANGHAI)


class Player:
    """Everybody of the demo county, at their desks and in the hills."""

    def __init__(
        self,
        base_url: str,
        county: County,
        script: Sequence[PlannedVisit],
        calendar: WorkingCalendar,
        folder: Path,
        progress: Progress,
    ) -> None:
        self.base_url = base_url
        self.county = county
        self.script = script
        self.calendar = calendar
        self.folder = folder
        self.progress = progress
        self.tablets: dict[str, Tablet] = {}
        self.refusals: list[str] = []

    # -- the timeline --------------------------------------------------------------------

    def play(self) -> None:
        """Play every moment that is not over yet."""
        moments = sorted(self.timeline(), key=lambda moment: moment.at)
        for number, moment in enumerate(moments, start=1):
            self.progress(moment.title, number, len(moments))
            if moment.at >= clock.now():
                self._move_clock(moment.at)
                moment.act()

    def timeline(self) -> Iterator[Moment]:
        """List what happens when: before, during and after the month of visits."""
        days = sorted({visit.day for visit in self.script})
        yield Moment(at(date(2018, 5, 14), "09:00"), "提名 nominations", self.nominate)
        yield Moment(at(date(2018, 5, 15), "09:00"), "受理 acceptance", self.receive)
        yield Moment(at(date(2018, 5, 17), "09:00"), "补齐材料 papers", self.complete_papers)
        yield Moment(at(date(2018, 5, 18), "09:00"), "受理 acceptance", self.accept)
        yield Moment(at(date(2018, 5, 21), "09:00"), "派案 assignment", self.assign)
        yield Moment(at(date(2018, 5, 22), "08:00"), "平板登记 tablets", self.enrol)
        yield Moment(at(date(2018, 5, 22), "09:00"), "排期 scheduling", self.schedule)
        for day in days:
            visits = [visit for visit in self.script if visit.day == day]
            title = f"{day:%m-%d} 上门 home visits"
            yield Moment(at(day, "17:30"), title, partial(self.visit, visits))
        yield from self._after(days)

    def _after(self, days: Sequence[date]) -> Iterator[Moment]:
        """Publicise each week's results, end the notices, review, sign; then what was disputed."""
        weeks = [day for day in days if self.calendar.add(day, 1) - day > timedelta(days=1)]
        for first, friday in enumerate(sorted({*weeks, days[-1]})):
            yield from self._publish(self.calendar.add(friday, 1), objecting=True, early=not first)
        again = self.calendar.add(days[-1], 12)
        yield Moment(at(again, "08:00"), "再次评定 again", lambda: self.schedule_again(again))
        yield Moment(at(again, "17:30"), "再次评定 again", lambda: self.visit(self.again(again)))
        yield from self._publish(self.calendar.add(again, 1))
        last = self.calendar.add(again, 9)
        yield Moment(at(last, "10:00"), "送证到家 hand-over", self.hand_over)

    def _publish(
        self, day: date, *, objecting: bool = False, early: bool = False
    ) -> Iterator[Moment]:
        over = self.calendar.add(day, 6)
        yield Moment(at(day, "18:00"), "第二意见 second opinions", self.second_opinions)
        yield Moment(at(day, "18:10"), "公示 notices", self.post_notices)
        if objecting:
            second = self.calendar.add(day, 2)
            yield Moment(at(second, "18:20"), "异议 objections", self.object)
            yield Moment(at(self.calendar.add(day, 3), "18:20"), "复核异议 decisions", self.decide)
        if early:
            fourth = self.calendar.add(day, 4)
            yield Moment(at(fourth, "18:30"), "提前审批 too early", self.approve_too_early)
        yield Moment(at(over, "18:40"), "审核 review", self.review)
        yield Moment(at(over, "18:50"), "签发 signing", self.sign)

    # -- the office ----------------------------------------------------------------------

    @contextmanager
    def office(self, username: str) -> Iterator[Office]:
        """Sit down at somebody's desk."""
        desk = Office(self.base_url, username, password_of(username))
        try:
            yield desk
        finally:
            desk.close()

    def _move_clock(self, to: datetime) -> None:
        if clock.now() < to:
            with self.office("auditor-1") as desk:
                desk.post("/clock/", {"at": to.strftime("%Y-%m-%dT%H:%M")})

    def nominate(self) -> None:
        """Let each township's liaison nominate its people."""
        known = self._known()
        by_liaison: dict[str, list[DemoResident]] = defaultdict(list)
        for resident in self.county.residents:
            if _index(resident) not in known:
                by_liaison[self.county.liaison_of(resident).username].append(resident)
        done, total = len(known), len(self.county.residents)
        for username, residents in by_liaison.items():
            with self.office(username) as desk:
                for resident in residents:
                    desk.post("/cases/nominate/", _nomination(resident))
                    done += 1
                    self.progress("提名 nominations", done, total)
        declare_relatives(self.county, clock.now())

    def receive(self) -> None:
        """Return what lacks papers, refuse what is false, accept the rest."""
        cases = self._cases(S.APPLIED)
        with self.office("administrator-1") as desk:
            for resident, case in cases:
                if case.papers_missing:
                    missing = {"missing": case.papers_missing}
                    desk.post(f"/cases/{case.pk}/return/", missing)
                elif resident.ending == Ending.REFUSED:
                    note = {"note": "户籍与身份证信息不符"}
                    desk.post(f"/cases/{case.pk}/step/refuse/", note)
        for resident, case in cases:
            if resident.ending == Ending.WITHDRAWN and not case.papers_missing:
                self._withdraw(resident, case)
        self.accept()

    def _withdraw(self, resident: DemoResident, case: Application) -> None:
        with self.office(self.county.liaison_of(resident).username) as desk:
            desk.post(f"/cases/{case.pk}/step/withdraw/", {"note": "本人不愿意办理"})

    def complete_papers(self) -> None:
        """Bring what was missing."""
        by_liaison: dict[str, list[UUID]] = defaultdict(list)
        for resident, case in self._cases(S.RETURNED):
            by_liaison[self.county.liaison_of(resident).username].append(case.pk)
        for username, ids in by_liaison.items():
            with self.office(username) as desk:
                desk.take("/papers/", ids)

    def accept(self) -> None:
        """Accept every application that is complete; who changed their mind has withdrawn."""
        complete = []
        for resident, case in self._cases(S.APPLIED):
            if resident.ending == Ending.WITHDRAWN:
                self._withdraw(resident, case)
            elif resident.ending != Ending.REFUSED and not case.papers_missing:
                complete.append(case.pk)
        with self.office("administrator-1") as desk:
            desk.take("/accept/", complete)

    def assign(self) -> None:
        """Give each case to the assessor who will visit."""
        raters = {visit.resident.key: visit.assessor for visit in self.script}
        groups: dict[str, list[UUID]] = defaultdict(list)
        for resident, case in self._cases(S.ACCEPTED):
            if case.assessor_id is None and resident.key in raters:
                groups[raters[resident.key]].append(case.pk)
        with self.office("administrator-1") as desk:
            for username, ids in groups.items():
                assessor = User.objects.get(username=username)
                desk.take("/assign/", ids, assessor=str(assessor.pk))

    def second_opinions(self) -> None:
        """Let assessors of other teams look at grades 1 and 2, until none waits."""
        for user in (one for one in self.county.users if one.role == Role.ASSESSOR):
            with self.office(user.username) as desk:
                while ids := _ticked(desk.client.get("/opinions/").text):
                    desk.take("/opinions/", ids)

    def post_notices(self) -> None:
        """Post the notices of everything evaluated and complete."""
        with self.office("administrator-1") as desk:
            desk.take("/notices/post/", self._ids(S.EVALUATED))

    def object(self) -> None:
        """Record the villagers' objections, and the appeals of those who did not meet."""
        for resident, case in self._cases(S.ON_NOTICE):
            if (
                resident.objection
                and not Objection.objects.filter(notice__application=case).exists()
            ):
                with self.office(self.county.liaison_of(resident).username) as desk:
                    said = {"from_whom": "同村村民", "text": "曾见其下地劳动"}
                    desk.post(f"/cases/{case.pk}/objection/", said)
        for resident, case in self._cases(S.NOT_MET):
            if resident.appeal and case.evaluations.count() == 1 and not case.appeals.exists():
                with self.office(self.county.liaison_of(resident).username) as desk:
                    said = {"note": "本人不服评定结果，申请复核"}
                    desk.post(f"/cases/{case.pk}/step/appeal/", said)

    def decide(self) -> None:
        """Decide what was objected to and appealed against."""
        by_case = {case.pk: resident for resident, case in self._cases(S.UNDER_OBJECTION)}
        with self.office("administrator-1") as desk:
            for one in Objection.objects.filter(decided_at=None):
                upheld = by_case[one.notice.application_id].objection == Decision.UPHELD
                reason = "重新评定" if upheld else "经复核，评定属实"
                decision = {"upheld": "yes" if upheld else "no", "decision": reason}
                desk.post(f"/objections/{one.pk}/", decision)
            for resident, case in self._cases(S.UNDER_APPEAL):
                upheld = resident.appeal == Decision.UPHELD
                step = "uphold_appeal" if upheld else "dismiss_appeal"
                note = {"note": "市残联复核意见" + ("：重新评定" if upheld else "：维持")}
                desk.post(f"/cases/{case.pk}/step/{step}/", note)

    def approve_too_early(self) -> None:
        """Try to sign on day 4 of a notice: the rule refuses, clock or no clock."""
        waiting = self._ids(S.ON_NOTICE)[:1]
        with self.office("approver-1") as desk:
            try:
                desk.take("/sign/", waiting)
            except OfficeRefused as refused:
                self.refusals.append(f"{clock.today()}: {refused.code}")

    def review(self) -> None:
        """Take the notices down that are over and review the cases, but those of relatives."""
        today = clock.today()
        running = Application.objects.filter(
            state=S.ON_NOTICE, notices__taken_down_on=None, notices__ends_on__lt=today
        )
        with self.office("administrator-1") as desk:
            desk.take("/notices/end/", list(running.values_list("pk", flat=True)))
            desk.take("/review/", self._ids(S.NOTICED))

    def sign(self) -> None:
        """Sign what was reviewed, fifty at a time."""
        waiting = [*self._ids(S.REVIEWED), *self._ids(S.APPROVED)]
        with self.office("approver-1") as desk:
            for first in range(0, len(waiting), 50):
                desk.take("/sign/", waiting[first : first + 50])
                self.progress("签发 signing", min(first + 50, len(waiting)), len(waiting))

    def hand_over(self) -> None:
        """Let the liaisons put the certificates into people's hands."""
        by_liaison: dict[str, list[UUID]] = defaultdict(list)
        for resident, case in self._cases(S.ISSUED):
            by_liaison[self.county.liaison_of(resident).username].append(case.pk)
        for username, ids in by_liaison.items():
            with self.office(username) as desk:
                desk.take("/hand-over/", ids)

    # -- the tablets ---------------------------------------------------------------------

    def enrol(self) -> None:
        """Enrol a tablet for every assessor with a one-time code."""
        with self.office("administrator-1") as desk:
            for user in (one for one in self.county.users if one.role == Role.ASSESSOR):
                tablet = self.tablet(user.username)
                if not tablet.state.token:
                    holder = User.objects.get(username=user.username)
                    page = desk.post("/tablets/code/", {"user": str(holder.pk)}).text
                    tablet.enrol(_code(page), f"平板 {user.username}")

    def tablet(self, username: str) -> Tablet:
        """Return somebody's tablet, as its file has it."""
        if username not in self.tablets:
            client = httpx.Client(base_url=self.base_url, timeout=120)
            self.tablets[username] = Tablet(client, self.folder / f"{username}.json")
        return self.tablets[username]

    def schedule(self) -> None:
        """Let every assessor schedule the first visits of their own cases."""
        first = [visit for visit in self.script if visit.attempt == 1]
        self._on_tablets(first, self._schedule)

    def schedule_again(self, day: date) -> None:
        """Schedule the homes that must be assessed again after an objection or appeal."""
        self._on_tablets(self.again(day), self._schedule)

    def _on_tablets(
        self,
        visits: Sequence[PlannedVisit],
        work: Callable[[Tablet, list[PlannedVisit]], None],
    ) -> None:
        """Do the same on every tablet concerned, some at once, as they would in the field."""
        by_tablet: dict[str, list[PlannedVisit]] = defaultdict(list)
        for visit in visits:
            by_tablet[visit.assessor].append(visit)

        def one(item: tuple[str, list[PlannedVisit]]) -> None:
            try:
                work(self.tablet(item[0]), item[1])
            finally:
                connection.close()

        with ThreadPoolExecutor(TEAMS_AT_ONCE) as pool:
            list(pool.map(one, by_tablet.items()))

    def _schedule(self, tablet: Tablet, visits: list[PlannedVisit]) -> None:
        tablet.sync()
        cases = {row["resident"]["id_number"]: pk for pk, row in tablet.rows("case").items()}
        for visit in visits:
            case = cases.get(visit.resident.id_number)
            if case and not _said(tablet, "schedule_visit", visit):
                self._say_schedule(tablet, visit, case)
        tablet.sync()

    def _say_schedule(self, tablet: Tablet, visit: PlannedVisit, case: str) -> None:
        plan = {
            "visit": str(visit_id(visit)),
            "application": case,
            "on": visit.day.isoformat(),
            "start": visit.start.strftime("%H:%M"),
            "minutes": visit.minutes,
        }
        tablet.say("schedule_visit", plan, clock.now())

    def visit(self, visits: Sequence[PlannedVisit]) -> None:
        """Play one day: out in the morning, offline all day, everything sent in the evening."""
        self._on_tablets(visits, self._day)

    def _day(self, tablet: Tablet, visits: list[PlannedVisit]) -> None:
        tablet.sync()
        for visit in visits:
            row = tablet.rows("visit").get(str(visit_id(visit)))
            if row is None or row["state"] != "scheduled":
                continue
            if visit.outcome.done:
                if not _said(tablet, "submit_evaluation", visit):
                    tablet.say("submit_evaluation", self._evaluation(visit), _ended(visit))
            elif not _said(tablet, "record_not_done", visit):
                tablet.say("record_not_done", _not_done(visit), _ended(visit))
        tablet.sync()
        self._try_again(tablet, visits)
        self._upload(tablet, visits)

    def _try_again(self, tablet: Tablet, visits: list[PlannedVisit]) -> None:
        """Schedule the second visit of homes where nobody could be assessed."""
        failed = {one.resident.key for one in visits if one.outcome.next_step == NextStep.REVISIT}
        second = [one for one in self.script if one.attempt == 2 and one.resident.key in failed]
        self._schedule(tablet, second)

    def _upload(self, tablet: Tablet, visits: list[PlannedVisit]) -> None:
        missing = set(tablet.state.blobs_missing)
        for visit in visits:
            if missing and visit.outcome.done:
                for content in self._pictures(visit).values():
                    if hashlib.sha256(content).hexdigest() in missing:
                        tablet.upload(content)
        tablet.sync()

    def _pictures(self, visit: PlannedVisit) -> dict[EvidenceKind, bytes]:
        resident = visit.resident
        key = f"{resident.key}:{visit.attempt}"
        kinds = evidence_for([found.category for found in resident.found])
        age = resident.age(visit.day)
        return {kind: picture(kind, key, sex=resident.sex, age=age) for kind in kinds}

    def _evaluation(self, visit: PlannedVisit) -> dict[str, Any]:
        resident, ended = visit.resident, _ended(visit)
        place = {"lat": resident.latitude, "lon": resident.longitude, "accuracy_m": 12.0}
        co_signer = User.objects.get(username=visit.co_signer)
        media = [
            {
                "sha256": hashlib.sha256(content).hexdigest(),
                "kind": kind,
                "size": len(content),
                "type": "image/jpeg",
                "taken_at": ended.isoformat(),
                "place": place,
            }
            for kind, content in self._pictures(visit).items()
        ]
        return {
            "evaluation": str(uuid5(VISITS, f"evaluation:{visit_id(visit)}")),
            "visit": str(visit_id(visit)),
            "parts": [_part(found) for found in resident.found],
            "grade": resident.grade,
            "identity_checked": True,
            "guardian_present": resident.guardian is not None,
            "consent": resident.consent,
            "co_signers": [str(co_signer.pk)],
            "arrived_at": at(visit.day, visit.start.strftime("%H:%M")).isoformat(),
            "evaluated_at": ended.isoformat(),
            "place": place,
            "remark": resident.remark,
            "media": media,
        }

    def again(self, day: date) -> list[PlannedVisit]:
        """List the homes assessed again, whose outcome the objection or appeal foretells."""
        by_key = {visit.resident.key: visit for visit in self.script}
        wanted = [
            replace(_reconsidered(visit), day=day, attempt=3, outcome=Outcome())
            for visit in by_key.values()
            if Decision.UPHELD in (visit.resident.objection, visit.resident.appeal)
            and visit.outcome.done
        ]
        starts = [time(9), time(10), time(11), time(14), time(15), time(16)]
        return [replace(visit, start=start) for visit, start in zip(wanted, starts, strict=False)]

    # -- where the campaign stands -------------------------------------------------------

    @cached_property
    def _by_index(self) -> dict[str, DemoResident]:
        return {_index(resident): resident for resident in self.county.residents}

    def _known(self) -> set[str]:
        return set(Resident.objects.values_list("id_number_index", flat=True))

    def _cases(self, *states: ApplicationState) -> list[tuple[DemoResident, Application]]:
        rows = Application.objects.standing(*states).select_related("resident").order_by("number")
        return [(self._by_index[row.resident.id_number_index], row) for row in rows]

    def _ids(self, *states: ApplicationState) -> list[UUID]:
        rows = Application.objects.standing(*states).order_by("number")
        return list(rows.values_list("pk", flat=True))


def visit_id(visit: PlannedVisit) -> UUID:
    """Return the id that the tablet gives to a visit of the play."""
    return uuid5(VISITS, f"{visit.resident.key}:{visit.attempt}")


def _index(resident: DemoResident) -> str:
    return blind_index(resident.id_number, "id_number")


def _ended(visit: PlannedVisit) -> datetime:
    started = at(visit.day, visit.start.strftime("%H:%M"))
    return started + timedelta(minutes=visit.minutes - 10)


def _said(tablet: Tablet, name: str, visit: PlannedVisit) -> bool:
    """Tell whether the tablet has said so already and only waits to send it."""
    waiting = tablet.state.outbox
    return any(
        one["name"] == name and one["args"].get("visit") == str(visit_id(visit)) for one in waiting
    )


def _not_done(visit: PlannedVisit) -> dict[str, Any]:
    return {
        "visit": str(visit_id(visit)),
        "reason": visit.outcome.reason,
        "next_step": visit.outcome.next_step,
        "note": "",
        "recorded_at": _ended(visit).isoformat(),
        "place": None,
    }


def _part(found: Found) -> dict[str, Any]:
    return {
        "category": found.category,
        "findings": found.findings,
        "grade": found.grade,
        "reason": found.reason,
    }


def _reconsidered(visit: PlannedVisit) -> PlannedVisit:
    """Turn the finding round: an upheld objection was right, an upheld appeal too."""
    resident = visit.resident
    grade = 4 if resident.appeal else None
    rng = Random(resident.key)
    age = resident.age(visit.day)
    found = tuple(find(one.category, grade, age, rng) for one in resident.found)
    remark = "" if grade else "复核后未达到残疾标准，已说明理由。"
    return replace(visit, resident=replace(resident, found=found, remark=remark))


def _nomination(resident: DemoResident) -> dict[str, Any]:
    """Fill in the nomination form as the liaison would."""
    times = [
        f"{span.weekday}-{'am' if span.start < '12:00' else 'pm'}"
        for span in resident.possible_times
    ]
    fields: dict[str, Any] = {
        "name": resident.name,
        "id_number": resident.id_number,
        "village": resident.village_code,
        "address": resident.address,
        "telephone": resident.telephone,
        "ethnicity": resident.ethnicity,
        "categories": [str(category) for category in resident.categories],
        "diagnosis": resident.diagnosis,
        "severity_expected": resident.severity_expected or "",
        "times": times,
        "papers": [str(paper) for paper in resident.papers],
        "latitude": resident.latitude,
        "longitude": resident.longitude,
        **_switches(resident),
    }
    if guardian := resident.guardian:
        fields["guardian_name"] = guardian.name
        fields["guardian_relation"] = guardian.relation
        fields["guardian_telephone"] = guardian.telephone
    if consent := resident.consent:
        fields["consent_by"], fields["consent_name"] = consent["by"], consent["name"]
    return fields


def _switches(resident: DemoResident) -> dict[str, str]:
    """A box that is not ticked is not sent."""
    boxes = {
        "is_bedridden": resident.is_bedridden,
        "can_sit": resident.can_sit,
        "is_poor_household": resident.is_poor_household,
        "fee_paid_by_county": resident.fee_paid_by_county,
    }
    return {name: "on" for name, ticked in boxes.items() if ticked}


def _ticked(page: str) -> list[str]:
    """Read the ids of the rows that a page offers to tick."""
    parts = page.split('name="ids" value="')[1:]
    return [part[:36] for part in parts]


def _code(page: str) -> str:
    """Read the one-time code off the page that shows it."""
    return page.split('class="code-once"')[1].split(">", 1)[1].split("<", 1)[0].strip()
