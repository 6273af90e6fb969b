"""An evening: tablets exchange, people open lists, and workers make papers, all at once."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from random import Random
from urllib.parse import quote

from benchmarks import lists
from benchmarks.line import Line, packed
from benchmarks.register import NOW, Player, evaluation
from benchmarks.serving import Bench, serving, spent

WORKERS = 2
#: Seconds between two exchanges of a tablet, and between two pages of a person, on average.
TABLET_PAUSE, DESK_PAUSE = 4.0, 4.0


@dataclass
class Seen:
    """Milliseconds of every answer, by what was asked; what went wrong."""

    ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Measure a block."""
        began = time.perf_counter()
        yield
        self.ms[what].append((time.perf_counter() - began) * 1e3)


@contextmanager
def open_house(bench: Bench) -> Iterator[list[Bench]]:
    """Run the server and the workers until the block ends; yield a bench for each."""
    with ExitStack() as stack:
        running = [bench]
        stack.enter_context(serving(bench))
        command = [sys.executable, "manage.py", "issue_batches", "--watch"]
        log = stack.enter_context((bench.folder / "workers.log").open("ab"))
        for _ in range(WORKERS):
            worker = subprocess.Popen(command, stdout=log, stderr=log)
            stack.callback(worker.wait)
            stack.callback(worker.terminate)
            running.append(replace(bench, port=0, pids=[worker.pid]))
        yield running


def cpu(bench: Bench, running: Sequence[Bench]) -> dict[str, float]:
    """Return the CPU seconds so far of web processes, workers, database and generator."""
    own = bench.cpu()
    return {
        "web": own["server"],
        "workers": sum(one.cpu()["server"] for one in running[1:]),
        "database": own.get("database", 0.0),
        "generator": own["client"],
    }


def play(
    bench: Bench, running: Sequence[Bench], players: Sequence[Player], county: str,
    desks: int, seconds: float,
) -> tuple[Seen, dict[str, float]]:  # fmt: skip
    """Let everybody work for so many seconds; return what was seen and the CPU that it took."""
    seen, over = Seen(), threading.Event()
    people = list(lists.people(county))
    threads = [
        threading.Thread(target=_guarded, args=(_tablet, seen, over, player, bench.exchanges, n))
        for n, player in enumerate(players)
    ]
    for n in range(desks):
        role, user = people[n % len(people)]
        cookie = lists.signed_in(user).cookies["sessionid"].value
        pages = [one for one in lists.addresses(role, user) if one not in lists.REPORTS]
        desk = (_desk, seen, over, cookie, pages, bench.port, n)
        threads.append(threading.Thread(target=_guarded, args=desk))
    before = cpu(bench, running)
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    over.set()
    for thread in threads:
        thread.join()
    return seen, spent(before, cpu(bench, running))


def alone(
    bench: Bench, running: Sequence[Bench], player: Player, exchanges: int
) -> dict[str, tuple[list[float], dict[str, float]]]:
    """Let one tablet exchange with nobody else there: milliseconds of each, and CPU ms by part."""
    line, found = Line(bench.exchanges, player.tablet.state.token), {}
    while _exchanged(line, player, Seen(), "first rows") == "more":
        pass
    for what in ("nothing new", "an evaluation"):
        seen, before = Seen(), cpu(bench, running)
        for visit in player.visits[:exchanges] if what == "an evaluation" else range(exchanges):
            if what == "an evaluation":
                player.tablet.say("submit_evaluation", evaluation(player, visit), NOW.isoformat())
            _exchanged(line, player, seen, what)
        used = spent(before, cpu(bench, running))
        each = {name: seconds * 1e3 / len(seen.ms[what]) for name, seconds in used.items()}
        found[what] = seen.ms[what], each
    line.close()
    return found


def _exchanged(line: Line, player: Player, seen: Seen, what: str) -> str:
    request = player.tablet.request()
    body = packed(request)
    with seen.timed(what):
        answer = line.sync(body)
    return player.tablet.receive(request, (200, answer))


class Papers(threading.Thread):
    """Watches how many papers are left, and notes when none is."""

    def __init__(self, left: Callable[[], int]) -> None:
        super().__init__(daemon=True)
        self.took = 0.0
        self._left = left

    def run(self) -> None:
        """Look until all are made."""
        began = time.perf_counter()
        while self._left():
            time.sleep(0.2)
        self.took = time.perf_counter() - began


def _guarded(work, seen: Seen, over: threading.Event, *rest: object) -> None:  # type: ignore[no-untyped-def]
    try:
        work(seen, over, *rest)
    except Exception as error:  # it is named in the table; the others go on
        seen.errors.append(f"{type(error).__name__}: {error}")


def _tablet(seen: Seen, over: threading.Event, player: Player, port: int, seed: int) -> None:
    """Take the scope, then hand in visit by visit, and ask for news in between."""
    choose, line, waiting = Random(seed), Line(port, player.tablet.state.token), list(player.visits)
    over.wait(choose.uniform(0, TABLET_PAUSE))
    more, first = True, True
    while not over.is_set():
        if not more and waiting and choose.random() < 0.5:
            args = evaluation(player, waiting.pop())
            player.tablet.say("submit_evaluation", args, NOW.isoformat())
        request = player.tablet.request()
        what = "an evaluation" if "push" in request else "first rows" if first else "nothing new"
        body = packed(request)
        with seen.timed(f"/sync, {what}"):
            answer = line.sync(body)
        more = player.tablet.receive(request, (200, answer)) == "more"
        first = first and more
        if not more:
            over.wait(choose.uniform(0.5, 1.5) * TABLET_PAUSE)
    line.close()


def _desk(
    seen: Seen, over: threading.Event, cookie: str, pages: list[str], port: int, seed: int
) -> None:
    """Open one list after another."""
    choose = Random(seed)
    line = HTTPConnection("127.0.0.1", port, timeout=120)
    while not over.is_set():
        over.wait(choose.uniform(0.5, 1.5) * DESK_PAUSE)
        page = choose.choice(pages)
        with seen.timed("desk"), seen.timed(f"desk {page[:24]}"):
            line.request("GET", quote(page, safe="/?=&"), headers={"Cookie": f"sessionid={cookie}"})
            answer = line.getresponse()
            answer.read()
        if answer.status != 200:
            seen.errors.append(f"{page}: {answer.status}")
    line.close()
