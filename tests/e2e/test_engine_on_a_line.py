"""The tablet's own engine and the real server, on a line that is cut after a random byte.

No browser: the engine runs in Node (`mobile_api/tablet/tests/line`) on an IndexedDB in memory, is
stopped in the middle of each third round and comes back from what it had stored.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from outreach.demo.pictures import picture
from outreach.domain.vocabulary import EvidenceKind
from tests.e2e.line import a_line
from tests.e2e.office import Office
from tests.e2e.preparing import CODES, PEOPLE
from tests.e2e.serving import Service, serving
from tests.tablet_checks import NODE, TABLET

LONG = os.environ.get("OUTREACH_LONG") == "1"
pytestmark = pytest.mark.timeout(280)
THREE = PEOPLE[:3]
#: A cut comes after at most so many bytes on the way up.
WITHIN = 60_000
SEEDS = range(4) if LONG else range(1)
KINDS = (
    *(EvidenceKind.PORTRAIT, EvidenceKind.WHOLE_BODY, EvidenceKind.AFFECTED_PART),
    *(EvidenceKind.ENVIRONMENT, EvidenceKind.SIGNATURE_RESIDENT),
    *(EvidenceKind.SIGNATURE_ASSESSOR, EvidenceKind.SIGNATURE_ASSESSOR),
)


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    if not (TABLET / "node_modules" / "vitest").is_dir():
        pytest.fail("vitest is not installed: python -m tests.tablet_checks", pytrace=False)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Serve the small county with visits of today."""
    folder = tmp_path / "service"
    folder.mkdir()
    with serving(folder, "days") as running:
        yield running


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Pictures for each of the three, no two the same."""
    folder = tmp_path / "film"
    for person in range(len(THREE)):
        (folder / str(person)).mkdir(parents=True)
        for number, kind in enumerate(KINDS):
            drawn = picture(kind, f"line {person} {number}", age=60)
            with Image.open(BytesIO(drawn)) as whole:
                whole.reduce(2).save(folder / str(person) / f"{number}.jpg", quality=85)
    return folder


@pytest.mark.parametrize("seed", SEEDS)
def test_the_engine_brings_everything_over_exactly_once(
    service: Service, film: Path, seed: int
) -> None:
    codes = json.loads((Path(service.environment["OUTREACH_DATA"]) / CODES).read_text())
    with a_line(service.port) as line:
        line.dice, line.cut_every = Random(seed), WITHIN
        environment = {
            **os.environ,
            "OUTREACH_LINE": line.address,
            "OUTREACH_CODE": codes[0],
            "OUTREACH_FILM": str(film),
            "OUTREACH_PEOPLE": ",".join(THREE),
        }
        config = ("--config", "vitest.line.config.ts")
        done = subprocess.run(
            [str(NODE), "node_modules/vitest/vitest.mjs", "run", *config],
            cwd=TABLET,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    print(f"{line.cuts} cuts, {line.lost_answers} in an answer, {line.sent} bytes up")
    assert line.cuts >= 12
    assert line.lost_answers >= 2
    office = Office(service)
    expected = {"evaluations": 1, "waiting": 0, "pictures": [len(KINDS)]}
    assert office("evaluations", *THREE) == dict.fromkeys(THREE, expected)
    said = [[number, "submit_evaluation", "applied"] for number in (1, 2, 3)]
    assert office("ledger", "an engine on a line") == said
