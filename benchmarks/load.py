"""`python -m benchmarks.load --residents 1000000`: a province's evening on PostgreSQL.

Two web processes, two workers for papers and the database stand on one machine, as `deploy/` starts
them, on a register with years behind it (`benchmarks.history`; five visits a resident). First every
list of the desk is opened on the quiet machine, with its statements counted. Then tablets exchange
and people open lists, without and with papers being made; the table says beside each figure which
processes took the processor's time. `--folder` keeps the register for another run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.serving import Bench, prepared, spent

#: Pages of the desk that are named.
SLOWEST = 6
#: Days on which the homes were visited whose papers are made, so many a doctor.
DAYS, A_DAY = [date(2018, 5, 15) + timedelta(days=n) for n in (0, 1, 2, 3, 6, 7, 8, 9)], 18


def main() -> int:
    """Make or find the register, measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=100_000)
    parser.add_argument("--counties", type=int, default=20)
    parser.add_argument("--tablets", type=int, default=40)
    parser.add_argument("--people", type=int, default=20, help="who open lists at the desk")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--papers", type=int, default=400, help="0: one tablet alone, no evening")
    parser.add_argument("--rounds", type=int, default=5, help="of every list on the quiet machine")
    parser.add_argument("--only", choices=("write", "lists"), help="stop after it")
    parser.add_argument("--slow-ms", type=float, default=30.0, help="statements that are named")
    parser.add_argument("--folder", type=Path, help="keep the register there, or find it there")
    chosen = parser.parse_args()
    os.environ |= {"OUTREACH_WORKER": "0", "OUTREACH_COUNTS": "database"}
    with prepared("postgresql", chosen.folder) as bench:
        from benchmarks import lists

        place = _register(chosen)
        if chosen.only == "write":
            return 0
        print(lists.table(lists.measured(place.county.code, chosen.rounds), chosen.slow_ms))
        if chosen.only != "lists":
            _evening(bench, place, chosen)
    return 0


def _register(chosen: argparse.Namespace) -> Any:
    """Return the small county in the register, writing the years behind it where there are none."""
    from django.conf import settings
    from django.core.management import call_command

    from benchmarks import history, register
    from outreach.models import Resident
    from tests.certificates.issuing import issued

    if known := Resident.objects.count():
        register.go_on_from(known)
        return history.small_county()
    place = register.begin()
    call_command("create_authority", verbosity=0)
    call_command("create_handin_key", verbosity=0)
    call_command("create_receipt_key", verbosity=0)
    model = issued(place, settings.OUTREACH_FILES)[0]
    began = time.perf_counter()
    for name, rows in history.write(history.Size(chosen.residents, chosen.counties), place, model):
        print(f"{rows:>12,} {name}", flush=True)
    print(f"written in {time.perf_counter() - began:.0f} s, {history.bytes_held() / 2**30:.1f} GB")
    return place


def _evening(bench: Bench, place: Any, chosen: argparse.Namespace) -> None:
    from benchmarks import evening, register
    from benchmarks.register import NOW
    from certificates import batches

    players = register.players(place, chosen.tablets, 8)
    [lonely] = register.players(place, 1, 40)
    cases = _to_sign(place, 2 * chosen.papers) if chosen.papers else []
    with evening.open_house(bench) as running:
        _say_alone(evening.alone(bench, running, lonely, 40))
        if not cases:
            return
        rows = []
        _signed(batches, place, cases[:2], NOW)
        _await_papers(batches)  # the workers have started
        cases, half = cases[2:], len(cases) // 2 - 1
        before = evening.cpu(bench, running)
        watch = _watched(batches, place, cases[:half], NOW)
        watch.join()
        used = spent(before, evening.cpu(bench, running))
        rows.append(("papers alone", half / watch.took, used, watch.took))
        quiet, used = evening.play(
            bench, running, players[::2], place.county.code, chosen.people, chosen.seconds
        )
        _say("without papers", quiet, used, chosen.seconds)
        watch = _watched(batches, place, cases[half:], NOW)
        busy, used = evening.play(
            bench, running, players[1::2], place.county.code, chosen.people, chosen.seconds
        )
        _say("with papers", busy, used, chosen.seconds)
        made = len(cases) - half - batches.waiting()
        rows.append(("papers in the evening", made / (watch.took or chosen.seconds), used,
                     chosen.seconds))  # fmt: skip
    print("\n| | certificates/s | cores: workers | database | web |\n|---|---|---|---|---|")
    for name, rate, took_cpu, seconds in rows:
        shares = [took_cpu[one] / seconds for one in ("workers", "database", "web")]
        print(f"| {name} | {rate:.1f} | " + " | ".join(f"{one:.2f}" for one in shares) + " |")


def _to_sign(place: Any, count: int) -> Sequence[Any]:
    """Return reviewed cases whose portraits lie in the files, led there by the real actions."""
    from django.conf import settings

    from benchmarks import register
    from outreach.models import User
    from tests import builders
    from tests.certificates.issuing import put_portraits

    doctors = User.objects.filter(role="assessor", username__startswith="doctor").filter(
        division=place.county, devices=None
    )
    builders.id_number = register.id_number  # its own are a thousand, and begin anew each run
    cases: list[Any] = []
    for doctor in doctors.order_by("username"):
        for day in DAYS:
            if left := min(count - len(cases), A_DAY):
                cases += builders.reviewed(replace(place, assessor=doctor), left, on=day)
    put_portraits(settings.OUTREACH_FILES, cases)
    return cases


def _signed(batches: Any, place: Any, cases: Sequence[Any], at: Any) -> None:
    batches.start(cases, by=place.approver, at=at)


def _watched(batches: Any, place: Any, cases: Sequence[Any], at: Any) -> Any:
    """Sign for the cases and return the thread that watches their papers being made."""
    from benchmarks.evening import Papers

    _signed(batches, place, cases, at)
    watch = Papers(batches.waiting)
    watch.start()
    return watch


def _await_papers(batches: Any) -> None:
    while batches.waiting():
        time.sleep(0.2)


def _say_alone(found: Any) -> None:
    print("\n| one tablet | median, ms | p95, ms | CPU ms: web | database |\n|---|---|---|---|---|")
    for what, (times, used) in found.items():
        ordered = sorted(times)
        print(
            f"| /sync, {what} | {statistics.median(ordered):.0f} |"
            f" {ordered[int(len(ordered) * 0.95)]:.0f} | {used['web']:.1f} |"
            f" {used['database']:.1f} |"
        )


def _say(name: str, seen: Any, used: dict[str, float], seconds: float) -> None:
    print(f"\n{name}: " + ", ".join(f"{who} {took / seconds:.2f}" for who, took in used.items())
          + f" cores; {len(seen.errors)} errors {seen.errors[:3]}")  # fmt: skip
    print("\n| | answers/s | median, ms | p95, ms | worst, ms |\n|---|---|---|---|---|")
    pages = [what for what in seen.ms if what.startswith("desk ")]
    slow = sorted(pages, key=lambda what: -statistics.median(seen.ms[what]))[:SLOWEST]
    for what, times in sorted(seen.ms.items()):
        if what in pages and what not in slow:
            continue
        ordered = sorted(times)
        p95 = ordered[int(len(ordered) * 0.95)]
        print(
            f"| {what} | {len(times) / seconds:.1f} | {statistics.median(ordered):.0f} |"
            f" {p95:.0f} | {ordered[-1]:.0f} |"
        )


if __name__ == "__main__":
    raise SystemExit(main())
