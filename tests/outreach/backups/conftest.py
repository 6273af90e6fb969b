from __future__ import annotations

from pathlib import Path

import pytest

from outreach.backups.archive import new_identity


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The file with the key that opens the backups, and its public half."""
    secret, public = new_identity()
    file = tmp_path_factory.mktemp("key") / "backup.key"
    file.write_text(f"# of the tests\n{secret}\n")
    return file, public
