"""What lets a signature outlive its certificates: time-stamps and the proof that goes with them.

PAdES levels (ETSI EN 319 142-1, 6.3): B is the signature alone; T adds a time-stamp over it; LT
the certificates and revocation lists that prove it; LTA a time-stamp over all of that. B to T is
written into the room of the signature; LT and LTA are appended, which DocMDP P=1 permits (ISO
32000-2, 12.8.2.2.2), so that the signed bytes stay as they were.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from io import BytesIO

import httpx
from asn1crypto import cms, tsp
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.signers.pdf_signer import PdfTimeStamper, TimestampDSSContentSettings
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.timestamps.common_utils import TimestampRequestError, set_tsp_headers
from pyhanko.sign.validation.dss import async_add_validation_info
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import PathError, RevokedError, ValidationError

from certificates.authority import Trust
from certificates.signing import as_asn1

CONTENTS = re.compile(rb"/Contents<([0-9a-f]+)>")
STAMP_ROOM = 2 * 12_288
"""Hexadecimal digits kept for a time-stamp over the document: a token with its chain."""
PROOF_BEFORE_STAMP = TimestampDSSContentSettings(update_before_ts=True, include_vri=False)
"""The time-stamp comes last, so that it covers the entire file."""
TIMEOUT = 10
CLOCKS_APART = timedelta(minutes=10)
"""How far an authority's clock may be from ours: one of both is wrong, and neither is proof."""
REST = 60
"""Seconds for which an authority that did not answer is left in peace."""


class Level(StrEnum):
    """How long a signature can be proven; the kind of a `CertificateFile`."""

    B = "B"
    T = "T"
    LT = "LT"
    LTA = "LTA"


LEVELS = list(Level)


class AuthorityAway(Exception):
    """The time-stamp authority, or who publishes a revocation list, does not answer: try later."""


class ListAway(AuthorityAway):
    """Whoever publishes a revocation list does not: papers of another signer need another list."""


class NotProvable(Exception):
    """The paper cannot be read, or a chain in it not proven; trying again will not help."""


class _Asking(TimeStamper):
    """Asks over HTTP for tokens, and believes one that is over what was asked, and of about now."""

    def __init__(self, url: str, timeout: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.url, self.timeout = url, timeout

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Post a request; the whole answer comes in time, or none does.

        A time-out of each step alone lets one that drips on hold whoever waits.
        """
        try:
            async with (
                httpx.AsyncClient(timeout=None) as client,  # noqa: S113  # the line below is for all
                asyncio.timeout(self.timeout),
            ):
                answer = await client.post(
                    self.url, content=req.dump(), headers=set_tsp_headers({})
                )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TimestampRequestError(type(error).__name__) from error
        if answer.headers.get("Content-Type") != "application/timestamp-reply":
            raise TimestampRequestError(f"answered {answer.status_code}, and no time-stamp")
        return tsp.TimeStampResp.load(answer.content)

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """Return a token over a digest."""
        token = await super().async_timestamp(message_digest, md_algorithm)
        said = token["content"]["encap_content_info"]["content"].parsed
        if said["message_imprint"]["hashed_message"].native != message_digest:
            raise TimestampRequestError("answered for something else")
        apart = abs(said["gen_time"].native - datetime.now(UTC))
        if apart > CLOCKS_APART:
            raise TimestampRequestError(f"its clock and ours are {apart} apart")
        return token


class TimeAuthority:
    """A time-stamp authority (RFC 3161) reached over HTTP, left in peace after a failure."""

    def __init__(self, url: str, timeout: float = TIMEOUT) -> None:
        self.stamper = _Asking(url, timeout)
        self._asleep_until = 0.0

    def token(self, digest: bytes) -> cms.ContentInfo:
        """Return a time-stamp token over a SHA-256, or raise `AuthorityAway`."""
        if time.monotonic() < self._asleep_until:
            raise AuthorityAway("the time-stamp authority did not answer a moment ago")
        try:
            return asyncio.run(self.stamper.async_timestamp(digest, "sha256"))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            self._asleep_until = time.monotonic() + REST
            raise AuthorityAway(f"no time-stamp from {self.stamper.url}: {error}") from error

    def wake(self) -> None:
        """Ask again at the next occasion, whatever happened before."""
        self._asleep_until = 0.0


def stamp(pdf: bytes, authority: TimeAuthority) -> bytes:
    """Raise a signed paper from B to T, within the room that its signature was given.

    The token stands in the unsigned attributes (RFC 3161, appendix A; ETSI EN 319 122-1, 5.3).
    """
    found = CONTENTS.search(pdf)
    assert found is not None, "only signed papers are stamped"
    envelope = cms.ContentInfo.load(bytes.fromhex(found[1].decode()))
    (info,) = envelope["content"]["signer_infos"]
    token = authority.token(sha256(info["signature"].native).digest())
    attribute = {"type": "signature_time_stamp_token", "values": [token]}
    info["unsigned_attrs"] = cms.CMSAttributes([cms.CMSAttribute(attribute)])
    value: bytes = envelope.dump().hex().encode()
    start, end = found.span(1)
    if len(value) > end - start:
        raise NotProvable("the time-stamp is larger than the room kept for it")
    return pdf[:start] + value.ljust(end - start, b"0") + pdf[end:]


def extend(
    pdf: bytes,
    trust: Trust,
    lists: Sequence[bytes],
    authority: TimeAuthority | None,
    *,
    at: datetime,
) -> bytes:
    """Raise a stamped paper to LT or, with an authority, to LTA by appending the proof.

    `lists` are revocation lists (DER) known already; others are fetched where the certificates
    say. Nothing is appended unless every certificate of the chains is shown to be unrevoked.
    """
    context = ValidationContext(
        trust_roots=[as_asn1(one) for one in (*trust.roots, *trust.time_roots)],
        crls=list(lists),
        allow_fetching=True,
        revocation_mode="require",
        moment=at,
    )
    return _run(_extend(pdf, context, authority))


def _run(steps: object) -> bytes:
    try:
        return asyncio.run(steps)  # type: ignore[arg-type]
    except (RevokedError, PathError) as error:
        raise NotProvable(str(error)) from error
    except ValidationError as error:
        raise ListAway(str(error) or type(error).__name__) from error
    except OSError as error:
        raise AuthorityAway(str(error) or type(error).__name__) from error


async def _extend(pdf: bytes, context: ValidationContext, authority: TimeAuthority | None) -> bytes:
    try:
        reader = PdfFileReader(BytesIO(pdf))
        stamps = reader.embedded_timestamp_signatures
        last = stamps[-1] if stamps else reader.embedded_regular_signatures[0]
        out = BytesIO()
        await async_add_validation_info(last, context, output=out)
        if authority is not None:
            writer = IncrementalPdfFileWriter(out)
            stamper = PdfTimeStamper(authority.stamper)
            await stamper.async_timestamp_pdf(
                writer,
                "sha256",
                context,
                bytes_reserved=STAMP_ROOM,
                in_place=True,
                dss_settings=PROOF_BEFORE_STAMP,
            )
        return out.getvalue()
    finally:
        await context.aclose()  # type: ignore[no-untyped-call]
