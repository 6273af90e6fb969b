"""What the register says of itself when a monitor asks: queues, tablets, papers, space."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.registry import Collector

from certificates.models import Certificate
from mobile_api.models import Device, Dispute, LedgerEntry
from outreach import clock
from outreach.domain.workflow import OPEN_STATES
from outreach.models import Application, Evaluation


class Register(Collector):
    """Counts on each scrape; a handful of queries, each over an index or a small table."""

    def collect(self) -> Iterator[Gauge]:
        """Yield every gauge as of now."""
        now = clock.now()
        yield from _queues(now)
        yield from _tablets(now)
        yield _disputes(now)
        yield _mutations()
        yield _papers()
        yield _space()
        yield _backup()


def _queues(now: datetime) -> Iterator[Gauge]:
    waiting = Gauge("outreach_cases", "Open cases by state.", labels=("state",))
    oldest = Gauge(
        "outreach_oldest_case_seconds",
        "How long the oldest case of a state waits.",
        labels=("state",),
    )
    rows = Application.objects.filter(state__in=OPEN_STATES).values("state")
    for row in rows.annotate(count=Count("pk"), since=Min("state_since")).order_by("state"):
        waiting.add_metric((row["state"],), row["count"])
        oldest.add_metric((row["state"],), (now - row["since"]).total_seconds())
    yield from (waiting, oldest)


def _tablets(now: datetime) -> Iterator[Gauge]:
    unsent = Gauge("outreach_tablet_unsent", "Unsent records at last sync.", labels=("device",))
    silent = Gauge("outreach_tablet_silent_seconds", "Since the last sync.", labels=("device",))
    for device in Device.objects.filter(revoked_at=None).order_by("pk"):
        name = (str(device.pk),)
        unsent.add_metric(name, _number(device.health.get("outbox")))
        since = device.last_seen_at or device.enrolled_at
        silent.add_metric(name, (now - since).total_seconds())
    yield from (unsent, silent)


def _disputes(now: datetime) -> Gauge:
    found = Dispute.objects.filter(decided_at=None).aggregate(since=Min("raised_at"))["since"]
    age = (now - found).total_seconds() if found else 0
    return Gauge("outreach_oldest_dispute_seconds", "How long the oldest dispute waits.", value=age)


def _mutations() -> Gauge:
    gauge = Gauge("outreach_mutations", "Mutations taken in, by outcome.", labels=("outcome",))
    rows = LedgerEntry.objects.values("outcome").annotate(count=Count("pk")).order_by("outcome")
    for row in rows:
        gauge.add_metric((row["outcome"],), row["count"])
    return gauge


def _papers() -> Gauge:
    gauge = Gauge("outreach_records", "Records of the register, by kind.", labels=("kind",))
    gauge.add_metric(("evaluation",), Evaluation.objects.count())
    gauge.add_metric(("certificate",), Certificate.objects.count())
    return gauge


def _space() -> Gauge:
    gauge = Gauge("outreach_free_bytes", "Free space where data lies.", labels=("what",))
    for what, folder in (("data", settings.OUTREACH_DATA), ("files", settings.OUTREACH_FILES)):
        if folder.exists():
            gauge.add_metric((what,), shutil.disk_usage(folder).free)
    return gauge


def _backup() -> Gauge:
    """Tell the age of the last backup; before the first one that of the register.

    A backup's moment is of the machine's clock; one that was ahead then has no age to believe.
    """
    try:
        since = settings.OUTREACH_BACKED_UP.stat().st_mtime
    except FileNotFoundError:
        made = MigrationRecorder.Migration.objects.aggregate(at=Min("applied"))["at"]
        since = made.timestamp()
    age = abs(timezone.now().timestamp() - since)
    return Gauge("outreach_backup_age_seconds", "Since a backup was last whole.", value=age)


def _number(value: object) -> float:
    """A tablet's own report is kept as it came: what is no number counts as none."""
    return float(value) if isinstance(value, int | float) else 0.0
