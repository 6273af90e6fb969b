"""Raising issued certificates: a version more, best effort, and every version stays ours."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from certificates import checks, upgrades, upkeep
from certificates.archiving import Level
from certificates.authority import load_trust
from certificates.examination import Examination, Verdict, examine
from certificates.founding import create_authority
from certificates.keys import pem
from certificates.models import Certificate, CertificateFile
from certificates.upgrades import Failed, upgrade, waiting
from certificates.upkeep import Round
from certificates.verdicts import Finding, judge
from outreach.files import local_files
from outreach.models import AuditEvent
from tests import builders
from tests.certificates.conftest import NAMES
from tests.certificates.issuing import ISSUED_AT, issued
from tests.certificates.time_authority import TimeAuthorityServer, serving

pytestmark = pytest.mark.django_db
LATER = ISSUED_AT + timedelta(days=1)


@pytest.fixture(scope="module")
def server() -> Iterator[TimeAuthorityServer]:
    with serving(datetime.now(UTC) - timedelta(hours=2)) as authority:
        yield authority


@pytest.fixture
def keys(server: TimeAuthorityServer, tmp_path: Path) -> Path:
    """Return the folder of an authority of today that believes the test's time."""
    folder = tmp_path / "keys"
    create_authority(folder, NAMES, at=datetime.now(UTC) - timedelta(hours=1))
    (folder / "tsa.crt.pem").write_bytes(pem(server.root))
    return folder


