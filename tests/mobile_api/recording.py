"""Writes down what the tablet of a release says, byte by byte, and what it hears.

Run as `python -m tests.mobile_api.recording 0.2.0` when a release is made: the tablet's own engine,
in Node, talks to the server of the same release. `test_released_versions.py` replays the file for
as long as a tablet of that release may be in somebody's hands.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from tests.tablet_checks import NODE, TABLET

CONVERSATIONS = Path(__file__).parent / "conversations"
#: Headers without which a request would not be understood as it was.
HEADERS = ("Content-Type", "Content-Encoding", "Authorization", "Tus-Resumable", "Upload-Length")
HEADERS += ("Upload-Metadata", "Upload-Offset", "Upload-Checksum")
ANSWERED = ("Content-Type", "Location", "Tus-Resumable", "Upload-Offset")
VISITS, PICTURES = 5, 9


def main() -> int:
    """Read the version, let the two tablets talk, and write the conversation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version")
    chosen = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        told = _record(Path(folder))
    CONVERSATIONS.mkdir(exist_ok=True)
    file = CONVERSATIONS / f"{chosen.version}.json"
    file.write_text(_written({"version": chosen.version, **told}), encoding="utf-8")
    print(f"{file}: {len(told['exchanges'])} exchanges")
    return 0


def _written(told: dict[str, Any]) -> str:
    """Return the conversation as JSON with one exchange a line."""
    lines = [json.dumps(one, ensure_ascii=False) for one in told.pop("exchanges")]
    head = json.dumps(told, ensure_ascii=False, indent=1).removesuffix("\n}")
    return head + ',\n "exchanges": [\n' + ",\n".join(lines) + "\n]}\n"


def _record(folder: Path) -> dict[str, Any]:
    from django.core.wsgi import get_wsgi_application
    from django.db import connection

    connection.settings_dict["TEST"]["NAME"] = str(folder / "db.sqlite3")
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    world, codes = _begin(folder)
    heard: list[dict[str, Any]] = []
    server = make_server("127.0.0.1", 0, _listening(get_wsgi_application(), heard), _Server, _Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        _talk(server.server_port, codes, world["nominate"])
    finally:
        server.shutdown()
    return {"world": world, "exchanges": heard}


def _begin(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Build the county whose tablets talk; return what a replay must build again, and the codes."""
    from django.conf import settings

    from mobile_api.devices import make_code
    from outreach import clock
    from tests import builders

    settings.OUTREACH_FILES, settings.OUTREACH_KEYS_DIR = folder / "files", folder / "keys"
    _make_keys(folder / "keys")
    at = datetime.combine(builders.VISIT_ON, time(10), builders.SHANGHAI)
    clock.advance_to(at)
    place = builders.county()
    visits = builders.scheduled(place, VISITS)
    nominate: dict[str, Any] = {
        "resident": {"name": "钱小河", "id_number": builders.id_number(date(1937, 7, 19))},
        "village": place.village.code,
        "categories": ["hearing"],
        "consent": {"by": "resident", "name": "钱小河"},
    }
    if _takes("nominate", 2):
        nominate["paper_photos"] = True
    if _takes("nominate", 3):
        guardian = {"name": "钱大河", "relation": "child", "telephone": "13911112222"}
        nominate["guardian"] = guardian
    codes = [
        make_code(user, by=place.administrator, at=at) for user in (place.assessor, place.liaison)
    ]
    world = {
        "at": at.isoformat(),
        "visits": sorted(str(visit.pk) for visit in visits),
        "colleague": str(place.colleague.pk),
        "codes": codes,
        "nominate": nominate,
    }
    return world, codes


def _make_keys(folder: Path) -> None:
    """Make the keys of receipts and hand-ins, where the release has such."""
    try:
        from mobile_api.federation import FederationKeys
        from mobile_api.receipts import ReceiptKeys
    except ImportError:
        return
    FederationKeys(folder).create()
    ReceiptKeys(folder).create()


def _takes(name: str, version: int) -> bool:
    from mobile_api.mutators import MUTATORS
    from mobile_api.upcasting import UPCASTERS

    return (name, version) in (MUTATORS.keys() | UPCASTERS.keys())


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def _listening(application: Any, heard: list[dict[str, Any]]) -> Callable[..., Iterable[bytes]]:
    """Return the service with an ear: every request and its answer goes into `heard`."""

    def serve(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        begun: list[Any] = []
        parts = application(
            {**environ, "wsgi.input": BytesIO(body)}, lambda *given: begun.extend(given)
        )
        answer = b"".join(parts)
        start(begun[0], begun[1])
        sent = {name: _header(environ, name) for name in HEADERS}
        # Whose the token is is what a replay knows by itself; the token is nobody's business.
        sent["Authorization"] = sent["Authorization"] and "Bearer"
        told = {name: value for name, value in begun[1] if name in ANSWERED}
        heard.append(
            {
                "method": environ["REQUEST_METHOD"],
                "path": environ["PATH_INFO"],
                "headers": {name: value for name, value in sent.items() if value},
                "body": _spelled(body),
                "status": int(begun[0].split()[0]),
                "answered": told,
                "answer": shortened(json.loads(answer)) if answer[:1] == b"{" else None,
            }
        )
        return [answer]

    return serve


def _header(environ: dict[str, Any], name: str) -> str:
    key = name.upper().replace("-", "_")
    return str(environ.get(key if key == "CONTENT_TYPE" else f"HTTP_{key}", ""))


def _spelled(body: bytes) -> str | dict[str, str]:
    """Return a body as text, byte by byte the same, or as base64 where it is none."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def shortened(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with one row of each kind: the shape is what a tablet relies on."""
    if "token" in answer:
        return {**answer, "token": "not written down"}
    page = answer.get("pull")
    if not page:
        return answer
    kinds = {row["k"].partition("/")[0]: row for row in page["puts"]}
    return {**answer, "pull": {**page, "puts": list(kinds.values())}}


def _talk(port: int, codes: list[str], nominate: dict[str, Any]) -> None:
    from tests.mobile_api.uploading import jpeg

    pictures = [base64.b64encode(jpeg(16, 16, seed=seed)).decode() for seed in range(PICTURES)]
    environment = {
        **os.environ,
        "OUTREACH_LINE": f"http://127.0.0.1:{port}",
        "OUTREACH_CODES": ",".join(codes),
        "OUTREACH_PICTURES": ",".join(pictures),
        "OUTREACH_NOMINATE": json.dumps(nominate),
    }
    vitest = "node_modules/vitest/vitest.mjs"
    command = [str(NODE), vitest, "run", "--config", "vitest.record.config.ts"]
    done = subprocess.run(command, cwd=TABLET, env=environment, check=False)
    if done.returncode:
        sys.exit("the tablets did not come to an end: nothing is written")


if __name__ == "__main__":
    raise SystemExit(main())
