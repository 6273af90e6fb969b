"""What is written about the deployed server in several places is the same everywhere."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.serving import deployed

ROOT = Path(__file__).parents[2]
PLACES = (
    "deploy/compose.yaml",
    "deploy/Containerfile",
    "deploy/outreach.service",
    "docs/how-to/deploy-on-one-machine.md",
)


def test_every_place_and_the_storm_start_as_many_threads():
    named = {
        place: re.findall(r"--blocking-threads\W+(\d+)", (ROOT / place).read_text())
        for place in PLACES
    }
    threads = str(deployed("sqlite")[1])
    assert named == {place: [threads] for place in PLACES}
    assert deployed("postgresql")[0] > deployed("sqlite")[0] == 1
