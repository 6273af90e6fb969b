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


@pytest.mark.parametrize("name", ["outreach.service", "outreach-backup.service"])
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
