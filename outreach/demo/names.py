"""Invented names: family names by their rough frequency, given names by generation.

Nobody is meant: the parts are ordinary and are put together by a seeded generator.
"""

from __future__ import annotations

from random import Random

from outreach.domain.vocabulary import Sex

_FAMILY = {
    "李": 8, "王": 8, "张": 7, "刘": 6, "陈": 6, "杨": 5, "黄": 4, "何": 4, "罗": 4, "蒲": 3,
    "任": 3, "杜": 3, "邓": 3, "唐": 3, "冯": 2, "蒋": 2, "谢": 2, "郑": 2, "袁": 2, "谭": 2,
    "严": 1, "庞": 1, "文": 1, "青": 1, "苟": 1, "仝": 1, "禤": 1,
}  # fmt: skip
_GIVEN = {
    ("old", Sex.MALE): ("光德正明永天朝绍廷仕", "福贵寿清云才元培禄宽"),
    ("old", Sex.FEMALE): ("素淑桂秀玉月光兆清碧", "芳珍兰英华清琼珍容蓉"),
    ("middle", Sex.MALE): ("建国志世大代小永兴先", "军平川林勇富全荣江洪"),
    ("middle", Sex.FEMALE): ("小晓素春丽红晓彩永翠", "琼蓉梅容芬燕霞会英群"),
    ("young", Sex.MALE): ("子浩俊宇思明梓一嘉文", "涵轩杰航豪阳辰睿鑫然"),
    ("young", Sex.FEMALE): ("雨欣思梦诗佳紫可若语", "涵彤怡琪萱瑶妍汐玥菲"),
}  # fmt: skip
#: Rare characters of the basic plane, two of them from extension A, so that papers meet them.
RARE = ("堃", "垚", "犇", "㛃", "䶮", "璟")
#: Names of minorities carry the dot (U+00B7).
DOTTED = (
    ("阿苏·木乃", Sex.MALE, "彝族"),
    ("拉姆·央宗", Sex.FEMALE, "藏族"),
    ("阿娜尔·热依木", Sex.FEMALE, "维吾尔族"),
)


def invent_name(rng: Random, sex: Sex, age: int, family: str = "") -> str:
    """Invent a name that fits sex and generation; `family` keeps a family name."""
    family = family or rng.choices(list(_FAMILY), weights=list(_FAMILY.values()))[0]
    generation = "old" if age >= 60 else "middle" if age >= 25 else "young"
    first, second = _GIVEN[generation, sex]
    given = rng.choice(second) if rng.random() < 0.15 else rng.choice(first) + rng.choice(second)
    return family + given
