"""What a tablet hears is packed (gzip) for lines on which a page of rows takes seconds."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

_BELOW = "/api/v1/"
#: What is shorter fits into one packet as it is.
WORTH_PACKING = 1_200
#: A page of rows shrinks to a fifth in a millisecond; more effort costs more than it saves.
LEVEL = 3
_WEIGHED = re.compile(
    r"\s*([^\s;]+)\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?", re.IGNORECASE
)


def answers_packed(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Pack the API's longer answers for whoever says that it can unpack them.

    Nothing that a stranger chose is answered beside a secret here, and no cookie opens the API, so
    that the length of an answer gives nothing away (BREACH).
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not request.path.startswith(_BELOW) or response.streaming:
            return response
        patch_vary_headers(response, ("Accept-Encoding",))
        if _is_worth_it(response) and takes_gzip(request.headers.get("Accept-Encoding", "")):
            response.content = gzip.compress(response.content, LEVEL, mtime=0)
            response["Content-Encoding"] = "gzip"
            response["Content-Length"] = str(len(response.content))
        return response

    return middleware


def takes_gzip(accepted: str) -> bool:
    """Tell whether an Accept-Encoding takes gzip, and likes it no less than what is not packed.

    RFC 9110, 12.4.2 and 12.5.3: a weight of 0 is a no, and `*` is any coding that is not named.
    What cannot be read counts as not said.
    """
    said = filter(None, map(_WEIGHED.fullmatch, accepted.split(",")))
    weights = {each[1].lower(): float(each[2] or 1) for each in said}
    weight = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return weight > 0 and weight >= weights.get("identity", 0)


def _is_worth_it(response: HttpResponse) -> bool:
    """Tell whether an answer is long; a problem, which may repeat what was sent, goes as it is."""
    if response.status_code >= 400:
        return False
    return len(response.content) >= WORTH_PACKING and "Content-Encoding" not in response
