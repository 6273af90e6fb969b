"""The road server's answers are checked before they are believed; anything wrong is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from outreach import checks, road_matrix
from outreach.actions import solving
from outreach.road_matrix import BLOCK, RoutingUnusable, ask

PLACES = [(30.80, 106.09), (30.90, 106.00), (31.02, 106.10)]
Answer = Callable[[dict[str, Any]], Any]


def honest(asked: dict[str, Any]) -> dict[str, Any]:
    """Answer as OSRM would on roads 1.4 times the straight line, at 40 km/h."""
    metres = [
        [round(1.4 * road_matrix._straight(a, b)) for b in asked["to"]] for a in asked["from"]
    ]
    seconds = [[metre / 11.1 for metre in row] for row in metres]
    return {"code": "Ok", "durations": seconds, "distances": metres}


@contextmanager
def server(answer: Answer, status: int = 200) -> Iterator[tuple[str, list[int]]]:
    """Serve OSRM's table service on the loopback; yield its address and each request's size."""
    sizes: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            assert parts.path.startswith("/table/v1/driving/")
            spelled = parts.path.rpartition("/")[2].split(";")
            places = [tuple(map(float, one.split(",")))[::-1] for one in spelled]
            query = {key: value[0] for key, value in parse_qs(parts.query).items()}
            assert query["annotations"] == "duration,distance"
            sizes.append(len(places))
            said = answer(
                {
                    "from": [places[int(n)] for n in query["sources"].split(";")],
                    "to": [places[int(n)] for n in query["destinations"].split(";")],
                }
            )
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=running.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_address[1]}", sizes
    finally:
        running.shutdown()
        running.server_close()


def test_the_matrix_is_read_row_by_row() -> None:
    with server(honest) as (url, _):
        roads = ask(url, PLACES)
    expected = honest({"from": PLACES, "to": PLACES})
    assert [list(row) for row in roads.metres] == expected["distances"]
    assert [list(row) for row in roads.seconds] == [
        [round(one) for one in row] for row in expected["durations"]
    ]


def test_many_places_are_asked_in_blocks_that_the_server_takes() -> None:
    places = [(30.8 + n * 0.001, 106.0) for n in range(120)]
    with server(honest) as (url, sizes):
        roads = ask(url, places)
    assert max(sizes) <= 2 * BLOCK
    assert len(sizes) == 9
    assert roads.metres[3][117] == round(1.4 * road_matrix._straight(places[3], places[117]))


def broken(change: Callable[[dict[str, Any]], Any]) -> Answer:
    def answer(asked: dict[str, Any]) -> Any:
        said = honest(asked)
        return change(said) or said

    return answer


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda said: {"code": "TooBig"}, "refused"),
        (lambda said: b"<html>", "malformed"),
        (lambda said: [1], "refused"),
        (lambda said: said.pop("distances") and None, "malformed"),
        (lambda said: said["durations"].pop() and None, "malformed"),
        (lambda said: said["durations"][0].__setitem__(1, None), "no-road"),
        (lambda said: said["durations"][0].__setitem__(1, -1), "implausible"),
        (lambda said: said["durations"][0].__setitem__(1, "5"), "malformed"),
        (lambda said: said["durations"][0].__setitem__(1, True), "malformed"),
        (lambda said: said["durations"][0].__setitem__(1, 3), "implausible"),
        (lambda said: said["distances"][0].__setitem__(1, 100), "implausible"),
    ],
)
def test_an_answer_that_cannot_be_believed_is_refused_whole(
    change: Callable[[dict[str, Any]], Any], reason: str
) -> None:
    with server(broken(change)) as (url, _), pytest.raises(RoutingUnusable) as refused:
        ask(url, PLACES)
    assert refused.value.reason == reason


def test_a_server_that_fails_or_is_not_there_is_unreachable() -> None:
    with server(honest, status=500) as (url, _), pytest.raises(RoutingUnusable) as failed:
        ask(url, PLACES)
    assert failed.value.reason == "unreachable"
    with pytest.raises(RoutingUnusable) as gone:
        ask(url, PLACES)
    assert gone.value.reason == "unreachable"


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["code", "durations", "distances"]),
                inner | st.just("Ok"),
                max_size=3,
            )
        ),
        max_leaves=8,
    )
)
def test_whatever_comes_back_is_a_matrix_or_a_reason(said: Any) -> None:
    import httpx

    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=body))
    with httpx.Client(transport=transport) as client, pytest.raises(RoutingUnusable):
        ask("http://roads.test", PLACES, client)


def test_a_plan_rests_on_the_roads_where_they_can_be_believed() -> None:
    document = {
        "visits": [{"lat": lat, "lon": lon} for lat, lon in PLACES[1:]],
        "shifts": [{"base": list(PLACES[0])}],
        "travel": {"road_factor": 1.4},
    }
    with server(honest) as (url, _), override_settings(OUTREACH_ROUTING_URL=url):
        said = dict(document)
        assert solving.put_roads(said) == "road"
        assert said["travel"]["matrix"]["places"] == [list(p) for p in [*PLACES[1:], PLACES[0]]]
    with server(broken(lambda _: b"no")) as (url, _), override_settings(OUTREACH_ROUTING_URL=url):
        said = dict(document)
        assert solving.put_roads(said) == "malformed"
        assert "matrix" not in said["travel"]
    with override_settings(OUTREACH_ROUTING_URL=""):
        assert solving.put_roads(dict(document)) == "formula"


@pytest.mark.parametrize(
    ("url", "ids"),
    [
        ("", []),
        ("http://127.0.0.1:5000", []),
        ("http://localhost:5000/", []),
        ("https://roads.example.org", ["outreach.W020"]),
        ("roads.example.org", ["outreach.E020"]),
        ("ftp://127.0.0.1", ["outreach.E020"]),
    ],
)
def test_the_start_up_check_says_what_the_setting_means(url: str, ids: list[str]) -> None:
    with override_settings(OUTREACH_ROUTING_URL=url):
        assert [message.id for message in checks._routing()] == ids
