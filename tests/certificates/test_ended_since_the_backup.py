"""What ended after the backup is not valid again in a register that is restored from it."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks

from certificates import life, revocations
from certificates.authority import load_signer, load_trust
from certificates.models import (
    Certificate,
    CertificateEvent,
    CertificateFile,
    RevocationList,
)
from certificates.steps import CertificateState as S
from certificates.steps import Ground
from certificates.verdicts import RESTORED, Finding, judge, judge_code, judge_number
from outreach import clock
from outreach.models import Application, User
from tests import builders
from tests.certificates.issuing import issued, paper_of
from tests.certificates.test_verify_qr import code_of

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
Deed = Callable[[builders.County, Certificate], None]


@pytest.fixture
def paper(
    authority: None, place: builders.County, tmp_path: Path, settings: LazySettings
) -> Certificate:
    settings.OUTREACH_FILES = tmp_path / "files"
    settings.OUTREACH_REVOCATIONS = tmp_path / "apart" / "revocations.jsonl"
    [certificate] = issued(place, settings.OUTREACH_FILES)
    return certificate


def lost(place: builders.County, paper: Certificate) -> None:
    life.declare_lost([paper], by=place.liaison, at=clock.now())


def dead(place: builders.County, paper: Certificate) -> None:
    said = {"ground": Ground.DEATH, "reason": "村里来报"}
    life.cancel([paper], **said, by=place.administrator, at=clock.now())


def frozen(place: builders.County, paper: Certificate) -> None:
    life.freeze([paper], reason="核查", by=place.administrator, at=clock.now())


def found(place: builders.County, paper: Certificate) -> None:
    lost(place, paper)
    life.find([paper], by=place.liaison, at=clock.now())


def mistaken(place: builders.County, paper: Certificate) -> None:
    """Cancelled when it was lost, and the cancellation taken back: it is lost still."""
    lost(place, paper)
    dead(place, paper)
    life.restore([paper], reason="弄错了", by=place.approver, at=clock.now())


def back(paper: Certificate, state: S = S.VALID) -> str:
    """Put the certificate back as it was at the backup, and let the register stand again."""
    Certificate.objects.update(state=state)
    paper.events.exclude(name="issue").delete()
    said = stand_again()
    paper.refresh_from_db()
    return said


def before_it_was_issued() -> None:
    """Put the register back to where there was no certificate, and let it stand again."""
    for model in (CertificateEvent, CertificateFile, Certificate):
        model._default_manager.all().delete()
    stand_again()


def stand_again() -> str:
    RevocationList.objects.all().delete()
    out = StringIO()
    call_command("begin_epoch", stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("deed", "stands"),
    [
        (lost, S.FROZEN),
        (dead, S.FROZEN),
        (frozen, S.FROZEN),
        (found, S.VALID),
        (mistaken, S.FROZEN),
    ],
)
def test_a_paper_that_ended_after_the_backup_rests_until_somebody_has_looked(
    place: builders.County,
    paper: Certificate,
    deed: Deed,
    stands: S,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        deed(place, paper)
    number = RevocationList.objects.get().revision
    resting = int(stands == S.FROZEN)
    assert f"Certificates that rest until seen to: {resting}." in back(paper)
    assert paper.state == stands
    assert RevocationList.objects.get().revision > number  # devices take no older list


def test_the_office_reads_why_it_rests_and_takes_the_step_again(
    place: builders.County,
    paper: Certificate,
    sign_in: SignIn,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        dead(place, paper)
    Application.objects.update(state="done")
    back(paper)
    page = sign_in(place.administrator).get(f"/certificates/{paper.pk}/").content.decode()
    assert "恢复备份后自动" in page
    assert "恢复备份时丢失了当时的原因" in page
    dead(place, paper)
    paper.refresh_from_db()
    assert paper.state == S.CANCELLED


def test_a_move_that_was_noted_before_is_kept_when_it_is_valid_again(
    place: builders.County,
    paper: Certificate,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    on = clock.today()
    life.note_move([paper], moved_on=on, note="迁往外县", by=place.administrator, at=clock.now())
    with django_capture_on_commit_callbacks(execute=True):
        frozen(place, paper)
    back(paper)
    life.unfreeze([paper], reason="查无问题", by=place.administrator, at=clock.now())
    paper.refresh_from_db()
    assert (paper.state, paper.household_moved_on) == (S.VALID, on)


@pytest.mark.parametrize(
    ("stood", "deed", "stands"),
    [
        (S.FROZEN, dead, "forgotten"),
        (S.FROZEN, frozen, ""),
        (S.LOST, dead, "forgotten"),
        (S.LOST, lost, ""),
        (S.CANCELLED, frozen, ""),
    ],
)
def test_what_rested_at_the_backup_already_says_that_it_ended_since(
    place: builders.County,
    paper: Certificate,
    stood: S,
    deed: Deed,
    stands: str,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """Else whoever finds the paper, or has looked into it, makes it valid."""
    with django_capture_on_commit_callbacks(execute=True):
        deed(place, paper)
    assert f"Certificates that rest until seen to: {int(bool(stands))}." in back(paper, stood)
    last = paper.events.last()
    assert (paper.state, last.note if last else None) == (S.FROZEN if stands else stood, stands)


def test_a_cancellation_by_mistake_that_is_taken_back_leaves_it_resting(
    place: builders.County,
    paper: Certificate,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """It was lost when the register was: nobody has looked at it yet."""
    with django_capture_on_commit_callbacks(execute=True):
        lost(place, paper)
    back(paper)
    dead(place, paper)
    paper.refresh_from_db()
    life.restore([paper], reason="弄错了", by=place.approver, at=clock.now())
    paper.refresh_from_db()
    assert paper.state == S.FROZEN


def test_a_paper_that_was_issued_and_ended_after_the_backup_is_on_the_list_still(
    place: builders.County,
    paper: Certificate,
    settings: LazySettings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """The register knows nothing of it; whoever checks without a network read “valid” again."""
    with django_capture_on_commit_callbacks(execute=True):
        dead(place, paper)
    code = code_of(paper, load_signer(settings.OUTREACH_KEYS_DIR))
    trusted = load_trust(settings.OUTREACH_KEYS_DIR).credential_keys
    for _restore in range(2):
        before_it_was_issued()
        listed = revocations.read_list(revocations.published(), trusted).states
        assert listed == {paper.pk: S.CANCELLED}
        assert judge_code(code, on=clock.today()).finding == Finding.CANCELLED


def test_a_paper_that_was_issued_after_the_backup_is_no_forgery(
    paper: Certificate, settings: LazySettings
) -> None:
    signed, code = paper_of(paper), code_of(paper, load_signer(settings.OUTREACH_KEYS_DIR))
    printed = (paper.number, f"{paper.issued_on:%m%d}")
    before_it_was_issued()
    by_number = judge_number(*printed, on=clock.today())
    assert (by_number.finding, by_number.changes) == (Finding.UNKNOWN_NUMBER, (RESTORED,))
    answers = [judge(signed, on=clock.today()), judge_code(code, on=clock.today())]
    assert [(one.finding, one.is_valid) for one in answers] == [(Finding.UNKNOWN, False)] * 2
    assert judge(signed + b"%", on=clock.today()).finding == Finding.ALTERED


@pytest.mark.parametrize(
    "line", [b'{"certificates": 1}', b'{"certificates": ["x"], "state": "lost"}', b"\xff\0"]
)
def test_a_line_that_cannot_be_read_hides_no_other(
    place: builders.County,
    paper: Certificate,
    settings: LazySettings,
    line: bytes,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.OUTREACH_REVOCATIONS.parent.mkdir()
    settings.OUTREACH_REVOCATIONS.write_bytes(line + b"\n")
    with django_capture_on_commit_callbacks(execute=True):
        lost(place, paper)
    assert revocations.outlasted() == ({paper.pk: S.LOST}, RevocationList.objects.get().revision)
