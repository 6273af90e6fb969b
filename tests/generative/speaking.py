"""Requests to the real endpoints, in this process."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.test import Client

from tests.generative.device import Reply
from tests.generative.promises import Broken, check


@cache
def browser() -> Client:
    """Return the one test client: making one loads every middleware anew."""
    return Client()


def post(path: str, body: dict[str, Any], token: str = "") -> Reply:
    """Send JSON to the real endpoints and return status and answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = browser().generic(
            "POST", path, json.dumps(body), content_type="application/json", headers=headers
        )
    except Exception as error:  # what the server would answer with 500 comes as it was raised
        raise Broken("no 5xx", f"{path}: {error!r}") from error
    check("no 5xx", answer.status_code < 500, f"{path}: {answer.status_code}")
    return answer.status_code, json.loads(answer.content)
