"""The people who work in the demo campaign: three teams, the office, a liaison per township.

Names of persons and institutions are invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random

from outreach.demo.names import invent_name
from outreach.demo.places import COUNTY_CODE, DemoDivision, teams_by_township
from outreach.domain.vocabulary import Category, Level, Role, Sex

C = Category
_GENERAL, _EYE_EAR, _PSYCHIATRIC = "演示综合医院", "演示五官科医院", "演示精神卫生中心"
DESIGNATED_FROM = date(2018, 1, 1)


@dataclass(frozen=True)
class DemoInstitution:
    """A hospital designated for some categories."""

    name: str
    categories: tuple[Category, ...]
    designated_from: date = DESIGNATED_FROM


@dataclass(frozen=True)
class DemoUser:
    """An account of the demo; assessors have an institution, categories and a team."""

    username: str
    full_name: str
    role: Role
    division_code: str
    telephone: str
    institution: str = ""
    categories: tuple[Category, ...] = ()
    team: str = ""


@dataclass(frozen=True)
class DemoTeam:
    """A team: its assessors and the townships it visits, in visiting order."""

    code: str
    name: str
    assessors: tuple[str, ...]
    townships: tuple[str, ...]


INSTITUTIONS = (
    DemoInstitution(_GENERAL, (C.PHYSICAL, C.SPEECH, C.INTELLECTUAL)),
    DemoInstitution(_EYE_EAR, (C.VISION, C.HEARING, C.SPEECH)),
    DemoInstitution(_PSYCHIATRIC, (C.INTELLECTUAL, C.MENTAL)),
)

# Team C has no eye and ear doctor: cases that turn out to need one are referred to a hospital.
_ASSESSORS = (
    ("A", _GENERAL, (C.PHYSICAL, C.SPEECH, C.INTELLECTUAL)),
    ("A", _EYE_EAR, (C.VISION, C.HEARING, C.SPEECH)),
    ("A", _PSYCHIATRIC, (C.INTELLECTUAL, C.MENTAL)),
    ("B", _GENERAL, (C.PHYSICAL, C.SPEECH, C.INTELLECTUAL)),
    ("B", _EYE_EAR, (C.VISION, C.HEARING, C.SPEECH)),
    ("B", _PSYCHIATRIC, (C.INTELLECTUAL, C.MENTAL)),
    ("C", _GENERAL, (C.PHYSICAL, C.SPEECH, C.INTELLECTUAL)),
    ("C", _GENERAL, (C.PHYSICAL,)),
    ("C", _PSYCHIATRIC, (C.INTELLECTUAL, C.MENTAL)),
)
_OFFICE = (
    ("administrator-1", Role.ADMINISTRATOR),
    ("administrator-2", Role.ADMINISTRATOR),
    ("approver-1", Role.APPROVER),
    ("auditor-1", Role.AUDITOR),
)
_TEAM_NAMES = {"A": "北线一组", "B": "西线二组", "C": "东线三组"}


def users(seed: int, divisions: tuple[DemoDivision, ...]) -> tuple[DemoUser, ...]:
    """List every account: assessors, the office, and a liaison for each township."""
    rng = Random(f"{seed}:staff")
    made = _assessors(rng) + _office(rng)
    townships = [one for one in divisions if one.level == Level.TOWNSHIP]
    for number, township in enumerate(townships, start=1):
        made.append(
            DemoUser(
                username=f"liaison-{township.code[-3:]}",
                full_name=_name(rng),
                role=Role.LIAISON,
                division_code=township.code,
                telephone=f"1540817{9100 + number}",
            )
        )
    return tuple(made)


def teams() -> tuple[DemoTeam, ...]:
    """List the three teams."""
    return tuple(
        DemoTeam(
            code=code,
            name=name,
            assessors=tuple(username for team, username in _usernames() if team == code),
            townships=tuple(place for place, team in teams_by_township().items() if team == code),
        )
        for code, name in _TEAM_NAMES.items()
    )


def _usernames() -> list[tuple[str, str]]:
    codes = [team for team, _, _ in _ASSESSORS]
    return [
        (code, f"assessor-{code.lower()}{codes[: index + 1].count(code)}")
        for index, code in enumerate(codes)
    ]


def _assessors(rng: Random) -> list[DemoUser]:
    rows = zip(_usernames(), _ASSESSORS, strict=True)
    return [
        DemoUser(
            username=username,
            full_name=_name(rng),
            role=Role.ASSESSOR,
            division_code=COUNTY_CODE,
            telephone=f"1540817{9000 + number}",
            institution=institution,
            categories=categories,
            team=team,
        )
        for number, ((team, username), (_, institution, categories)) in enumerate(rows, start=1)
    ]


def _office(rng: Random) -> list[DemoUser]:
    return [
        DemoUser(username, _name(rng), role, COUNTY_CODE, f"1540817{9050 + number}")
        for number, (username, role) in enumerate(_OFFICE, start=1)
    ]


def _name(rng: Random) -> str:
    return invent_name(rng, rng.choice(list(Sex)), rng.randint(30, 58))
