"""What is written about the deployed server in several places is the same everywhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml
from django.urls import reverse

from benchmarks.serving import deployed

ROOT = Path(__file__).parents[2]
PLACES = (
    "deploy/compose.yaml",
    "deploy/Containerfile",
    "deploy/outreach.service",
    "docs/how-to/deploy-on-one-machine.md",
)


def test_every_place_and_the_storm_start_as_many_threads():
    named = {
        place: re.findall(r"--blocking-threads\W+(\d+)", (ROOT / place).read_text())
        for place in PLACES
    }
    [(workers, threads, _even)] = deployed("sqlite")
    assert {place: set(found) for place, found in named.items()} == {
        place: {str(threads)} for place in PLACES
    }
    assert [one[:2] for one in deployed("postgresql")] == [(2, threads), (1, threads)]
    assert workers == 1


def test_where_processors_are_short_exchanges_come_before_pages_and_pages_before_the_rest():
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
    lasting = {name: one for name, one in services.items() if name != "prepare"}
    weights = {name: one.get("cpu_shares", 1024) for name, one in lasting.items()}
    first = {weights.pop(name) for name in ("database", "exchanges")}
    web = weights.pop("web")
    assert first == {1024}
    assert web <= 1024 / 8
    assert set(weights.values()) == {web / 2}


def test_the_proxy_sends_exchanges_to_their_own_process_where_there_is_one():
    """And to the one that serves everything, where there is none or while it starts."""
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
    proxy = (ROOT / "deploy/nginx.conf").read_text()

    ports = {name: services[name]["ports"] for name in ("web", "exchanges")}
    assert ports == {"web": ["127.0.0.1:8000:8000"], "exchanges": ["127.0.0.1:8001:8000"]}
    assert re.findall(r"server 127\.0\.0\.1:(\d+)( backup)?;", proxy) == [
        ("8001", ""),
        ("8000", " backup"),
    ]
    [path] = re.findall(r"location = (\S+) \{ proxy_pass http://exchanges;", proxy)
    assert path == reverse("mobile_api:sync")


def test_an_environment_that_was_half_made_is_made_anew(tmp_path):
    """Cut off, or without Debian's python3-venv, it had a Python without pip, for ever."""
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "run.txt").touch()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    made = subprocess.run(
        ["make", "PYTHON=echo would run", ".venv/.packages"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "would run -m venv --clear .venv" in made.stdout
