"""Every visit left out has its reason, and the remedy named really lets it in."""

from dataclasses import replace

import pytest

from outreach.domain.planning import Problem, Reason, Remedy, Shift, Until, Visit, plan, sentence

BASE = (30.80, 106.09)
NEAR = (30.81, 106.10)
DAY = Shift("T1", 0, BASE, frozenset({"ortho"}), 510, 1050)


def left_out(visits: list[Visit], *shifts: Shift) -> dict[object, Reason]:
    made = plan(Problem(tuple(visits), shifts), seed=1, stop=Until(rounds=0))
    return {each.visit: each.reason for each in made.unassigned}


def person(**more: object) -> Visit:
    return replace(Visit(1, *NEAR, 30, frozenset({"ortho"})), **more)


def test_no_team_with_the_specialty():
    assert left_out([person(skills=frozenset({"psych"}))], DAY) == {
        1: Reason(
            "no_specialty",
            {"skills": ("psych",)},
            (Remedy("add_specialty", {"skills": ("psych",)}),),
        )
    }


def test_no_such_team_on_an_allowed_day():
    assert left_out([person(days=frozenset({3, 5}))], DAY) == {
        1: Reason(
            "no_day",
            {"skills": ("ortho",), "days": (3, 5)},
            (Remedy("allow_days", {"day": 0}), Remedy("add_shift", {"day": 3})),
        )
    }


def test_no_common_time():
    reason = left_out([person(window=(400, 500))], DAY)[1]
    assert reason.code == "no_time"
    [remedy] = reason.remedies
    assert remedy.code == "widen_window"
    start = float(remedy.data["start"])  # type: ignore[arg-type]
    assert left_out([person(window=(400, start))], DAY) == {}


def test_a_family_whose_only_hours_the_team_spends_elsewhere_is_not_asked_for_others_as_if_late():
    away = replace(DAY, busy=((510, 900),))
    assert left_out([person(window=(540, 600))], away)[1].code == "no_capacity"


def test_too_far_for_a_day():
    assert left_out([person(lat=34.0)], DAY)[1].code == "too_far"


def test_no_room_and_how_many_minutes_would_make_it():
    crowd = [person(id=n) for n in range(17)]
    reasons = left_out(crowd, DAY)
    assert {reason.code for reason in reasons.values()} == {"no_capacity"}
    remedy = next(iter(reasons.values())).remedies[0]
    assert (remedy.code, remedy.data["team"], remedy.data["day"]) == ("longer_day", "T1", 0)
    minutes = int(remedy.data["minutes"])  # type: ignore[call-overload]
    longer = replace(DAY, end=DAY.end + minutes)
    assert len(left_out(crowd, longer)) == len(reasons) - 1


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (
            Reason(
                "no_day", {"skills": ("ortho",), "days": (3, 5)}, (Remedy("add_shift", {"day": 3}),)
            ),
            "No team with ortho works on an allowed day (3, 5). Send such a team on day 3.",
        ),
        (
            Reason(
                "no_time",
                {"skills": ("ortho",), "earliest": 515.5, "closes": 500},
                (Remedy("widen_window", {"start": 516, "day": 0}),),
            ),
            "A team with ortho can only be there from 08:36; the visit must start by 08:20."
            " Ask whether 08:36 on day 0 is possible.",
        ),
    ],
)
def test_a_reason_is_a_sentence(reason, words):
    assert sentence(reason) == words
