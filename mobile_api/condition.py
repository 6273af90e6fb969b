"""How a tablet is doing, from what it said of itself at its last exchange: for the office."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings

from mobile_api.leases import LEASE
from mobile_api.models import Device

#: Longer ago than this, somebody should ask where the tablet is.
SILENT = timedelta(days=3)
#: Work that waits longer on the tablet than this wants a network.
WAITS_TOO_LONG = timedelta(hours=48)
#: Below so many megabytes photos may soon have no room.
LITTLE_SPACE_MB = 500
#: A clock that is further off is worth a look, as the tablet itself has it (`ready.ts`).
CLOCK_OFF_S = 120
_TOLD = ("persisted", "free_mb", "outbox", "oldest_h")


class Worry(StrEnum):
    """What is wrong with a tablet, the worst first."""

    LEASE_OVER = "lease_over"
    UNSENT = "unsent"
    SILENT = "silent"
    OLD_APP = "old_app"
    SPACE = "space"
    CLOCK = "clock"
    NOT_KEPT = "not_kept"
    NEVER = "never"


@dataclass(frozen=True)
class Condition:
    """What is known of a tablet. `oldest_h` are the hours the oldest unsent work waits by now.

    None is what the tablet never told.
    """

    app: str
    unsent: int | None
    oldest_h: int | None
    free_mb: int | None
    worries: tuple[Worry, ...]

    @property
    def is_ready(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.worries


def condition(device: Device, now: datetime, *, oldest_app: str = "") -> Condition:
    """Judge a tablet at a moment. `oldest_app` is the oldest version that is still served.

    What a tablet says of itself is not trusted: a value of another kind counts as not told.
    """
    said: Mapping[str, Any] = device.health if isinstance(device.health, dict) else {}
    app = said.get("app")
    unsent, waited, free = (_number(said, name) for name in ("outbox", "oldest_h", "free_mb"))
    seen = device.last_seen_at
    away = now - seen if seen else timedelta()
    oldest = waited + int(away.total_seconds() // 3600) if unsent and waited is not None else None
    judged = {
        Worry.LEASE_OVER: seen is not None and away > LEASE,
        Worry.UNSENT: oldest is not None and timedelta(hours=oldest) > WAITS_TOO_LONG,
        Worry.SILENT: SILENT < away <= LEASE,
        Worry.OLD_APP: isinstance(app, str) and is_older(app, oldest_app),
        Worry.SPACE: free is not None and free < LITTLE_SPACE_MB,
        Worry.CLOCK: abs(_seconds_off(said)) > CLOCK_OFF_S,
        Worry.NOT_KEPT: said.get("persisted") is False,
        Worry.NEVER: seen is None,
    }
    return Condition(
        app=app[:20] if isinstance(app, str) else "",
        unsent=unsent,
        oldest_h=oldest,
        free_mb=free,
        worries=tuple(worry for worry, holds in judged.items() if holds),
    )


def _number(said: Mapping[str, Any], name: str) -> int | None:
    value = said.get(name)
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9
    return int(value) if fits else None  # type: ignore[arg-type]


def health_told(said: Mapping[str, Any], app: str) -> dict[str, Any]:
    """Return what is kept of what a tablet says of itself: its app, a few numbers, yes or no."""
    kept = {name: said[name] for name in _TOLD if isinstance(said.get(name), bool | int | float)}
    return {**kept, "app": app.replace("\0", "")}  # PostgreSQL keeps no NUL


def clock_told(said: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Return what is kept of a tablet's clock: its time, its monotonic time, and how far it is off.

    Neither orders anything. A demo's clock is nobody's (`off_s` is left out).
    """
    kept: dict[str, Any] = {"mono_ms": _number(said, "mono_ms")}
    try:
        wall = datetime.fromisoformat(said["wall"])
        off = (wall - at).total_seconds()
    except (KeyError, TypeError, ValueError):  # not told, no time, or a time without a zone
        return kept
    kept["wall"] = wall.isoformat()
    return kept if settings.OUTREACH_CLOCK == "simulated" else {**kept, "off_s": round(off)}


def _seconds_off(said: Mapping[str, Any]) -> int:
    clock = said.get("clock")
    off = clock.get("off_s") if isinstance(clock, dict) else None
    return off if isinstance(off, int) else 0


def is_older(app: str, than: str) -> bool:
    """Tell whether a release of the app came before another; what is no number counts as 0."""
    return _version(app) < _version(than)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in text.split("."))
