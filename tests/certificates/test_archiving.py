"""Time-stamps and long-term validity, with an authority of the test run on the loopback."""

from __future__ import annotations

import asyncio
import io
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed, AdESStatus
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.ades import (
    AdESLTAValidationResult,
    ades_lta_validation,
    simulate_future_ades_lta_validation,
)
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager

from certificates import founding
from certificates.archiving import (
    AuthorityAway,
    Level,
    NotProvable,
    TimeAuthority,
    extend,
    stamp,
)
from certificates.authority import Signer, Trust, load_signer, load_trust
from certificates.examination import Change, Examination, Verdict, examine
from certificates.founding import create_authority, revocation_list, rotate
from certificates.keys import pem
from certificates.signing import as_asn1
from tests.certificates.conftest import NAMES
from tests.certificates.kinds import KINDS
from tests.certificates.making import run, signed
from tests.certificates.test_signing import flipped, white_box
from tests.certificates.time_authority import TimeAuthorityServer, serving
from tests.certificates.verapdf import broken_rules

INTACT = Examination(Verdict.INTACT)
SIGNER_YEARS = 3
EIGHT_YEARS = timedelta(days=8 * 365)


@pytest.fixture(scope="module")
def begun() -> datetime:
    return datetime.now(UTC) - timedelta(hours=2)


@pytest.fixture(scope="module")
def server(begun: datetime) -> Iterator[TimeAuthorityServer]:
    with serving(begun) as authority:
        yield authority


@pytest.fixture(scope="module")
def folder(
    begun: datetime, server: TimeAuthorityServer, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return an authority whose signer lasts three years, with the time root it believes."""
    made = tmp_path_factory.mktemp("archiving")
    with pytest.MonkeyPatch.context() as short:
        short.setattr(founding, "SIGNER_YEARS", SIGNER_YEARS)
        create_authority(made, NAMES, at=begun)
    (made / "tsa.crt.pem").write_bytes(pem(server.root))
    return made


@pytest.fixture(scope="module")
def keys(folder: Path) -> Signer:
    return load_signer(folder)


@pytest.fixture(scope="module")
def believed(folder: Path) -> Trust:
    return load_trust(folder)


@pytest.fixture
def authority(server: TimeAuthorityServer) -> Iterator[TimeAuthority]:
    server.is_away = False
    yield TimeAuthority(server.url)
    server.is_away, server.clock_is_ahead, server.drips_s = False, timedelta(), 0.0


def raised(
    pdf: bytes, to: Level, folder: Path, authority: TimeAuthority, at: datetime | None = None
) -> bytes:
    """Raise a paper from B as far as wanted."""
    at = at or datetime.now(UTC)
    if to == Level.B:
        return pdf
    pdf = stamp(pdf, authority)
    if to == Level.T:
        return pdf
    listed = revocation_list(folder, at=at)
    assert listed is not None
    chosen = authority if to == Level.LTA else None
    return extend(pdf, load_trust(folder), [listed], chosen, at=at)


def policy(believed: Trust) -> PdfSignatureValidationSpec:
    """Believe our roots and the time's, ask nobody, want proof that nothing was revoked."""
    roots = [as_asn1(one) for one in (*believed.roots, *believed.time_roots)]
    return PdfSignatureValidationSpec(
        SignatureValidationSpec(
            CertValidationPolicySpec(
                SimpleTrustManager.build(roots), CertRevTrustPolicy(REQUIRE_REVINFO)
            ),
            revinfo_gathering_policy=RevocationInfoGatheringSpec(
                RevinfoOnlineFetchingRule.LOCAL_ONLY
            ),
        )
    )


def in_eight_years(pdf: bytes, believed: Trust) -> AdESLTAValidationResult:
    embedded = PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures[0]
    later = datetime.now(UTC) + EIGHT_YEARS
    simulated = simulate_future_ades_lta_validation(embedded, policy(believed), later)
    return asyncio.run(simulated)


@pytest.mark.parametrize("level", [Level.B, Level.T, Level.LTA])
def test_each_level_is_intact_to_us_and_valid_to_pdfsig(
    level: Level, keys: Signer, believed: Trust, folder: Path, authority: TimeAuthority,
    tmp_path: Path,
) -> None:  # fmt: skip
    paper = raised(signed(keys), level, folder, authority)
    assert examine(paper, believed) == INTACT
    file = tmp_path / "paper.pdf"
    file.write_bytes(paper)
    assert "Signature is Valid." in run("pdfsig", "-nocert", file)


@pytest.mark.parametrize("level", [Level.T, Level.LT, Level.LTA])
def test_pyhanko_finds_the_time_valid_and_only_proof_added(
    level: Level, keys: Signer, believed: Trust, folder: Path, authority: TimeAuthority
) -> None:
    paper = raised(signed(keys), level, folder, authority)
    embedded = PdfFileReader(io.BytesIO(paper)).embedded_regular_signatures[0]
    ours, times = (
        ValidationContext(trust_roots=[as_asn1(one) for one in roots], allow_fetching=False)
        for roots in (believed.roots, believed.time_roots)
    )
    status = validate_pdf_signature(embedded, ours, ts_validation_context=times)
    assert status.bottom_line
    assert status.timestamp_validity.trusted
    asked = datetime.now(UTC) - status.timestamp_validity.timestamp
    assert timedelta(0) <= asked + timedelta(seconds=1) < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("level", "passes"),
    [(Level.B, False), (Level.T, False), (Level.LT, True), (Level.LTA, True)],
)
def test_in_eight_years_papers_with_their_proof_still_pass(
    level: Level, passes: bool, keys: Signer, believed: Trust, folder: Path,
    authority: TimeAuthority,
) -> None:  # fmt: skip
    """The signer's certificate lasts three years, the time-stamp authority's five."""
    result = in_eight_years(raised(signed(keys), level, folder, authority), believed)
    assert (result.ades_subindic.status == AdESStatus.PASSED) is passes


