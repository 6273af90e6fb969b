"""The whole database of a case that tablets and office worked on, searched for what is sealed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from outreach import clock
from outreach.models.ids import new_id
from tests import builders
from tests.mobile_api.talking import ON_THE_DAY, enrolled, evaluation_args

pytestmark = pytest.mark.django_db


def everything() -> bytes:
    """Return every value of every table, as the database holds it."""
    kept = bytearray()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                for value in row:
                    kept += value if isinstance(value, bytes) else _plain(value)
                    kept += b"\n"
    return bytes(kept)


def _plain(value: Any) -> bytes:
    return bytes(value) if isinstance(value, memoryview) else str(value).encode()


def test_no_number_telephone_address_diagnosis_or_finding_is_kept_in_clear(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    clock.advance_to(ON_THE_DAY)
    place = builders.county()
    tablet = enrolled(place, tmp_path)
    [visit] = builders.scheduled(place)
    said = {"remark": "左腿三年前截去"}
    args = evaluation_args(str(visit.pk), str(place.colleague.pk), **said)
    tablet.say("submit_evaluation", args, ON_THE_DAY)
    person = {"name": "孙长河", "id_number": builders.id_number(), "telephone": "13612345678"}
    nomination = {
        "application": str(new_id()),
        "village": place.village.code,
        "categories": ["physical"],
        "resident": person,
    }
    tablet.say("nominate", nomination, ON_THE_DAY)
    home = {"telephone": "13912345679", "address": "过桥右手第二家"}
    seen = {"telephone": "", "address": ""}
    contact = {"application": str(visit.application_id), "to": home, "seen": seen}
    tablet.say("correct_contact", contact, ON_THE_DAY)
    tablet.sync()
    secrets = [
        *home.values(),
        visit.application.resident.id_number,
        person["id_number"],
        person["telephone"],
        "13900000000",
        "13800000000",
        "任家祠村一组",
        "下肢缺失",
        "左腿三年前截去",
        '"1g"',
        tablet.state.token,
    ]
    held, written = everything(), "".join(capfd.readouterr())
    assert [secret for secret in secrets if secret.encode() in held] == []
    assert [secret for secret in secrets if secret in written] == []
    assert "孙长河".encode() in held  # names stand in clear, and the search does search
