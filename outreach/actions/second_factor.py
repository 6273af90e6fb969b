"""Codes from a telephone beside the password (TOTP, RFC 6238), for those whose hand is final."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from datetime import datetime

import pyotp
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from outreach.actions import outlasting
from outreach.actions.audit import record
from outreach.domain.vocabulary import Role
from outreach.models import SecondFactor, User

#: Who accepts, decides, signs: an account of theirs that is taken over does the most harm.
WANTED_OF = frozenset({Role.ADMINISTRATOR, Role.APPROVER})
SPARE_CODES = 8
#: Steps of 30 s before and after the present one in which a telephone's clock may err.
_WINDOW = (0, -1, 1)
ISSUER = "Outreach 送证下乡"


def is_wanted_of(user: User) -> bool:
    """Tell whether this account signs in with a code too: by its role, or because it set one up."""
    by_role = settings.OUTREACH_TWO_FACTOR and user.role in WANTED_OF
    return by_role or is_set_up(user)


def is_set_up(user: User) -> bool:
    """Tell whether a telephone belongs to the account."""
    return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).exists()


def begin(user: User, shown: str = "") -> SecondFactor:
    """Return the secret that waits to be confirmed: the one `shown` before, else a fresh one.

    `shown` is its `mark`. Whoever was told the account's first password may have looked at an
    earlier one, and would have all later codes.
    """
    with transaction.atomic():
        waiting = SecondFactor.objects.select_for_update().filter(user=user, confirmed_at=None)
        held = waiting.first()
        if held and mark(held) == shown:
            return held
        waiting.delete()
        return SecondFactor.objects.create(user=user, secret=pyotp.random_base32())


def mark(factor: SecondFactor) -> str:
    """Return by what a session knows the secret again that it was shown."""
    return _fingerprint(factor.secret)


def address(factor: SecondFactor) -> str:
    """Return what the QR code says to the telephone's app (otpauth://…)."""
    return pyotp.TOTP(factor.secret).provisioning_uri(name=factor.user.username, issuer_name=ISSUER)


def confirm(user: User, code: str, *, at: datetime) -> list[str] | None:
    """Begin to ask for codes once the telephone has shown a right one; return the spare codes.

    The spare codes are shown this one time. None where the code is wrong or it was confirmed
    before.
    """
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().get(user=user)
        step = _step_of(factor, _typed(code), at)
        if factor.confirmed_at is not None or step is None:
            return None
        spare = [f"{secrets.randbelow(10**10):010d}" for _ in range(SPARE_CODES)]
        factor.confirmed_at, factor.last_step = at, step
        factor.spare_codes = [_fingerprint(one) for one in spare]
        factor.save()
        record("second_factor.confirm", [user], by=user, at=at)
    return spare


def accept(user: User, code: str, *, at: datetime) -> bool:
    """Tell whether the code is the telephone's present one, or a spare one, and use it up."""
    code = _typed(code)
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().get(user=user)
        step = _step_of(factor, code, at)
        if step is not None:
            factor.last_step = step
        elif _fingerprint(code) in factor.spare_codes:
            factor.spare_codes = [one for one in factor.spare_codes if one != _fingerprint(code)]
            record("second_factor.spare_code", [user], by=user, at=at)
        else:
            return False
        factor.save()
    return True


def forget(user: User, *, by: User | None, at: datetime) -> bool:
    """Take a lost telephone off an account, whose next sign-in sets up another.

    It is signed out everywhere: whoever has the telephone may be in, by its last code or on it.
    """
    with transaction.atomic():
        count, _ = SecondFactor.objects.filter(user=user).delete()
        if count:
            _end_sessions(user)
            record("second_factor.forget", [user], by=by, at=at)
            outlasting.note_lost_telephone(user, at)
    return bool(count)


def _end_sessions(user: User) -> None:
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            session.delete()


def _typed(code: str) -> str:
    """Return a code without what the app sets between its digits or an input method makes wide."""
    return "".join(unicodedata.normalize("NFKC", code).split())


def _step_of(factor: SecondFactor, code: str, at: datetime) -> int | None:
    """Return the time step whose code this is, if it is near and was not used."""
    totp = pyotp.TOTP(factor.secret)
    present = totp.timecode(at)
    for offset in _WINDOW:
        step = present + offset
        right = totp.generate_otp(step).encode()
        if step > factor.last_step and secrets.compare_digest(right, code.encode()):
            return step
    return None


def _fingerprint(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
