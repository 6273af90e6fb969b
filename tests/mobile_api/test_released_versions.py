"""What the tablets of each release said is understood for ever, and answered in words they know.

Each conversation was written down when its release was made (`tests/mobile_api/recording.py`).
"""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.core.cache import cache
from django.db import models
from django.test import Client

from mobile_api.auth import fingerprint
from mobile_api.federation import FederationKeys
from mobile_api.models import EnrolmentCode
from mobile_api.receipts import ReceiptKeys
from outreach import clock
from outreach.models import Evaluation, User, Visit
from outreach.models.sealed import SealedField
from tests import builders
from tests.mobile_api.recording import CONVERSATIONS

pytestmark = pytest.mark.django_db
RELEASES = sorted(file.stem for file in CONVERSATIONS.glob("*.json"))


def read(version: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((CONVERSATIONS / f"{version}.json").read_text())
    return told


def built_again(world: dict[str, Any]) -> None:
    """Build the county of a conversation, under the ids that were said in it."""
    at = datetime.fromisoformat(world["at"])
    clock.advance_to(at)
    place = builders.county()
    visits = sorted(builders.scheduled(place, len(world["visits"])), key=lambda one: one.pk)
    for visit, pk in zip(visits, world["visits"], strict=True):
        rename(visit, pk)
    rename(place.colleague, world["colleague"])
    for user, code in zip((place.assessor, place.liaison), world["codes"], strict=True):
        EnrolmentCode.objects.create(
            user=user,
            code_sha256=fingerprint(code),
            created_by=place.administrator,
            expires_at=at.replace(year=at.year + 1),
        )


def rename(row: Visit | User, pk: str) -> None:
    """Give a row another id, in all tables; what is sealed is bound to the id and sealed anew."""
    model, old = type(row), row.pk
    sealed = [one.name for one in model._meta.fields if isinstance(one, SealedField)]
    plain = {name: getattr(row, name) for name in sealed}
    model._base_manager.filter(pk=old).update(id=pk)
    for relation in model._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ManyToOneRel):
            name = relation.field.attname
            rows = relation.related_model._base_manager.filter(**{name: old})
            rows.update(**{name: pk})
    renamed = model._base_manager.get(pk=pk)
    for name, value in plain.items():
        setattr(renamed, name, value)
    if plain:
        renamed.save(update_fields=list(plain))


def is_packed(one: dict[str, Any]) -> bool:
    return one["headers"].get("Content-Encoding") == "gzip"


def said(one: dict[str, Any]) -> bytes:
    """Return the body of a request, unpacked where the tablet packed it."""
    body = one["body"]
    raw = base64.b64decode(body["base64"]) if isinstance(body, dict) else body.encode()
    return gzip.decompress(raw) if is_packed(one) else raw


