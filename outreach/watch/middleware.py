"""One line and one measurement for each request, by route and never by what was asked."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from prometheus_client import Histogram

log = logging.getLogger("outreach.access")

#: Seconds; the storm's mark for an exchange is 0.4.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)
SECONDS = Histogram(
    "outreach_http_request_seconds",
    "Time until the answer was ready, by route, method and status.",
    ("route", "method", "status"),
    buckets=_BUCKETS,
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})


def watched(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Note route, method, status, milliseconds and the user's id of every request."""

    def middleware(request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = get_response(request)
        took = time.perf_counter() - began
        match = request.resolver_match
        route = match.route if match else "(none)"
        method = request.method if request.method in _METHODS else "other"
        SECONDS.labels(route, method, str(response.status_code)).observe(took)
        # Whom a view already looked up; a log line is not worth a query.
        user = getattr(request, "_cached_user", None)
        log.info(
            "%s %s %s",
            method,
            route,
            response.status_code,
            extra={
                "route": route,
                "method": method,
                "status": response.status_code,
                "ms": round(took * 1000, 1),
                "user": str(user.pk) if user is not None and user.pk else None,
            },
        )
        return response

    return middleware
