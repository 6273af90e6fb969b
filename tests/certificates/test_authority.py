"""The local authority: its files, created once, kept by themselves, checked at start."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from certificates.authority import (
    AuthorityMissing,
    AuthorityUnsound,
    check_authority,
    load_signer,
    load_trust,
)
from certificates.credential import read_credential, write_credential
from certificates.examination import Examination, Verdict, examine
from certificates.founding import ROLES, SIGNER_YEARS, Names, create_authority
from tests.certificates.conftest import NAMES
from tests.certificates.making import CERTIFICATE, SIGNED_AT, facts, signed

FILES = [
    f"{role}.{kind}.pem" for role in ("credential", "root", "signer") for kind in ("crt", "key")
]


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_three_keys_and_their_certificates_are_readable_by_their_owner_only(keys: Path) -> None:
    assert sorted(contents(keys)) == FILES
    assert {stat.S_IMODE(file.stat().st_mode) for file in keys.iterdir()} == {0o600}


def test_a_second_creation_changes_nothing(keys: Path) -> None:
    before = contents(keys)
    assert create_authority(keys, Names("another", demo=False), at=SIGNED_AT) is False
    assert contents(keys) == before


@pytest.mark.parametrize("lost", ["signer.crt.pem", "credential.key.pem", "root.crt.pem"])
def test_a_creation_that_was_cut_short_is_completed(tmp_path: Path, lost: str) -> None:
    create_authority(tmp_path, NAMES, at=SIGNED_AT)
    (tmp_path / lost).unlink()
    (tmp_path / "signer.key.new").write_bytes(b"half")
    assert create_authority(tmp_path, NAMES, at=SIGNED_AT) is True
    assert check_authority(tmp_path, at=SIGNED_AT).ends_at > SIGNED_AT


def test_what_keys_that_are_lost_have_signed_stays_ours(tmp_path: Path) -> None:
    """A folder put back without its keys: the former certificates were written over."""
    create_authority(tmp_path, NAMES, at=SIGNED_AT)
    before = load_signer(tmp_path)
    paper, code = signed(before), write_credential(facts(), CERTIFICATE, before.credential)
    for role in ROLES:
        (tmp_path / f"{role}.key.pem").unlink()
        create_authority(tmp_path, NAMES, at=SIGNED_AT)
        trust = load_trust(tmp_path)
        assert examine(paper, trust) == Examination(Verdict.INTACT)
        assert read_credential(code, trust.credential_keys).name == facts().name


def test_every_certificate_says_that_it_is_a_demonstration(keys: Path) -> None:
    for file in keys.glob("*.crt.pem"):
        subject = x509.load_pem_x509_certificate(file.read_bytes()).subject.rfc4514_string()
        assert subject.count("演示 DEMO") == 2
    assert load_signer(keys).is_demo


def test_keys_are_opened_once(keys: Path) -> None:
    assert load_signer(keys) is load_signer(keys)


def test_a_sound_authority_tells_when_its_certificate_ends(keys: Path) -> None:
    sound = check_authority(keys, at=SIGNED_AT)
    assert sound.name == "signer.crt.pem"
    assert (sound.ends_at - SIGNED_AT).days == round(365.25 * SIGNER_YEARS)


def test_a_missing_key_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(AuthorityMissing, match="create_authority"):
        load_signer(tmp_path)
    with pytest.raises(AuthorityMissing, match="create_authority"):
        load_trust(tmp_path)


@pytest.mark.parametrize("swapped", ["signer.key.pem", "root.crt.pem"])
def test_a_key_or_root_of_another_authority_is_noticed(tmp_path: Path, swapped: str) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    for folder in (mine, other):
        create_authority(folder, NAMES, at=SIGNED_AT)
    (mine / swapped).write_bytes((other / swapped).read_bytes())
    with pytest.raises(AuthorityUnsound):
        check_authority(mine, at=SIGNED_AT)


def test_an_expired_certificate_is_noticed(keys: Path) -> None:
    with pytest.raises(AuthorityUnsound, match="has ended"):
        check_authority(keys, at=SIGNED_AT + timedelta(days=366 * SIGNER_YEARS))
