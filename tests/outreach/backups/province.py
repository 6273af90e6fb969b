"""One PostgreSQL database with a county in each schema, as its administrator sees it."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from tests.outreach.backups.installation import ROOT, TOOLS


@dataclass(frozen=True)
class Province:
    """One database, entered as its administrator."""

    url: str

    def admits(self, county: str) -> str:
        """Run the recipe that operators run; return the county's own address."""
        given = ("-v", f"county={county}")
        command = [str(TOOLS / "psql"), "-q", self.url, *given, "-f", "deploy/counties/county.sql"]
        # Without a terminal the password, typed twice, is read from what is piped in.
        asked = {"input": b"of the tests\n" * 2, "start_new_session": True}
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, **asked)
        head, _, tail = self.url.partition("://")
        return f"{head}://{county}:of%20the%20tests@{tail.partition('@')[2]}"

    def forgets(self, county: str) -> None:
        """Drop a county's schema and role, as an accident would."""
        with psycopg.connect(self.url) as server:
            name = sql.Identifier(county)
            server.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(name))
            server.execute(sql.SQL("DROP OWNED BY {}").format(name))
            server.execute(sql.SQL("DROP ROLE {}").format(name))

    def counts(self, county: str) -> dict[str, int]:
        """Return the rows of each table of a county."""
        with psycopg.connect(self.url) as server:
            found = {}
            for table in self._tables(server, county):
                asked = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(county, table))
                [(found[table],)] = server.execute(asked).fetchall()
            return found

    @staticmethod
    def _tables(server: psycopg.Connection[Any], county: str) -> list[str]:
        found = server.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [county]
        )
        return [name for (name,) in found.fetchall()]

    def digest(self, county: str) -> str:
        """Return one digest of all rows of all tables of a county."""
        found = hashlib.sha256()
        with psycopg.connect(self.url) as server:
            tables = self._tables(server, county)
            assert len(tables) > 50
            for table in tables:
                rows = server.execute(
                    sql.SQL("SELECT one::text FROM {} one ORDER BY 1").format(
                        sql.Identifier(county, table)
                    )
                ).fetchall()
                found.update(f"{table}: {rows}".encode())
        return found.hexdigest()
