"""The invented demo county: 600 nominated residents with their papers, homes and hidden fates.

Everything follows from the seed: the same seed gives the same county on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from random import Random

from stdnum.iso7064 import mod_11_2

from outreach.demo import staff
from outreach.demo.fates import Decision, Ending, Fate, Obstacle, deal
from outreach.demo.findings import Found, find, find_disputable
from outreach.demo.names import DOTTED, RARE, invent_name
from outreach.demo.places import COUNTY_CODE, DemoDivision, divisions
from outreach.domain.identity import age_on
from outreach.domain.vocabulary import Category, Level, NotDone, Paper, Sex

SEED = 2018
PER_TEAM = 200
FIRST_DAY = date(2018, 6, 1)
ADULT = 18

C = Category

#: The man of the first stop: 88, in bed for three years; his name is invented like all others.
FIRST_NAME = "蒲廷禄"
FIRST_BIRTHDAY = date(1930, 3, 12)


@dataclass(frozen=True)
class DemoGuardian:
    """The legal guardian of a minor or of somebody in the categories that ask for one.

    `relation` says what the guardian is to the resident: parent, child or sibling.
    """

    name: str
    telephone: str
    relation: str


@dataclass(frozen=True)
class Span:
    """Times at which a family is at home: a weekday (Monday 0) and from when to when."""

    weekday: int
    start: str
    end: str

    def as_json(self) -> dict[str, object]:
        """Return the span in its wire shape."""
        return {"weekday": self.weekday, "from": self.start, "to": self.end}


@dataclass(frozen=True)
class DemoResident:
    """A nominated person as the village knows them, and what the play will find.

    `found` is what an assessor of the fitting specialty would find, one entry a category; it is
    empty where the case ends before any visit and where the trip has the wrong specialty.
    `papers` are those handed in at first; what lacks is brought after the first return.
    """

    key: str
    name: str
    id_number: str = field(repr=False)
    birth_on: date
    sex: Sex
    ethnicity: str
    team: str
    village_code: str
    address: str
    telephone: str
    latitude: float
    longitude: float
    categories: tuple[Category, ...]
    diagnosis: str
    is_bedridden: bool
    can_sit: bool
    is_poor_household: bool
    fee_paid_by_county: bool
    severity_expected: int | None
    guardian: DemoGuardian | None
    possible_times: tuple[Span, ...]
    papers: tuple[Paper, ...]
    found: tuple[Found, ...]
    ending: Ending | None
    obstacle: Obstacle | None
    objection: Decision | None
    appeal: Decision | None
    remark: str

    @property
    def township_code(self) -> str:
        """The code of the township the person lives in."""
        return self.village_code[:9]

    @property
    def grade(self) -> int | None:
        """The doctor's overall grade: the most severe, where every category has one."""
        grades = [found.grade for found in self.found]
        return None if None in grades else min((g for g in grades if g), default=None)

    def age(self, on: date) -> int:
        """Completed years of age on that day."""
        return age_on(self.birth_on, on)

    @property
    def consent(self) -> dict[str, str] | None:
        """Who asked for the certificate; None where nobody did."""
        if self.ending == Ending.NO_CONSENT:
            return None
        if self.guardian:
            return {"by": "guardian", "name": self.guardian.name}
        return {"by": "resident", "name": self.name}


@dataclass(frozen=True)
class Relation:
    """A member of staff who declared a resident a relative."""

    username: str
    resident: str


@dataclass(frozen=True)
class County:
    """The whole demo county."""

    divisions: tuple[DemoDivision, ...]
    institutions: tuple[staff.DemoInstitution, ...]
    users: tuple[staff.DemoUser, ...]
    teams: tuple[staff.DemoTeam, ...]
    residents: tuple[DemoResident, ...]
    relations: tuple[Relation, ...]

    @cached_property
    def by_code(self) -> dict[str, DemoDivision]:
        """The divisions by their codes."""
        return {one.code: one for one in self.divisions}

    def liaison_of(self, resident: DemoResident) -> staff.DemoUser:
        """Return the liaison of the resident's township, who nominates."""
        return next(u for u in self.users if u.division_code == resident.township_code)

    def relatives_of(self, resident: DemoResident) -> set[str]:
        """Return the usernames of staff who declared the resident a relative."""
        return {one.username for one in self.relations if one.resident == resident.key}


@cache
def demo_county(seed: int = SEED) -> County:
    """Return the demo county of a seed: 29 townships, 600 residents, three teams."""
    places = divisions(seed)
    residents = tuple(_residents(seed, places))
    return County(
        divisions=places,
        institutions=staff.INSTITUTIONS,
        users=staff.users(seed, places),
        teams=staff.teams(),
        residents=residents,
        relations=_relations(residents),
    )


