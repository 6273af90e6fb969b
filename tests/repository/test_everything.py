"""What `make test` says at its end is what failed."""

from pathlib import Path

from tests.everything import ON_POSTGRES, ROOT, SPARED, failures

RESULTS = """<testsuites><testsuite name="pytest">
<testcase classname="tests.a" name="test_good"/>
<testcase classname="tests.a" name="test_bad"><failure message="m">first
E   assert 1 == 2</failure></testcase>
<testcase classname="tests.b" name="test_unset"><error message="m">E   no bed</error></testcase>
</testsuite></testsuites>"""


def test_each_failure_is_named_with_its_account(tmp_path: Path) -> None:
    results = tmp_path / "results.xml"
    results.write_text(RESULTS)
    assert failures(results) == [
        "tests.a::test_bad\nfirst\nE   assert 1 == 2",
        "tests.b::test_unset\nE   no bed",
    ]


def test_what_postgresql_is_spared_is_there_to_be_spared() -> None:
    """A file that was moved would be run twice, and nobody would notice."""
    assert [path for path in [*ON_POSTGRES, *SPARED] if not (ROOT / path).exists()] == []
