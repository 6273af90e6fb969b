"""The benchmark's own parts: Solomon's format, its driver, the practices, the generator."""

from pathlib import Path

import pytest

from benchmarks import marks, solomon
from benchmarks.campaigns import campaign
from benchmarks.planning import OWN_INSTANCES, main
from benchmarks.practice import PRACTICES
from outreach.domain.planning import Until, check, plan

FILES = sorted(OWN_INSTANCES.glob("*.txt"))


def test_our_own_instances_come_close_to_the_best_found(capsys: pytest.CaptureFixture[str]):
    assert main(["--seconds", "0.5"]) == 0
    *rows, mean = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows[1:]] == [file.stem for file in FILES]
    assert float(mean.split()[-2]) < 5


def test_an_instance_of_any_size_is_drawn_in_the_same_format_and_solved(
    capsys: pytest.CaptureFixture[str],
):
    instance = solomon.parsed(solomon.drawn(40, 3), "drawn")
    assert (len(instance.customers), instance.vehicles, instance.capacity) == (41, 10, 200)
    assert main(["--draw", "40", "--seed", "3", "--seconds", "0.3", "--workers", "1"]) == 0
    name, distance, *unknown = capsys.readouterr().out.splitlines()[1].split()
    assert (name, unknown) == ("D40-3", ["–", "–"])
    assert float(distance) > 0


def test_the_marks_name_what_is_missed():
    problem = campaign(60, 1)
    naive = {practice: follow(problem) for practice, follow in PRACTICES.items()}
    missed = marks.missed_by_plan(problem, naive["nearest neighbour"], naive)
    assert f"{len(naive['nearest neighbour'].routes)} team-days" in missed
    made = plan(problem, seed=1, stop=Until(rounds=6))
    assert "0 late" not in marks.missed_by_plan(problem, made, naive)


def test_a_route_that_breaks_a_rule_is_not_measured():
    instance = solomon.read(FILES[0])
    everybody = list(range(1, len(instance.customers)))
    with pytest.raises(ValueError, match="forgotten or visited twice"):
        solomon.distance(instance, [everybody[1:]])
    with pytest.raises(ValueError, match=r"overloaded|too late"):
        solomon.distance(instance, [everybody])


def test_a_file_in_another_format_is_refused_by_name(tmp_path: Path):
    file = tmp_path / "other.txt"
    file.write_text("nothing\n")
    with pytest.raises(solomon.MalformedInstance, match=r"other\.txt: not in Solomon's format"):
        solomon.read(file)


@pytest.mark.parametrize("practice", PRACTICES.values(), ids=PRACTICES)
def test_naive_practice_obeys_the_same_hard_rules(practice):
    problem = campaign(60, 1)
    assert check(problem, practice(problem)) == []


def test_a_seed_draws_the_same_campaign():
    assert campaign(80, 5) == campaign(80, 5) != campaign(80, 6)
