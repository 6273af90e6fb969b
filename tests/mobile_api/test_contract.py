"""Whatever is sent, the answer is one that the OpenAPI document promises, and never a 5xx."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache as throttles
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from mobile_api.problems import CATALOGUE
from mobile_api.tus.protocol import CHUNK_TYPE
from tests import builders
from tests.mobile_api.talking import enrolled

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("default"),
]
#: Requests per operation and mode: a slice here, over 20,000 in all in the long run.
SLICE = 30 if os.environ.get("DATABASE_URL") else 60  # PostgreSQL hears what SQLite heard before
CASES = 800 if os.environ.get("OUTREACH_LONG") == "1" else SLICE
# Not held: that whatever fits the schema is taken. Signatures, keys and chains have no schema.
DOCUMENT = "/api/v1/openapi.json"
CANNOT_BE_WRONG = {("OPTIONS /api/v1/uploads/", GenerationMode.NEGATIVE)}
#: Operations of which there are only so many different requests.
FEWEST = {("OPTIONS /api/v1/uploads/", GenerationMode.POSITIVE): 2}

schemathesis.serializer.alias(CHUNK_TYPE, "application/octet-stream")


@cache
def operations() -> dict[str, Any]:
    document = schemathesis.openapi.from_wsgi(DOCUMENT, get_wsgi_application())
    # Every refusal of the catalogue will do; tus and HTTP have more of them than the tool expects.
    refusals = sorted({entry.status for entry in CATALOGUE.values()} | {405})
    document.config.checks.negative_data_rejection.expected_statuses = list(map(str, refusals))
    found = [result.ok() for result in document.get_all_operations()]
    return {operation.label: operation for operation in found}


@pytest.fixture
def token(tmp_path: Path) -> str:
    return str(enrolled(builders.county(), tmp_path).state.token)


@pytest.fixture(autouse=True)
def one_connection(token: str) -> Iterator[None]:
    """Keep the test's own connection over requests, as Django's test client does while it asks."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_every_operation_with_a_token_says_that_the_service_may_be_busy() -> None:
    """Without the database each answers 503, and whoever asked tries again."""
    asked = {label: one.definition.raw for label, one in operations().items()}
    silent = [label for label, one in asked.items() if "503" not in one["responses"]]
    assert [label for label in silent if not label.startswith("OPTIONS ")] == []


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("label", list(operations()))
def test_every_answer_is_one_that_is_promised(label: str, mode: GenerationMode, token: str) -> None:
    operation = operations()[label]
    asked = 0

    @settings(
        max_examples=CASES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), signed_in=st.booleans())
    def ask(case: Any, signed_in: bool) -> None:
        nonlocal asked
        throttles.clear()
        headers = {"Authorization": f"Bearer {token}"} if signed_in else {}
        case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])
        asked += 1

    if (label, mode) in CANNOT_BE_WRONG:
        pytest.skip("it reads nothing that could be wrong")
    ask()
    print(f"{label}, {mode.value}: {asked} requests")
    assert asked >= FEWEST.get((label, mode), CASES // 2)
