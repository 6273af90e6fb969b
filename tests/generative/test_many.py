"""True concurrency on both databases: eight writers, pullers, readers of the feed; none misses."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import LONG
from tests.generative.many import PULLERS, READERS, WRITERS
from tests.generative.test_storm import ROOT

EACH = 60 if LONG else 8


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_pullers_miss_no_row_of_eight_writers(database: str):
    command = [sys.executable, "-m", "tests.generative.many", "--database", database]
    ours = ("OUTREACH_", "DJANGO_")
    rest = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        [*command, "--each", str(EACH)],
        cwd=ROOT,
        env=rest,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.stdout, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    print(told)

    assert (told["applied"], told["cases"]) == (WRITERS * EACH, WRITERS * EACH)
    assert (told["missed"], told["too_many"]) == ([0] * PULLERS, [0] * PULLERS)
    assert min(told["exchanges"]) > 1
    assert told["changes"] >= 2 * WRITERS * EACH
    assert told["read_in_order"] == [True] * READERS
