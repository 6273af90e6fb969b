"""A keep-alive line to the server that costs the client little."""

from __future__ import annotations

import gzip
import json
import time
from http.client import HTTPConnection
from typing import Any


class Line:
    """One connection of one tablet, or of one after another."""

    def __init__(self, port: int, token: str = "") -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=120)
        self.token = token
        self.busy = 0

    def send(
        self, method: str, where: str, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request and return status, headers and body."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        told["Authorization"] = f"Bearer {self.token}"
        self._connection.request(method, where, body, told)
        answer = self._connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()

    def sync(self, body: bytes) -> dict[str, Any]:
        """Post a body that `packed` made and return the answer; only "busy" is tried again."""
        kind = {"Content_Type": "application/json", "Content_Encoding": "gzip"}
        status, _, told = self.send("POST", "/api/v1/sync", body, **kind)
        while status == 503:
            self.busy += 1
            time.sleep(0.5)
            status, _, told = self.send("POST", "/api/v1/sync", body, **kind)
        if status != 200:
            raise RuntimeError(f"{status}: {told[:300]!r}")
        answer: dict[str, Any] = json.loads(told)
        return answer

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def packed(body: dict[str, Any]) -> bytes:
    """Return a body as tablets send it."""
    return gzip.compress(json.dumps(body).encode(), 1)
