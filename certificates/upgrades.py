"""Papers that will still be provable when their certificates have expired: one version more."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from certificates import archiving, second_signatures, storage
from certificates.archiving import (
    LEVELS,
    AuthorityAway,
    Level,
    ListAway,
    NotProvable,
    TimeAuthority,
)
from certificates.authority import Trust, load_trust
from certificates.founding import revocation_list
from certificates.models import Certificate, CertificateFile
from outreach.actions.audit import record

log = logging.getLogger(__name__)
WAITS = (1.0, 4.0)
"""Seconds between the tries for one paper, while the authority is away."""
PATIENCE_S = 10.0
"""Seconds that the time-stamps of papers made together may take: somebody waits for the page."""


class NoTimeAuthority(Exception):
    """No time-stamp authority is configured: set OUTREACH_TSA_URL."""


@dataclass(frozen=True)
class Failed:
    """A paper that stays as it is, and why; `is_passing` when another try may help."""

    file: CertificateFile
    why: str
    is_passing: bool


def time_authority() -> TimeAuthority | None:
    """Return the authority of the settings, kept open, or None where there is none."""
    return _authority(settings.OUTREACH_TSA_URL) if settings.OUTREACH_TSA_URL else None


@lru_cache(maxsize=2)
def _authority(url: str) -> TimeAuthority:
    return TimeAuthority(url)


def stamping() -> Callable[[bytes], tuple[bytes, Level]]:
    """Return what stamps papers made together, where an authority is configured and answers.

    Issuing never waits for one that is away, nor long for one that is slow: what stays at B is
    raised later, by the server's upkeep or `manage.py upgrade_certificates`.
    """
    authority, until = time_authority(), time.monotonic() + PATIENCE_S

    def stamped(pdf: bytes) -> tuple[bytes, Level]:
        if authority is None or time.monotonic() > until:
            return pdf, Level.B
        try:
            return archiving.stamp(pdf, authority), Level.T
        except (AuthorityAway, NotProvable) as error:
            log.warning("A certificate stays without time-stamp for now: %s.", error)
            return pdf, Level.B

    return stamped


def waiting(to: Level, stamped_before: datetime | None = None) -> QuerySet[CertificateFile]:
    """List the newest files of living certificates that stand below a level.

    With `stamped_before` also those that reached LTA before then: their last time-stamp is to be
    covered by another while it can still be proven.
    """
    newest = CertificateFile.objects.filter(certificate=OuterRef("certificate"))
    files = CertificateFile.objects.filter(
        certificate__in=Certificate.objects.living(),
        version=Subquery(newest.order_by("-version").values("version")[:1]),
    ).select_related("certificate__application")
    below = files.filter(kind__in=LEVELS[: LEVELS.index(to)])
    if stamped_before is not None:
        below = below | files.filter(kind=Level.LTA, made_at__lt=stamped_before)
    return below.order_by("made_at", "pk")


def upgrade(
    files: QuerySet[CertificateFile], to: Level, *, at: datetime
) -> Iterator[CertificateFile | Failed]:
    """Raise papers one by one; yield each new version, or why a paper stays as it is.

    The work ends with the first paper for which an authority stays away after all tries: what is
    left waits for the next run. One whose revocation list cannot be fetched holds up none behind
    it. Nothing that was issued is changed: a version is added.
    """
    authority = time_authority()
    if authority is None:
        raise NoTimeAuthority
    trust = load_trust(settings.OUTREACH_KEYS_DIR)
    for file in files:
        try:
            yield _upgrade(file, to, authority, trust, at)
        except NotProvable as error:
            yield Failed(file, str(error), is_passing=False)
        except AuthorityAway as error:
            yield Failed(file, str(error), is_passing=True)
            if not isinstance(error, ListAway):
                return


def _upgrade(
    file: CertificateFile, to: Level, authority: TimeAuthority, trust: Trust, at: datetime
) -> CertificateFile:
    pdf = _read(file)
    for wait in (*WAITS, None):
        try:
            raised, level = _raise(pdf, Level(file.kind), to, authority, trust)
            return _enter(file, raised, level, at)
        except AuthorityAway as error:
            if wait is None or isinstance(error, ListAway):
                raise
            time.sleep(wait)
            authority.wake()
    raise AssertionError


def _read(file: CertificateFile) -> bytes:
    """Return a paper; one that is lost or damaged holds up none behind it."""
    try:
        with storage.open_kept(file.path) as kept:
            return kept.read()
    except storage.GONE as error:
        raise NotProvable(f"{file.path} cannot be read: {error}") from error


def _raise(
    pdf: bytes, standing: Level, to: Level, authority: TimeAuthority, trust: Trust
) -> tuple[bytes, Level]:
    if standing == Level.B:
        pdf, standing = archiving.stamp(pdf, authority), Level.T
    if to == Level.T:
        return pdf, standing
    now = timezone.now()  # never simulated: lists and time-stamps are of the real day
    lists = _lists(settings.OUTREACH_KEYS_DIR, now)
    chosen = authority if to == Level.LTA else None
    return archiving.extend(pdf, trust, lists, chosen, at=now), to


def _lists(folder: Path, at: datetime) -> list[bytes]:
    """Return the local root's list, signed now, and those that the office put in the folder."""
    own = revocation_list(folder, at=at)
    return ([own] if own else []) + [file.read_bytes() for file in sorted(folder.glob("*.crl.der"))]


def _enter(file: CertificateFile, pdf: bytes, level: Level, at: datetime) -> CertificateFile:
    """Add a version, unless another run added one meanwhile: then that one stands."""
    made = CertificateFile(
        certificate=file.certificate,
        version=file.version + 1,
        kind=level,
        sha256=hashlib.sha256(pdf).hexdigest(),
        size=len(pdf),
        path=storage.keep(pdf),
        made_at=at,
    )
    with transaction.atomic():
        Certificate.objects.select_for_update().get(pk=file.certificate_id)
        found = CertificateFile.objects.filter(
            certificate=file.certificate_id, version__gt=file.version
        ).first()
        if found is not None:
            return found
        made.save(force_insert=True)
        detail = {"level": level, "version": made.version}
        record("certificate.upgrade", [file.certificate], by=None, at=at, detail=detail)
    second_signatures.add([made])
    return made
