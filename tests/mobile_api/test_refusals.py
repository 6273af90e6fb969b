"""What is refused before anybody looks at it is a problem of the catalogue, too."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache as throttles
from django.test import Client

from mobile_api.api import MAX_BODY
from outreach.demo.tablet import Tablet
from tests.mobile_api.uploading import refused

pytestmark = pytest.mark.django_db


def sync(tablet: Tablet, body: bytes, **headers: str) -> Any:
    bearer = {"Authorization": f"Bearer {tablet.state.token}"}
    kind = "application/json"
    sent = {**bearer, **headers}
    return Client().generic("POST", "/api/v1/sync", body, content_type=kind, headers=sent)


def said(tablet: Tablet, **more: Any) -> bytes:
    return json.dumps({"replica": str(tablet.state.replica), "pull": {}, **more}).encode()


def test_a_body_that_is_too_large_is_told_as_such(tablet: Tablet) -> None:
    large = said(tablet).rjust(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    assert refused(sync(tablet, large)) == (413, "too-large")
    packed = gzip.compress(said(tablet).rjust(MAX_BODY + 1))
    assert refused(sync(tablet, packed, **{"Content-Encoding": "gzip"})) == (413, "too-large")


def test_a_body_of_unknown_length_is_told_as_such(tablet: Tablet) -> None:
    answer = sync(tablet, b"", **{"Transfer-Encoding": "chunked"})
    assert refused(answer) == (400, "not-json")
    assert "Content-Length" in answer.json()["detail"]


def test_who_asks_too_often_is_told_as_such() -> None:
    throttles.clear()
    address = "/api/v1/devices/enrol"
    answers = [Client().post(address, {}, content_type="application/json") for _ in range(61)]
    assert refused(answers[59]) == (422, "malformed")
    assert refused(answers[60]) == (429, "too-many")
    assert int(answers[60]["Retry-After"]) > 0
    throttles.clear()


@pytest.mark.parametrize("app", ["", "1", "1.0.²", "1..0", "vers.ion"])
def test_an_app_whose_version_is_no_number_may_speak_all_the_same(tablet: Tablet, app: str) -> None:
    assert sync(tablet, said(tablet, app=app)).status_code == 200


def test_a_digest_that_no_database_looks_up_is_malformed(tablet: Tablet) -> None:
    pull = {"view": str(tablet.state.replica), "digest": "\0"}
    assert refused(sync(tablet, said(tablet, pull=pull))) == (422, "malformed")


@pytest.mark.parametrize("needed", [0, 1, 2])
def test_a_tablet_is_told_how_many_must_sign_beside_the_rater(
    tablet: Tablet, settings: Any, needed: int
) -> None:
    settings.OUTREACH_CO_SIGNERS = needed
    assert tablet.exchange()["policy"]["co_signers"] == needed