def _residents(seed: int, places: tuple[DemoDivision, ...]) -> Iterator[DemoResident]:
    rng = Random(f"{seed}:people")
    maker = _Maker(rng, {place.code: place for place in places})
    for team in staff.teams():
        homes = _homes(team, places)
        fates = deal(team.code, Random(f"{seed}:fates:{team.code}"))
        for village, fate in zip(homes, fates, strict=True):
            yield maker.resident(team.code, village, fate)


def _homes(team: staff.DemoTeam, places: tuple[DemoDivision, ...]) -> list[DemoDivision]:
    """Share a team's residents among its villages, towns half as many, in visiting order."""
    villages = [
        place
        for township in team.townships
        for place in places
        if place.parent_code == township and place.level == Level.VILLAGE
    ]
    weights = [1 if village.name.endswith("社区") else 2 for village in villages]
    total, given, homes = sum(weights), 0, 0
    shared = []
    for village, weight in zip(villages, weights, strict=True):
        given += weight
        upto = PER_TEAM * given // total
        shared += [village] * (upto - homes)
        homes = upto
    return shared


def _relations(residents: tuple[DemoResident, ...]) -> tuple[Relation, ...]:
    """Three declared relatives; the duties of those members of staff pass to colleagues."""
    plain = [one for one in residents if one.found and not one.obstacle and one.grade]
    physical = [one for one in plain if one.categories == (C.PHYSICAL,)]
    in_a, in_c = ([one for one in physical if one.team == team] for team in ("A", "C"))
    return (
        Relation("assessor-a2", in_a[5].key),
        Relation("assessor-c1", in_c[5].key),
        Relation("administrator-2", in_a[9].key),
    )


_MORNING, _AFTERNOON = ("08:00", "12:00"), ("13:00", "17:30")
_ETHNICITIES = {"汉族": 96, "回族": 1, "彝族": 1, "藏族": 1, "羌族": 1}


