"""An authority of the test run, and one with the same name and other keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from certificates.authority import Signer, Trust, load_signer, load_trust
from certificates.founding import Names, create_authority
from tests.certificates import making

NAMES = Names("南充市顺庆区残疾人联合会", demo=True)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an authority."""
    folder = tmp_path_factory.mktemp("authority")
    create_authority(folder, NAMES, at=making.SIGNED_AT)
    return folder


@pytest.fixture(scope="session")
def signer(keys: Path) -> Signer:
    """Return its open keys."""
    return load_signer(keys)


@pytest.fixture(scope="session")
def trust(keys: Path) -> Trust:
    """Return what those who verify believe."""
    return load_trust(keys)


@pytest.fixture(scope="session")
def impostor(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    """Return the keys of another authority that calls itself the same."""
    folder = tmp_path_factory.mktemp("impostor")
    create_authority(folder, NAMES, at=making.SIGNED_AT)
    return load_signer(folder)


@pytest.fixture(scope="session")
def certificate(signer: Signer) -> bytes:
    """Return a signed certificate."""
    return making.signed(signer)


@pytest.fixture
def files(tmp_path: Path, keys: Path, settings: Any) -> Path:
    """Return the folder of files of an office that has its keys."""
    settings.OUTREACH_FILES = tmp_path / "files"
    settings.OUTREACH_KEYS_DIR = keys
    return tmp_path / "files"
