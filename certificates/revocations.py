"""The signed list of certificates that are not valid, for those who check without network.

A COSE_Sign1 (RFC 9052) over CBOR, by the key that signs the QR codes: issuer, number of the
list, when it was signed, and for every certificate that is not valid its opaque id and a digit
for why. It names nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from certificates.authority import AuthorityMissing, AuthorityUnsound, load_signer
from certificates.credential import (
    MalformedCredential,
    Verify,
    key_of,
    open_message,
    write_message,
)
from certificates.keys import KeyUnusable
from certificates.models import Certificate, RevocationList
from certificates.steps import CertificateState
from outreach.files import lines

CONTENT_TYPE = "application/vnd.outreach.revocations+cbor"
ISSUER, SIGNED_AT, NUMBER, ENTRIES = 1, 6, -65539, -65538
CODES = {
    CertificateState.FROZEN: 1,
    CertificateState.LOST: 2,
    CertificateState.REPLACED: 3,
    CertificateState.MOVED: 4,
    CertificateState.CANCELLED: 5,
}
STATES = {code: state for state, code in CODES.items()}
SIGNED_AGAIN_AFTER = timedelta(hours=12)
"""An unchanged list is signed again by then, so that its age says how old the knowledge is."""

UNUSABLE = (AuthorityUnsound, KeyUnusable)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Revocations:
    """What a verified list says."""

    issuer: str
    number: int
    signed_at: datetime
    states: Mapping[UUID, CertificateState]


def note_change(changed: Iterable[Certificate], state: str) -> None:
    """Note in the transaction what certificates are since; publish the list when it committed."""
    count_on(0)
    ids = [str(one.pk) for one in changed]
    transaction.on_commit(partial(_outlast, ids, state))
    transaction.on_commit(partial(_publish_if_possible))


def count_on(number: int) -> None:
    """Give the next list a number above this one, and above that of the last one."""
    RevocationList.objects.get_or_create(pk=1)
    last = Greatest(F("revision"), Value(number))
    RevocationList.objects.filter(pk=1).update(revision=last + 1)


def _outlast(ids: list[str], state: str) -> None:
    """Append what certificates are to the file that outlasts the database; it names nobody.

    A disk that is full or gone keeps nobody from the step: it is logged.
    """
    number = RevocationList.objects.values_list("revision", flat=True).get(pk=1)
    said = {"certificates": ids, "state": state, "list": number}
    lines.note(settings.OUTREACH_REVOCATIONS, said, f"what became of certificates {ids}")


def outlasted() -> tuple[dict[UUID, CertificateState], int]:
    """Return how those stand that the file knows as not valid, and the number of the last list."""
    states: dict[UUID, CertificateState] = {}
    number = 0
    for said in lines.read(settings.OUTREACH_REVOCATIONS):
        if "certificates" in said:
            try:
                state = CertificateState(said["state"])
                states |= {UUID(pk): state for pk in said["certificates"]}
                number = max(number, int(said["list"]))
            except (ValueError, KeyError, TypeError, AttributeError):
                log.warning("a line of %s cannot be read", settings.OUTREACH_REVOCATIONS)
    return {pk: state for pk, state in states.items() if state in CODES}, number


def note_restore(ended: Mapping[UUID, CertificateState], at: datetime) -> None:
    """Note that the register went back, and which papers it does not know that are not valid.

    The next list names these as well: devices without a network would believe them again.
    """
    row, _made = RevocationList.objects.get_or_create(pk=1)
    unknown = {**row.unknown, **{str(pk): state for pk, state in ended.items()}}
    RevocationList.objects.filter(pk=1).update(restored_at=at, unknown=unknown)


def forgotten() -> dict[UUID, CertificateState] | None:
    """Return how papers stand that a restore forgot, as far as known; None where there was none."""
    row = RevocationList.objects.exclude(restored_at=None).first()
    if row is None:
        return None
    return {UUID(pk): CertificateState(state) for pk, state in row.unknown.items()}


def _publish_if_possible() -> None:
    try:
        published()
    except (AuthorityMissing, *UNUSABLE) as error:
        log.warning("The revocation list waits to be signed: %s.", error)


def published() -> bytes:
    """Return the signed list as it stands, signed again where it changed or grew old.

    While the key cannot be used the list signed before is returned: it says how old it is.
    Raises `AuthorityMissing` where there is no key, and what is the matter with it where there is
    no list yet.
    """
    now = timezone.localtime()  # never simulated, as for signatures
    row, _made = RevocationList.objects.get_or_create(pk=1)
    age = now - row.signed_at if row.signed_at is not None else SIGNED_AGAIN_AFTER
    is_fresh = timedelta() <= age < SIGNED_AGAIN_AFTER  # not of a day to come: the clock was wrong
    if is_fresh and row.signed_revision == row.revision and not _is_by_a_former_key(row):
        return bytes(row.body)
    with transaction.atomic():
        row = RevocationList.objects.select_for_update().get(pk=1)
        try:
            body = _sign(row.revision, now)
        except UNUSABLE:
            if not row.body:
                raise
            log.exception("The revocation list is out of date: it cannot be signed.")
            return bytes(row.body)
        RevocationList.objects.filter(pk=1).update(
            body=body, signed_revision=row.revision, signed_at=now
        )
    return body


def _is_by_a_former_key(row: RevocationList) -> bool:
    """Tell whether another key signs now: where the former was stolen nobody believes its list."""
    try:
        key = load_signer(settings.OUTREACH_KEYS_DIR).credential
    except (AuthorityMissing, *UNUSABLE):
        return False
    return key_of(bytes(row.body)) != key.key_id


def _sign(number: int, at: datetime) -> bytes:
    rows = Certificate.objects.filter(state__in=CODES).order_by("pk").values_list("pk", "state")
    found = [*rows, *(forgotten() or {}).items()]
    entries = [[pk.bytes, CODES[CertificateState(state)]] for pk, state in found]
    claims = {
        ISSUER: settings.OUTREACH_ISSUER,
        SIGNED_AT: int(at.timestamp()),
        ENTRIES: entries,
        NUMBER: number,
    }
    key = load_signer(settings.OUTREACH_KEYS_DIR).credential
    return write_message(claims, key, content_type=CONTENT_TYPE)


def read_list(message: bytes, keys: Mapping[bytes, Verify]) -> Revocations:
    """Verify a list; raise `MalformedCredential` or `UntrustedCredential`."""
    claims = open_message(message, keys, content_type=CONTENT_TYPE)
    if not isinstance(claims, dict) or ENTRIES not in claims:
        raise MalformedCredential
    return Revocations(
        issuer=claims[ISSUER],
        number=claims[NUMBER],
        signed_at=datetime.fromtimestamp(claims[SIGNED_AT], timezone.get_current_timezone()),
        states={UUID(bytes=pk): STATES[code] for pk, code in claims[ENTRIES]},
    )
