"""Start-up checks: a signing key that fits its chain, and fonts that print Chinese."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.utils import timezone

from certificates import sm2
from certificates.authority import (
    AuthorityEnded,
    AuthorityMissing,
    AuthorityUnsound,
    check_authority,
    load_signer,
)
from certificates.typeface import PACK, FontChain, UnprintableCharacter, chains

SOON = timedelta(days=90)


@checks.register("installation")
def check_printing(**_: Any) -> list[checks.CheckMessage]:
    """Report a missing or unsound authority, and missing fonts."""
    return [*_authority(), *_time_stamps(), *_second_signatures(), *_fonts()]


def _second_signatures() -> list[checks.CheckMessage]:
    if not settings.OUTREACH_SM2:
        return []
    try:
        sm2.sign(b"", settings.OUTREACH_KEYS_DIR)
    except sm2.Unusable as error:
        message = f"No file is signed with SM2, though OUTREACH_SM2 asks for it: {error}."
        return [checks.Warning(message, id="certificates.W006")]
    return []


def _time_stamps() -> list[checks.CheckMessage]:
    if not settings.OUTREACH_TSA_URL or list(settings.OUTREACH_KEYS_DIR.glob("tsa*.crt.pem")):
        return []
    message = (
        f"Time-stamps of {settings.OUTREACH_TSA_URL} cannot be proven: put its root, in PEM, as "
        f"tsa.crt.pem into {settings.OUTREACH_KEYS_DIR}."
    )
    return [checks.Warning(message, id="certificates.W004")]


def _authority() -> list[checks.CheckMessage]:
    now = timezone.localtime()
    try:
        sound = check_authority(settings.OUTREACH_KEYS_DIR, at=now)
    except AuthorityMissing as error:
        return [checks.Warning(f"No certificate can be issued: {error}.", id="certificates.W001")]
    except AuthorityEnded as error:  # nothing is signed; all other work goes on
        message = f"No certificate can be issued: {error}. Renew it."
        return [checks.Warning(message, id="certificates.W007")]
    except (AuthorityUnsound, OSError, ValueError) as error:
        folder = settings.OUTREACH_KEYS_DIR
        return [
            checks.Error(
                f"The signing keys in {folder} are unsound: {error}.", id="certificates.E001"
            )
        ]
    found: list[checks.CheckMessage] = []
    if sound.ends_at - now < SOON:
        message = f"{sound.name} ends on {sound.ends_at:%Y-%m-%d}: renew it."
        found.append(checks.Warning(message, id="certificates.W002"))
    if load_signer(settings.OUTREACH_KEYS_DIR).is_demo and not settings.OUTREACH_DEMO:
        message = "The signing key is the demo authority's: every certificate is marked DEMO."
        found.append(checks.Warning(message, id="certificates.W003"))
    return found


def _fonts() -> list[checks.CheckMessage]:
    regular, bold = chains(tuple(map(Path, settings.OUTREACH_FONTS)))
    if regular.paths and bold.paths:
        return [] if settings.OUTREACH_DEMO else _rare_fonts(regular)
    message = f"No Chinese font is installed: install the Python package that holds {PACK}."
    return [checks.Error(message, id="certificates.E002")]


def _rare_fonts(chain: FontChain) -> list[checks.CheckMessage]:
    """Warn where the rarest characters of GB 18030-2022, of Extensions B and F, have no face."""
    try:
        chain.check("\U0002a6d6\U0002ebe0")
    except UnprintableCharacter:
        message = (
            "Certificates for names with rare characters will be refused: install fonts-hanazono, "
            "or name fonts in OUTREACH_FONTS."
        )
        return [checks.Warning(message, id="certificates.W005")]
    return []
