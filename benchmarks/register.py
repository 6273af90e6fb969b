"""Registers of any size, written in bulk: what the measurements find already there."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count
from random import Random
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from stdnum.iso7064 import mod_11_2

from mobile_api.auth import fingerprint
from mobile_api.chain import ZERO, canonical, link
from mobile_api.models import Device, Replica
from outreach import clock
from outreach.models import Application, Assessor, Institution, Resident, User, Visit
from outreach.models.ids import new_id
from outreach.models.sealed import blind_index
from tests import builders
from tests.builders import SHANGHAI, START, VISIT_ON
from tests.generative import device as reference

NOW = datetime.combine(VISIT_ON, time(10), SHANGHAI)
KINDS = ("portrait", "whole_body", "environment")
UNUSABLE = "!"
_serial = count()
_chance = Random(1)


@dataclass
class Player:
    """An enrolled tablet and the visits it has to do."""

    tablet: reference.Device
    user: User
    colleague: UUID
    visits: list[Visit]


def begin() -> builders.County:
    """Build the small county on the day of its visits."""
    clock.advance_to(NOW)
    return builders.county()


def go_on_from(people: int) -> None:
    """Give fresh numbers only, in a register that holds so many people already."""
    global _serial
    _serial = count(people)


def id_number() -> str:
    """Return a fresh valid number; thirty million of them at most."""
    serial = next(_serial)
    born = date(1930, 1, 1) + timedelta(days=serial // 999)
    base = f"511302{born:%Y%m%d}{serial % 999 + 1:03d}"
    return base + mod_11_2.calc_check_digit(base)


def players(place: builders.County, wanted: int, visits_each: int) -> list[Player]:
    """Return enrolled tablets, each of an assessor of its own, with accepted, scheduled cases."""
    hospital = Institution.objects.get()
    made = []
    for _ in range(wanted):
        user = User.objects.create(
            username=f"doctor-{uuid4().hex[:12]}",
            full_name="周大夫",
            role="assessor",
            division=place.county,
            password=UNUSABLE,
        )
        Assessor.objects.create(user=user, institution=hospital, categories=["hearing"])
        tablet = reference.Device(user.username, user.username, reference.fresh_key())
        tablet.state.token = uuid4().hex
        enrol(tablet, user)
        made.append(Player(tablet, user, place.colleague.pk, due(place, user, visits_each)))
    return made


def enrol(tablet: reference.Device, user: User) -> None:
    """Enter a tablet as enrolled."""
    device = Device.objects.create(
        user=user,
        label=tablet.name,
        public_key=base64.b64decode(tablet.public_key),
        token_sha256=fingerprint(tablet.state.token),
        enrolled_at=START,
    )
    Replica.objects.create(pk=tablet.state.replica, device=device, chain=ZERO, created_at=START)


@transaction.atomic
def due(place: builders.County, user: User, wanted: int, on: date = VISIT_ON) -> list[Visit]:
    """Return scheduled visits of the user, with all that a real one hangs on."""
    residents = []
    for _ in range(wanted):
        number = id_number()
        residents.append(
            Resident(
                name="赵青山",
                id_number=number,
                id_number_index=blind_index(number, "id_number"),
                village=place.village,
                address="任家祠村一组",
                telephone="13900000000",
                created_at=START,
            )
        )
    cases = [
        Application(
            number=uuid4().hex[:20],
            resident=resident,
            village=place.village,
            categories=["hearing"],
            diagnosis="听力丧失",
            state="accepted",
            state_since=START,
            nominated_by=place.liaison,
            assessor=user,
            consent={"by": "resident", "name": "赵青山"},
            created_at=START,
        )
        for resident in residents
    ]
    visits = [
        Visit(application=case, state="scheduled", on=on, start=time(9), assessor=user)
        for case in cases
    ]
    for model, rows in ((Resident, residents), (Application, cases), (Visit, visits)):
        model.objects.bulk_create(rows, batch_size=500)
    return visits


def evaluation(player: Player, visit: Visit) -> dict[str, Any]:
    """Return the arguments of a complete evaluation with three photos and two signatures.

    No two are alike, in findings, place or times, and numbers are what JavaScript writes.
    """
    arrived = NOW + timedelta(seconds=_chance.randrange(3600))
    kinds = [(kind, "image/jpeg") for kind in KINDS]
    kinds += [("signature_resident", "image/png"), ("signature_assessor", "image/png")]
    return {
        "evaluation": str(new_id()),
        "visit": str(visit.pk),
        "parts": [{"category": "hearing", "findings": _deaf(), "grade": 1, "reason": ""}],
        "grade": 1,
        "identity_checked": True,
        "guardian_present": True,
        "consent": {"by": "resident", "name": "赵青山"},
        "co_signers": [str(player.colleague)],
        "arrived_at": arrived.isoformat(),
        "evaluated_at": (arrived + timedelta(minutes=30)).isoformat(),
        "place": _somewhere(),
        "remark": f"听力检查第{_chance.randrange(10**6)}次",
        "media": [
            {
                "sha256": hashlib.sha256(uuid4().bytes).hexdigest(),
                "kind": kind,
                "size": _chance.randrange(90_000, 220_000),
                "type": media_type,
                "taken_at": (arrived + timedelta(minutes=number)).isoformat(),
                "place": _somewhere(),
            }
            for number, (kind, media_type) in enumerate(kinds)
        ],
    }


def _deaf() -> dict[str, list[int]]:
    """Return losses of grade 1 in both ears."""
    return {ear: [_chance.randrange(95, 120) for _ in range(4)] for ear in ("right_db", "left_db")}


def _somewhere() -> dict[str, float]:
    """Return a position in the county as a browser gives it."""
    lat, lon = _chance.uniform(30.9, 31.2), _chance.uniform(106.0, 106.4)
    return {"lat": round(lat, 7), "lon": round(lon, 7), "accuracy_m": _chance.randrange(4, 60)}


def batches(player: Player, visits: Sequence[Visit], size: int) -> list[dict[str, Any]]:
    """Return the bodies of pushes, signed and chained in advance, without a pull."""
    tablet, bodies = player.tablet, []
    for at in range(0, len(visits), size):
        first, before = tablet.state.seq + 1, tablet.state.chain
        said = []
        for visit in visits[at : at + size]:
            said.append(_said(tablet, evaluation(player, visit)))
        bodies.append(
            {
                "replica": tablet.state.replica,
                "app": "0.1.0",
                "rid": str(uuid4()),
                "push": {"first": first, "prev_chain": before, "mutations": said},
            }
        )
    return bodies


def _said(tablet: reference.Device, args: dict[str, Any]) -> dict[str, Any]:
    state = tablet.state
    said: dict[str, Any] = {
        "seq": state.seq + 1,
        "id": str(new_id()),
        "name": "submit_evaluation",
        "v": 1,
        "at": NOW.isoformat(),
        "args": args,
    }
    body = canonical(said)
    state.seq, state.chain = said["seq"], link(state.chain, body)
    return {**said, "chain": state.chain, "sig": tablet.sign(body)}


def fill(place: builders.County, rows: int) -> None:
    """Fill the register with other people's cases until it holds `rows` visits.

    The filler is written by the database itself; its sealed columns are never opened.
    """
    here = Visit.objects.count()
    if rows <= here:
        return
    model = due(place, place.colleague, 1, VISIT_ON - timedelta(days=3))[0]
    case, resident = model.application, model.application.resident
    wanted, start = rows - here - 1, here
    with transaction.atomic(), connection.cursor() as cursor:
        for row, changed in (
            (resident, {"id": 1, "id_number_index": 1}),
            (case, {"id": 2, "number": 2, "resident_id": 1}),
            (model, {"id": 3, "application_id": 2}),
        ):
            cursor.execute(_copying(row, changed, start, wanted))
    if connection.vendor == "postgresql":  # which does so by itself; SQLite is left as it is used
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def _copying(row: Any, changed: dict[str, int], start: int, wanted: int) -> str:
    """Return the statement that copies a row under as many fresh keys as wanted."""
    meta = row._meta
    lite = connection.vendor == "sqlite"
    columns = [field.column for field in meta.concrete_fields]
    values = [
        _key(changed[name], lite, name in ("id_number_index", "number"))
        if name in changed
        else f"one.{connection.ops.quote_name(name)}"
        for name in columns
    ]
    key = row.pk.hex if lite else str(row.pk)
    table = connection.ops.quote_name(meta.db_table)
    listed = ", ".join(connection.ops.quote_name(name) for name in columns)
    numbers = (
        f"WITH RECURSIVE numbers(n) AS (SELECT {start + 1} UNION ALL SELECT n + 1 FROM numbers "
        f"WHERE n < {start + wanted})"
        if lite
        else f"WITH numbers AS (SELECT generate_series({start + 1}, {start + wanted}) AS n)"
    )
    return (
        f"INSERT INTO {table} ({listed}) {numbers} "
        f"SELECT {', '.join(values)} FROM numbers, {table} AS one WHERE one.id = '{key}'"
    )


def _key(kind: int, lite: bool, is_text: bool) -> str:
    """Return an expression for the key of the n-th row of a kind: 32 hexadecimal digits."""
    digits = f"'0{kind}'" + (
        " || printf('%030x', numbers.n)" if lite else " || lpad(to_hex(numbers.n), 30, '0')"
    )
    if is_text:
        return f"substr({digits}, 13, 20)"
    return f"({digits})" if lite else f"({digits})::uuid"
