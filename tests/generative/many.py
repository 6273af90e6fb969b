"""Eight writers, three pullers and three readers of the feed at once: nobody misses a row.

Run as `python -m tests.generative.many --database postgresql`. The pullers are tablets whose
scope is the county; they pull all the while, and once more when the writers have ended. What
they hold must be what the database holds. The readers follow `/api/v1/changes` in the meantime;
what they read, page after page, must be the trail in its order. Writers are tablets that
nominate, each in its own connection, so that their transactions overlap.
"""

from __future__ import annotations

import argparse
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

from benchmarks.serving import prepared, serving

WRITERS, PULLERS, READERS = 8, 3, 3
#: So few changes a page that every reader turns many.
A_PAGE = 7


def main() -> int:
    """Read the arguments and print what was written, seen and missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--each", type=int, default=30, help="nominations of each writer")
    chosen = parser.parse_args()
    with prepared(chosen.database) as bench:
        told = _play(bench, chosen.each)
    print(json.dumps(told))
    return 0


def _play(bench: Any, each: int) -> dict[str, Any]:
    from benchmarks import register
    from mobile_api.changes import make_integration
    from outreach.models import Application, AuditEvent, User

    place = register.begin()
    writers = [_tablet(register, place.county, f"writer-{n}") for n in range(WRITERS)]
    pullers = [_tablet(register, place.county, f"puller-{n}") for n in range(PULLERS)]
    token = make_integration("their register", place.county, at=register.NOW)
    ended = threading.Event()
    with serving(bench), ThreadPoolExecutor(WRITERS + PULLERS + READERS) as pool:
        reading = [pool.submit(_read, bench.port, token, ended) for _ in range(READERS)]
        pulling = [pool.submit(_pull, bench.port, one, ended) for one in pullers]
        writing = [pool.submit(_write, bench.port, one, each) for one in writers]
        applied = sum(one.result() for one in writing)
        # The office accepts them all while the pullers go on: rows enter every scope.
        from outreach.actions import applications

        cases = list(Application.objects.filter(state="applied"))
        office = User.objects.get(pk=place.administrator.pk)
        for at in range(0, len(cases), 20):
            Application.objects.filter(pk__in=[one.pk for one in cases[at : at + 20]]).update(
                papers_missing=[]
            )
            fresh = list(Application.objects.filter(pk__in=[o.pk for o in cases[at : at + 20]]))
            applications.accept(fresh, by=office, at=register.NOW)
        ended.set()
        exchanges = [one.result() for one in pulling]
        feeds = [one.result() for one in reading]
    wanted = {f"case/{pk}" for pk in Application.objects.values_list("pk", flat=True)}
    told = AuditEvent.objects.filter(division_code__startswith=place.county.code)
    trail = list(
        told.exclude(action__endswith=".view").order_by("number").values_list("number", flat=True)
    )
    held = [{key for key in one.state.rows if key.startswith("case/")} for one in pullers]
    return {
        "applied": applied,
        "cases": len(wanted),
        "exchanges": exchanges,
        "missed": [len(wanted - one) for one in held],
        "too_many": [len(one - wanted) for one in held],
        "changes": len(trail),
        "pages": [len(pages) for pages in feeds],
        "read_in_order": [list(chain(*pages)) == trail for pages in feeds],
    }


def _tablet(register: Any, area: Any, name: str) -> Any:
    from outreach.models import User
    from tests.generative.device import Device, fresh_key

    user = User.objects.create(
        username=name,
        full_name="吴大山",
        role="liaison",
        division=area,
        password=register.UNUSABLE,
    )
    tablet = Device(name, name, fresh_key())
    tablet.state.token = name
    register.enrol(tablet, user)
    return tablet


def _write(port: int, tablet: Any, each: int) -> int:
    from benchmarks.line import Line, packed
    from benchmarks.register import NOW, id_number
    from outreach.models.ids import new_id

    line, applied = Line(port, tablet.state.token), 0
    for _ in range(each):
        resident = {"name": "钱小河", "id_number": id_number()}
        args = {
            "application": str(new_id()),
            "resident": resident,
            "village": "511302201201",
            "categories": ["hearing"],
            "consent": {"by": "resident", "name": "钱小河"},
        }
        tablet.say("nominate", args, NOW.isoformat())
        request = tablet.request()
        request.pop("pull")
        answer = line.sync(packed(request))
        tablet.receive(request, (200, answer))
        applied += sum(one["outcome"] == "applied" for one in answer["outcomes"])
    line.close()
    return applied


def _pull(port: int, tablet: Any, ended: threading.Event) -> int:
    from benchmarks.line import Line, packed

    line, exchanges, last = Line(port, tablet.state.token), 0, False
    while True:
        last = ended.is_set()
        step = "more"
        while step == "more":
            request = tablet.request()
            step = tablet.receive(request, (200, line.sync(packed(request))))
            exchanges += 1
        if last:
            line.close()
            return exchanges


def _read(port: int, token: str, ended: threading.Event) -> list[list[int]]:
    """Follow the feed from its beginning; return the numbers of each page."""
    from benchmarks.line import Line

    line, pages, after = Line(port, token), list[list[int]](), 0
    while True:
        last = ended.is_set()
        status, _, told = line.send("GET", f"/api/v1/changes?after={after}&limit={A_PAGE}")
        page = json.loads(told)
        assert status == 200, page
        pages.append([one["n"] for one in page["changes"]])
        after = page["last"]
        if last and not page["more"]:
            line.close()
            return pages


if __name__ == "__main__":
    raise SystemExit(main())