def test_an_archived_paper_passes_by_what_it_carries_alone(
    keys: Signer, believed: Trust, folder: Path, authority: TimeAuthority
) -> None:
    paper = raised(signed(keys), Level.LTA, folder, authority)
    embedded = PdfFileReader(io.BytesIO(paper)).embedded_regular_signatures[0]
    spec = policy(believed)
    # The last time-stamp's own list is fetched by whoever verifies today.
    fetching = RevocationInfoGatheringSpec(RevinfoOnlineFetchingRule.ALWAYS_FETCH)
    today = replace(spec.signature_validation_spec, revinfo_gathering_policy=fetching)
    result = asyncio.run(
        ades_lta_validation(embedded, replace(spec, signature_validation_spec=today))
    )
    assert result.ades_subindic == AdESPassed.OK


def test_an_archived_paper_is_stamped_again_and_again(
    keys: Signer, believed: Trust, folder: Path, authority: TimeAuthority
) -> None:
    paper = raised(signed(keys), Level.LTA, folder, authority)
    for _ in range(2):
        longer = extend(paper, believed, [], authority, at=datetime.now(UTC))
        assert longer.startswith(paper)
        paper = longer
    assert examine(paper, believed) == INTACT
    assert in_eight_years(paper, believed).ades_subindic == AdESPassed.OK


def test_every_kind_passes_both_standards_before_and_after_its_upgrade(
    keys: Signer, believed: Trust, folder: Path, authority: TimeAuthority, tmp_path: Path
) -> None:
    papers, file = {}, tmp_path / "paper.pdf"
    for kind, changes in KINDS.items():
        paper = signed(keys, **changes)
        for level in (Level.T, Level.LTA):
            papers[f"{kind} {level}"] = raised(paper, level, folder, authority)
    for paper in papers.values():
        assert examine(paper, believed) == INTACT
        file.write_bytes(paper)
        assert "Signature is Valid." in run("pdfsig", "-nocert", file)
    (tmp_path / "vera").mkdir()
    shown = {name: pdf for name, pdf in papers.items() if name.endswith(Level.LTA)}
    shown["stamped"] = papers[f"first issue {Level.T}"]  # a stamp adds no object
    assert broken_rules(shown, tmp_path / "vera") == {name: [] for name in shown}


def test_an_upgrade_leaves_the_signed_bytes_as_they_were(
    keys: Signer, folder: Path, authority: TimeAuthority
) -> None:
    paper = signed(keys)
    stamped = raised(paper, Level.T, folder, authority)
    differing = [i for i, (a, b) in enumerate(zip(paper, stamped, strict=True)) if a != b]
    start = paper.index(b"/Contents<") + len(b"/Contents<")
    assert start <= differing[0]
    assert differing[-1] < paper.index(b">", start)
    listed = revocation_list(folder, at=datetime.now(UTC))
    archived = extend(stamped, load_trust(folder), [listed or b""], authority, at=datetime.now(UTC))
    assert archived.startswith(stamped)


