"""Tablets that talk to the service in the test's own process and transaction."""

from __future__ import annotations

from pathlib import Path

import httpx
from django.test import Client

from mobile_api.devices import make_code
from outreach import clock
from outreach.demo.tablet import Tablet
from outreach.models import User
from tests.builders import County


def in_process() -> httpx.Client:
    """Return an HTTP client whose requests go to the service through Django's test client."""
    server = Client()

    def handle(request: httpx.Request) -> httpx.Response:
        content_type = request.headers.get("content-type", "application/octet-stream")
        answer = server.generic(
            request.method,
            request.url.raw_path.decode(),
            request.read(),
            content_type=content_type,
            headers=dict(request.headers),
        )
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return httpx.Response(answer.status_code, headers=dict(answer.headers), content=body)

    return httpx.Client(transport=httpx.MockTransport(handle), base_url="http://localhost")


def enrolled(place: County, folder: Path, user: User | None = None, name: str = "one") -> Tablet:
    """Return a tablet enrolled for the assessor, or for another user."""
    tablet = Tablet(in_process(), folder / f"{name}.json")
    code = make_code(user or place.assessor, by=place.administrator, at=clock.now())
    tablet.enrol(code, f"Tablet {name}")
    return tablet
