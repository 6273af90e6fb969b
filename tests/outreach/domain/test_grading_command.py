"""`manage.py grade FILE`: results for all cases, or exit status 2 and none."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
GOOD = {
    "category": "hearing",
    "age": 40,
    "findings": {"right_db": [90, 90, 90, 91], "left_db": [95, 95, 95, 95]},
}
BAD = {**GOOD, "findings": {"right_db": [90, 90, 90], "left_db": [95, 95, 95, 95]}}


def run(*arguments: str, encoding: str = "utf-8") -> tuple[int, str, str]:
    command = [sys.executable, "manage.py", "grade", *arguments]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cases.json"


def test_results_come_in_the_order_of_the_cases(file: Path) -> None:
    other = {"category": "vision", "age": 9, "findings": {"acuity_right": 1, "acuity_left": 1}}
    file.write_text(json.dumps([GOOD, other, GOOD]), encoding="utf-8")

    status, out, err = run(str(file))

    assert (status, err) == (0, "")
    assert [row["grade"] for row in json.loads(out)] == [2, None, 2]
    assert [len(row["questions"]) for row in json.loads(out)] == [1, 0, 1]
    assert "平均听力损失原值 90.25 dB HL" in out


def test_a_terminal_without_chinese_gets_the_same_results(file: Path) -> None:
    file.write_text(json.dumps([GOOD]), encoding="utf-8")

    status, out, err = run(str(file), encoding="ascii")

    assert (status, err) == (0, "")
    assert json.loads(out) == json.loads(run(str(file))[1])


def test_a_file_with_a_byte_order_mark_is_read(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf[]")

    assert run(str(file)) == (0, "[]\n", "")


def test_one_bad_case_prints_no_result_and_names_case_and_field(file: Path) -> None:
    file.write_text(json.dumps([GOOD, BAD]), encoding="utf-8")

    assert run(str(file)) == (
        2,
        "",
        f"CommandError: {file}: case 2 of 2 (index 1), field findings.right_db: needs 4 values "
        "(500 Hz, 1000 Hz, 2000 Hz, 4000 Hz)"
        "（应正好有 4 个数值（500 Hz, 1000 Hz, 2000 Hz, 4000 Hz））\n",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not json", "file: is not valid JSON（不是有效的 JSON）"),
        (b"", "file: is not valid JSON（不是有效的 JSON）"),
        (b'{"category": "vision"}', "file: must be a list（应为列表）"),
        (b"\xff\xfe", "cannot be read: is not UTF-8 text"),
    ],
)
def test_what_is_no_list_of_cases_is_refused(file: Path, content: bytes, message: str) -> None:
    file.write_bytes(content)

    assert run(str(file)) == (2, "", f"CommandError: {file}: {message}\n")


def test_a_missing_file_is_refused(file: Path) -> None:
    assert run(str(file)) == (
        2,
        "",
        f"CommandError: {file}: cannot be read: No such file or directory\n",
    )


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert run(str(tmp_path)) == (
        2,
        "",
        f"CommandError: {tmp_path}: cannot be read: Is a directory\n",
    )


def test_no_file_at_all_is_refused() -> None:
    status, out, err = run()

    assert (status, out) == (2, "")
    assert err.endswith("error: the following arguments are required: FILE\n")