@pytest.fixture(autouse=True)
def present(server: TimeAuthorityServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with an authority that answers, and do not wait between tries."""
    server.is_away = server.keeps_list_back = False
    server.takes_s = 0.0
    upgrades._authority.cache_clear()
    monkeypatch.setattr(upgrades, "WAITS", (0.0, 0.0))


def contents(files: Path, certificate: Certificate) -> dict[str, bytes]:
    kept = certificate.files.order_by("version")
    return {one.kind: local_files(files).read(one.path).read() for one in kept}


def levels() -> list[tuple[int, str]]:
    rows = CertificateFile.objects.order_by("certificate", "version")
    return list(rows.values_list("version", "kind"))


def run_command(*options: str) -> tuple[str, str, int]:
    out, err, status = io.StringIO(), io.StringIO(), 0
    try:
        call_command("upgrade_certificates", *options, stdout=out, stderr=err)
    except SystemExit as ended:
        status = int(str(ended.code))
    return out.getvalue(), err.getvalue(), status


def test_papers_are_stamped_when_they_are_issued(
    place: builders.County, files: Path, server: TimeAuthorityServer, settings: Any
) -> None:
    settings.OUTREACH_TSA_URL = server.url
    (made,) = issued(place, files)
    assert levels() == [(1, "T")]
    trust = load_trust(settings.OUTREACH_KEYS_DIR)
    assert examine(contents(files, made)["T"], trust) == Examination(Verdict.INTACT)


def test_issuing_does_not_wait_for_an_authority_that_is_away(
    place: builders.County, files: Path, server: TimeAuthorityServer, settings: Any
) -> None:
    settings.OUTREACH_TSA_URL, server.is_away = server.url, True
    issued(place, files, 3)
    assert levels() == [(1, "B")] * 3


def test_issuing_does_not_wait_long_for_a_slow_authority(
    place: builders.County,
    files: Path,
    server: TimeAuthorityServer,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The approver's page hung for minutes; what it leaves, the server raises by itself."""
    monkeypatch.setattr(upgrades, "PATIENCE_S", 3.0)
    settings.OUTREACH_TSA_URL, server.takes_s = server.url, 3.1
    issued(place, files, 3)
    assert levels() == [(1, "T"), (1, "B"), (1, "B")]
    server.takes_s = 0.0
    assert upkeep.go_round(at=LATER) == Round(3, 0, False)


def test_an_upgrade_adds_a_version_and_every_version_stays_ours(
    place: builders.County, files: Path, server: TimeAuthorityServer, settings: Any
) -> None:
    made = issued(place, files, 2)
    settings.OUTREACH_TSA_URL = server.url
    assert run_command("--to", "T")[0] == "2 certificates raised to T, 0 waiting.\n"
    assert run_command()[0] == "2 certificates raised to LTA, 0 waiting.\n"
    assert run_command() == ("0 certificates raised to LTA, 0 waiting.\n", "", 0)
    assert levels() == [(1, "B"), (2, "T"), (3, "LTA")] * 2
    for one in made:
        for pdf in contents(files, one).values():
            answer = judge(pdf, on=one.issued_on)
            assert (answer.finding, answer.certificate) == (Finding.UNCHANGED, one)
    trail = AuditEvent.objects.filter(action="certificate.upgrade").order_by("pk")
    assert [event.detail["level"] for event in trail] == ["T", "T", "LTA", "LTA"]


def test_a_paper_climbs_level_by_level(
    place: builders.County, files: Path, server: TimeAuthorityServer, settings: Any
) -> None:
    (made,) = issued(place, files)
    settings.OUTREACH_TSA_URL = server.url
    for level in ("T", "LT", "LTA"):
        assert run_command("--to", level)[2] == 0
    kept = contents(files, made)
    assert list(kept) == ["B", "T", "LT", "LTA"]
    assert kept["LTA"].startswith(kept["LT"])
    assert kept["LT"].startswith(kept["T"])
    trust = load_trust(settings.OUTREACH_KEYS_DIR)
    assert examine(kept["LTA"], trust) == Examination(Verdict.INTACT)


def test_what_was_upgraded_and_then_altered_is_found(
    place: builders.County, files: Path, server: TimeAuthorityServer, settings: Any
) -> None:
    (made,) = issued(place, files)
    settings.OUTREACH_TSA_URL = server.url
    run_command()
    archived = contents(files, made)["LTA"]
    for altered in (archived + b"\n", archived[:-900], archived.replace(b"/Lang(zh", b"/Lung(zh")):
        assert judge(altered, on=made.issued_on).finding == Finding.ALTERED


def test_the_work_ends_while_the_authority_is_away_and_goes_on_later(
    place: builders.County, files: Path, server: TimeAuthorityServer, settings: Any
) -> None:
    issued(place, files, 3)
    settings.OUTREACH_TSA_URL, server.is_away = server.url, True
    out, err, status = run_command()
    assert (out, status) == ("0 certificates raised to LTA, 3 waiting.\n", 1)
    assert err.startswith("Run this again later: case ")
    assert err.count("\n") == 1
    server.is_away = False
    assert run_command("--limit", "2")[0] == "2 certificates raised to LTA, 1 waiting.\n"
    assert run_command()[2] == 0
    assert sorted(levels()) == [(1, "B")] * 3 + [(2, "LTA")] * 3


def test_a_paper_that_is_lost_holds_up_no_other(
    place: builders.County, files: Path, server: TimeAuthorityServer, settings: Any
) -> None:
    made = issued(place, files, 3)
    lost = waiting(Level.LTA)[0]
    (files / lost.path).unlink()
    settings.OUTREACH_TSA_URL = server.url
    assert upkeep.go_round(at=LATER) == Round(raised=2, stuck=1)
    _out, err, status = run_command()
    number = lost.certificate.application.number
    assert err.startswith(f"This needs somebody: case {number}: ")
    assert (status, len(made)) == (1, 3)


def test_a_revocation_list_that_cannot_be_fetched_holds_up_no_other_paper(
    place: builders.County, files: Path, server: TimeAuthorityServer, settings: Any
) -> None:
    """That of a former CA, whose papers are the oldest and come first, may be gone for good."""
    issued(place, files, 2)
    settings.OUTREACH_TSA_URL, server.keeps_list_back = server.url, True
    _out, err, status = run_command()
    assert (err.count("Run this again later: case "), status) == (2, 1)
    server.keeps_list_back = False
    assert run_command()[0] == "2 certificates raised to LTA, 0 waiting.\n"


def test_a_short_absence_is_bridged(
    place: builders.County, files: Path, server: TimeAuthorityServer, settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    issued(place, files)
    settings.OUTREACH_TSA_URL, server.is_away = server.url, True

    def back(_seconds: float) -> None:
        server.is_away = False

    monkeypatch.setattr(upgrades.time, "sleep", back)
    assert run_command() == ("1 certificates raised to LTA, 0 waiting.\n", "", 0)


def test_a_time_root_that_nobody_put_there_needs_somebody(
    place: builders.County, files: Path, server: TimeAuthorityServer, settings: Any
) -> None:
    issued(place, files, 2)
    settings.OUTREACH_TSA_URL = server.url
    (settings.OUTREACH_KEYS_DIR / "tsa.crt.pem").unlink()
    assert "certificates.W004" in [message.id for message in checks.check_printing()]
    _out, err, status = run_command()
    assert (err.count("This needs somebody: case"), status) == (2, 1)


def test_old_archives_are_stamped_again(
    place: builders.County, files: Path, server: TimeAuthorityServer, settings: Any
) -> None:
    (made,) = issued(place, files)
    settings.OUTREACH_TSA_URL = server.url
    run_command()
    archived_at = made.files.get(kind="LTA").made_at
    assert waiting(Level.LTA, stamped_before=archived_at).count() == 0
    later = archived_at + timedelta(days=1)
    (again,) = upgrade(waiting(Level.LTA, stamped_before=later), Level.LTA, at=later)
    assert not isinstance(again, Failed)
    first, second = made.files.filter(kind="LTA").order_by("version")
    before, after = (local_files(files).read(one.path).read() for one in (first, second))
    assert after.startswith(before)
    trust = load_trust(settings.OUTREACH_KEYS_DIR)
    assert examine(after, trust) == Examination(Verdict.INTACT)


def test_two_runs_at_once_leave_one_version(
    place: builders.County, files: Path, server: TimeAuthorityServer, settings: Any
) -> None:
    issued(place, files)
    settings.OUTREACH_TSA_URL = server.url
    stale = list(waiting(Level.LTA))
    (first,) = upgrade(waiting(Level.LTA), Level.LTA, at=LATER)
    (second,) = upgrade(stale, Level.LTA, at=LATER)  # type: ignore[arg-type]
    assert first == second
    assert levels() == [(1, "B"), (2, "LTA")]


@pytest.mark.usefixtures("place")
def test_without_an_authority_the_command_says_what_to_set_and_ends_well() -> None:
    """Its unit, of an office that has none, failed each night and was tried twelve times more."""
    said = "No time-stamp authority is set (OUTREACH_TSA_URL): nothing is raised.\n"
    assert run_command() == (said, "", 0)


def test_the_server_archives_by_itself_and_stamps_again_after_three_years(
    place: builders.County, files: Path, server: TimeAuthorityServer, settings: Any
) -> None:
    issued(place, files, 2)
    settings.OUTREACH_TSA_URL = server.url
    assert upkeep.go_round(at=LATER) == Round(raised=2)
    assert levels() == [(1, "B"), (2, "LTA")] * 2
    assert upkeep.go_round(at=LATER + upkeep.AGAIN_AFTER) == Round()
    assert upkeep.go_round(at=LATER + upkeep.AGAIN_AFTER + timedelta(days=1)) == Round(raised=2)
    assert levels() == [(1, "B"), (2, "LTA"), (3, "LTA")] * 2


def test_the_server_comes_back_soon_while_the_authority_is_away(
    place: builders.County,
    files: Path,
    server: TimeAuthorityServer,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    issued(place, files)
    settings.OUTREACH_TSA_URL, server.is_away = server.url, True
    monkeypatch.setattr(upkeep.connection, "close", lambda: None)
    rests: list[float] = []

    def pause(seconds: float) -> None:
        rests.append(seconds)
        server.is_away = False
        upgrades._authority.cache_clear()

    rounds = iter([True, True, False])
    upkeep.run(lambda: next(rounds), pause)
    assert rests == [upkeep.AWAY_S, upkeep.EVERY_S]
    assert levels() == [(1, "B"), (2, "LTA")]


def test_one_process_of_a_machine_is_enough(
    place: builders.County, files: Path, server: TimeAuthorityServer, settings: Any
) -> None:
    issued(place, files)
    settings.OUTREACH_TSA_URL = server.url
    with upkeep._alone() as mine, upkeep._alone() as another:
        assert (mine, another) == (True, False)
        assert upkeep.go_round(at=LATER) == Round()
    assert levels() == [(1, "B")]


def test_a_server_without_an_authority_starts_no_upkeep(settings: Any) -> None:
    settings.OUTREACH_TSA_URL, settings.OUTREACH_WORKER = "", True
    assert upkeep.start() is None
    settings.OUTREACH_TSA_URL, settings.OUTREACH_WORKER = "https://tsa.example.org/", False
    assert upkeep.start() is None
