"""A few work at a time; text goes before photos, and the line is waited for without a turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from mobile_api import turns
from mobile_api.turns import Rank, Turns, exchanges_in_turn


def waiting(line: Turns, wanted: int) -> None:
    until = time.monotonic() + 10
    while len(line._waiting) < wanted:
        assert time.monotonic() < until
        time.sleep(0.001)


def test_exchanges_go_before_files_and_each_in_the_order_they_came():
    line, served = Turns(1), []

    def work(rank: Rank, name: str) -> None:
        with line.taken(rank):
            served.append(name)

    asked = [(Rank.FILE, "photo 1"), (Rank.FILE, "photo 2"), (Rank.EXCHANGE, "text 1")]
    asked.append((Rank.EXCHANGE, "text 2"))
    with ThreadPoolExecutor(len(asked)) as pool, line.taken(Rank.FILE):
        for number, one in enumerate(asked, start=1):
            pool.submit(work, *one)
            waiting(line, number)

    assert served == ["text 1", "text 2", "photo 1", "photo 2"]


def test_files_leave_turns_to_exchanges():
    line, served = Turns(3, for_exchanges=2), []

    def work(rank: Rank) -> None:
        with line.taken(rank):
            served.append(rank)

    with ThreadPoolExecutor(2) as pool, line.taken(Rank.FILE):
        pool.submit(work, Rank.FILE)
        waiting(line, 1)
        pool.submit(work, Rank.EXCHANGE).result(10)
        assert served == [Rank.EXCHANGE]

    assert served == [Rank.EXCHANGE, Rank.FILE]


def test_never_more_than_a_few_work_and_no_turn_is_lost():
    line, lock = Turns(3), threading.Lock()
    working, most = 0, 0

    def work(number: int) -> None:
        nonlocal working, most
        with line.taken(Rank(number % 2)):
            with lock:
                working += 1
                most = max(most, working)
            time.sleep(0.001)
            with lock:
                working -= 1
            if number % 5 == 0:
                raise ValueError

    with ThreadPoolExecutor(12) as pool:
        raised = [one.exception() for one in [pool.submit(work, n) for n in range(200)]]

    assert most == 3
    assert sum(error is not None for error in raised) == 40
    assert (line._free, line._waiting) == (3, [])


def test_a_slow_line_is_waited_for_without_a_turn(monkeypatch):
    line = Turns(1)
    monkeypatch.setattr(turns, "turns", line)
    seen: list[tuple[int, bytes]] = []

    class Body(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert line._free == 1
            return super().read(size)

    def answer(request: HttpRequest) -> HttpResponse:
        seen.append((line._free, request.body))
        return HttpResponse()

    def ask(where: str) -> Iterator[int]:
        request = RequestFactory().post(where, b"", "application/json")
        request = type(request)({**request.META, "wsgi.input": Body(b"{}"), "CONTENT_LENGTH": "2"})
        yield exchanges_in_turn(answer)(request).status_code

    assert [*ask("/api/v1/sync"), *ask("/cases/")] == [200, 200]
    assert seen == [(0, b"{}"), (1, b"{}")]


def test_a_line_that_is_cut_inside_an_exchange_reaches_nobody():
    class Cut(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError

    request = RequestFactory().post("/api/v1/sync", b"", "application/json")
    request = type(request)({**request.META, "wsgi.input": Cut(), "CONTENT_LENGTH": "9"})
    reached: list[HttpRequest] = []

    def answer(request: HttpRequest) -> HttpResponse:
        reached.append(request)
        return HttpResponse()

    assert exchanges_in_turn(answer)(request).status_code == 400
    assert reached == []
