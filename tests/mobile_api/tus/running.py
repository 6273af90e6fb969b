"""The uploads behind the real web server, in a process of its own that can be killed.

As a program's WSGI application this module serves below `OUTREACH_TEST_ROOT`, with stand-ins
for the tokens and the register and with the real look at the pictures.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

from django.http import HttpRequest

BASE = Path(__file__).resolve().parents[3]


@dataclass
class Service:
    """Starts the server on one port, kills it, and starts it again."""

    root: Path
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self.port = self.port or _free_port()
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
        command += ["--port", str(self.port), "--workers", "1", "--blocking-threads", "8"]
        log = (self.root / "server.log").open("ab")
        self._process = subprocess.Popen(
            [*command, "tests.mobile_api.tus.running:application"],
            env={**os.environ, "OUTREACH_TEST_ROOT": str(self.root), "PYTHONPATH": str(BASE)},
            cwd=BASE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        self._wait_until_it_answers()

    def kill(self) -> None:
        """Kill the server with its workers at once (SIGKILL)."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("OPTIONS", "/uploads/")
                if connection.getresponse().status == 204:
                    return
            except OSError:
                time.sleep(0.05)
            finally:
                connection.close()
        raise TimeoutError((self.root / "server.log").read_text())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _owner(request: HttpRequest) -> str:
    return request.headers.get("Authorization", "")


def _application() -> object:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.utils import timezone

    settings.ROOT_URLCONF = "tests.mobile_api.tus.running"
    settings.MIDDLEWARE = []
    django.setup()
    from mobile_api.photos import PictureReceiver
    from mobile_api.tus.store import Store
    from mobile_api.tus.views import Uploads, upload_urls

    class Receiver(PictureReceiver):
        def register(self, sha256: str, opening: object, found: object = None) -> None:
            with (root / "register").open("a") as register:
                register.write(f"{sha256}\n")

    root = Path(os.environ["OUTREACH_TEST_ROOT"])
    uploads = Uploads(
        Store(root),
        Receiver(50_000_000, timezone.now),
        _owner,
        timezone.now,
        12 * 1024 * 1024,
        timedelta(hours=72),
    )
    urlpatterns.extend(upload_urls(lambda: uploads))
    return get_wsgi_application()


urlpatterns: list[object] = []
application = _application() if "OUTREACH_TEST_ROOT" in os.environ else None
