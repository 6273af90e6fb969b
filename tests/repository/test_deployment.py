"""What is written about the deployed server in several places is the same everywhere."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.serving import deployed_threads

ROOT = Path(__file__).parents[2]
PLACES = (
    "deploy/Containerfile",
    "deploy/outreach.service",
    "docs/how-to/deploy-on-one-machine.md",
)


def test_every_place_and_the_storm_start_as_many_threads():
    named = {
        place: re.findall(r"--blocking-threads\W+(\d+)", (ROOT / place).read_text())
        for place in PLACES
    }
    assert named == {key: [str(deployed_threads())] for key in PLACES}
