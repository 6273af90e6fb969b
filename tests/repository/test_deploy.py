"""What stands in deploy/ names only what exists: metrics, routes, states, commands, settings."""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands
from prometheus_client import REGISTRY
from prometheus_client.registry import CollectorRegistry

from outreach.domain.workflow import ApplicationState
from outreach.watch.register import Register

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
METRIC = re.compile(r"\boutreach_[a-z_]+")


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def measured() -> set[str]:
    """Return the names of all series that /metrics gives."""
    register = CollectorRegistry()
    register.register(Register())
    families = [*register.collect(), *REGISTRY.collect()]
    names = {family.name for family in families if family.name.startswith("outreach_")}
    return names | {"outreach_http_request_seconds_bucket", "outreach_http_request_seconds_count"}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["alerts.yaml", "grafana-dashboard.json"])
def test_every_metric_that_is_watched_is_measured(name: str) -> None:
    named = set(METRIC.findall(text_of(name)))
    assert named - measured() == set()
    assert len(named) >= 6


def test_the_dashboard_and_the_alerts_are_well_formed() -> None:
    assert len(json.loads(text_of("grafana-dashboard.json"))["panels"]) == 10
    rules = yaml.safe_load(text_of("alerts.yaml"))["groups"][0]["rules"]
    assert [rule for rule in rules if not rule["annotations"]["todo"]] == []


def test_the_alert_on_forgotten_cases_names_states_of_the_register() -> None:
    (named,) = re.findall(r'state=~"([a-z_|]+)"', text_of("alerts.yaml"))
    assert set(named.split("|")) - set(ApplicationState) == set()


SERVICES = sorted(file.name for file in DEPLOY.glob("*.service"))
#: A worker in each web process makes the papers of batches; more of them are a matter of size.
STARTED_BY_WEB = {"issue_batches"}
GOES_ON = re.compile(r"""add_argument\(\s*"--(?:every|watch)\"""")


def commands_that_go_on() -> set[str]:
    """Return the commands that stay and work from time to time."""
    root = DEPLOY.parent
    files = (file for app in root.iterdir() for file in app.glob("management/commands/*.py"))
    return {file.stem for file in files if GOES_ON.search(file.read_text(encoding="utf-8"))}


def test_what_goes_on_by_itself_is_started_wherever_it_is_deployed() -> None:
    needed = commands_that_go_on() - STARTED_BY_WEB
    assert needed >= {"notify", "post_changes"}
    units = "".join(text_of(name) for name in SERVICES)
    services = yaml.safe_load(text_of("compose.yaml"))["services"].values()
    compose = {word for one in services for word in one.get("command", [])}
    assert needed - set(re.findall(r"manage\.py (\w+)", units)) == set()
    assert needed - compose == set()


def test_what_runs_once_has_a_clock_that_starts_it() -> None:
    once = [name for name in SERVICES if "Type=oneshot" in text_of(name)]
    assert len(once) >= 3
    assert [name for name in once if not (DEPLOY / name).with_suffix(".timer").exists()] == []


@pytest.mark.parametrize("name", SERVICES)
def test_services_run_commands_that_exist(name: str) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text_of(name))
    assert unit["Service"]["User"] == "outreach"
    named = set(re.findall(r"manage\.py (\w+)", text_of(name)))
    assert named - set(get_commands()) == set()


def test_the_container_starts_the_server_that_the_service_starts() -> None:
    for name in ("outreach.service", "Containerfile"):
        assert "outreach.wsgi:application" in text_of(name)
    web = yaml.safe_load(text_of("compose.yaml"))["services"]["web"]
    assert web["ports"] == ["127.0.0.1:8000:8000"]
