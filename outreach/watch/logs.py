"""Log lines that carry no personal data, for people or for a log store.

A path may be logged, since none carries a name or number; a query string, a body and the
words of an exception may not (a database repeats the row it refuses). Of an exception its type
and its place stand in the log.
"""

from __future__ import annotations

import logging
import traceback
from types import TracebackType

from pythonjsonlogger.json import JsonFormatter

_Exception = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class PlainLines(logging.Formatter):
    """One line a record, an exception below it without its words."""

    def formatException(self, ei: _Exception) -> str:  # noqa: N802  # logging's name
        """Name the type of each exception of the chain and the lines it passed."""
        return _without_words(ei[1])


class JsonLines(JsonFormatter):
    """One JSON object a record: time, level, logger, message, and what the caller added."""

    def formatException(self, ei: _Exception) -> str:  # noqa: N802  # logging's name
        """Name the type of each exception of the chain and the lines it passed."""
        return _without_words(ei[1])


def _without_words(error: BaseException | None) -> str:
    told = []
    while error is not None:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [f'  File "{at.filename}", line {at.lineno}, in {at.name}' for at in frames]
        told.append("\n".join([*lines, type(error).__qualname__]))
        error = error.__cause__ or error.__context__
    return "\nafter\n".join(told)
