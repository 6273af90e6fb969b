"""Three addresses for the operator's machines: alive, ready, and the numbers."""

from __future__ import annotations

import os
import secrets

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from outreach.files import local_files, place_of_settings
from outreach.watch.register import Register


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Answer that the process answers; asks nobody else, so that a restart would help."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """Answer whether work can be taken in: database, its migrations, the folder of files."""
    found = {"database": _database(), "files": _files()}
    ready = all(state == "ok" for state in found.values())
    return JsonResponse({"ready": ready, **found}, status=200 if ready else 503)


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
        takes_writes = _takes_writes()
    except DatabaseError:
        return "does not answer"
    except OSError as error:
        return os.strerror(error.errno or 0)
    if waiting:
        return f"{len(waiting)} migrations wait: run manage.py migrate"
    return "ok" if takes_writes else "takes no writes"


def _takes_writes() -> bool:
    """Tell whether PostgreSQL does: not a standby, nor one that was set so for a full disk.

    Of the embedded database raise `OSError` where its folder does not.
    """
    if connection.vendor == "sqlite":
        local_files(settings.OUTREACH_DATA).place.probe()
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_read_only')")
        return bool(cursor.fetchone()[0] == "off")


def _files() -> str:
    try:
        local_files(settings.OUTREACH_FILES).place.probe()  # uploads under way lie there always
        place_of_settings().probe()
    except OSError as error:
        return os.strerror(error.errno or 0)
    return "ok"


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Give the numbers in Prometheus' text format to who has the token of the settings."""
    wanted = settings.OUTREACH_METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    if not wanted or not secrets.compare_digest(given.encode(), f"Bearer {wanted}".encode()):
        raise Http404
    register = CollectorRegistry()
    register.register(Register())
    body = generate_latest(register) + generate_latest(_requests())
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)


def _requests() -> CollectorRegistry:
    """Return what was measured of requests: by this process, or by all that share a folder."""
    if not settings.OUTREACH_METRICS_FOLDER:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared, settings.OUTREACH_METRICS_FOLDER)  # type: ignore[no-untyped-call]
    return shared
