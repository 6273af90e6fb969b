"""Somebody at a desk without a screen: signs in and sends the same forms that a browser sends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpx

Fields = dict[str, Any]


class OfficeRefused(Exception):
    """The desk refused a form; `code` names the rule."""

    def __init__(self, path: str, response: httpx.Response) -> None:
        self.code = response.headers.get("X-Refusal", "")
        super().__init__(f"{path}: {response.status_code} {self.code}")


class Office:
    """One signed-in person."""

    def __init__(
        self,
        base_url: str,
        username: str,
        password: str,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.client = httpx.Client(base_url=base_url, timeout=120, transport=transport)
        try:
            self.client.get("/sign-in/").raise_for_status()
            self.post("/sign-in/", {"username": username, "password": password})
        except BaseException:
            self.client.close()
            raise

    def post(self, path: str, fields: Fields) -> httpx.Response:
        """Send a form; a list is sent as repeated fields. Raises `OfficeRefused`."""
        token = self.client.cookies.get("csrftoken", "")
        answer = self.client.post(path, data={**fields, "csrfmiddlewaretoken": token})
        if answer.status_code not in {200, 302, 303} or (
            path == "/sign-in/" and answer.status_code == 200
        ):
            raise OfficeRefused(path, answer)
        return answer

    def take(self, path: str, ids: Iterable[Any], **fields: Any) -> None:
        """Take a step with many cases at once; with none there is nothing to send."""
        wanted = [str(one) for one in ids]
        if wanted:
            self.post(path, {"ids": wanted, **fields})

    def close(self) -> None:
        """Sign out and hang up."""
        self.post("/sign-out/", {})
        self.client.close()
