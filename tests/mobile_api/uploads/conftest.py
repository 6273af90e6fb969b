"""The tablet of the upload tests: enrolled, with a folder of files of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings

from tests.mobile_api.uploading import Tablet, enrol


@pytest.fixture
def tablet(db: None, settings: LazySettings, tmp_path: Path) -> Tablet:
    """Return a tablet that speaks tus to the service."""
    settings.OUTREACH_FILES = tmp_path
    return enrol(tmp_path)
