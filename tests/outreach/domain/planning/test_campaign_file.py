import json

import pytest

from outreach.domain.planning import (
    Lunch,
    MalformedProblem,
    Plan,
    Problem,
    Reason,
    Route,
    Shift,
    Stop,
    Travel,
    Unassigned,
    Visit,
    plan_as_json,
    read_campaign,
)

VISIT = {
    "id": 7,
    "lat": 30.9,
    "lon": 106.1,
    "village": "村01-02",
    "township": "乡镇01",
    "minutes": 30,
    "skills": ["ortho"],
    "window": [510, 680],
    "days": [0, 2],
    "deadline": 3,
    "priority": 2,
    "category": "physical",
}
SHIFT = {
    "team": "T1",
    "day": 0,
    "base": [30.8, 106.09],
    "skills": ["ortho"],
    "start": 510,
    "end": 1050,
}


def test_a_campaign_file_becomes_a_problem():
    text = json.dumps(
        {
            "travel": {"distance": "geodesic WGS-84", "road_factor": 1.3},
            "lunch": {"after": 700, "minutes": 45},
            "visits": [VISIT],
            "shifts": [SHIFT],
        }
    )
    assert read_campaign(text) == Problem(
        visits=(
            Visit(
                7,
                30.9,
                106.1,
                30,
                frozenset({"ortho"}),
                (510, 680),
                frozenset({0, 2}),
                3,
                2,
                "村01-02",
                "乡镇01",
            ),
        ),
        shifts=(Shift("T1", 0, (30.8, 106.09), frozenset({"ortho"}), 510, 1050),),
        lunch=Lunch(700, 45),
        travel=Travel(road_factor=1.3),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("[]", "a campaign is an object with visits and shifts"),
        ('{"visits": [], "shifts": 3}', "shifts is missing or not a list"),
        ('{"visits": [3], "shifts": []}', "visits[0] is not an object"),
        (json.dumps({"visits": [{"id": 1}], "shifts": []}), "visits[0] lacks lat"),
        (
            json.dumps({"visits": [{**VISIT, "minutes": "thirty"}], "shifts": []}),
            "visits[0]: 'thirty' is not a number",
        ),
        (
            json.dumps({"visits": [{**VISIT, "window": [700, 600]}], "shifts": []}),
            "visit 7 has no possible time: [700, 600]",
        ),
        (json.dumps({"visits": [VISIT, VISIT], "shifts": []}), "visit 7 is there twice"),
        (
            json.dumps({"visits": [], "shifts": [{**SHIFT, "base": [200, 3]}]}),
            "shift 'T1' on day 0 lies nowhere on Earth: [200, 3]",
        ),
        (
            json.dumps({"visits": [], "shifts": [], "travel": {"fast_kmh": -3}}),
            "travel.fast_kmh is negative",
        ),
        (
            json.dumps({"visits": [], "shifts": [], "travel": {"slow_kmh": 0}}),
            "a leg needs a speed above 0 km/h",
        ),
    ],
)
def test_a_malformed_campaign_is_refused_by_entry_and_field(change, message):
    with pytest.raises(MalformedProblem) as refusal:
        read_campaign(change)
    assert str(refusal.value) == message


def test_text_that_is_no_json_is_refused():
    with pytest.raises(MalformedProblem, match="this is not JSON"):
        read_campaign("visits")


def test_a_plan_is_written_as_the_issue_asks():
    plan = Plan(
        routes=(Route("T1", 0, (Stop(7, 540.0, 535, 570), Stop(8, 575.55, 575, 600)), 12.34, 640),),
        unassigned=(Unassigned(9, Reason("too_far")),),
        km=12.34,
        late=1,
        late_days=2,
        cost=40,
    )
    assert plan_as_json(plan) == {
        "routes": [
            {
                "team": "T1",
                "day": 0,
                "stops": [{"visit": 7, "start": 540}, {"visit": 8, "start": 575.55}],
            }
        ],
        "unassigned": [
            {"visit": 9, "reason": "There and back from every base takes longer than the day."}
        ],
        "km": 12.3,
        "late": 1,
    }
