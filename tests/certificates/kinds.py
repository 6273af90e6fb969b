"""Every kind of certificate that leaves the house: the papers that all validators are shown."""

from __future__ import annotations

from datetime import date
from typing import Any

from certificates.content import (
    change_remark,
    move_in_remark,
    moved_and_renewed_remark,
    reissue_remark,
    renewal_remark,
)
from tests.certificates.making import MULTIPLE

LONG_ADDRESS = (
    "四川省阿坝藏族羌族自治州小金县达维镇石鼓村三组滴水岩移民安置点（原灯台乡任家祠村老学校"
    "旧址）第十二栋二单元四楼东侧18号"
)
LONG_NAME = "阿卜杜热西提·买买提吐尔逊·玉素甫江·艾合麦提"
RARE_NAME = "\U0002cb29\U00020bb7\U0002a6d6\U0002ebe0"
"""钅+仑 of Extension E, 𠮷, the last characters of Extensions B and F."""

KINDS: dict[str, dict[str, Any]] = {
    "first issue": {},
    "renewal": {
        "issued_on": date(2027, 7, 2),
        "valid_until": date(2037, 7, 2),
        "remarks": (renewal_remark(date(2018, 6, 20)),),
    },
    "replacement": {
        "number": "51130219300305011141B1",
        "remarks": (reissue_remark(date(2018, 6, 20), "B1"),),
    },
    "second replacement": {
        "number": "51130219300305011141B2",
        "remarks": (reissue_remark(date(2019, 7, 3), "B2"),),
    },
    "change": {
        "grade": 2,
        "number": "51130219300305011142",
        "parts": (("physical", 2),),
        "remarks": (change_remark("physical", 1, date(2018, 6, 20)),),
    },
    "move in": {
        "remarks": (
            move_in_remark("蓬安县残疾人联合会", date(2009, 5, 4)),
            moved_and_renewed_remark(date(2019, 5, 4)),
        )
    },
    "multiple": MULTIPLE,
    "multiple with remarks": MULTIPLE
    | {
        "number": "51130219300305011171",
        "grade": 1,
        "parts": (("vision", 2), ("hearing", 3), ("physical", 1), ("intellectual", 4)),
        "remarks": (
            move_in_remark("阿坝藏族羌族自治州小金县残疾人联合会", date(2011, 1, 9)),
            renewal_remark(date(2008, 6, 20)),
        ),
    },
    "vision": {
        "category": "vision",
        "number": "51130219300305011111",
        "parts": (("vision", 1),),
    },
    "guardian": {
        "name": "李小雨",
        "sex": "female",
        "ethnicity": "土家族",
        "birth_on": date(2010, 8, 9),
        "number": "51130220100809002X52",
        "category": "intellectual",
        "grade": 2,
        "parts": (("intellectual", 2),),
        "guardian_name": "李建国",
        "guardian_telephone": "13900000000",
    },
    "rare name": {"name": RARE_NAME, "guardian_name": "\U0002a700䶮㐂", "address": "𬒗村𠮷组"},
    "long name": {"name": LONG_NAME, "ethnicity": "维吾尔族", "guardian_name": LONG_NAME},
    "long address": {"address": LONG_ADDRESS},
    "not a demonstration": {"demo": False},
}
