"""What the office promises per step beside what the law allows, in working days."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from outreach.domain.workflow import OPEN_STATES, ApplicationState

FILE = Path(__file__).parent / "standards" / "promises-511302.toml"
#: A fast-lane case is worked on within this many hours at each step that the law leaves to us.
FAST_HOURS = 24
#: Where a case stands while the next step is ours: not during the notice, an objection, an appeal
#: or at a hospital, whose terms the law or others set.
FAST_STATES = frozenset(OPEN_STATES) - {
    ApplicationState.ON_NOTICE,
    ApplicationState.UNDER_OBJECTION,
    ApplicationState.UNDER_APPEAL,
    ApplicationState.REFERRED,
}


@dataclass(frozen=True)
class Promise:
    """A step: from which states it is counted, to which, and how long it may take."""

    step: str
    promised: int
    legal: int | None
    since: frozenset[str]
    until: frozenset[str]
    source: str


def fast_due(state_since: datetime, urgent_since: datetime | None) -> datetime:
    """Return until when the next step of a fast-lane case is to be taken."""
    return max(state_since, urgent_since or state_since) + timedelta(hours=FAST_HOURS)


@cache
def promises() -> Mapping[str, Promise]:
    """Return the promises by step, in the order of the process."""
    table = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {
        step: Promise(
            step,
            said["promised"],
            said.get("legal"),
            frozenset(said["since"]),
            frozenset(said["until"]),
            said["source"],
        )
        for step, said in table.items()
        if isinstance(said, dict)
    }
