"""A small county for tests, built through the same actions as the real one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password
from stdnum.iso7064 import mod_11_2

from outreach.actions import applications, evaluations, photos, publicity, visits
from outreach.actions.applications import Guarding, Nomination
from outreach.domain.vocabulary import EvidenceKind, Level, Role
from outreach.models import (
    Application,
    Assessor,
    Division,
    Evaluation,
    Institution,
    StoredBlob,
    User,
    Visit,
)
from outreach.models.ids import new_id

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: A Monday on which the tests' cases begin.
START = datetime(2018, 5, 14, 9, 0, tzinfo=SHANGHAI)
VISIT_ON = date(2018, 6, 4)
WITHOUT_LEGS: dict[str, Any] = {"independence": "none", "condition": "1g"}
_serial = count(1)


def id_number(birth_on: date = date(1950, 3, 2), *, county: str = "511302") -> str:
    """Return a fresh valid ID number of somebody born on that day."""
    base = f"{county}{birth_on:%Y%m%d}{next(_serial) % 1000:03d}"
    return base + mod_11_2.calc_check_digit(base)


def division(code: str, name: str, level: Level, parent: Division | None = None) -> Division:
    """Return a division valid since 2010, with a place in the hills."""
    made, _ = Division.objects.get_or_create(
        code=code,
        defaults={
            "name": name,
            "level": level,
            "parent": parent,
            "valid_from": date(2010, 1, 1),
            "source": "tests",
            "latitude": 31.02,
            "longitude": 106.10,
        },
    )
    return made


def user(name: str, role: Role, area: Division) -> User:
    """Return an account whose password is its name said twice."""
    return User.objects.create(
        username=name,
        full_name=name,
        role=role,
        division=area,
        telephone="13800000000",
        password=_hashed(name * 2),
    )


@cache
def _hashed(password: str) -> str:
    """Hash each password once a run: Argon2 is slow on purpose."""
    return make_password(password)


@dataclass(frozen=True)
class County:
    """Two villages in two townships, and one person of each role."""

    county: Division
    township: Division
    village: Division
    other_village: Division
    liaison: User
    other_liaison: User
    assessor: User
    colleague: User
    administrator: User
    approver: User
    auditor: User


def county() -> County:
    """Build the small county."""
    root = division("511302", "顺庆区", Level.COUNTY)
    township = division("511302201", "灯台乡", Level.TOWNSHIP, root)
    village = division("511302201201", "任家祠村", Level.VILLAGE, township)
    other_township = division("511302202", "大林乡", Level.TOWNSHIP, root)
    other_village = division("511302202201", "石桥村", Level.VILLAGE, other_township)
    assessor = user("assessor", Role.ASSESSOR, root)
    colleague = user("colleague", Role.ASSESSOR, root)
    hospital = Institution.objects.create(name="示例医院", designated_from=date(2015, 1, 1))
    for doctor in (assessor, colleague):
        Assessor.objects.create(
            user=doctor,
            institution=hospital,
            categories=["physical", "vision", "hearing", "speech", "intellectual", "mental"],
        )
    return County(
        root,
        township,
        village,
        other_village,
        user("liaison", Role.LIAISON, village),
        user("other_liaison", Role.LIAISON, other_village),
        assessor,
        colleague,
        user("administrator", Role.ADMINISTRATOR, root),
        user("approver", Role.APPROVER, root),
        user("auditor", Role.AUDITOR, root),
    )


def nomination(place: County, **changes: Any) -> Nomination:
    """Return a complete nomination of an invented person."""
    given: dict[str, Any] = {
        "name": "赵青山",
        "id_number": id_number(),
        "village": place.village,
        "categories": ["physical"],
        "telephone": "13900000000",
        "address": "任家祠村一组",
        "diagnosis": "下肢缺失",
        "is_bedridden": True,
        "can_sit": False,
        "consent": {"by": "resident", "name": "赵青山"},
    }
    return Nomination(**(given | changes))


def guarded(place: County, **changes: Any) -> Nomination:
    """Return a nomination that names a guardian."""
    guardian = Guarding("赵大山", "13700000000", "父亲")
    return nomination(place, **({"guardian": guardian} | changes))


def applied(place: County, count: int = 1, **changes: Any) -> list[Application]:
    """Return applications that wait to be accepted."""
    wanted = [nomination(place, **changes) for _ in range(count)]
    return applications.nominate(wanted, by=place.liaison, at=START)


def accepted(place: County, count: int = 1, **changes: Any) -> list[Application]:
    """Return accepted applications, assigned to the assessor."""
    made = applied(place, count, **changes)
    applications.accept(made, by=place.administrator, at=START)
    applications.assign(made, place.assessor, by=place.administrator, at=START)
    return made


def scheduled(place: County, count: int = 1, *, on: date = VISIT_ON, **changes: Any) -> list[Visit]:
    """Return visits on one day, one after another."""
    first = datetime.combine(on, time(9))
    wanted = [
        visits.Appointment(
            application, on, (first + timedelta(minutes=30 * index)).time(), minutes=30
        )
        for index, application in enumerate(accepted(place, count, **changes))
    ]
    return visits.schedule(wanted, by=place.administrator, at=START)


def media(content: bytes = b"", kinds: Sequence[EvidenceKind] = ()) -> list[evaluations.Declared]:
    """Return declared photos of the kinds a physical evaluation asks for."""
    wanted = kinds or (
        EvidenceKind.PORTRAIT,
        EvidenceKind.WHOLE_BODY,
        EvidenceKind.ENVIRONMENT,
        EvidenceKind.AFFECTED_PART,
    )
    return [
        evaluations.Declared(
            hashlib.sha256(content + kind.encode() + new_id().bytes).hexdigest(),
            kind,
            1000,
            "image/jpeg",
            datetime.combine(VISIT_ON, time(9, 30), SHANGHAI),
        )
        for kind in wanted
    ]


def submission(place: County, visit: Visit, **changes: Any) -> evaluations.Submission:
    """Return a complete evaluation: physical, grade 1."""
    given: dict[str, Any] = {
        "id": new_id(),
        "visit": visit,
        "parts": [evaluations.Part("physical", WITHOUT_LEGS, 1)],
        "grade": 1,
        "co_signers": [place.colleague],
        "media": media(),
        "evaluated_at": datetime.combine(visit.on, time(9, 40), SHANGHAI),
        "identity_checked": True,
        "guardian_present": True,
        "consent": {"by": "resident", "name": "赵青山"},
    }
    return evaluations.Submission(**(given | changes))


def evaluated(
    place: County,
    count: int = 1,
    *,
    on: date = VISIT_ON,
    stored: bool = True,
    pictures: Callable[[int], list[evaluations.Declared]] | None = None,
) -> list[Evaluation]:
    """Return evaluations, with their photos on the server unless said otherwise.

    `pictures` makes the declared photos of each by its number, where a test wants real ones.
    """
    said = [
        submission(place, visit, media=pictures(index) if pictures else media())
        for index, visit in enumerate(scheduled(place, count, on=on))
    ]
    made = evaluations.submit(said, by=place.assessor, at=said[0].evaluated_at)
    if stored and not pictures:
        store([declared.sha256 for one in said for declared in one.media])
    return made


def store(sha256s: Sequence[str]) -> None:
    """Note files as held and verified, without the files."""
    photos.store_blobs(
        [
            StoredBlob(
                sha256=sha256,
                size=1000,
                content_type="image/jpeg",
                width=10,
                height=10,
                stored_at=START,
            )
            for sha256 in sha256s
        ]
    )


def on_notice(
    place: County, count: int = 1, *, on: date = VISIT_ON, **how: Any
) -> list[Application]:
    """Return cases whose notice was posted in the afternoon of their visits."""
    ids = [one.pk for one in evaluated(place, count, on=on, **how)]
    later = datetime.combine(on, time(16), SHANGHAI)
    rows = list(Evaluation.objects.filter(pk__in=ids))
    evaluations.give_second_opinion(rows, by=second_assessor(place), at=later)
    cases = list(Application.objects.filter(evaluations__in=ids).order_by("number"))
    publicity.post_notices(cases, by=place.administrator, at=later)
    return cases


def noticed(place: County, count: int = 1, *, on: date = VISIT_ON, **how: Any) -> list[Application]:
    """Return cases that wait for the review, their notice taken down."""
    cases = on_notice(place, count, on=on, **how)
    publicity.end_notices(cases, by=place.administrator, at=notice_over(on))
    return cases


def notice_over(on: date = VISIT_ON) -> datetime:
    """Return a morning on which the notices of that day's visits are over."""
    return datetime.combine(on + timedelta(days=8), time(9), SHANGHAI)


def reviewed(
    place: County, count: int = 1, *, on: date = VISIT_ON, **how: Any
) -> list[Application]:
    """Return cases that wait for the approver."""
    cases = noticed(place, count, on=on, **how)
    publicity.review(cases, by=place.administrator, at=notice_over(on))
    return cases


def second_assessor(place: County) -> User:
    """Return an assessor who neither rates nor co-signs in these tests."""
    known = User.objects.filter(username="second").first()
    if known:
        return known
    made = user("second", Role.ASSESSOR, place.county)
    Assessor.objects.create(
        user=made, institution=Institution.objects.get(), categories=["physical"]
    )
    return made
