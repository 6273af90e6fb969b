"""Deeds of the test itself beside its browser, whose event loop runs in the test's own thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

Came = TypeVar("Came")


def elsewhere(deed: Callable[[], Came]) -> Came:
    """Do something in another thread, on connections of its own."""

    def done() -> Came:
        try:
            return deed()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(done).result()
