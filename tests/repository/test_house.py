"""What no file of the project may carry."""

from __future__ import annotations

import re
import subprocess
from base64 import b64decode, b64encode
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: A third-party file comes from a package at install.
BINARY = {".ttf", ".otf", ".woff", ".woff2", ".jar", ".so", ".dll", ".exe", ".whl", ".zip"}
#: Addresses of package registries, in pieces so that this file does not carry them.
REGISTRY = re.compile("|".join(("files.pythonhosted" + r"\.org", "registry.npmjs" + r"\.org")))
#: Eighteen digits that pass for an ID number stand only where they are invented and said so.
MACHINE = re.compile(r"/(?:root|home|work|Users)/[a-z]")

#: What a secret looks like: private keys, backup identities, tokens of the usual clouds and forges.
SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}|AGE-SECRET-KEY-1[0-9A-Z]{50}"
    r"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\bxox[abp]-[0-9A-Za-z-]{20}"
)
#: Keys of the tests say so themselves: thirty-two times the same letter.
SEALING_KEY = re.compile(r"\b\w+:([A-Za-z0-9+/]{43}=)")


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


def test_no_secret_is_committed() -> None:
    """Scan every text; a sealing key may stand there only where it is no secret at all."""
    found = []
    for file in tracked():
        if file.suffix in {".png", ".jpg", ".pdf", ".json", ".txt", ".base64"}:
            continue
        text = file.read_text(encoding="utf-8")
        real = [key for key in SEALING_KEY.findall(text) if len(set(b64decode(key))) > 1]
        found += [str(file)] if SECRET.search(text) or real else []
    assert found == []


def test_a_secret_would_be_found() -> None:
    key = b64encode(bytes(range(32))).decode()
    assert SECRET.search("AGE-SECRET-" + "KEY-1" + "Q" * 58)
    assert SECRET.search("-----BEGIN " + "PRIVATE KEY-----\n" + "A" * 64)
    assert SEALING_KEY.findall(f"OUTREACH_SEALING_KEYS=k1:{key}") == [key]


def test_the_lock_of_the_tablet_names_no_address() -> None:
    lock = (ROOT / "mobile_api" / "tablet" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def test_pins_carry_hashes_and_no_index() -> None:
    for name in ("run.txt", "dev.txt"):
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        assert "--index-url" not in text
        assert text.count("--hash=sha256:") >= text.count("==")
