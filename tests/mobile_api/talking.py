"""Tablets that talk to the service in the test's own process and transaction, and what they say."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from django.test import Client

from mobile_api.devices import make_code
from outreach import clock
from outreach.demo.tablet import Tablet
from outreach.models import User
from outreach.models.ids import new_id
from tests import builders
from tests.builders import SHANGHAI, VISIT_ON, County

ON_THE_DAY = datetime.combine(VISIT_ON, datetime.min.time().replace(hour=10), SHANGHAI)


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


def evaluation_args(
    visit: str, colleague: str, photo: bytes = b"a photo", **changes: Any
) -> dict[str, Any]:
    """Return the arguments of a complete evaluation."""
    kinds = ["portrait", "whole_body", "environment", "affected_part"]
    media = [
        {
            "sha256": hashlib.sha256(photo + kind.encode()).hexdigest(),
            "kind": kind,
            "size": 10,
            "type": "image/jpeg",
            "taken_at": ON_THE_DAY.isoformat(),
            "place": {"lat": 31.0, "lon": 106.1, "accuracy_m": 12.5},
        }
        for kind in kinds
    ]
    return {
        "evaluation": str(new_id()),
        "visit": visit,
        "parts": [
            {
                "category": "physical",
                "findings": builders.WITHOUT_LEGS,
                "grade": 1,
                "reason": "",
            }
        ],
        "grade": 1,
        "identity_checked": True,
        "guardian_present": False,
        "consent": {"by": "resident", "name": "赵青山"},
        "co_signers": [colleague],
        "arrived_at": ON_THE_DAY.isoformat(),
        "evaluated_at": ON_THE_DAY.isoformat(),
        "place": None,
        "remark": "",
        "media": media,
    } | changes
