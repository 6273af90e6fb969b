"""The additional SM2 signature: beside the file, no part of it, verified with our root only."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from certificates import checks, second_signatures, sm2, upkeep
from certificates.models import CertificateFile, SecondSignature
from tests import builders
from tests.certificates.issuing import ISSUED_AT, issued, paper_of

FILE = b"a paper" * 1000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an SM2 root and signer."""
    made = tmp_path_factory.mktemp("sm2")
    sm2.create(made, "南充市顺庆区残疾人联合会", demo=True)
    return made


@pytest.fixture(scope="module")
def impostor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of somebody who calls themself the same."""
    made = tmp_path_factory.mktemp("impostor")
    sm2.create(made, "南充市顺庆区残疾人联合会", demo=True)
    return made


@pytest.fixture
def office(files: Path, folder: Path, tmp_path: Path, settings: Any) -> Path:
    """Have an office that signs with SM2 as well."""
    keys = tmp_path / "keys"
    keys.mkdir()
    for file in (*settings.OUTREACH_KEYS_DIR.iterdir(), *folder.iterdir()):
        if file.is_file():
            (keys / file.name).write_bytes(file.read_bytes())
    settings.OUTREACH_KEYS_DIR, settings.OUTREACH_SM2 = keys, True
    cache.clear()
    return files


def test_a_signature_is_genuine_only_for_its_file_and_under_our_root(
    folder: Path, impostor: Path
) -> None:
    signature = sm2.sign(FILE, folder)
    assert sm2.signer_of(FILE, signature, folder) == "南充市顺庆区残疾人联合会 SM2（演示 DEMO）"
    assert sm2.signer_of(FILE + b" ", signature, folder) is None
    assert sm2.signer_of(FILE, signature, impostor) is None
    assert sm2.signer_of(FILE, sm2.sign(FILE, impostor), folder) is None


@pytest.mark.parametrize("at", range(0, 64, 9))
def test_a_changed_signature_is_found(folder: Path, at: int) -> None:
    signature = bytearray(sm2.sign(FILE, folder))
    signature[at] ^= 1
    assert sm2.signer_of(FILE, bytes(signature), folder) is None


@pytest.mark.parametrize("signature", [b"", b"0", b"\x30\x06\x02\x01\x00\x02\x01\x00"])
def test_no_signature_is_none(folder: Path, signature: bytes) -> None:
    assert sm2.signer_of(FILE, signature, folder) is None


def test_a_signer_whom_our_root_did_not_certify_is_not_ours(
    folder: Path, impostor: Path, tmp_path: Path
) -> None:
    (tmp_path / sm2.ROOT).write_bytes((folder / sm2.ROOT).read_bytes())
    (tmp_path / sm2.SIGNER).write_bytes((impostor / sm2.SIGNER).read_bytes())
    assert sm2.signer_of(FILE, sm2.sign(FILE, impostor), tmp_path) is None


def test_after_a_rotation_the_former_signer_is_still_believed(
    folder: Path, impostor: Path, tmp_path: Path
) -> None:
    (tmp_path / sm2.ROOT).write_bytes((folder / sm2.ROOT).read_bytes())
    (tmp_path / "sm2-2018.crt.pem").write_bytes((folder / sm2.SIGNER).read_bytes())
    (tmp_path / sm2.SIGNER).write_bytes((impostor / sm2.SIGNER).read_bytes())
    assert sm2.signer_of(FILE, sm2.sign(FILE, folder), tmp_path) is not None


def test_keys_are_readable_by_their_owner_only_and_never_made_twice(folder: Path) -> None:
    modes = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
    names = (sm2.KEY, sm2.ROOT, sm2.SIGNER, "sm2-root.key.pem")
    assert modes == dict.fromkeys(names, 0o600)
    assert sm2.create(folder, "另一机关", demo=False) is False


def test_certificates_whose_key_is_lost_are_not_written_over(folder: Path, tmp_path: Path) -> None:
    """As where a backup of the keys lacks one: what it had signed was by no signer of ours then."""
    for name in (sm2.SIGNER, sm2.ROOT):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(sm2.Unusable, match=r"sm2\.crt\.pem stands there without sm2\.key\.pem"):
        sm2.create(tmp_path, "另一机关", demo=False)
    assert sm2.signer_of(FILE, sm2.sign(FILE, folder), tmp_path)


def test_without_a_key_or_openssl_it_says_what_is_missing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(sm2.Unusable, match="create_second_key"):
        sm2.sign(FILE, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(sm2.Unusable, match="OpenSSL 3 is needed"):
        sm2.sign(FILE, folder)


@pytest.mark.django_db
def test_every_issued_file_gets_one_and_stays_as_it_is(
    place: builders.County, office: Path, settings: Any
) -> None:
    first, second = issued(place, office, 2)
    assert SecondSignature.objects.count() == 2
    assert b"sm2" not in paper_of(first).lower()
    held = second_signatures.beside(second.newest_file, paper_of(second))
    assert held is not None
    assert held.is_genuine
    settings.OUTREACH_SM2 = False
    assert second_signatures.add(CertificateFile.objects.all()) == 0


@pytest.mark.django_db
def test_without_the_setting_there_is_none(place: builders.County, files: Path) -> None:
    issued(place, files)
    assert SecondSignature.objects.count() == 0


@pytest.mark.django_db
def test_a_missing_key_holds_up_no_paper_and_is_made_good_later(
    place: builders.County, office: Path, settings: Any
) -> None:
    key = settings.OUTREACH_KEYS_DIR / sm2.KEY
    away = key.rename(key.with_suffix(".away"))
    issued(place, office, 2)
    assert SecondSignature.objects.count() == 0
    assert [one.id for one in checks._second_signatures()] == ["certificates.W006"]
    away.rename(key)
    upkeep.go_round(at=ISSUED_AT)
    assert SecondSignature.objects.count() == 2
    assert checks._second_signatures() == []


@pytest.mark.django_db
@pytest.mark.parametrize("spoiling", ["lost", "damaged"])
def test_a_paper_that_cannot_be_read_keeps_no_other_from_its_signature(
    place: builders.County, office: Path, settings: Any, spoiling: str
) -> None:
    settings.OUTREACH_SM2 = False
    first, second = issued(place, office, 2)
    settings.OUTREACH_SM2 = True
    bad, good = sorted([first.newest_file, second.newest_file], key=lambda file: file.pk)
    if spoiling == "lost":
        (office / bad.path).unlink()
    else:
        sealed = (office / bad.path).read_bytes()
        (office / bad.path).write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    upkeep.go_round(at=ISSUED_AT)
    assert SecondSignature.objects.get().file == good


@pytest.mark.django_db
def test_the_check_page_says_that_it_is_additional_and_gives_it_out(
    place: builders.County, office: Path, tmp_path: Path
) -> None:
    paper = paper_of(issued(place, office)[0])
    browser = Client(headers={"accept-language": "en"})
    sent = SimpleUploadedFile("a.pdf", paper, "application/pdf")
    page = browser.post("/check/", {"file": sent}).content.decode()
    assert "Additional SM2 signature, kept beside the file and no part of it:" in page
    assert "genuine, by 南充市顺庆区残疾人联合会 SM2（演示 DEMO）." in page
    kept = CertificateFile.objects.get()
    signature = browser.get(f"/check/sm2/{kept.sha256}").content
    (tmp_path / "a.pdf").write_bytes(paper)
    (tmp_path / "a.sm2").write_bytes(signature)
    (tmp_path / "all.pem").write_bytes(browser.get("/check/sm2/certificates.pem").content)
    assert (tmp_path / "all.pem").read_bytes().count(b"BEGIN CERTIFICATE") == 2
    public = subprocess.run(
        ["openssl", "x509", "-in", tmp_path / "all.pem", "-noout", "-pubkey"],
        check=True,
        capture_output=True,
    ).stdout
    (tmp_path / "public.pem").write_bytes(public)
    done = subprocess.run(
        [
            *("openssl", "dgst", "-sm3", "-sigopt", sm2.IDENTIFIER, "-verify"),
            *(tmp_path / "public.pem", "-signature", tmp_path / "a.sm2", tmp_path / "a.pdf"),
        ],
        check=False,
        capture_output=True,
    )
    assert done.stdout == b"Verified OK\n"
    for nothing in ("0" * 64, "%00", "..%2f"):
        assert browser.get(f"/check/sm2/{nothing}").status_code == 404


@pytest.mark.django_db
def test_a_spoilt_second_signature_does_not_touch_the_answer(
    place: builders.County, office: Path
) -> None:
    paper = paper_of(issued(place, office)[0])
    SecondSignature.objects.update(body=b"0")
    browser = Client(headers={"accept-language": "en"})
    sent = SimpleUploadedFile("a.pdf", paper, "application/pdf")
    said = browser.post("/check/api/", {"file": sent}).json()
    assert (said["finding"], said["is_valid"], said["sm2"]) == ("ours_unchanged", True, False)


@pytest.mark.django_db
def test_the_command_verifies_it_and_a_signature_that_came_with_the_file(
    place: builders.County, office: Path, impostor: Path, tmp_path: Path
) -> None:
    paper = paper_of(issued(place, office)[0])
    file, own, other = (tmp_path / name for name in ("a.pdf", "own.sm2", "other.sm2"))
    file.write_bytes(paper)
    own.write_bytes(SecondSignature.objects.get().body)
    other.write_bytes(sm2.sign(paper, impostor))
    out = io.StringIO()
    call_command("verify_certificate", str(file), "--sm2", str(own), stdout=out)
    assert "SM2, additional, kept beside the file: genuine" in out.getvalue()
    assert "SM2, additional: genuine" in out.getvalue()
    with pytest.raises(SystemExit):
        call_command("verify_certificate", str(file), "--sm2", str(other), stdout=out)
    assert "SM2, additional: not ours" in out.getvalue()
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("verify_certificate", str(file), "--sm2", "none.sm2", stdout=out)


@pytest.mark.django_db
def test_the_key_command_signs_what_was_issued_before(
    place: builders.County, files: Path, tmp_path: Path, settings: Any
) -> None:
    issued(place, files, 3)
    settings.OUTREACH_SM2, settings.OUTREACH_KEYS_DIR = True, tmp_path / "new"
    out = io.StringIO()
    call_command("create_second_key", stdout=out)
    assert "3 files signed with SM2." in out.getvalue()
    call_command("create_second_key", stdout=out)
    assert "SM2 keys stand in" in out.getvalue()
