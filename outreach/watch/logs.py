"""Log lines that carry no personal data, for people or for a log store.

A path may be logged, since none carries a name or number, but for the secret of a family's link
or of a calendar feed, which is cut out; a query string, a body and the words of an exception may
not (a database repeats the row it refuses). Of an exception its type and its place stand in the
log.
"""

from __future__ import annotations

import logging
import re
import traceback
from types import TracebackType
from typing import Any

from pythonjsonlogger.json import JsonFormatter

_Exception = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


_SECRET = re.compile(r"(/(?:family|calendar)/)[\w-]+")


def without_secret(line: str) -> str:
    """Return a line in which secret addresses end where their secret begins."""
    return _SECRET.sub(r"\1…", line)


class PlainLines(logging.Formatter):
    """One line a record, an exception below it without its words."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the line without the secret of an address."""
        return without_secret(super().format(record))

    def formatException(self, ei: _Exception) -> str:  # noqa: N802  # logging's name
        """Name the type of each exception of the chain and the lines it passed."""
        return _without_words(ei[1])


class JsonLines(JsonFormatter):
    """One JSON object a record: time, level, logger, message, and the plain values that were added.

    Django adds the request itself, which is told with all that stands behind its question mark.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write the object without the secret of an address."""
        return without_secret(super().format(record))

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Leave out what is no plain value: nobody knows what its words are."""
        plain = (str, int, float, type(None))
        return {name: value for name, value in log_data.items() if isinstance(value, plain)}

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
