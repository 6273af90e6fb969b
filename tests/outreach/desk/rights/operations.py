"""Every operation that the service answers: method and route, read from its own address table."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

#: A page is opened and a form is sent; a program may say more.
OF_PAGES = ("GET", "POST")
OF_PROGRAMS = ("GET", "POST", "PATCH", "DELETE", "OPTIONS", "HEAD")


def operations() -> list[tuple[str, str]]:
    """Return each method and route, in the order of the routes."""
    found = {
        (method, route)
        for route in _routes(get_resolver(), "")
        for method in (OF_PROGRAMS if route.startswith("api/") else OF_PAGES)
    }
    return sorted(found, key=lambda one: (one[1], one[0]))


def _routes(resolver: URLResolver, before: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern.pattern, RegexPattern):  # whatever begins so
            route = route.replace("^", "") + "*"
        if isinstance(pattern, URLPattern):
            yield route or "/"  # the home page's route is empty
        else:
            yield from _routes(pattern, route)


def kwargs_of(route: str) -> list[str]:
    """Return the names that a route wants filled in."""
    return re.findall(r"<(?:\w+:)?(\w+)>", route)


def filled(route: str, values: dict[str, object]) -> str:
    """Return the address that a route becomes with these values."""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values[found[1]]), route).lstrip("/")
