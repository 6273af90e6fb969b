"""manage.py create_authority and export_certificates."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from certificates.authority import load_signer
from certificates.founding import create_authority
from certificates.keys import pem
from certificates.models import Certificate, CertificateFile
from outreach.files import local_files
from tests import builders
from tests.certificates.conftest import NAMES
from tests.certificates.issuing import issued
from tests.certificates.test_keys import OutsideCa


def test_the_demo_authority_is_created_once(settings: Any, tmp_path: Path) -> None:
    settings.OUTREACH_KEYS_DIR = tmp_path / "keys"
    said = []
    for _ in range(2):
        out = io.StringIO()
        call_command("create_authority", stdout=out)
        said.append(out.getvalue().split(" in ")[0])
    assert said == ["Created a demo authority", "The authority already stands"]


def test_keys_are_rotated_and_the_new_ones_answer(settings: Any, tmp_path: Path) -> None:
    settings.OUTREACH_KEYS_DIR = tmp_path
    create_authority(tmp_path, NAMES, at=timezone.localtime())
    before, out = load_signer(tmp_path), io.StringIO()
    call_command("rotate_signing_key", "--only", "signer", "--algorithm", "rsa3072", stdout=out)
    after = load_signer(tmp_path)
    assert after.certificate != before.certificate
    assert after.credential.key_id == before.credential.key_id
    assert after.is_demo
    assert out.getvalue().startswith(f"New keys in {tmp_path}, good until 20")


def test_a_request_is_answered_and_installed(settings: Any, tmp_path: Path) -> None:
    keys, asked = tmp_path / "keys", tmp_path / "request.pem"
    settings.OUTREACH_KEYS_DIR = keys
    call_command("rotate_signing_key", "--request", str(asked), stdout=io.StringIO())
    outside = OutsideCa()
    chain, root = tmp_path / "chain.pem", tmp_path / "root.pem"
    chain.write_bytes(b"".join(map(pem, outside.answer(asked.read_bytes()))))
    root.write_bytes(pem(outside.root))
    options = ["--install", str(chain), "--root", str(root)]
    call_command("rotate_signing_key", *options, stdout=io.StringIO())
    assert load_signer(keys).root == outside.root
    with pytest.raises(CommandError, match="no next key is waiting"):
        call_command("rotate_signing_key", *options, stdout=io.StringIO())


def test_a_rotation_without_the_root_changes_nothing(settings: Any, tmp_path: Path) -> None:
    settings.OUTREACH_KEYS_DIR = tmp_path
    with pytest.raises(CommandError, match=r"Nothing was changed: root\.key\.pem is missing"):
        call_command("rotate_signing_key", stdout=io.StringIO())


@pytest.mark.django_db
def test_every_certificate_is_exported_under_its_case_number(
    place: builders.County, files: Path, tmp_path: Path
) -> None:
    made = issued(place, files, 2)
    out = io.StringIO()
    target = tmp_path / "export"
    call_command("export_certificates", str(target), stdout=out)
    assert out.getvalue() == f"2 certificates in {target}\n"
    assert target.stat().st_mode & 0o777 == 0o700  # whoever else has an account there reads none
    assert {file.name: file.read_bytes() for file in target.iterdir()} == {
        f"{one.application.number}.pdf": local_files(files).read(one.files.get().path).read()
        for one in made
    }


@pytest.mark.django_db
def test_the_newest_version_is_exported(
    place: builders.County, files: Path, tmp_path: Path
) -> None:
    (made,) = issued(place, files)
    (files / "certificates/second.pdf").write_bytes(b"a later version")
    CertificateFile.objects.create(
        certificate=made,
        version=2,
        sha256="0" * 64,
        size=15,
        path="certificates/second.pdf",
        made_at=made.issued_at,
    )
    call_command("export_certificates", str(tmp_path / "export"), stdout=io.StringIO())
    (file,) = (tmp_path / "export").iterdir()
    assert file.read_bytes() == b"a later version"
    assert Certificate.objects.count() == 1


@pytest.mark.django_db
def test_papers_that_are_lost_are_named_and_all_others_exported(
    place: builders.County, files: Path, tmp_path: Path
) -> None:
    made = issued(place, files, 3)
    lost = sorted(made, key=lambda one: one.pk)[0]
    path = lost.files.get().path
    (files / path).unlink()
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit):
        call_command("export_certificates", str(tmp_path / "export"), stdout=out, stderr=err)
    assert out.getvalue().startswith("2 certificates in ")
    assert path in err.getvalue()
    assert {file.name for file in (tmp_path / "export").iterdir()} == {
        f"{one.application.number}.pdf" for one in made if one != lost
    }