@pytest.mark.parametrize("level", [Level.T, Level.LTA])
def test_what_is_done_to_a_stamped_paper_is_found(
    level: Level, keys: Signer, believed: Trust, folder: Path, authority: TimeAuthority
) -> None:
    paper = raised(signed(keys), level, folder, authority)
    assert examine(white_box(paper), believed).verdict == Verdict.ALTERED
    assert examine(paper + b"\n% note\n", believed).verdict == Verdict.ALTERED
    inside = [found.span() for found in re.finditer(rb"/Contents ?<[0-9a-fA-F]+>", paper)]
    covered = [
        at
        for at in range(40, len(paper) - 10, len(paper) // 40)
        if not any(start <= at < end for start, end in inside)
    ]
    assert len(covered) > 20
    found = {at: examine(flipped(paper, at), believed).verdict for at in covered}
    assert found == dict.fromkeys(covered, Verdict.ALTERED)


def test_a_truncated_archive_shows_the_paper_that_was_issued_before(
    keys: Signer, believed: Trust, folder: Path, authority: TimeAuthority
) -> None:
    """Cutting off what an upgrade added leaves the stamped paper, which the register knows."""
    stamped = raised(signed(keys), Level.T, folder, authority)
    listed = revocation_list(folder, at=datetime.now(UTC)) or b""
    archived = extend(stamped, believed, [listed], authority, at=datetime.now(UTC))
    assert examine(archived[: len(stamped)], believed) == INTACT
    assert examine(archived[: len(stamped) + 900], believed) == Examination(
        Verdict.ALTERED, (Change.ADDED,)
    )


# ---- an authority that is not as it should be


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_that_is_wrong_is_not_believed(
    hours: int, keys: Signer, folder: Path, server: TimeAuthorityServer, authority: TimeAuthority
) -> None:
    """A paper was stamped before its signer's certificate began, or after it will have ended."""
    paper = stamp(signed(keys), authority)
    server.clock_is_ahead = timedelta(hours=hours)
    with pytest.raises(AuthorityAway, match="apart"):
        raised(signed(keys), Level.T, folder, TimeAuthority(server.url))
    now = datetime.now(UTC)
    with pytest.raises(AuthorityAway, match="apart"):
        extend(
            paper, load_trust(folder), [revocation_list(folder, at=now) or b""], authority, at=now
        )


def test_an_answer_that_drips_is_not_waited_for(
    keys: Signer, server: TimeAuthorityServer, authority: TimeAuthority
) -> None:
    """Each byte began the patience anew: the approver's page hung for as long as it dripped."""
    server.drips_s = 0.3
    with pytest.raises(AuthorityAway, match="no time-stamp"):
        stamp(signed(keys), TimeAuthority(server.url, timeout=1))


# ---- when something is missing


def test_an_authority_that_is_away_is_left_in_peace_for_a_while(
    keys: Signer, server: TimeAuthorityServer, authority: TimeAuthority
) -> None:
    server.is_away = True
    paper, before = signed(keys), server.asked
    with pytest.raises(AuthorityAway, match="no time-stamp from"):
        stamp(paper, authority)
    server.is_away = False
    with pytest.raises(AuthorityAway, match="a moment ago"):
        stamp(paper, authority)
    assert server.asked == before
    authority.wake()
    assert stamp(paper, authority) != paper


def test_nobody_listens_at_all(keys: Signer) -> None:
    with pytest.raises(AuthorityAway):
        stamp(signed(keys), TimeAuthority("http://127.0.0.1:1/", timeout=2))


def test_a_list_that_cannot_be_had_is_waited_for(
    keys: Signer, believed: Trust, authority: TimeAuthority
) -> None:
    stamped = stamp(signed(keys), authority)
    with pytest.raises(AuthorityAway):
        extend(stamped, believed, [], authority, at=datetime.now(UTC))


def test_a_time_root_that_is_not_known_needs_somebody(
    keys: Signer, believed: Trust, folder: Path, authority: TimeAuthority
) -> None:
    stamped = stamp(signed(keys), authority)
    listed = revocation_list(folder, at=datetime.now(UTC)) or b""
    ours = Trust(believed.roots, {}, ())
    with pytest.raises(NotProvable):
        extend(stamped, ours, [listed], authority, at=datetime.now(UTC))


def test_a_revoked_signer_gets_no_proof(
    folder: Path, authority: TimeAuthority, tmp_path: Path, begun: datetime
) -> None:
    mine = tmp_path / "keys"
    shutil.copytree(folder, mine)
    paper = signed(load_signer(mine))
    rotate(mine, NAMES, at=begun, compromised=True)
    with pytest.raises(NotProvable, match="revoked"):
        raised(paper, Level.LTA, mine, authority)
