"""`python -m benchmarks.storm --tablets 300`: seventeen o'clock, and everybody finds a line.

Each tablet hands in its day (evaluations, signatures, photos) over a shaped line, while
liaisons and administrators work at the desk; the server is the real one. Afterwards the
promises are checked on the database, and the marks are printed beside what was reached.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from random import Random
from typing import Any

from benchmarks.serving import Bench, Server, prepared, spent


def main() -> int:
    """Read the arguments, let the storm pass, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tablets", type=int, default=300)
    parser.add_argument("--visits", type=int, default=8)
    parser.add_argument("--photos", type=int, default=6, help="of each visit")
    parser.add_argument("--photo-kb", type=int, default=150)
    parser.add_argument("--liaisons", type=int, default=20)
    parser.add_argument("--administrators", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=6.0, help="then the lines become good")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--spread", type=float, default=60.0, help="s in which the tablets begin")
    parser.add_argument("--kill", type=int, default=0, help="times the server is killed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    if chosen.spread >= chosen.minutes * 60:
        parser.error("--spread: the last tablets would begin when the storm is over")
    with prepared(chosen.database) as bench:
        told = asyncio.run(_storm(bench, chosen))
    print(json.dumps(told) if chosen.json else table(told))
    return 1 if told["broken"] else 0


async def _storm(bench: Bench, chosen: argparse.Namespace) -> dict[str, Any]:
    from benchmarks import aftermath, playing
    from benchmarks.lines import OFFICE, Proxy, ShapedLine, Tally, hills

    choose, tally, seen = Random(chosen.seed), Tally(), playing.Seen()
    server = Server(bench)
    days, desks = await asyncio.to_thread(_prepare, chosen)
    server.start()
    proxy = Proxy(bench.port, bench.exchanges)
    try:
        for day in days:
            day.line = ShapedLine(proxy, hills(choose), Random(choose.random()), tally)
        work = [
            asyncio.create_task(
                playing.at_the_desk(
                    ShapedLine(proxy, OFFICE, Random(1), Tally()),
                    session,
                    pages,
                    seen,
                    Random(choose.random()),
                    pause,
                )
            )
            for session, pages, pause in desks
        ]
        before, began = bench.cpu(), time.perf_counter()
        hands = [
            asyncio.create_task(
                playing.hand_in(day, seen, Random(choose.random()), began, chosen.spread)
            )
            for day in days
        ]
        kills = asyncio.create_task(_kill(server, chosen, choose, days))
        await asyncio.wait(hands, timeout=chosen.minutes * 60)
        window = time.perf_counter() - began
        used = spent(before, bench.cpu())
        sync = sorted(seen.sync)
        sent = tally.sent - sum(day.line.under_way for day in days)
        needed = seen.needed
        texts = [day.text_safe for day in days]
        safe = sum(day.all_safe is not None for day in days)
        for day in days:
            day.line.shape = OFFICE
        await asyncio.gather(*hands)
        lost = await kills
        for task in work:
            task.cancel()
    finally:
        server.stop()
    found = [*lost, *await asyncio.to_thread(aftermath.broken, days)]
    return {
        "database": chosen.database,
        "tablets": chosen.tablets,
        "evaluations": chosen.tablets * chosen.visits,
        "files": sum(len(day.files) for day in days),
        "megabytes": round(sum(sum(map(len, day.files.values())) for day in days) / 2**20, 1),
        "window_s": round(window, 1),
        "text_safe": sum(text is not None and text <= 300 for text in texts),
        "text_safe_s": _spread([text for text in texts if text is not None]),
        "all_safe_in_window": safe,
        "all_safe": sum(day.all_safe is not None for day in days),
        "sync_ms": [round(value * 1000) for value in _spread(sync)],
        "exchanges": len(sync),
        "files_ms": [round(value * 1000) for value in _spread(sorted(seen.files))],
        "desk_ms": [round(value * 1000) for value in _spread(sorted(seen.desk))],
        "desk_pages": len(seen.desk),
        "desk_changes": seen.acted,
        "errors": seen.errors[:20],
        "statuses": tally.statuses,
        "cuts": tally.cuts,
        "killed": chosen.kill,
        "sent_twice": round(max(sent - needed, 0) / max(needed, 1), 3),
        "cpu_s": {name: round(value, 1) for name, value in used.items()},
        "broken": found,
    }


def _spread(values: Sequence[float]) -> list[float]:
    """Return median, 95th percentile and maximum."""
    if len(values) < 2:
        return [0.0, 0.0, 0.0]
    ordered = sorted(values)
    return [
        round(statistics.median(ordered), 3),
        round(ordered[int(len(ordered) * 0.95)], 3),
        round(ordered[-1], 3),
    ]


def _prepare(chosen: argparse.Namespace) -> Any:
    """Build the register, the day's work of every tablet, and the sessions of the desk."""
    from django.test import Client

    from benchmarks import photos, playing, register
    from outreach.models import User

    place = register.begin()
    side = int((chosen.photo_kb * 1024 / 0.6) ** 0.5)
    large = photos.pictures(chosen.tablets * chosen.visits * chosen.photos, side)
    small = photos.pictures(chosen.tablets * chosen.visits * 2, 130)
    days = []
    for index, player in enumerate(register.players(place, chosen.tablets, chosen.visits)):
        day = playing.Day(player, None)  # type: ignore[arg-type]
        size, ink = chosen.visits * chosen.photos, chosen.visits * 2
        playing.finish_the_day(
            day, large[index * size : (index + 1) * size], small[index * ink : (index + 1) * ink]
        )
        days.append(day)
    spare = register.due(place, place.assessor, 40, register.VISIT_ON)
    moves = [f"/visits/{visit.pk}/move/" for visit in spare]
    desks = []
    for number in range(chosen.liaisons + chosen.administrators):
        is_admin = number >= chosen.liaisons
        user = User.objects.create(
            username=f"desk-{number}",
            full_name="吴大山",
            role="administrator" if is_admin else "liaison",
            division=place.county if is_admin else place.village,
            password=register.UNUSABLE,
        )
        browser = Client()
        browser.force_login(user)
        pages = ["/", "/cases/", *(moves[:8] if is_admin else [])]
        desks.append((browser.cookies["sessionid"].value, pages, 2.0 if is_admin else 4.0))
    return days, desks


async def _kill(
    server: Server, chosen: argparse.Namespace, choose: Random, days: Sequence[Any]
) -> list[str]:
    """Kill the server at times, and compare what it had acknowledged with what is there."""
    lost: list[str] = []
    for _ in range(chosen.kill):
        await asyncio.sleep(choose.uniform(2.0, 5.0))
        told = {day.device.state.replica: day.device.state.acked for day in days}
        files = set().union(*(day.stored for day in days))
        server.kill()
        lost += await asyncio.to_thread(_compare, told, files)
        await asyncio.to_thread(server.start)
    return lost


def _compare(told: dict[str, int], files: set[str]) -> list[str]:
    from mobile_api.models import Replica
    from outreach.models import StoredBlob

    here = {str(row.pk): row.last_seq for row in Replica.objects.all()}
    lost = [f"after a kill: {told[name]} told, {here[name]} there" for name in told
            if here[name] < told[name]]  # fmt: skip
    gone = files - set(StoredBlob.objects.values_list("sha256", flat=True))
    return [*lost, *([f"after a kill: {len(gone)} acknowledged files are gone"] if gone else [])]


def table(told: dict[str, Any]) -> str:
    """Return what was reached beside the marks, as Markdown."""
    generator = told["cpu_s"].get("client", 0.0)
    server = told["cpu_s"].get("server", 0.0) + told["cpu_s"].get("database", 0.0)
    rows = [
        ("all text safe in 5 minutes", "all", f"{told['text_safe']} of {told['tablets']}"),
        ("text safe, s (median, p95, max)", "", told["text_safe_s"]),
        ("server time of /sync, ms (median, p95, max)", "p95 < 400", told["sync_ms"]),
        ("server time of a file's requests, ms", "", told["files_ms"]),
        ("server time of the desk, ms", "", told["desk_ms"]),
        ("5xx", "0", len([one for one in told["errors"] if one[-3:].startswith("5")])),
        ("bytes sent twice", "≤ 5 %", f"{told['sent_twice']:.1%}"),
        ("everything safe in the window", "", f"{told['all_safe_in_window']}"),
        ("everything safe after it", "all", f"{told['all_safe']} of {told['tablets']}"),
        ("promises broken on the database", "none", "; ".join(told["broken"]) or "none"),
        ("CPU s: server and database / generator", "", f"{server:.0f} / {generator:.0f}"),
    ]
    head = (
        f"{told['database']}: {told['tablets']} tablets, {told['evaluations']} evaluations, "
        f"{told['files']} files, {told['megabytes']} MB, {told['cuts']} cuts, "
        f"{told['exchanges']} exchanges, {told['desk_pages']} desk pages "
        f"({told['desk_changes']} changes), {told['window_s']} s"
    )
    lines = [f"| {name} | {mark} | {value} |" for name, mark, value in rows]
    return "\n".join([head, "", "| | mark | reached |", "|---|---|---|", *lines])


if __name__ == "__main__":
    raise SystemExit(main())
