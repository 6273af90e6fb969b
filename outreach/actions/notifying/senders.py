"""How a message leaves the house: printed, laid among the files, or by an SMS gateway over HTTP."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Any, Protocol, TextIO
from urllib.parse import quote, unquote

import httpx
from django.conf import settings

from outreach.files import SENT, SealedStorage, files
from outreach.models.talking import without_secret

PATIENCE_S = 15
#: The gateway says no to us, or not now: a token that ran out, an account without money, a pause.
NOT_OF_THE_MESSAGE = frozenset({401, 402, 403, 404, 407, 408, 425, 429, 503})


class NotSent(Exception):
    """The message was certainly not sent; `is_final` when trying again is of no use."""

    def __init__(self, why: str, *, is_final: bool = False) -> None:
        super().__init__(why)
        self.is_final = is_final


class PerhapsSent(Exception):
    """The answer was lost: the message may have been sent or not."""


class Sender(Protocol):
    """Sends one message; `is_idempotent` when the same key is sent once however often asked."""

    is_idempotent: bool

    def send(self, *, key: str, telephone: str, text: str) -> None:
        """Send, or raise `NotSent` or `PerhapsSent`."""


class Console:
    """Prints messages, the number's end only and no link's secret: services print into a log.

    Nobody is told anything, so none counts as sent.
    """

    is_idempotent = False

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = out or sys.stdout

    def send(self, *, key: str, telephone: str, text: str) -> None:
        """Print the message, and raise `NotSent`."""
        del key
        self.out.write(f"→ …{telephone[-4:]}  {without_secret(text)}\n")
        raise NotSent("no-gateway", is_final=True)


class Shelf:
    """Lays each message among the register's files, sealed; each key lies there once."""

    is_idempotent = True

    def __init__(self, storage: SealedStorage) -> None:
        self.storage = storage

    def send(self, *, key: str, telephone: str, text: str) -> None:
        """Keep the message and have it on the disk."""
        name = self._name(key)
        if self.storage.exists(name):
            return
        line = json.dumps({"key": key, "telephone": telephone, "text": text}, ensure_ascii=False)
        self.storage.put(name, BytesIO(line.encode()).read)

    def lines(self) -> Iterator[str]:
        """Yield what was sent in plain, one JSON object each."""
        for name in self.storage.names(SENT):
            with self.storage.read(name) as file:
                yield file.read().decode()

    def keys(self) -> Iterator[str]:
        """Yield the keys of the messages that lie here."""
        for name in self.storage.names(SENT):
            yield unquote(name.removeprefix(f"{SENT}/").removesuffix(".json"))

    def forget(self, key: str) -> None:
        """Remove a message."""
        self.storage.delete(self._name(key))

    @staticmethod
    def _name(key: str) -> str:
        return f"{SENT}/{quote(key, safe='')}.json"


class Gateway:
    """Posts `{"telephone", "text"}` with an `Idempotency-Key` to an SMS gateway."""

    def __init__(self, url: str, token: str, *, is_idempotent: bool) -> None:
        self.url, self.token, self.is_idempotent = url, token, is_idempotent

    def send(self, *, key: str, telephone: str, text: str) -> None:
        """Post the message; a 2xx answer means that the gateway took it over."""
        headers = {"Idempotency-Key": key}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        said = {"telephone": telephone, "text": text}
        try:
            status = asyncio.run(answered(self.url, PATIENCE_S, json=said, headers=headers))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotSent("no connection to the gateway") from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise PerhapsSent(type(error).__name__) from error
        _check(status)


async def answered(url: str, patience: float, **said: Any) -> int:
    """Post and return the status that comes within the patience; what follows it is not read.

    A time-out of each step alone lets an answer that drips on hold up everybody else.
    """
    connecting = httpx.Timeout(None, connect=0.9 * patience)  # before: then nothing was said
    async with (
        httpx.AsyncClient(timeout=connecting) as client,  # reads whom it trusts first
        asyncio.timeout(patience),
        client.stream("POST", url, **said) as answer,
    ):
        return answer.status_code


def _check(status: int) -> None:
    if status in NOT_OF_THE_MESSAGE:
        raise NotSent(f"the gateway does not take messages now ({status})")
    if status >= 500:
        raise PerhapsSent(f"the gateway failed ({status})")
    if status >= 300:
        raise NotSent(f"the gateway refuses it ({status})", is_final=True)


def of_settings() -> Sender:
    """Return the sender that the settings name."""
    if settings.OUTREACH_SENDER == "file":
        return Shelf(files())
    if settings.OUTREACH_SENDER == "gateway":
        return Gateway(
            settings.OUTREACH_SMS_URL,
            settings.OUTREACH_SMS_TOKEN,
            is_idempotent=settings.OUTREACH_SMS_IDEMPOTENT,
        )
    return Console()
