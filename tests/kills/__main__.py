"""Kill a county's servers at random moments and say what was lost: `python -m tests.kills`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import django


def main() -> int:
    """Run one campaign and say what it came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--postgresql", action="store_true", help="two servers on PostgreSQL")
    chosen = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.kills.campaign import campaign, losses
    from tests.postgres import running

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(running()) if chosen.postgresql else ""
        servers = 2 if chosen.postgresql else 1
        came = campaign(
            folder, kills=chosen.kills, servers=servers, seed=chosen.seed, database_url=url
        )
    told = came.told
    print(
        f"{came.kills} kills, {told.cut} answers cut. Acknowledged: {len(told.applications)}"
        f" nominations, {len(told.evaluations)} evaluations, {len(told.blobs)} photos,"
        f" {len(told.accepted)} acceptances, {len(told.signed)} signatures;"
        f" {len(came.held['numbers'])} certificates. Lost or twice: {losses(came) or 'nothing'}"
    )
    return 1 if losses(came) else 0


if __name__ == "__main__":
    sys.exit(main())
