"""Changes come to other offices' doors: each once in order, signed, and again until taken over."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from mobile_api import webhooks
from mobile_api.changes import changes, make_integration, revoke_integration
from mobile_api.models import Epoch, Hook, Integration
from mobile_api.restoring import begin_epoch
from mobile_api.webhooks import BadAddress, post_changes, set_hook
from tests import builders
from tests.builders import START

ROOT = Path(__file__).resolve().parents[2]


class Office(HTTPServer):
    """Another office's system, on a port of its own: what it got, and what it answers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/changes"

    def numbers(self) -> list[int]:
        return [
            change["n"] for _headers, body in self.got for change in json.loads(body)["changes"]
        ]


class _Door(BaseHTTPRequestHandler):
    server: Office

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(({key.lower(): value for key, value in self.headers.items()}, body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def office() -> Iterator[Office]:
    server = Office()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def secret(place: builders.County, office: Office) -> str:
    make_integration("province", place.county, at=START)
    return set_hook(Integration.objects.get(), office.url, at=START)


def happen(place: builders.County, times: int = 1) -> None:
    """Have something happen: each time four deeds."""
    for _ in range(times):
        builders.accepted(place)


def documented(number: int) -> str:
    """Return one of the programs that the how-to gives to other offices."""
    page = (ROOT / "docs/how-to/connect-another-system.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)[number]


def is_signed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Check a message as the how-to tells the receiver to."""
    found: dict[str, Any] = {}
    exec(documented(1), found)
    return bool(found["is_ours"](secret, headers, body))


def test_what_happens_after_is_posted_once_in_order_and_signed(
    place: builders.County, office: Office, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "PAGE", 3)
    happen(place, 2)
    came = post_changes()
    assert (came.changes, came.later) == (len(office.numbers()), 0)
    assert office.numbers() == sorted(set(office.numbers()))
    assert came.changes >= 8
    assert all(is_signed(secret, headers, body) for headers, body in office.got)
    assert not any(is_signed(secret, headers, body + b" ") for headers, body in office.got)
    assert post_changes().pages == 0
    happen(place)
    post_changes()
    assert office.numbers() == sorted(set(office.numbers()))


def test_no_name_and_no_number_of_a_person_travels(
    place: builders.County, office: Office, secret: str
) -> None:
    case = builders.accepted(place, name="独一无二")[0]
    post_changes()
    sent = b"".join(body for _headers, body in office.got).decode()
    assert str(case.pk) in sent
    assert "独一无二" not in sent
    assert case.number not in sent


@pytest.mark.parametrize("answer", [500, 404, 302])
def test_a_page_that_was_not_taken_over_is_posted_again_as_it_was(
    place: builders.County, office: Office, secret: str, answer: int
) -> None:
    happen(place)
    office.answers = [answer]
    assert post_changes().later == 1
    happen(place)  # more has happened, yet the page that was begun stays what it is
    assert post_changes().pages == 0  # not before its time
    Hook.objects.update(next_at=timezone.now() - timedelta(seconds=1))
    post_changes()
    (first, body), (again, same), *_ = office.got
    assert (first["webhook-id"], body) == (again["webhook-id"], same)
    assert sorted(set(office.numbers())) == list(dict.fromkeys(office.numbers()))
    assert Hook.objects.get().attempts == 0


def test_a_door_that_stays_closed_is_tried_ever_later_and_nothing_is_given_up(
    place: builders.County, office: Office, secret: str
) -> None:
    happen(place)
    office.answers = [503] * 7
    waits = []
    for _ in range(7):
        Hook.objects.update(next_at=None)
        post_changes()
        waits.append(round((Hook.objects.get().next_at - timezone.now()).total_seconds() / 60))
    assert waits == [1, 5, 30, 120, 480, 480, 480]
    Hook.objects.update(next_at=None)
    assert post_changes().changes >= 4


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", 1),
        (b"HTTP/1.1 503 Busy\r\n\r\n", 0),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", 0),
        (b"", 0),
    ],
)
def test_an_answer_without_end_holds_nobody_up(
    place: builders.County, secret: str, monkeypatch: pytest.MonkeyPatch, said: bytes, taken: int
) -> None:
    """What stands in its first line is enough; one that drips on is not read, nor waited for."""
    monkeypatch.setattr(webhooks, "PATIENCE_S", 0.5)
    happen(place)
    with socket.create_server(("127.0.0.1", 0)) as door:
        Hook.objects.update(url=f"http://127.0.0.1:{door.getsockname()[1]}/")
        dripping = threading.Thread(target=drip, args=(door, said))
        dripping.start()
        began = time.monotonic()
        came = post_changes()
        took = time.monotonic() - began
        dripping.join()
    assert (came.pages, came.later, took < 2) == (taken, 1 - taken, True)


def drip(door: socket.socket, said: bytes) -> None:
    """Answer with these bytes, then with one more every now and then, for some seconds."""
    caller, _ = door.accept()
    until = time.monotonic() + 3
    with caller, suppress(OSError):
        caller.sendall(said)
        while time.monotonic() < until:
            caller.sendall(b"x")
            time.sleep(0.1)


@pytest.mark.parametrize("host", ["province..example", f"{'p' * 64}.example", "残..联"])
def test_an_address_that_names_no_machine_holds_nobody_up(
    place: builders.County, secret: str, host: str
) -> None:
    Hook.objects.update(url=f"https://{host}/outreach")
    happen(place)
    assert post_changes().later == 1


def test_another_address_gets_what_the_one_before_has_not_taken_over(
    place: builders.County, office: Office, secret: str
) -> None:
    """A system that was away moves, or its secret is changed: nothing in between is lost."""
    Hook.objects.update(url="http://127.0.0.1:9/changes")
    happen(place)
    assert post_changes().later == 1
    happen(place)
    again = set_hook(Integration.objects.get(), office.url, at=START)
    post_changes()
    every = changes(Integration.objects.get(), 0, 1000).changes
    assert office.numbers() == [change.n for change in every]
    assert (again != secret, is_signed(again, *office.got[-1])) == (True, True)


def test_a_page_of_a_restored_register_whose_answer_was_lost_comes_again_as_it_was(
    place: builders.County, office: Office, secret: str
) -> None:
    happen(place)
    post_changes()
    begin_epoch([])
    office.answers = [500]
    assert post_changes().later == 1
    happen(place)
    Hook.objects.update(next_at=None)
    post_changes()
    (first, body), (again, same) = office.got[1:3]
    assert (first["webhook-id"], body) == (again["webhook-id"], same)


def test_a_system_that_was_revoked_is_posted_nothing_when_its_name_is_given_again(
    place: builders.County, office: Office, secret: str
) -> None:
    call_command("integration", "province", "--revoke")
    make_integration("province", place.county, at=START)
    happen(place)
    assert (post_changes().pages, office.got) == (0, [])


def test_a_system_that_may_read_sums_only_is_posted_nothing(
    place: builders.County, office: Office, secret: str
) -> None:
    make_integration("province", place.county, at=START, scopes=["savings"])
    happen(place)
    assert (post_changes().pages, office.got) == (0, [])
    with pytest.raises(CommandError, match="changes"):
        call_command("integration", "province", "--hook", office.url)


def test_a_system_that_is_revoked_while_pages_are_posted_gets_no_more(
    place: builders.County, office: Office, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "PAGE", 1)
    happen(place)
    post_changes(lambda _came: revoke_integration("province", at=START))
    assert len(office.got) == 1


def test_another_process_that_had_looked_before_waits_as_long_as_the_one_that_failed(
    place: builders.County, office: Office, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each process makes the wait longer: with two the third try comes after half an hour."""
    happen(place)
    office.answers = [503, 503]
    claimed = webhooks._claimed

    def later(pk: UUID) -> Hook | None:
        monkeypatch.setattr(webhooks, "_claimed", claimed)
        assert post_changes().later == 1
        return claimed(pk)

    monkeypatch.setattr(webhooks, "_claimed", later)
    assert post_changes().later == 0
    assert (len(office.got), Hook.objects.get().attempts) == (1, 1)


def test_a_system_with_many_pages_to_come_lets_others_have_theirs(
    place: builders.County, office: Office, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "PAGE", 1)
    make_integration("bank", place.county, at=START)
    bank = Integration.objects.get(name="bank")
    set_hook(bank, f"{office.url}/bank", at=START)
    happen(place)
    post_changes()
    got = office.numbers()
    first = got[: len(got) // 2]
    assert (len(set(got)), len(set(first))) == (len(got) // 2, len(got) // 4)


def test_a_system_that_is_not_there_is_tried_again(place: builders.County, secret: str) -> None:
    Hook.objects.update(url="http://127.0.0.1:9/changes")
    happen(place)
    assert post_changes().later == 1
    assert Hook.objects.get().last_error == "ConnectError"


def test_gone_ends_it(place: builders.County, office: Office, secret: str) -> None:
    happen(place)
    office.answers = [410]
    assert post_changes().ended == 1
    assert not Hook.objects.exists()


def test_one_that_was_gone_after_the_backup_is_gone_in_the_restored_register(
    place: builders.County, office: Office, secret: str
) -> None:
    kept = Hook.objects.get()
    happen(place)
    office.answers = [410]
    post_changes()
    kept.save(force_insert=True)  # as the backup had it
    begin_epoch([])
    assert not Hook.objects.exists()


def test_a_process_that_died_in_the_middle_blocks_it_no_longer_than_its_lease(
    place: builders.County, office: Office, secret: str
) -> None:
    happen(place)
    now = timezone.now()
    Hook.objects.update(leased_until=now + timedelta(minutes=1))
    assert post_changes().pages == 0
    Hook.objects.update(leased_until=now - timedelta(seconds=1))
    assert post_changes().pages == 1


def test_a_restored_register_is_posted_from_its_beginning_under_its_own_epoch(
    place: builders.County, office: Office, secret: str
) -> None:
    happen(place)
    post_changes()
    begin_epoch([])
    post_changes()
    _, body = office.got[-1]
    told = json.loads(body)
    assert told["epoch"] == Epoch.current()
    every = changes(Integration.objects.get(), 0, 1000).changes
    assert [change["n"] for change in told["changes"]] == [change.n for change in every]


def test_a_revoked_system_is_posted_nothing(
    place: builders.County, office: Office, secret: str
) -> None:
    happen(place)
    call_command("integration", "province", "--revoke")
    assert post_changes().pages == 0
    assert office.got == []


def test_the_secret_lies_sealed(place: builders.County, secret: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM mobile_api_hook")
        assert secret.encode() not in bytes(cursor.fetchone()[0])


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "https://",
        "nonsense",
        "https://a:b@example.org/",
        "https://example..org/",
        "https://example.org:99999/",
        "https://[::1/",
        f"https://example.org/{'x' * 300}",
    ],
)
def test_an_address_that_would_tell_others_is_refused(place: builders.County, url: str) -> None:
    make_integration("province", place.county, at=START)
    with pytest.raises(BadAddress):
        set_hook(Integration.objects.get(), url, at=START)
    with pytest.raises(CommandError):
        call_command("integration", "province", "--hook", url)
    assert not Hook.objects.exists()


class _Service(BaseHTTPRequestHandler):
    """The service itself, for a program that speaks HTTP, in the test's own thread and database."""

    def do_GET(self) -> None:
        said = {"authorization": self.headers["Authorization"]}
        answer = Client().get(self.path, headers=said)
        self.send_response(answer.status_code)
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: Any) -> None:
        pass


def test_the_documented_reader_reads_the_feed_and_begins_anew_after_a_restore(
    place: builders.County, tmp_path: Path
) -> None:
    happen(place)
    token = make_integration("province", place.county, at=START)
    told = changes(Integration.objects.get(), 0, 1000)
    (tmp_path / "reader.token").write_text(f"{token}\n")
    kept = tmp_path / "reader.json"
    kept.write_text(json.dumps({"after": 10**6, "epoch": str(told.epoch)}))  # a life that is over
    with HTTPServer(("127.0.0.1", 0), _Service) as service:
        address = f"http://127.0.0.1:{service.server_port}/api/v1/changes"
        command = [sys.executable, "-u", "-c", documented(0), address]
        reader = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        try:
            service.timeout = 20
            service.handle_request()  # 409
            service.handle_request()
            assert reader.stdout is not None
            lines = [reader.stdout.readline().split() for _ in told.changes]
            for _ in range(100):
                if json.loads(kept.read_text())["after"] == told.last:
                    break
                time.sleep(0.1)
        finally:
            reader.kill()
            reader.communicate()
    assert [(int(line[0]), line[-1]) for line in lines] == [(c.n, str(c.id)) for c in told.changes]
    assert json.loads(kept.read_text()) == {"after": told.last, "epoch": str(told.epoch)}


@pytest.mark.parametrize("command", [["--hook", "https://example.org/"], ["--no-hook"]])
def test_the_command_says_what_is_missing(place: builders.County, command: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("integration", "nobody", *command)


@pytest.mark.parametrize(
    ("scopes", "feed", "sums"),
    [(["changes"], 200, 403), (["savings"], 403, 200), (["changes", "savings"], 200, 200)],
)
def test_a_token_opens_what_it_was_made_for(
    place: builders.County, scopes: list[str], feed: int, sums: int
) -> None:
    token = make_integration("province", place.county, at=START, scopes=scopes)
    said = {"authorization": f"Bearer {token}"}
    month = {"month": "2018-06"}
    answered = [
        Client().get("/api/v1/changes", headers=said),
        Client().get("/api/v1/savings", month, headers=said),
    ]
    assert [answer.status_code for answer in answered] == [feed, sums]
    assert [answer.json()["scope"] for answer in answered if answer.status_code == 403] == [
        name for name in ("changes", "savings") if name not in scopes
    ]
