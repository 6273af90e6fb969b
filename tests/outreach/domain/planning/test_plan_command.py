"""`manage.py plan FILE`: the issue's JSON on stdout, progress on stderr, or exit status 2."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from outreach.domain.planning import Problem, Shift, Visit
from tests.outreach.domain.planning.campaigns import campaign

ROOT = Path(__file__).parents[4]


def as_file(problem: Problem) -> str:
    def visit(each: Visit) -> dict[str, object]:
        return {
            "id": each.id,
            "lat": each.lat,
            "lon": each.lon,
            "village": each.village,
            "minutes": each.minutes,
            "skills": sorted(each.skills),
            "window": list(each.window),
            "days": None if each.days is None else sorted(each.days),
            "deadline": each.deadline,
            "priority": each.priority,
        }

    def shift(each: Shift) -> dict[str, object]:
        return {
            "team": each.team,
            "day": each.day,
            "base": list(each.base),
            "skills": sorted(each.skills),
            "start": each.start,
            "end": each.end,
        }

    return json.dumps(
        {"visits": [*map(visit, problem.visits)], "shifts": [*map(shift, problem.shifts)]}
    )


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "plan", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_plan_is_printed_as_json_and_the_way_there_on_stderr(tmp_path: Path):
    problem = campaign(4, people=20)
    file = tmp_path / "campaign.json"
    file.write_text(as_file(problem), encoding="utf-8")

    out, err = start(str(file), "--rounds", "2", "--seed", "3").communicate(timeout=120)

    answer = json.loads(out)
    assert list(answer) == ["routes", "unassigned", "km", "late"]
    stops = [stop["visit"] for route in answer["routes"] for stop in route["stops"]]
    left = [each["visit"] for each in answer["unassigned"]]
    assert sorted(stops + left) == [visit.id for visit in problem.visits]
    assert [line.split(",")[0].split(":")[0] for line in err.splitlines()] == ["Planning"] * 3


def test_a_search_by_the_clock_ends_when_told_and_when_interrupted(tmp_path: Path):
    file = tmp_path / "campaign.json"
    file.write_text(as_file(campaign(4, people=40)), encoding="utf-8")
    search = start(str(file), "--seconds", "600")
    assert search.stderr is not None
    assert search.stderr.readline().startswith("Planning: 0%")
    search.send_signal(signal.SIGINT)
    began = time.monotonic()
    out, _ = search.communicate(timeout=60)
    assert time.monotonic() - began < 60
    assert "routes" in json.loads(out)


def test_a_malformed_campaign_ends_with_status_2_and_no_plan(tmp_path: Path):
    file = tmp_path / "campaign.json"
    file.write_text('{"visits": [{"id": 1}], "shifts": []}', encoding="utf-8")
    search = start(str(file))
    out, err = search.communicate(timeout=60)
    assert (search.returncode, out) == (2, "")
    assert "Nothing was planned: visits[0] lacks lat" in err
