"""Every kind of certificate is PDF/A-2a and PDF/UA-1 in the eyes of veraPDF."""

from __future__ import annotations

from pathlib import Path

import pytest

from certificates.authority import Signer
from tests.certificates.kinds import KINDS
from tests.certificates.making import signed
from tests.certificates.verapdf import broken_rules

pytestmark = pytest.mark.timeout(600)


def test_every_kind_of_certificate_passes_both_standards(signer: Signer, tmp_path: Path) -> None:
    papers = {name: signed(signer, **changes) for name, changes in KINDS.items()}
    print(f"\n{len(papers)} kinds of certificate seen by veraPDF")
    assert broken_rules(papers, tmp_path) == {name: [] for name in KINDS}
    assert len(papers) >= 10


def test_the_validator_finds_what_is_missing(certificate: bytes, tmp_path: Path) -> None:
    """Each fault keeps the file's length, so that its table of objects stays right."""
    papers = {
        "no title shown": certificate.replace(b"/DisplayDocTitle true", b"/DisplayDocTitel true"),
        "no colour profile": certificate.replace(b"/OutputIntents[", b"/OutputIntentz["),
        "no words for a figure": certificate.replace(b"/S/Figure/P", b"/S/Figura/P"),
        "no language": certificate.replace(b"/Lang(zh-CN)/MarkInfo", b"/Long(zh-CN)/MarkInfo"),
    }
    found = broken_rules(papers, tmp_path)
    assert [name for name, rules in found.items() if not rules] == []
