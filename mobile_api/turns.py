"""Who works when everybody comes at once: a few at a time, and text before photos.

Threads of one process take turns in small slices, so that a hundred answers that are made at
once are all late. A few are made at a time, the others wait in the order they came. Whoever
waits for a tablet's line holds no turn and no connection of the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from heapq import heappop, heappush
from itertools import count
from threading import Event, Lock

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError

#: More than processors: who waits for the disk or the database leaves them to others.
AT_ONCE = 6
#: Of these always free for exchanges: a store of files may be far away and slow.
FOR_EXCHANGES = 2
_EXCHANGE = "/api/v1/sync"


class Rank(IntEnum):
    """Whose turn comes first."""

    EXCHANGE = 0
    FILE = 1


class Turns:
    """Lets so many work at once; of those who wait the lowest rank, then the longest wait."""

    def __init__(self, at_once: int, for_exchanges: int = 0) -> None:
        self._free = at_once
        self._kept_free = {Rank.EXCHANGE: 0, Rank.FILE: for_exchanges}
        self._waiting: list[tuple[Rank, int, Event]] = []
        self._numbers = count()
        self._lock = Lock()

    @contextmanager
    def taken(self, rank: Rank) -> Iterator[None]:
        """Hold a turn until the block ends."""
        self._take(rank)
        try:
            yield
        finally:
            self._pass_on()

    def _take(self, rank: Rank) -> None:
        called = Event()
        with self._lock:
            heappush(self._waiting, (rank, next(self._numbers), called))
            self._call()
        called.wait()

    def _pass_on(self) -> None:
        with self._lock:
            self._free += 1
            self._call()

    def _call(self) -> None:
        while self._waiting and self._free > self._kept_free[self._waiting[0][0]]:
            self._free -= 1
            heappop(self._waiting)[-1].set()


turns = Turns(AT_ONCE, FOR_EXCHANGES)


def exchanges_in_turn(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Wait for the whole of an exchange, then for a turn; everything else passes."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path != _EXCHANGE:
            return get_response(request)
        try:
            with suppress(RequestDataTooBig):  # the view answers that
                request.body  # noqa: B018  # read, and kept with the request
        except UnreadablePostError:  # the line was cut: nobody hears the answer
            return HttpResponse(status=400)
        with turns.taken(Rank.EXCHANGE):
            return get_response(request)

    return middleware
