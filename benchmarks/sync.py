"""`python -m benchmarks.sync`: pushes, polls and photos, each beside the raw limit of the run.

Each figure is read as a ratio to what the same machine does in the same run with nothing in
between: `executemany` of the same rows in one transaction; a copy with SHA-256 and fsync.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

from benchmarks.serving import Bench, prepared, serving

PARTS = ("push", "pull", "photos")
DATABASES = ("sqlite", "postgresql")
#: Evaluations in flight at once, at full scale: sixteen thousand tell nothing new.
MOST = 16_000


def measure(database: str, parts: list[str], scale: float) -> None:
    """Print the tables of one database."""
    with prepared(database) as bench:
        from benchmarks import photos, pulling, pushing, register

        place = register.begin()
        print(f"\n## {database}")
        if "push" in parts:
            _push(bench, place, pushing, scale)
        if not {"photos", "pull"}.intersection(parts):
            return  # a server that is stopped while it starts may never end
        with serving(bench):
            if "photos" in parts:
                bare = Bench(database, bench.folder, log=bench.folder / "bare.log")
                with serving(bare, "benchmarks.bare"):
                    _photos(bench, bare, place, photos, scale)
            if "pull" in parts:
                _pull(bench, place, pulling, scale)


def _push(bench: object, place: object, pushing: object, scale: float) -> None:
    counted = pushing.statements(place, (1, 20, 100, 500))
    print("\nStatements per push: " + ", ".join(f"{n} at {size}" for size, n in counted.items()))
    print(
        "\n| batch | clients | evaluations/s | of raw | server µs | of raw |"
        " database µs | client µs |"
    )
    print("|---|---|---|---|---|---|---|---|")
    cells = []
    with serving(bench):
        for batch in pushing.BATCHES:
            for clients in pushing.CLIENTS:
                if batch * clients > MOST * scale:
                    continue
                wanted = scale * {1: 200, 20: 2_000, 100: 3_000, 500: 4_000}[batch]
                each = max(int(wanted / clients / batch), 1) * batch
                cells.append(pushing.push(bench, place, batch, clients, each))
    limits = {batch: pushing.raw(batch) for batch in pushing.BATCHES}
    for cell in cells:
        limit, limit_us = limits[cell.batch]
        print(
            f"| {cell.batch} | {cell.clients} | {cell.per_second:.0f} |"
            f" {cell.per_second / limit:.2f} | {cell.server_us:.0f} |"
            f" {limit_us / cell.server_us:.2f} | {cell.database_us:.0f} | {cell.client_us:.0f} |"
        )
    told = ", ".join(f"{n:.0f}/s ({us:.0f} µs) at {size}" for size, (n, us) in limits.items())
    print(f"\nRaw executemany of the same rows: {told}")
    print(f"\nChecking one evaluation's signature: {pushing.checking(place):.0f} µs")


def _pull(bench: object, place: object, pulling: object, scale: float) -> None:
    sizes = [int(size * min(scale, 1.0)) for size in pulling.SIZES]
    found = [pulling.pull(bench, place, size) for size in sizes]
    print("\n| visits in the register | nothing new, ms | CPU µs | of the first | 100 new, ms |")
    print("|---|---|---|---|---|")
    for one in found:
        print(
            f"| {one.rows:,} | {one.nothing_ms:.1f} | {one.nothing_cpu_us:.0f} |"
            f" {one.nothing_cpu_us / found[0].nothing_cpu_us:.2f} | {one.hundred_ms:.0f} |"
        )


def _photos(bench: object, bare: object, place: object, photos: object, scale: float) -> None:
    print(
        "\n| at once | photo KB | chunk KB | MB/s | raw MB/s | of raw | the same promise MB/s |"
        " of that | bare server MB/s | that of raw | server µs | client µs |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for at_once in (1, 8):
        for side in (520, 1500, 2600):
            for chunk in photos.CHUNKS if at_once == 1 else photos.CHUNKS[-1:]:
                wanted = max(int(40 * scale / at_once), 5)
                one = photos.send(bench, bare, place, side, chunk, wanted, at_once)
                print(
                    f"| {at_once} | {one.size // 1024} | {one.chunk // 1024} |"
                    f" {one.mb_per_second:.0f} | {one.raw_mb_per_second:.0f} |"
                    f" {one.mb_per_second / one.raw_mb_per_second:.2f} |"
                    f" {one.promising_mb_per_second:.0f} |"
                    f" {one.mb_per_second / one.promising_mb_per_second:.2f} |"
                    f" {one.bare_mb_per_second:.0f} |"
                    f" {one.bare_mb_per_second / one.raw_mb_per_second:.2f} |"
                    f" {one.server_us:.0f} | {one.client_us:.0f} |"
                )


def main() -> int:
    """Read the arguments; each database is measured in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=DATABASES, action="append")
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--scale", type=float, default=1.0, help="less work, rougher figures")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    databases, parts = chosen.database or list(DATABASES), chosen.part or list(PARTS)
    if chosen.here:
        measure(databases[0], parts, chosen.scale)
        return 0
    for database in databases:
        told = ["--here", "--database", database, "--scale", json.dumps(chosen.scale)]
        told += [word for part in parts for word in ("--part", part)]
        if subprocess.run([sys.executable, "-m", "benchmarks.sync", *told], check=False).returncode:
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
