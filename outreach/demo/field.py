"""The tablets of the demo campaign: out in the morning, offline all day, sent in the evening."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import httpx
from django.db import connection

from outreach import clock
from outreach.demo.fates import Decision
from outreach.demo.findings import Found, find
from outreach.demo.pictures import picture
from outreach.demo.script import Outcome, PlannedVisit
from outreach.demo.tablet import Tablet
from outreach.domain.vocabulary import EvidenceKind, NextStep, evidence_for
from outreach.models import User

SHANGHAI = ZoneInfo("Asia/Shanghai")
VISITS = UUID("2018f3a0-0000-7000-8000-000000000001")
TABLETS_AT_ONCE = 3


def at(day: date, clock_time: str) -> datetime:
    """Return a moment of the campaign in its own time zone."""
    return datetime.combine(day, time.fromisoformat(clock_time), SHANGHAI)


class Field:
    """Every assessor with their tablet, whose state stands in one file each."""

    def __init__(self, base_url: str, script: Sequence[PlannedVisit], folder: Path) -> None:
        self.base_url = base_url
        self.script = script
        self.folder = folder
        self.tablets: dict[str, Tablet] = {}

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

    def visit_again(self, day: date) -> None:
        """Play the day of those homes."""
        self.visit(self.again(day))

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

        with ThreadPoolExecutor(TABLETS_AT_ONCE) as pool:
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


def visit_id(visit: PlannedVisit) -> UUID:
    """Return the id that the tablet gives to a visit of the play."""
    return uuid5(VISITS, f"{visit.resident.key}:{visit.attempt}")


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
