"""What no file of the project may carry."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: A third-party file comes from a package at install.
BINARY = {".ttf", ".otf", ".woff", ".woff2", ".jar", ".so", ".dll", ".exe", ".whl", ".zip"}
#: Addresses of package registries, in pieces so that this file does not carry them.
REGISTRY = re.compile("|".join(("files.pythonhosted" + r"\.org", "registry.npmjs" + r"\.org")))
#: Eighteen digits that pass for an ID number stand only where they are invented and said so.
MACHINE = re.compile(r"/(?:root|home|work|Users)/[a-z]")


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).exists()]


def test_no_third_party_file_is_committed() -> None:
    assert [str(file) for file in tracked() if file.suffix in BINARY] == []


def test_no_registry_address_and_no_machine_path_is_committed() -> None:
    found = []
    for file in tracked():
        if file.suffix in {".png", ".jpg", ".pdf"} or file == Path(__file__):
            continue
        text = file.read_text(encoding="utf-8")
        found += [str(file) for pattern in (REGISTRY, MACHINE) if pattern.search(text)]
    assert found == []


def test_the_lock_of_the_tablet_names_no_address() -> None:
    lock = (ROOT / "mobile_api" / "tablet" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def test_pins_carry_hashes_and_no_index() -> None:
    for name in ("run.txt", "dev.txt"):
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        assert "--index-url" not in text
        assert text.count("--hash=sha256:") >= text.count("==")
