"""How often a stranger may ask: by their address, and about one number whoever asks.

Counted in each process, or with OUTREACH_COUNTS=database for all web processes together.
"""

from __future__ import annotations

from copy import copy

from django.http import HttpRequest
from ninja.throttling import AnonRateThrottle

from outreach.actions.holding import counting
from outreach.domain.addresses import line_of
from outreach.models.sealed import blind_index


class OneByOne(AnonRateThrottle):
    """Counts those that come in one moment, too: many at once are no more than few."""

    def get_ident(self, request: HttpRequest) -> str:
        """Name the line of who asks: many addresses of one are no more than one."""
        return line_of(super().get_ident(request) or "")

    def allow_request(self, request: HttpRequest) -> bool:
        """Count one more and tell whether it may be."""
        asked = copy(self)  # an operation of the API has one for all threads
        with counting(self.get_cache_key(request) or ""):
            may = super(OneByOne, asked).allow_request(request)
        vars(self).update(vars(asked))  # to tell for how long to wait
        return may


class Files(OneByOne):
    """Files and QR codes: nothing can be guessed with them, but each costs the server work."""

    scope = "check-files"
    RATE = "30/m"


class Numbers(OneByOne):
    """Numbers can be guessed: few a minute from one address."""

    scope = "check-numbers"
    RATE = "10/m"


class OneNumber(OneByOne):
    """One number may be asked about a few times a day, whoever asks."""

    scope = "check-one-number"
    RATE = "20/d"

    def __init__(self, number: str) -> None:
        super().__init__(self.RATE)
        self.number = number

    def get_cache_key(self, request: HttpRequest) -> str | None:  # noqa: ARG002
        """Name the number by its fingerprint: the cache holds no ID number."""
        return f"throttle_{self.scope}_{blind_index(self.number, 'certificate')}"


def may_ask(request: HttpRequest) -> bool:
    """Tell whether this stranger may ask about another file."""
    return Files(Files.RATE).allow_request(request)


def may_ask_number(request: HttpRequest, number: str) -> bool:
    """Tell whether this stranger may ask about another number, and anybody about this one."""
    return Numbers(Numbers.RATE).allow_request(request) and OneNumber(number).allow_request(request)
