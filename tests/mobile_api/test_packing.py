"""Answers are packed for whoever can unpack them, and are as large as the protocol says."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from django.test import Client

from mobile_api.packing import takes_gzip
from outreach.demo.tablet import Tablet
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]
PAGE = 65_536


def ask(tablet: Tablet, **headers: str) -> Any:
    """Ask for the first page, as somebody does who proves nothing."""
    body = {
        "replica": tablet.state.replica,
        "schema": 1,
        "app": "0.4.0",
        "rid": "r",
        "pull": {"view": None, "digest": None, "max_bytes": PAGE},
    }
    return Client().post(
        "/api/v1/sync",
        json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {tablet.state.token}", **headers},
    )


def test_a_page_of_rows_shrinks_to_less_than_a_third(
    place: builders.County, tablet: Tablet
) -> None:
    builders.scheduled(place, 40)
    plain = ask(tablet)
    packed = ask(tablet, **{"Accept-Encoding": "gzip, br"})
    assert plain.get("Content-Encoding") is None
    assert packed["Content-Encoding"] == "gzip"
    assert packed["Content-Length"] == str(len(packed.content))
    assert "Accept-Encoding" in packed["Vary"]
    unpacked = json.loads(gzip.decompress(packed.content))
    assert unpacked["pull"]["puts"] == plain.json()["pull"]["puts"]
    assert len(packed.content) * 3 < len(plain.content)


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ("", False),
        ("gzip", True),
        ("deflate, GZip;Q=0.5 ,br", True),
        ("x-gzip", True),
        ("*", True),
        ("br, *;q=0.1", True),
        ("gzip;q=0", False),
        ("gzip ; q=0.000, *", False),
        ("*;q=0", False),
        ("notgzip, gzipped", False),
        ("gzip;q=nonsense", False),
        ("gzip;q=0.5, identity", False),
        ("gzip, identity;q=0.5", True),
        (",, gzip", True),
    ],
)
def test_who_takes_gzip_says_so_with_a_weight(accepted: str, taken: bool) -> None:
    assert takes_gzip(accepted) == taken


def test_who_refuses_gzip_gets_a_page_as_it_is(place: builders.County, tablet: Tablet) -> None:
    builders.scheduled(place, 40)
    assert ask(tablet, **{"Accept-Encoding": "gzip;q=0"}).get("Content-Encoding") is None


def test_a_short_answer_goes_as_it_is(tablet: Tablet) -> None:
    tablet.sync()
    body = {"replica": tablet.state.replica, "schema": 1, "app": "0.4.0", "rid": "r"}
    answer = Client().post(
        "/api/v1/sync",
        json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {tablet.state.token}", "Accept-Encoding": "gzip"},
    )
    assert answer.status_code == 200
    assert answer.get("Content-Encoding") is None


def test_pages_of_the_desk_are_left_alone(client: Client) -> None:
    answer = client.get("/sign-in/", headers={"Accept-Encoding": "gzip"})
    assert answer.get("Content-Encoding") is None


def test_a_problem_goes_as_it_is_however_much_it_names(client: Client) -> None:
    body = {f"unknown-{n}": n for n in range(200)}
    answer = client.post(
        "/api/v1/devices/share",
        json.dumps(body),
        content_type="application/json",
        headers={"Accept-Encoding": "gzip"},
    )
    assert answer.status_code == 422
    assert len(answer.content) > 1_200
    assert answer.get("Content-Encoding") is None
