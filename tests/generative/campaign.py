"""A long campaign in pieces: plays seeds and planted faults, notes each, and goes on where it was.

Run as `python -m tests.generative.campaign --journal FILE`, again and again, each time for some
minutes and with a process for each core, until it says that nothing is left. With
`DATABASE_URL` it plays on PostgreSQL. The journal has one line for each scenario and fault.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

Line = dict[str, Any]
#: Scenarios that a fault may survive.
PATIENCE = 400


def main() -> int:
    """Read the arguments, play for some minutes, and print the totals of the journal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--seeds", default="0:2000", help="first:last, the last one left out")
    parser.add_argument("--faults", action="store_true", help="plant the faults instead")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, default=9)
    parser.add_argument("--part", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    chosen.journal.parent.mkdir(parents=True, exist_ok=True)
    if chosen.part is not None:
        _play(chosen, time.monotonic() + chosen.minutes * 60)
        return 0
    command = [sys.executable, "-m", "tests.generative.campaign", *sys.argv[1:]]
    parts = [subprocess.Popen([*command, "--part", str(n)]) for n in range(chosen.jobs)]
    failed = [part.wait() for part in parts]
    return _tell(chosen) or max(failed)


def _noted(journal: Path) -> list[Line]:
    """Return what is in the journal; a line that was cut by a kill counts for nothing."""
    if not journal.exists():
        return []
    whole = [line for line in journal.read_text().splitlines() if line.endswith("}")]
    return [json.loads(line) for line in whole]


def _asked(chosen: argparse.Namespace) -> list[Any]:
    if chosen.faults:
        from tests.generative.faults import FAULTS

        return list(FAULTS)
    first, _, last = chosen.seeds.partition(":")
    return list(range(int(first), int(last)))


def _play(chosen: argparse.Namespace, until: float) -> None:
    vendor = _begin(chosen.part)
    kind = "fault" if chosen.faults else "seed"
    done = {row[kind] for row in _noted(chosen.journal) if kind in row and row["on"] == vendor}
    left = [one for one in _asked(chosen) if one not in done][chosen.part :: chosen.jobs]
    from tests.generative.home import home
    from tests.generative.world import Beginning

    with home():
        beginning = Beginning.make()
        gc.freeze()  # the whole of Django lives for ever: nothing of it needs looking at again
        for one in left:
            if time.monotonic() > until:
                break
            row = _planted(beginning, one) if chosen.faults else _seed(beginning, one)
            with chosen.journal.open("a") as journal:
                journal.write(json.dumps({"on": vendor, **row}) + "\n")
    from django.db import connection

    connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def _begin(part: int) -> str:
    """Make a database of this part's own and return its kind."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from django.db import connection
    from django.test.utils import setup_test_environment

    setup_test_environment()
    logging.disable(logging.ERROR)
    if connection.vendor == "postgresql":
        connection.settings_dict["TEST"]["NAME"] = f"campaign_{os.getpid()}_{part}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    return str(connection.vendor)


def _seed(beginning: Any, seed: int) -> Line:
    from tests.generative.scenarios import campaign

    try:
        played = campaign(beginning, [seed])
    except Exception as error:  # a scenario that stumbles is told like one that breaks a promise
        return {"seed": seed, "reached": {}, "broken": f"stumbled: {error!r}"}
    broken = str(played.broken) if played.broken else None
    return {"seed": seed, "reached": dict(played.reached), "broken": broken}


def _planted(beginning: Any, name: str) -> Line:
    from tests.generative.faults import FAULTS
    from tests.generative.scenarios import campaign

    with FAULTS[name]():
        played = campaign(beginning, range(PATIENCE))
    broken = played.broken.name if played.broken else None
    return {"fault": name, "scenarios": played.scenarios, "broken": broken}


def _tell(chosen: argparse.Namespace) -> int:
    """Print the totals; return 1 where something broke, was not caught, or lies under a floor."""
    from tests.generative.floors import FLOORS

    bad = 0
    rows = _noted(chosen.journal)
    for vendor in sorted({row["on"] for row in rows}):
        seeds = [row for row in rows if "seed" in row and row["on"] == vendor]
        faults = [row for row in rows if "fault" in row and row["on"] == vendor]
        reached: Counter[str] = sum((Counter(row["reached"]) for row in seeds), Counter())
        broken = [f"seed {row['seed']}: {row['broken']}" for row in seeds if row["broken"]]
        low = {n: reached[n] / len(seeds) for n, per in FLOORS.items()
               if seeds and reached[n] < per * len(seeds)}  # fmt: skip
        missed = [row["fault"] for row in faults if not row["broken"]]
        told = ", ".join(f"{name} {count:,}" for name, count in sorted(reached.items()))
        print(f"{vendor}: {len(seeds):,} scenarios, {len(broken)} broken; {told}")
        for row in sorted(faults, key=lambda row: row["scenarios"]):
            print(f"{vendor}: {row['fault']}: {row['broken']} after {row['scenarios']} scenarios")
        if faults:
            print(f"{vendor}: {len(faults) - len(missed)} of {len(faults)} faults caught")
        for words, found in (("broken", broken), ("under the floor", low), ("missed", missed)):
            if found:
                print(f"{vendor}: {words}: {found}")
                bad = 1
    return bad


if __name__ == "__main__":
    raise SystemExit(main())
