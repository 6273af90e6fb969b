"""The map of a team's day."""

from __future__ import annotations

from outreach.desk.maps import Stay, draw

BASE, NEAR, FAR = (30.80, 106.10), (30.85, 106.12), (30.90, 106.20)


def test_a_village_to_which_the_day_comes_back_has_all_its_numbers_in_one_mark() -> None:
    stays = [Stay(NEAR, "双坡村", 1, 3), Stay(FAR, "龙塘村", 4, 4), Stay(NEAR, "双坡村", 5, 5)]
    drawn = draw(BASE, "顺庆区", stays, [])
    assert [(mark.text, mark.title) for mark in drawn.marks] == [
        ("1–3,5", "双坡村"),
        ("4", "龙塘村"),
    ]
    assert len(drawn.way.split()) == 5
