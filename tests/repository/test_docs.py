"""The docs name only what exists: links, commands, options, modules, settings, files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class

from outreach.domain.grading import grade_document
from outreach.working_calendar import published_year, read_year

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
INDEX = DOCS / "index.md"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *DOCS.rglob("*.md")]
FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ELSEWHERE = ("http:", "https:", "mailto:")
#: The one says where the settings are, the other is read by the tests of the bucket alone.
NOT_SETTINGS = {"OUTREACH_ENV_FILE", "OUTREACH_TEST_STORE"}
OUR_FILE = re.compile(r"(?<![\w/])(?:outreach|mobile_api|certificates|tests|docs)/[\w./-]+\.\w+")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code_in(page: Path) -> Iterator[str]:
    """Yield what a page sets in type: every line of a block, every span in a sentence."""
    text = text_of(page)
    for block in FENCED.findall(text):
        yield from block.splitlines()[1:-1]
    yield from SPAN.findall(FENCED.sub("", text))


def links_of(page: Path) -> list[tuple[Path, str]]:
    """List where the page's relative links lead: file and anchor."""
    prose = SPAN.sub("", FENCED.sub("", text_of(page)))
    targets = [link for link in LINK.findall(prose) if not link.startswith(ELSEWHERE)]
    parted = [target.partition("#") for target in targets]
    return [((page.parent / file).resolve() if file else page, part) for file, _, part in parted]


def anchors_of(page: Path) -> set[str]:
    """List the anchors that a Markdown renderer gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", text_of(page)), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {word.strip().replace(" ", "-") for word in words}


@every_page
def test_every_relative_link_leads_to_a_file_and_its_heading(page: Path) -> None:
    links = links_of(page)
    assert [file.name for file, _ in links if not file.exists()] == []
    wanted = [(file, part) for file, part in links if part]
    assert [part for file, part in wanted if part not in anchors_of(file)] == []


def test_every_page_is_reached_from_the_index() -> None:
    reached, waiting = {INDEX}, [INDEX]
    while waiting:
        for file, _ in links_of(waiting.pop()):
            if file.is_relative_to(DOCS) and file not in reached:
                reached.add(file)
                waiting += [file] if file.suffix == ".md" else []
    meant = {*DOCS.rglob("*.md"), *DOCS.rglob("*.json")}
    assert sorted(str(page) for page in meant - reached) == []


def make_targets() -> set[str]:
    makefile = text_of(ROOT / "Makefile").replace("$(VENV)", ".venv")
    rules = re.findall(r"^([^\s:=#][^:=\n]*):(?!=)", makefile, re.MULTILINE)
    return {target for rule in rules for target in rule.split()} - {".PHONY"}


@every_page
def test_every_make_command_exists(page: Path) -> None:
    named = [target for line in code_in(page) for target in re.findall(r"\bmake ([\w./-]+)", line)]
    assert [target for target in named if target not in make_targets()] == []


@every_page
def test_every_management_command_and_its_options_exist(page: Path) -> None:
    known = get_commands()
    for line in code_in(page):
        for name, rest in re.findall(r"manage\.py ([a-z_]+)([^;|&]*)", line):
            assert name in known, line
            parser = load_command_class(known[name], name).create_parser("manage.py", name)
            options = re.findall(r"(?<=\s)--[\w-]+", rest)
            assert set(options) <= parser._option_string_actions.keys(), line


@every_page
def test_every_module_that_is_run_exists(page: Path) -> None:
    named = [name for line in code_in(page) for name in re.findall(r"python -m ([\w.]+)", line)]
    assert [name for name in named if find_spec(name) is None] == []


@every_page
def test_every_setting_exists(page: Path) -> None:
    declared = {one.name for one in settings.ENVIRONMENT.declared} | NOT_SETTINGS
    assert set(re.findall(r"\bOUTREACH_[A-Z_]+\b", text_of(page))) - declared == set()


@every_page
def test_every_file_of_ours_exists(page: Path) -> None:
    named = [name for code in code_in(page) for name in OUR_FILE.findall(code)]
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_newest_version_of_the_changelog_is_the_one_that_is_built() -> None:
    newest = re.findall(r"^## (\d+\.\d+\.\d+)", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)[0]
    assert newest == tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["version"]


def example(page: str, language: str) -> str:
    """Return the first block in a language, without its indentation."""
    block = re.search(rf"^( *)```{language}\n(.*?)^ *```$", text_of(DOCS / page), re.M | re.S)
    assert block is not None
    return block[2]


def test_the_calendar_that_is_shown_is_the_decree_of_its_year() -> None:
    shown = read_year(example("how-to/load-a-calendar-year.md", "toml"))
    assert (shown.year, shown.non_working) == (2018, published_year(2018))


def test_the_case_that_is_shown_can_be_graded() -> None:
    shown = example("how-to/load-a-new-tariff-or-standard.md", "json")
    assert [result["grade"] for result in grade_document(shown)] == [2]


def test_the_rooms_are_drawn_in_the_order_in_which_they_may_import() -> None:
    drawing = example("explanation/architecture.md", "mermaid")
    contract = tomllib.loads(text_of(ROOT / "pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = [layer.split(" | ")[0] for layer in contract[0]["layers"]]
    assert re.findall(r'\w+\["([\w.]+)', drawing) == layers
