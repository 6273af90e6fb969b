"""The start-up checks of keys and fonts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from certificates import checks
from certificates.founding import SIGNER_YEARS, create_authority
from certificates.typeface import FontChain, chains
from tests.certificates.conftest import NAMES
from tests.certificates.making import SIGNED_AT


def found() -> list[str | None]:
    return [message.id for message in checks.check_printing()]


def test_a_sound_office_has_nothing_to_report(keys: Path, settings: Any) -> None:
    settings.OUTREACH_KEYS_DIR = keys
    assert found() == []


def test_a_missing_key_is_a_warning_that_says_what_to_run(tmp_path: Path, settings: Any) -> None:
    settings.OUTREACH_KEYS_DIR = tmp_path
    (message,) = checks.check_printing()
    assert message.id == "certificates.W001"
    assert "create_authority" in message.msg


def test_an_unsound_key_is_an_error(tmp_path: Path, settings: Any) -> None:
    settings.OUTREACH_KEYS_DIR = tmp_path
    create_authority(tmp_path, NAMES, at=SIGNED_AT)
    (tmp_path / "signer.key.pem").write_text("nonsense")
    assert found() == ["certificates.E001"]


def test_a_certificate_about_to_end_is_a_warning(tmp_path: Path, settings: Any) -> None:
    settings.OUTREACH_KEYS_DIR = tmp_path
    create_authority(tmp_path, NAMES, at=SIGNED_AT - timedelta(days=365.25 * SIGNER_YEARS - 30))
    assert found() == ["certificates.W002"]


def test_a_certificate_that_has_ended_keeps_nobody_from_other_work(
    tmp_path: Path, settings: Any
) -> None:
    """After the next start of the machine no tablet could deliver, until a CA had answered."""
    settings.OUTREACH_KEYS_DIR = tmp_path
    create_authority(tmp_path, NAMES, at=SIGNED_AT - timedelta(days=365.25 * SIGNER_YEARS + 30))
    assert found() == ["certificates.W007"]


def test_a_certificate_that_has_not_begun_is_an_error(tmp_path: Path, settings: Any) -> None:
    """The clock of the machine is wrong: it would date everything so."""
    settings.OUTREACH_KEYS_DIR = tmp_path
    create_authority(tmp_path, NAMES, at=SIGNED_AT + timedelta(days=365.25 * SIGNER_YEARS))
    assert found() == ["certificates.E001"]


def test_a_demo_key_outside_the_demo_is_a_warning(keys: Path, settings: Any) -> None:
    settings.OUTREACH_KEYS_DIR = keys
    settings.OUTREACH_DEMO = False
    assert found() == ["certificates.W003"]


def test_a_missing_font_is_an_error(
    keys: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTREACH_KEYS_DIR = keys
    monkeypatch.setattr(checks, "chains", lambda _: (FontChain([]), FontChain([])))
    assert found() == ["certificates.E002"]


def test_fonts_without_the_rarest_characters_are_a_warning_outside_the_demo(
    keys: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTREACH_KEYS_DIR = keys
    packed = FontChain(chains()[0].paths[:4])
    monkeypatch.setattr(checks, "chains", lambda _: (packed, packed))
    assert found() == []
    settings.OUTREACH_DEMO = False
    assert found() == ["certificates.W003", "certificates.W005"]
