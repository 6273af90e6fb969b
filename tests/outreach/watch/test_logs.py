"""Log lines name routes, types and places, and nobody."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest
from django.conf import settings
from django.test import Client
from django.utils.module_loading import import_string

from tests import builders

FORMATS = settings.LOGGING["formatters"]
every_format = pytest.mark.parametrize("name", sorted(FORMATS))


def formatter(name: str) -> logging.Formatter:
    made: logging.Formatter = import_string(FORMATS[name]["()"])(
        fmt=FORMATS[name]["fmt"], style=FORMATS[name]["style"]
    )
    return made


def refused() -> None:
    try:
        int("Key (name)=(张三)")
    except ValueError as error:
        raise RuntimeError("李四") from error


@every_format
def test_an_exception_is_told_without_its_words(name: str) -> None:
    try:
        refused()
    except RuntimeError:
        record = logging.getLogger("t").makeRecord(
            "t", logging.ERROR, __file__, 1, "went wrong", (), sys.exc_info()
        )
    line = formatter(name).format(record)
    assert "RuntimeError" in line
    assert "ValueError" in line
    assert "test_logs.py" in line
    assert [word for word in ("张三", "李四") if word in line] == []


def test_a_json_line_is_one_object_with_what_was_added() -> None:
    record = logging.getLogger("t").makeRecord(
        "t", logging.INFO, __file__, 1, "GET %s", ("sync",), None, extra={"ms": 3.5}
    )
    told = json.loads(formatter("json").format(record))
    assert told.pop("asctime")
    assert told == {"levelname": "INFO", "name": "t", "message": "GET sync", "ms": 3.5}


@every_format
@pytest.mark.django_db
def test_a_request_is_logged_by_its_route_and_never_by_what_was_asked(name: str) -> None:
    place = builders.county()
    (case,) = builders.accepted(place, name="钱白石")
    browser = Client()
    browser.force_login(place.administrator)
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(formatter(name))
    log, refused = logging.getLogger("outreach.access"), logging.getLogger("django.request")
    log.addHandler(handler)
    refused.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        browser.get("/cases/", {"q": "钱白石"})
        browser.get("/nowhere/", {"q": "511302195003120011"})
        browser.get(f"/cases/{case.pk}/")
        browser.post("/sign-in/", {"username": "钱白石", "password": "secret words"})
    finally:
        log.removeHandler(handler)
        refused.removeHandler(handler)
        log.setLevel(logging.NOTSET)
    told = lines.getvalue()
    assert "GET cases/ 200" in told
    assert "Not Found: /nowhere/" in told
    words = ("钱白石", "511302195003120011", "secret", str(case.pk))
    assert [word for word in words if word in told] == []
