"""manage.py create_authority and export_certificates."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from certificates.models import Certificate, CertificateFile
from tests import builders
from tests.certificates.issuing import issued


def test_the_demo_authority_is_created_once(settings: Any, tmp_path: Path) -> None:
    settings.OUTREACH_KEYS_DIR = tmp_path / "keys"
    said = []
    for _ in range(2):
        out = io.StringIO()
        call_command("create_authority", stdout=out)
        said.append(out.getvalue().split(" in ")[0])
    assert said == ["Created a demo authority", "The authority already stands"]


@pytest.mark.django_db
def test_every_certificate_is_exported_under_its_case_number(
    place: builders.County, files: Path, tmp_path: Path
) -> None:
    made = issued(place, files, 2)
    out = io.StringIO()
    target = tmp_path / "export"
    call_command("export_certificates", str(target), stdout=out)
    assert out.getvalue() == f"2 certificates in {target}\n"
    assert {file.name: file.read_bytes() for file in target.iterdir()} == {
        f"{one.application.number}.pdf": (files / one.files.get().path).read_bytes() for one in made
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
