"""People at work against servers that die: each remembers what it was told is done.

Every worker is a thread that goes on through refused connections and cut answers, as a tablet
does and a clerk who presses the button again, and notes a deed only after its answer came.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx

from outreach.demo.field import at
from outreach.demo.office import Office, OfficeRefused
from outreach.demo.tablet import Tablet, TabletRefused
from outreach.models.ids import new_id
from tests import builders
from tests.kills.register import TODAY
from tests.mobile_api.talking import evaluation_args
from tests.mobile_api.uploading import jpeg

KINDS = ("portrait", "whole_body", "environment", "affected_part")
#: What a kill looks like from outside: no answer, half an answer, or "try again".
CUT = (httpx.TransportError, httpx.RemoteProtocolError)
NOW = at(TODAY, "10:00")


@dataclass
class Acknowledged:
    """What people were told is done, by kind; `tries` counts what was asked for it."""

    applications: list[str] = field(default_factory=list)
    evaluations: list[str] = field(default_factory=list)
    blobs: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    signed: list[str] = field(default_factory=list)
    seqs: dict[str, int] = field(default_factory=dict)
    cut: int = 0

    def total(self) -> int:
        """Count the deeds."""
        held = (self.applications, self.evaluations, self.blobs, self.accepted, self.signed)
        return sum(map(len, held))


class Alternating(httpx.BaseTransport):
    """Sends each request to the next server, as a proxy in front of several would."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = itertools.cycle(ports)
        self._way = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(port=next(self._ports))
        return self._way.handle_request(request)

    def close(self) -> None:
        self._way.close()


class Load:
    """The people of a small county, until they are told to go home."""

    def __init__(self, folder: Path, ports: Sequence[int], given: dict[str, Any]) -> None:
        self.folder, self.ports, self.given = folder, ports, given
        self.done = Acknowledged()
        self.failures: list[BaseException] = []
        self._home = threading.Event()
        self._threads: list[threading.Thread] = []
        self._clients: list[httpx.Client] = []

    def begin(self) -> None:
        """Let everybody begin."""
        for work in (self._nominate, self._evaluate, self._accept, self._sign):
            thread = threading.Thread(target=self._guarded, args=(work,), name=work.__name__)
            thread.start()
            self._threads.append(thread)

    def end(self, patience_s: float) -> None:
        """Let everybody finish what is begun: outboxes empty, deeds confirmed."""
        self._home.set()
        until = time.monotonic() + patience_s
        for thread in self._threads:
            thread.join(max(1.0, until - time.monotonic()))
            if thread.is_alive():
                raise TimeoutError(f"{thread.name} has not ended")
        if self.failures:
            raise self.failures[0]

    def let_go(self) -> None:
        """Tell everybody to stop and hang up, however the campaign ended."""
        self._home.set()
        for client in self._clients:
            client.close()

    # -- people ----------------------------------------------------------------------------

    def _nominate(self) -> None:
        tablet = self._tablet(0, "liaison")
        for number in itertools.count():
            if self._home.is_set():
                break
            name = str(new_id())
            born = date(1930, 1, 1) + timedelta(days=number)
            args = {
                "application": name,
                "village": self.given["village"],
                "categories": ["physical"],
                "resident": {"name": "孙长河", "id_number": builders.id_number(born)},
            }
            tablet.say("nominate", args, NOW)
            self._exchange(tablet)
            self.done.applications.append(name)
            photo = jpeg(160, 120, seed=number)
            self._until_done(lambda photo=photo: tablet.upload(photo, chunk=16 * 1024))
            self.done.blobs.append(hashlib.sha256(photo).hexdigest())

    def _evaluate(self) -> None:
        tablet = self._tablet(1, "assessor")
        for number, visit in enumerate(self.given["visits"]):
            if self._home.is_set():
                break
            photos = [jpeg(200, 150, seed=10_000 + 10 * number + n) for n in range(len(KINDS))]
            media = [_declared(kind, one) for kind, one in zip(KINDS, photos, strict=True)]
            when = {"arrived_at": NOW.isoformat(), "evaluated_at": NOW.isoformat()}
            args = evaluation_args(visit, self.given["colleague"], media=media, **when)
            tablet.say("submit_evaluation", args, NOW)
            self._exchange(tablet)
            self.done.evaluations.append(args["evaluation"])
            for photo in photos:
                self._until_done(lambda photo=photo: tablet.upload(photo))
                self.done.blobs.append(hashlib.sha256(photo).hexdigest())

    def _accept(self) -> None:
        desk = self._office("administrator")
        for some in _by(3, self.given["complete"]):
            if self._home.is_set():
                break
            if self._take(desk, "/accept/", some):
                self.done.accepted.extend(some)
            self._home.wait(0.5)

    def _sign(self) -> None:
        desk = self._office("approver")
        for some in _by(4, self.given["signable"]):
            if self._home.is_set():
                break
            if self._take(desk, "/sign/", some):
                self.done.signed.extend(some)
            self._home.wait(0.5)

    # -- one deed, however often it must be tried --------------------------------------------

    def _take(self, desk: Office, path: str, ids: list[str]) -> bool:
        """Take a step and tell whether it was confirmed; a second try may be refused as done."""
        try:
            self._until_done(lambda: desk.take(path, ids))
        except OfficeRefused:
            return False
        return bool(ids)

    def _exchange(self, tablet: Tablet) -> None:
        while tablet.state.outbox:
            self._until_done(tablet.exchange)
        self.done.seqs[tablet.state.replica] = tablet.state.acked

    def _until_done(self, deed: Callable[[], object]) -> None:
        until, last = time.monotonic() + 120, ""
        while True:
            try:
                deed()
            except CUT as cut:
                self.done.cut += 1
                last = repr(cut)
            except TabletRefused as refused:
                if "503" not in str(refused) and refused.slug != "upload-offset":
                    raise
                last = str(refused)
            else:
                return
            if time.monotonic() > until:
                raise TimeoutError(f"no server took it for two minutes; the last answer: {last}")
            time.sleep(0.2)

    def _tablet(self, number: int, name: str) -> Tablet:
        tablet = Tablet(self._client(), self.folder / f"{name}.json")
        self._until_done(lambda: tablet.enrol(self.given["codes"][number], name))
        return tablet

    def _office(self, name: str) -> Office:
        made: list[Office] = []
        self._until_done(
            lambda: made.append(Office("http://127.0.0.1", name, name * 2, Alternating(self.ports)))
        )
        self._clients.append(made[0].client)
        return made[0]

    def _client(self) -> httpx.Client:
        way = Alternating(self.ports)
        client = httpx.Client(transport=way, base_url="http://127.0.0.1", timeout=60)
        self._clients.append(client)
        return client

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as failure:  # told to the test when all went home
            self.failures.append(failure)


def _declared(kind: str, photo: bytes) -> dict[str, Any]:
    return {
        "sha256": hashlib.sha256(photo).hexdigest(),
        "kind": kind,
        "size": len(photo),
        "type": "image/jpeg",
        "taken_at": NOW.isoformat(),
        "place": {"lat": 31.0, "lon": 106.1, "accuracy_m": 12.5},
    }


def _by(size: int, held: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(held), size):
        yield list(held[start : start + size])
