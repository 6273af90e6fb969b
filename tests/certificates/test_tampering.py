"""The tampering campaign: every alteration is found, an untouched file is never accused.

Judged by the whole check, register first, over every kind of paper at every level.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from certificates import verdicts
from certificates.archiving import Level, TimeAuthority, extend, stamp
from certificates.authority import Signer, load_signer, load_trust
from certificates.credential import (
    MalformedCredential,
    UntrustedCredential,
    read_credential,
    write_credential,
)
from certificates.examination import Examination, Verdict, examine
from certificates.founding import create_authority, revocation_list, rotate
from certificates.keys import pem
from certificates.models import Certificate, CertificateFile
from certificates.verdicts import Finding, judge
from tests import builders
from tests.certificates.conftest import NAMES
from tests.certificates.issuing import issued
from tests.certificates.kinds import KINDS
from tests.certificates.making import CERTIFICATE, facts, signed
from tests.certificates.tampering import TAMPERINGS, Material
from tests.certificates.time_authority import serving

LONG = os.environ.get("OUTREACH_LONG") == "1"
CASES = 2400 if LONG else 132
FLOOR = 2000 if LONG else 120
SEED = 20261128
FOUND = {Finding.ALTERED, Finding.NOT_OURS}

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tampering")
    create_authority(folder, NAMES, at=datetime.now(UTC) - timedelta(hours=1))
    return folder


@pytest.fixture(scope="module")
def papers(authority: Path) -> dict[tuple[str, Level], bytes]:
    """Return every kind of paper at every level that is issued."""
    signer, made = load_signer(authority), {}
    with serving(datetime.now(UTC) - timedelta(hours=1)) as server:
        (authority / "tsa.crt.pem").write_bytes(pem(server.root))
        trust, time = load_trust(authority), TimeAuthority(server.url)
        for kind, changes in KINDS.items():
            made[kind, Level.B] = plain = signed(signer, **changes)
            made[kind, Level.T] = stamped = stamp(plain, time)
            now = datetime.now(UTC)
            lists = [revocation_list(authority, at=now) or b""]
            made[kind, Level.LT] = extend(stamped, trust, lists, None, at=now)
            made[kind, Level.LTA] = extend(stamped, trust, lists, time, at=now)
    return made


@pytest.fixture
def register(
    place: builders.County, files: Path, authority: Path, papers: dict[Any, bytes], settings: Any
) -> Certificate:
    """Enter the papers as versions that were issued."""
    settings.OUTREACH_KEYS_DIR = authority
    (certificate,) = issued(place, files)
    CertificateFile.objects.bulk_create(
        CertificateFile(
            certificate=certificate,
            version=number,
            kind=level,
            sha256=hashlib.sha256(pdf).hexdigest(),
            size=len(pdf),
            path="",
            made_at=certificate.issued_at,
        )
        for number, ((_kind, level), pdf) in enumerate(papers.items(), start=2)
    )
    return certificate


@pytest.fixture
def by_key(monkeypatch: pytest.MonkeyPatch) -> list[Verdict]:
    """Look into papers in this very process, and keep what each was found to be."""
    seen = []

    def examined(pdf: bytes, folder: Path) -> Examination:
        found = examine(pdf, load_trust(folder))
        seen.append(found.verdict)
        return found

    monkeypatch.setattr(verdicts, "examined", examined)
    return seen


def test_every_alteration_is_found(
    register: Certificate,
    papers: dict[tuple[str, Level], bytes],
    impostor: Signer,
    by_key: list[Verdict],
) -> None:
    random, names = Random(SEED), list(papers)
    issued_files = set(map(hashed, papers.values()))
    seen: Counter[str] = Counter()
    missed, by_key_alone = [], 0
    for number in range(CASES):
        way = list(TAMPERINGS)[number % len(TAMPERINGS)]
        kind, level = random.choice(names)
        other = papers[random.choice([name for name in KINDS if name != kind]), level]
        given = Material(papers[kind, level], KINDS[kind], other, impostor)
        altered = TAMPERINGS[way](given, random)
        assert altered != given.paper, way
        if hashed(altered) in issued_files:
            continue  # cut down to an earlier version: that one was issued
        by_key.clear()
        finding = judge(altered, on=register.issued_on).finding
        seen[f"{way}: {finding}"] += 1
        by_key_alone += Verdict.INTACT not in by_key
        if finding not in FOUND:
            missed.append((number, way, kind, level))
    print(f"\n{seen.total()} alterations in {len(TAMPERINGS)} ways, {len(missed)} missed;")
    print(f"the signature alone, without the register, would have found {by_key_alone}")
    for line, count in sorted(seen.items()):
        print(f"  {count:5} {line}")
    assert missed == []
    assert seen.total() >= FLOOR


def hashed(pdf: bytes) -> str:
    return hashlib.sha256(pdf).hexdigest()


def test_untouched_files_are_never_accused(
    register: Certificate, papers: dict[tuple[str, Level], bytes], authority: Path
) -> None:
    trust = load_trust(authority)
    for (kind, level), pdf in papers.items():
        answer = judge(pdf, on=register.issued_on)
        assert (answer.finding, answer.certificate) == (Finding.UNCHANGED, register), kind
        if level != Level.LT:  # its last addition is covered by no signature, only by the register
            assert examine(pdf, trust).verdict == Verdict.INTACT, (kind, level)
    print(f"\n{len(papers)} untouched files, none accused")
    assert len(papers) >= 40


def test_after_a_rotation_they_are_not_accused_either(
    register: Certificate, papers: dict[Any, bytes], authority: Path, tmp_path: Path, settings: Any
) -> None:
    later = tmp_path / "later"
    shutil.copytree(authority, later)
    rotate(later, NAMES, at=datetime.now(UTC))
    settings.OUTREACH_KEYS_DIR = later
    found = {judge(pdf, on=register.issued_on).finding for pdf in papers.values()}
    assert found == {Finding.UNCHANGED}
    alone = {
        examine(pdf, load_trust(later)).verdict
        for (_kind, level), pdf in papers.items()
        if level != Level.LT
    }
    assert alone == {Verdict.INTACT}


def test_every_alteration_of_a_code_is_found(authority: Path, impostor: Signer) -> None:
    random, keys = Random(SEED), load_trust(authority).credential_keys
    genuine = write_credential(facts(), CERTIFICATE, load_signer(authority).credential)
    assert read_credential(genuine, keys).name == facts().name
    forged = [write_credential(facts(), CERTIFICATE, impostor.credential)]
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
    while len(forged) < CASES:
        at, how = random.randrange(len(genuine)), random.randrange(3)
        changed = random.choice(alphabet) if how < 2 else ""
        forged.append(genuine[:at] + changed + genuine[at + (how != 1) :])
    forged = [code for code in forged if code != genuine]
    missed = []
    for code in forged:
        try:
            read_credential(code, keys)
            missed.append(code)
        except (MalformedCredential, UntrustedCredential):
            pass
    print(f"\n{len(forged)} altered codes, {len(missed)} missed")
    assert missed == []
