"""Counties in one PostgreSQL, each in a schema of its own: they share nothing but the server."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from outreach.checks import check_schema
from tests.outreach.backups.installation import ROOT, TOOLS, Installation, another_database
from tests.outreach.backups.province import Province

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no schemas: a county is a file there"
)
#: What goes on beside a server, day and night, and before it starts.
COMMANDS = ("migrate", "notify", "issue_batches", "settle_certificates", "verify_audit")
BESIDE = f"""
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "outreach.settings"
django.setup()
from django.core.management import call_command
for name in {COMMANDS}:
    call_command(name)
"""


@pytest.fixture(scope="module")
def province() -> Province:
    return Province(another_database())


@pytest.fixture(scope="module")
def counties(
    province: Province, key: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Installation]]:
    """Two counties at work: each with a certificate, photos and open visits."""
    named = [f"county_{uuid4().hex[:8]}" for _ in range(2)]
    made = {}
    for name in named:
        folder = tmp_path_factory.mktemp(name)
        made[name] = Installation(folder, key[1], province.admits(name))
        made[name].run("-m", "tests.e2e.preparing", "cases")
    yield made
    for name in named:
        province.forgets(name)


def test_a_county_may_not_even_ask_for_anothers_rows(counties: dict[str, Installation]) -> None:
    ours, other = counties
    with psycopg.connect(counties[ours].database_url) as server:
        assert server.execute("SELECT count(*) > 0 FROM outreach_application").fetchone() == (True,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            server.execute(
                sql.SQL("SELECT 1 FROM {}").format(sql.Identifier(other, "outreach_application"))
            )


def test_what_is_done_in_one_county_leaves_the_other_as_it_was(
    province: Province, counties: dict[str, Installation]
) -> None:
    ours, other = counties
    before, theirs = province.digest(ours), province.digest(other)
    counties[ours].run("-c", BESIDE)
    assert province.digest(ours) != before
    assert province.digest(other) == theirs


def test_a_county_works_on_while_every_table_of_another_is_locked(
    province: Province, counties: dict[str, Installation]
) -> None:
    ours, other = counties
    patience = counties[ours].database_url + (
        "&" if "?" in counties[ours].database_url else "?"
    ) + "options=-c%20lock_timeout%3D2s"  # fmt: skip
    with psycopg.connect(province.url) as server:
        tables = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [other])
        names = [sql.Identifier(other, name) for (name,) in tables.fetchall()]
        server.execute(
            sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.SQL(", ").join(names))
        )
        counties[ours].run("-c", BESIDE, DATABASE_URL=patience)


def test_a_county_is_restored_by_its_own_role_and_the_other_stays_as_it_is(
    province: Province, counties: dict[str, Installation], key: tuple[Path, str], tmp_path: Path
) -> None:
    ours, other = counties
    worked, theirs = province.counts(ours), province.digest(other)
    counties[ours].manage("backup", str(tmp_path / "backups"))
    (backup,) = (tmp_path / "backups").iterdir()
    restore = ("restore", str(backup), "--identity", str(key[0]))

    province.forgets(ours)
    third = f"county_{uuid4().hex[:8]}"
    again = Installation(tmp_path / "again", "", province.admits(ours))
    told = again.manage(*restore, code=1, DATABASE_URL=province.admits(third))
    assert f"It holds the schema {ours}, and DATABASE_URL works in {third}." in told
    assert "run-a-province.md" in told
    province.forgets(third)
    again.manage(*restore)
    lives = worked["mobile_api_epoch"]
    # The next list of ended certificates is numbered, whether or not there was one before.
    since = {"mobile_api_epoch": lives + 1, "certificates_revocationlist": 1}
    assert province.counts(ours) == worked | since
    again.run("-c", BESIDE)
    assert province.digest(other) == theirs


def test_the_provinces_sums_name_every_county(
    province: Province, counties: dict[str, Installation]
) -> None:
    command = [str(TOOLS / "psql"), "-qAt", province.url, "-f", "deploy/counties/province.sql"]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    # Each has three cases: with a certificate, with a visit of today, without one.
    assert sorted(told.split()) == sorted(f"{name}|3|1|1" for name in counties)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("public", []),
        ("a_new_one", []),
        ("a_new_one, public", ["outreach.E013"]),
        ("none_such", ["outreach.E012"]),
    ],
)
def test_a_role_that_sees_two_registers_is_stopped_before_it_takes_one_for_its_own(
    path: str, found: list[str]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA a_new_one")
        cursor.execute(f"SET LOCAL search_path = {path}")
    assert [one.id for one in check_schema(databases=["default"])] == found
