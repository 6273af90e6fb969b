"""Shunqing district as it was divided in 2018: 29 townships and sub-districts and their villages.

Ten township names and rough places are known; every other name is invented and marked so.
Codes below the county, village places and all dates are assumed for the demo.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random

from outreach.domain.vocabulary import Level

COUNTY_CODE = "511302"
COUNTY_SEAT = (30.7988, 106.0884)
FIRST_STOP = ("灯台乡", "任家祠村")

VALID_FROM = date(2010, 1, 1)
#: Eleven townships were merged away in October 2019; the day is assumed.
MERGED_AWAY = date(2019, 10, 31)

KNOWN = "Demo county after public place names; code, place and dates assumed"
INVENTED = "Demo county: name, code, place and dates invented"
MERGED = "; merged away in October 2019, day assumed"


@dataclass(frozen=True)
class DemoDivision:
    """A division as the register will hold it."""

    code: str
    name: str
    level: Level
    parent_code: str | None
    latitude: float
    longitude: float
    source: str
    name_is_invented: bool
    valid_from: date = VALID_FROM
    valid_to: date | None = None


@dataclass(frozen=True)
class _Township:
    code: str
    name: str
    latitude: float
    longitude: float
    team: str
    known: bool = False
    merged_away: bool = False


# In the order in which each team visits them: out along the far ridge, and home.
TOWNSHIPS = (
    _Township("200", "灯台乡", 31.02, 106.10, "A", known=True, merged_away=True),
    _Township("201", "云栈乡", 31.03, 106.14, "A", merged_away=True),
    _Township("100", "大林镇", 31.00, 106.15, "A", known=True, merged_away=True),
    _Township("202", "石笋乡", 30.97, 106.13, "A", merged_away=True),
    _Township("203", "柏垭乡", 31.00, 106.05, "A", merged_away=True),
    _Township("101", "芦溪镇", 30.98, 106.08, "A", known=True),
    _Township("102", "金台镇", 30.93, 106.07, "A", known=True),
    _Township("204", "渔溪乡", 30.93, 106.15, "A", known=True),
    _Township("001", "柳林街道", 30.82, 106.09, "A"),
    _Township("002", "望江街道", 30.81, 106.10, "A"),
    _Township("205", "青莲乡", 30.97, 105.96, "B", merged_away=True),
    _Township("103", "李家镇", 30.95, 106.00, "B", known=True),
    _Township("206", "桂花坪乡", 30.93, 105.94, "B", merged_away=True),
    _Township("104", "双桥镇", 30.91, 105.98, "B", known=True),
    _Township("207", "三角垭乡", 30.88, 105.95, "B", merged_away=True),
    _Township("105", "共兴镇", 30.87, 106.00, "B", known=True),
    _Township("208", "新复乡", 30.83, 106.02, "B", known=True),
    _Township("003", "文峰街道", 30.80, 106.06, "B"),
    _Township("004", "桃园街道", 30.79, 106.07, "B"),
    _Township("005", "书院街道", 30.80, 106.08, "B"),
    _Township("209", "马鞍石乡", 30.95, 106.19, "C", merged_away=True),
    _Township("210", "龙洞乡", 30.91, 106.17, "C", merged_away=True),
    _Township("211", "白鹤乡", 30.88, 106.18, "C", merged_away=True),
    _Township("212", "凉水乡", 30.87, 106.14, "C"),
    _Township("106", "搬罾镇", 30.90, 106.11, "C", known=True),
    _Township("213", "栖霞乡", 30.86, 106.08, "C"),
    _Township("006", "北辰街道", 30.815, 106.085, "C"),
    _Township("007", "南园街道", 30.785, 106.09, "C"),
    _Township("008", "荷塘街道", 30.792, 106.1, "C"),
)

_VILLAGE_FIRST = "青石双柏桐金龙凤白红大高长新回松竹梅桂梨枣油麻"
_VILLAGE_SECOND = "树湾坪垭沟坝井梁岩寨林塘溪坡店"


def divisions(seed: int) -> tuple[DemoDivision, ...]:
    """List the county, its townships, and three to six villages in each."""
    rng = Random(f"{seed}:places")
    names = [first + second for first in _VILLAGE_FIRST for second in _VILLAGE_SECOND]
    rng.shuffle(names)
    county = DemoDivision(
        COUNTY_CODE, "顺庆区", Level.COUNTY, None, *COUNTY_SEAT, KNOWN, name_is_invented=False
    )
    made = [county]
    for row in TOWNSHIPS:
        township = _township(row)
        made += [township, *_villages(township, names, rng)]
    return tuple(made)


def teams_by_township() -> dict[str, str]:
    """Map each township's code to the team that visits it, in visiting order."""
    return {COUNTY_CODE + row.code: row.team for row in TOWNSHIPS}


def _township(row: _Township) -> DemoDivision:
    source = KNOWN if row.known else INVENTED
    return DemoDivision(
        code=COUNTY_CODE + row.code,
        name=row.name,
        level=Level.TOWNSHIP,
        parent_code=COUNTY_CODE,
        latitude=row.latitude,
        longitude=row.longitude,
        source=source + MERGED if row.merged_away else source,
        name_is_invented=not row.known,
        valid_to=MERGED_AWAY if row.merged_away else None,
    )


def _villages(township: DemoDivision, names: list[str], rng: Random) -> list[DemoDivision]:
    """Scatter villages within about 2 km of the township, 0.4 km in town."""
    in_town = township.name.endswith("街道")
    spread, suffix = (0.004, "社区") if in_town else (0.018, "村")
    chosen = [names.pop() + suffix for _ in range(rng.randint(3, 6))]
    if township.name == FIRST_STOP[0]:
        chosen[0] = FIRST_STOP[1]
    return [
        DemoDivision(
            code=f"{township.code}{200 + number if not in_town else number:03d}",
            name=name,
            level=Level.VILLAGE,
            parent_code=township.code,
            latitude=round(township.latitude + rng.uniform(-spread, spread), 6),
            longitude=round(township.longitude + rng.uniform(-spread, spread), 6),
            source=township.source,
            name_is_invented=name != FIRST_STOP[1],
            valid_to=township.valid_to,
        )
        for number, name in enumerate(chosen, start=1)
    ]