@dataclass
class Replay:
    """A conversation said again; only what the server gives out anew is put in its place."""

    browser: Client = field(default_factory=Client)
    token: str = ""
    view: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def say(self, one: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
        """Send a request and return status and answer."""
        headers, raw = dict(one["headers"]), said(one)
        if one["path"] == "/api/v1/sync":
            asked = json.loads(raw)
            asked["pull"].update(self.view)
            raw = json.dumps(asked).encode()
        if is_packed(one):
            raw = gzip.compress(raw)
        if "Authorization" in headers:
            headers["Authorization"] = f"Bearer {self.token}"
        kind = headers.pop("Content-Type", "")
        path = self.places.get(one["path"], one["path"])
        answer = self.browser.generic(one["method"], path, raw, content_type=kind, headers=headers)
        if place := one["answered"].get("Location"):
            self.places[place] = answer["Location"]
        told = answer.json() if answer.content[:1] == b"{" else None
        self._keep(told or {})
        return answer.status_code, told

    def _keep(self, told: dict[str, Any]) -> None:
        if "token" in told:
            self.token, self.view = told["token"], {"view": None, "digest": None}
        elif told.get("pull"):
            self.view = {name: told["pull"][name] for name in ("view", "digest")}


def shape(value: Any) -> Any:
    """Return what a tablet relies on of an answer: names and kinds, all the way down."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


#: What rows said once, and no tablet of any release has read.
NEVER_READ = {".team", ".not_done_before"}


def missing(before: Any, now: Any, where: str = "") -> list[str]:
    """Name what was there and is not any more, or is of another kind."""
    if before == "NoneType" or now == "NoneType":
        return []
    if isinstance(before, dict) and isinstance(now, dict):
        found = [f"{where}.{name}" for name in before.keys() - now.keys()]
        for name in before.keys() & now.keys():
            found += missing(before[name], now[name], f"{where}.{name}")
        return sorted(found)
    if isinstance(before, list) and isinstance(now, list):
        return missing(before[0], now[0], f"{where}[]") if before and now else []
    return [] if before == now else [f"{where}: {before} became {now}"]


def rows_by_kind(answer: dict[str, Any]) -> dict[str, Any]:
    """Return one row of each kind that a page puts."""
    return {row["k"].partition("/")[0]: row["d"] for row in answer["pull"]["puts"]}


@pytest.fixture(params=RELEASES)
def conversation(
    request: pytest.FixtureRequest, settings: LazySettings, tmp_path: Path
) -> dict[str, Any]:
    cache.clear()  # what the enrolments of the releases before counted against the throttle
    settings.OUTREACH_FILES, settings.OUTREACH_KEYS_DIR = tmp_path / "files", tmp_path / "keys"
    told = read(request.param)
    built_again(told["world"])
    return told


def test_every_release_has_its_conversation() -> None:
    earlier = "0.1.0 0.2.0 0.3.0 0.4.0 0.5.0"
    latest = "0.6.0 0.6.1 0.6.2 0.6.3 0.6.4 0.6.5 0.6.6 0.6.7 0.6.8 0.6.9 0.7.0 0.7.1 0.7.2"
    assert " ".join(RELEASES) == f"{earlier} {latest}"


def test_a_tablet_of_a_release_is_answered_as_it_was(conversation: dict[str, Any]) -> None:
    FederationKeys(settings.OUTREACH_KEYS_DIR).create()
    ReceiptKeys(settings.OUTREACH_KEYS_DIR).create()
    replay, kinds = Replay(), dict[str, Any]()
    for number, one in enumerate(conversation["exchanges"]):
        status, answer = replay.say(one)
        assert (number, one["path"], status) == (number, one["path"], one["status"])
        before = one["answer"]
        if before is None:
            continue
        assert answer is not None
        if before.get("pull"):
            kinds |= rows_by_kind(answer)
            for kind, row in rows_by_kind(before).items():
                gone = set(missing(shape(row), shape(kinds[kind]))) - NEVER_READ
                assert (kind, gone) == (kind, set())
        assert missing(shape({**before, "pull": None}), shape({**answer, "pull": None})) == []
        for name in ("last_seq", "chain", "blobs_missing"):
            assert (number, answer.get(name)) == (number, before.get(name))
        assert outcomes(answer) == outcomes(before)
    assert Evaluation.objects.awaiting_media().count() == 0
    assert Evaluation.objects.count() == 1


def outcomes(answer: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return what became of each mutation."""
    said = answer.get("outcomes", [])
    return [(one["seq"], one["outcome"], one["was"], one["code"]) for one in said]


def test_what_was_taken_in_once_is_known_when_it_is_said_again(
    conversation: dict[str, Any],
) -> None:
    replay = Replay()
    for one in conversation["exchanges"]:
        replay.say(one)
        if one["path"] == "/api/v1/sync" and "push" in json.loads(said(one)):
            _, again = replay.say(one)
            assert again is not None
            assert {one["outcome"] for one in again["outcomes"]} == {"duplicate"}
    assert Evaluation.objects.count() == 1