class _Maker:
    """Makes residents one after the other from one stream of chance; numbers stay unique."""

    def __init__(self, rng: Random, places: dict[str, DemoDivision]) -> None:
        self.rng = rng
        self.places = places
        self.taken: set[str] = set()
        self.names = {FIRST_NAME}
        self.count = 0

    def resident(self, team: str, village: DemoDivision, fate: Fate) -> DemoResident:
        """Make the next resident."""
        self.count += 1
        rng, first = self.rng, self.count == 1
        age = 88 if first else self._age(fate)
        sex = Sex.MALE if first else rng.choice(list(Sex))
        found = self._found(fate, age, first)
        lies = first or self._is_bedridden(found, age)
        name, sex, ethnicity = self._name(sex, age)
        birth_on = FIRST_BIRTHDAY if first else self._birth_on(age)
        poor = rng.random() < 0.45
        guardian = self._guardian(name, age) if fate.guarded or age < ADULT else None
        wrong = fate.obstacle is not None and fate.obstacle.reason == NotDone.WRONG_SPECIALTY
        return DemoResident(
            key=f"R{self.count:03d}",
            name=name,
            id_number=self._id_number(birth_on, sex),
            birth_on=birth_on,
            sex=sex,
            ethnicity=ethnicity,
            team=team,
            village_code=village.code,
            address=self._address(village),
            telephone=f"1540817{self.count:04d}",
            latitude=round(village.latitude + rng.uniform(-0.004, 0.004), 6),
            longitude=round(village.longitude + rng.uniform(-0.004, 0.004), 6),
            categories=fate.categories,
            diagnosis="类风湿关节炎，卧床三年" if first else "；".join(f.diagnosis for f in found),
            is_bedridden=lies,
            can_sit=not lies or (not first and rng.random() < 0.3),
            is_poor_household=poor,
            fee_paid_by_county=poor or rng.random() < 0.2,
            severity_expected=self._expected(found),
            guardian=guardian,
            possible_times=() if first else self._times(),
            papers=self._papers(guardian),
            found=() if wrong or fate.ending else found,
            ending=fate.ending,
            obstacle=fate.obstacle,
            objection=fate.objection,
            appeal=fate.appeal,
            remark=_remark(fate),
        )

    def _age(self, fate: Fate) -> int:
        rng = self.rng
        if fate.objection or fate.disputable or len(fate.categories) > 1:
            return rng.randint(30, 80)
        (category,) = fate.categories
        if category == C.INTELLECTUAL:
            return rng.choice((rng.randint(4, 17), rng.randint(18, 60)))
        if category == C.MENTAL:
            return 16 if rng.random() < 0.04 else rng.randint(20, 64)
        if category == C.PHYSICAL and rng.random() < 0.04:
            return rng.randint(5, 17)
        return min(94, max(20, round(rng.gauss(66, 14))))

    def _birth_on(self, age: int) -> date:
        """Pick a birthday; that of a child lies outside the campaign, so that the age holds."""
        months = [m for m in range(1, 13) if age >= 20 or m not in (5, 6, 7, 8)]
        month, day = self.rng.choice(months), self.rng.randint(1, 28)
        had_birthday = (month, day) <= (FIRST_DAY.month, FIRST_DAY.day)
        return date(FIRST_DAY.year - age - (not had_birthday), month, day)

    def _found(self, fate: Fate, age: int, first: bool) -> tuple[Found, ...]:
        if first:
            findings = {"independence": "none", "condition": "1i"}
            return (Found(C.PHYSICAL, findings, 1, "类风湿关节炎"),)
        if fate.disputable:
            return (find_disputable(fate.categories[0]),)
        grades: list[int | None] = [None]
        if fate.meets:
            grades = self.rng.choices([1, 2, 3, 4], [17, 31, 30, 22], k=len(fate.categories))
        pairs = zip(fate.categories, grades, strict=True)
        return tuple(find(category, grade, age, self.rng) for category, grade in pairs)

    def _is_bedridden(self, found: tuple[Found, ...], age: int) -> bool:
        severe = {f.grade for f in found if f.category == C.PHYSICAL}
        chance = 0.9 if 1 in severe else 0.35 if 2 in severe and age > 60 else 0.02
        return self.rng.random() < chance

    def _name(self, sex: Sex, age: int) -> tuple[str, Sex, str]:
        """Invent a name; now and then one with a rare character or the dot."""
        if self.count == 1:
            return FIRST_NAME, sex, "汉族"
        if self.count % 200 == 75:
            return DOTTED[self.count // 200]
        number, every = divmod(self.count, 90)
        name = invent_name(self.rng, sex, age)
        while name in self.names:
            name = invent_name(self.rng, sex, age)
        self.names.add(name)
        if every == 40 and number < len(RARE):
            return name[:2] + RARE[number], sex, "汉族"
        return name, sex, self.rng.choices(list(_ETHNICITIES), list(_ETHNICITIES.values()))[0]

    def _id_number(self, birth_on: date, sex: Sex) -> str:
        """Number as GB 11643 does, from the order codes that registries hand out last."""
        while True:
            order = self.rng.randrange(901 if sex == Sex.MALE else 900, 1000, 2)
            body = f"{COUNTY_CODE}{birth_on:%Y%m%d}{order}"
            if body not in self.taken:
                self.taken.add(body)
                return body + mod_11_2.calc_check_digit(body)

    def _guardian(self, name: str, age: int) -> DemoGuardian:
        sex = self.rng.choice(list(Sex))
        relation = "parent" if age < 45 else self.rng.choice(("child", "sibling"))
        years = age + 26 if relation == "parent" else max(25, age - 20)
        shares = "·" not in name and (relation, sex) != ("parent", Sex.FEMALE)
        guardian = invent_name(self.rng, sex, years, name[0] if shares else "")
        return DemoGuardian(guardian, f"1540817{2000 + self.count}", relation)

    def _address(self, village: DemoDivision) -> str:
        township = self.places[village.parent_code or ""]
        place = f"四川省南充市顺庆区{township.name}{village.name}"
        unit = "组" if village.name.endswith("村") else "栋"
        return f"{place}{self.rng.randint(1, 9)}{unit}"

    def _expected(self, found: tuple[Found, ...]) -> int | None:
        """What the village guesses: near the truth, or nothing."""
        grades = [f.grade for f in found if f.grade]
        if not grades or self.rng.random() < 0.2:
            return None
        return min(4, max(1, min(grades) + self.rng.choice((-1, 0, 0, 0, 1))))

    def _times(self) -> tuple[Span, ...]:
        """Most families are at home all day, some only for half of it or on some weekdays."""
        chance = self.rng.random()
        if chance >= 0.22:
            return ()
        weekdays = sorted(self.rng.sample(range(5), 4)) if chance < 0.04 else range(5)
        start, end = self.rng.choice((_MORNING, _AFTERNOON))
        return tuple(Span(weekday, start, end) for weekday in weekdays)

    def _papers(self, guardian: DemoGuardian | None) -> tuple[Paper, ...]:
        papers = [paper for paper in Paper if guardian or paper != Paper.GUARDIAN_PROOF]
        if self.count % 50 == 25:
            papers.remove(papers[self.count // 50 % len(papers)])
        return tuple(papers)


def _remark(fate: Fate) -> str:
    if not fate.meets:
        return "经现场评定，未达到残疾标准，已向本人说明理由和复核途径。"
    return ""
