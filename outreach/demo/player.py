"""Plays the reference campaign against a running server, as its people would.

The office sends the desk's own forms; tablets speak the tablet protocol and upload real
pictures. The register is read only to see where the campaign stands, never written: killed at
any moment and started again, the play goes on. Its timeline is a list of moments; the
simulated clock moves on to a moment when everything before it is done, and everything at a
moment may be done twice.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from uuid import UUID

from certificates.models import BatchItem, ItemState
from outreach import clock
from outreach.demo.county import County, DemoResident
from outreach.demo.fates import Decision, Ending
from outreach.demo.field import Field, at
from outreach.demo.loading import declare_relatives, password_of
from outreach.demo.office import Office, OfficeRefused
from outreach.demo.places import COUNTY_CODE
from outreach.demo.script import MINUTES, PlannedVisit
from outreach.demo.staff import DemoTeam
from outreach.domain.vocabulary import Role
from outreach.domain.workdays import WorkingCalendar
from outreach.domain.workflow import ApplicationState
from outreach.models import Application, Campaign, Division, Objection, Resident, User
from outreach.models.sealed import blind_index

S = ApplicationState
GLANCE_S = 0.3
"""Seconds between two looks at how far the server's papers are."""

Progress = Callable[[str, int, int], None]
Act = Callable[[], None]


@dataclass(frozen=True)
class Moment:
    """Something that happens at one time of the campaign."""

    at: datetime
    title: str
    act: Act


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
        self.progress = progress
        self.field = Field(base_url, script, folder)
        self.refusals: list[str] = []

    # -- the timeline --------------------------------------------------------------------

    def play(self, progress: Progress, until: date | None = None) -> None:
        """Play every moment that is not over yet; tell `progress` which one of how many.

        `until` is the last day that is played: the county is left in the middle of its work.
        """
        moments = sorted(self.timeline(), key=lambda moment: moment.at)
        if until is not None:
            moments = [moment for moment in moments if moment.at < at(until, "23:59")]
        for number, moment in enumerate(moments, start=1):
            progress(moment.title, number, len(moments))
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
        yield Moment(at(date(2018, 5, 22), "09:00"), "排期 scheduling", self.field.schedule)
        plan = partial(self.plan_campaign, days[0], days[-1])
        yield Moment(at(date(2018, 5, 22), "10:00"), "行动 campaign", plan)
        for day in days:
            visits = [visit for visit in self.script if visit.day == day]
            title = f"{day:%m-%d} 上门 home visits"
            yield Moment(at(day, "17:30"), title, partial(self.field.visit, visits))
        yield from self._after(days)

    def _after(self, days: Sequence[date]) -> Iterator[Moment]:
        """Publicise each week's results, end the notices, review, sign; then what was disputed."""
        weeks = [day for day in days if self.calendar.add(day, 1) - day > timedelta(days=1)]
        for first, friday in enumerate(sorted({*weeks, days[-1]})):
            yield from self._publish(self.calendar.add(friday, 1), objecting=True, early=not first)
        again = self.calendar.add(days[-1], 12)
        yield Moment(
            at(again, "08:00"), "再次评定 again", partial(self.field.schedule_again, again)
        )
        yield Moment(at(again, "17:30"), "再次评定 again", partial(self.field.visit_again, again))
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
        with self.office("administrator-1") as desk:
            for resident, case in self._cases(S.APPLIED):
                if case.papers_missing:
                    missing = {"missing": case.papers_missing}
                    desk.post(f"/cases/{case.pk}/return/", missing)
                elif resident.ending == Ending.REFUSED:
                    note = {"note": "户籍与身份证信息不符"}
                    desk.post(f"/cases/{case.pk}/step/refuse/", note)
        self.accept()

    def _withdraw(self, resident: DemoResident, case: Application) -> None:
        with self.office(self.county.liaison_of(resident).username) as desk:
            desk.post(f"/cases/{case.pk}/step/withdraw/", {"note": "本人不愿意办理"})

    def complete_papers(self) -> None:
        """Bring what was missing."""
        self._let_liaisons_take("/papers/", S.RETURNED)

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
        """Sign what was reviewed with one decision, and watch until the papers are made."""
        waiting = [*self._ids(S.REVIEWED), *self._ids(S.APPROVED)]
        with self.office("approver-1") as desk:
            desk.take("/sign/", waiting)
        while left := self._papers_at_work():
            self.progress("签发 signing", len(waiting) - min(left, len(waiting)), len(waiting))
            time.sleep(GLANCE_S)

    def _papers_at_work(self) -> int:
        return BatchItem.objects.filter(state=ItemState.WAITING).count()

    def hand_over(self) -> None:
        """Let the liaisons put the certificates into people's hands."""
        self._let_liaisons_take("/hand-over/", S.ISSUED)

    def _let_liaisons_take(self, path: str, state: ApplicationState) -> None:
        """Let each liaison take their own cases of a state at once on the page `path`."""
        by_liaison: dict[str, list[UUID]] = defaultdict(list)
        for resident, case in self._cases(state):
            by_liaison[self.county.liaison_of(resident).username].append(case.pk)
        for username, ids in by_liaison.items():
            with self.office(username) as desk:
                desk.take(path, ids)

    # -- the tablets ---------------------------------------------------------------------

    def enrol(self) -> None:
        """Enrol a tablet for every assessor with a one-time code."""
        with self.office("administrator-1") as desk:
            for user in (one for one in self.county.users if one.role == Role.ASSESSOR):
                tablet = self.field.tablet(user.username)
                if not tablet.state.token:
                    holder = User.objects.get(username=user.username)
                    page = desk.post("/tablets/code/", {"user": str(holder.pk)}).text
                    tablet.enrol(_code(page), f"平板 {user.username}")

    # -- the board -----------------------------------------------------------------------

    def plan_campaign(self, first: date, last: date) -> None:
        """Open the campaign with its teams and take over what the assessors scheduled."""
        with self.office("administrator-1") as desk:
            if not Campaign.objects.exists():
                desk.post("/campaigns/new/", _campaign(first, last))
            campaign = Campaign.objects.get()
            known = set(campaign.teams.values_list("name", flat=True))
            base = Division.objects.valid(first).get(code=COUNTY_CODE)
            for team in self.county.teams:
                if team.name not in known:
                    people = User.objects.filter(username__in=team.assessors)
                    members = [str(pk) for pk in people.values_list("pk", flat=True)]
                    crew = _crew(team, members, str(base.pk))
                    desk.post(f"/campaigns/{campaign.pk}/teams/new/", crew)
            if not campaign.plans.exists():
                desk.post(f"/campaigns/{campaign.pk}/adopt/", {})

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


def _index(resident: DemoResident) -> str:
    return blind_index(resident.id_number, "id_number")


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


def _campaign(first: date, last: date) -> dict[str, Any]:
    """Fill in the campaign form: visits as long as the script's, forty days promised."""
    return {
        "name": "2018年送证下乡",
        "first_on": first.isoformat(),
        "last_on": last.isoformat(),
        "minutes": MINUTES,
        "lunch_at": "11:30",
        "lunch_minutes": 60,
        "promise_days": 40,
        "overtime_minutes": 60,
        "overtime_yuan": 60,
    }


def _crew(team: DemoTeam, members: list[str], base: str) -> dict[str, Any]:
    """Fill in the team form: from the county's seat, out from eight to half past five."""
    return {
        "name": team.name,
        "members": members,
        "base": base,
        "vehicle": f"川R·{team.code}0001",
        "start": "08:00",
        "end": "17:30",
    }


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
