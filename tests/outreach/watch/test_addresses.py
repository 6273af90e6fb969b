"""Alive, ready, and the numbers: what an operator's machines are told."""

from __future__ import annotations

import errno
import fcntl
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, override_settings
from django.utils import timezone

from mobile_api.models import Device
from tests import builders
from tests.mobile_api.talking import enrolled

pytestmark = pytest.mark.django_db
TOKEN = {"HTTP_AUTHORIZATION": "Bearer of the tests"}


@pytest.fixture(autouse=True)
def files(tmp_path: Path, settings: Any) -> None:
    settings.OUTREACH_FILES = tmp_path / "files"
    settings.OUTREACH_METRICS_TOKEN = "of the tests"


def test_alive_asks_nobody(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert Client().get("/healthz").json() == {"status": "ok"}


def test_ready_when_database_and_files_are() -> None:
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (
        200,
        {"ready": True, "database": "ok", "files": "ok"},
    )


def test_not_ready_without_a_place_for_files(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "a file").touch()
    settings.OUTREACH_FILES = tmp_path / "a file"
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["ready"], answer.json()["files"]) == (
        503,
        False,
        "File exists",
    )


def test_not_ready_where_files_cannot_be_locked(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a network disk whose lock service does not run: no photo could be kept."""
    settings.OUTREACH_FILES = tmp_path

    def refusing(_file: object, _how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refusing)
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["files"]) == (503, "No locks available")


def test_not_ready_while_a_migration_waits() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'mobile_api'")
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert "run manage.py migrate" in answer.json()["database"]


def test_not_ready_where_the_database_takes_no_writes(tmp_path: Path, settings: Any) -> None:
    """A standby, and one whose disk is full, read as well: ready, while nothing could be done."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
    (tmp_path / "a file").touch()
    settings.OUTREACH_DATA = tmp_path / "a file"  # the embedded one lies there
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert answer.json()["database"] in ("takes no writes", "File exists")


@pytest.mark.parametrize("headers", [{}, {"HTTP_AUTHORIZATION": "Bearer wrong"}])
def test_the_numbers_are_not_there_for_strangers(headers: dict[str, str]) -> None:
    assert Client().get("/metrics", **headers).status_code == 404


@override_settings(OUTREACH_METRICS_TOKEN="")
def test_without_a_token_set_nobody_reads_the_numbers() -> None:
    assert Client().get("/metrics", HTTP_AUTHORIZATION="Bearer ").status_code == 404


def numbers() -> dict[str, float]:
    lines = Client().get("/metrics", **TOKEN).content.decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def test_the_numbers_count_queues_tablets_and_requests(tmp_path: Path) -> None:
    place = builders.county()
    builders.accepted(place)
    tablet = enrolled(place, tmp_path)
    Device.objects.update(health={"outbox": 3})
    told = numbers()
    assert told['outreach_cases{state="accepted"}'] == 1
    assert unsent(told) == [3]
    before = told.get(_sync_count(), 0)
    tablet.sync()
    told = numbers()
    assert told[_sync_count()] == before + 1
    assert unsent(told) == [0]


def unsent(told: dict[str, float]) -> list[float]:
    return [value for name, value in told.items() if name.startswith("outreach_tablet_unsent")]


def _sync_count() -> str:
    labels = 'method="POST",route="api/v1/sync",status="200"'
    return f"outreach_http_request_seconds_count{{{labels}}}"


def test_a_health_report_of_nonsense_counts_as_none(tmp_path: Path) -> None:
    enrolled(builders.county(), tmp_path)
    Device.objects.update(health={"outbox": "many"})
    assert unsent(numbers()) == [0]


def test_the_numbers_cost_a_handful_of_queries(django_assert_max_num_queries: object) -> None:
    place = builders.county()
    for number in range(3):
        builders.accepted(place, name=f"王{'一二三'[number]}")
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        numbers()


def test_the_age_of_the_last_backup_is_told(tmp_path: Path, settings: Any) -> None:
    """A nightly backup that failed for weeks was noticed by nobody."""
    settings.OUTREACH_BACKED_UP = tmp_path / "backed-up"
    hour, now = 3600, timezone.now()
    MigrationRecorder.Migration.objects.update(applied=now - timedelta(days=2))
    assert numbers()["outreach_backup_age_seconds"] == pytest.approx(48 * hour, abs=60)
    settings.OUTREACH_BACKED_UP.touch()
    for ago in (hour, -9000 * hour):  # the clock had been ahead for a year
        os.utime(settings.OUTREACH_BACKED_UP, times=(now.timestamp() - ago,) * 2)
        assert numbers()["outreach_backup_age_seconds"] == pytest.approx(abs(ago), abs=60)


def test_nothing_but_reading() -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert Client().post(path).status_code == 405
