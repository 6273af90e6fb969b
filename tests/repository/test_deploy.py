"""What stands in deploy/ names only what exists: metrics, routes, states, commands, settings."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands, load_command_class
from prometheus_client import REGISTRY
from prometheus_client.registry import CollectorRegistry

from outreach.desk.keeping import AT_ONCE
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
    assert len(json.loads(text_of("grafana-dashboard.json"))["panels"]) == 11
    rules = yaml.safe_load(text_of("alerts.yaml"))["groups"][0]["rules"]
    assert [rule for rule in rules if not rule["annotations"]["todo"]] == []


def test_the_alert_on_forgotten_cases_names_states_of_the_register() -> None:
    (named,) = re.findall(r'state=~"([a-z_|]+)"', text_of("alerts.yaml"))
    assert set(named.split("|")) - set(ApplicationState) == set()


def test_the_first_error_since_a_start_is_told() -> None:
    """Its series begins at 1, and increases by nothing: nobody heard of it until the second one."""
    rules = yaml.safe_load(text_of("alerts.yaml"))["groups"][0]["rules"]
    [asked] = [rule["expr"] for rule in rules if rule["alert"] == "ServerErrors"]
    errors = 'outreach_http_request_seconds_count{status=~"5.."}'
    assert f"or ({errors} unless {errors} offset 10m)" in asked


def test_the_nights_work_is_done_at_night_whatever_the_machines_zone() -> None:
    """A rented machine's is UTC: backup and erasure came in the middle of the morning's work."""
    timers = [file.read_text(encoding="utf-8") for file in DEPLOY.rglob("*.timer")]
    assert len(timers) == 4
    for text in timers:
        assert re.search(rf"^OnCalendar=\*-\*-\* 0[1-4]:[03]0 {settings.TIME_ZONE}$", text, re.M)


@pytest.mark.parametrize("name", ["nginx.conf", "counties/nginx.conf"])
def test_the_proxy_is_reached_by_either_kind_of_address(name: str) -> None:
    """Who has IPv6 alone, or asks by it first, was not answered."""
    ports = re.findall(r"^ +listen (\S+?)(?: ssl)?;", text_of(name), re.M)
    assert {"80", "443", "[::]:80", "[::]:443"} <= set(ports)


@pytest.mark.parametrize(
    "name", sorted(str(file.relative_to(DEPLOY)) for file in DEPLOY.rglob("*.service"))
)
def test_services_run_commands_that_exist(name: str) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text_of(name))
    assert unit["Service"]["User"] == "outreach"
    named = set(re.findall(r"manage\.py (\w+)", text_of(name)))
    assert named - set(get_commands()) == set()


def test_a_unit_that_upgrades_the_register_is_not_cut_off() -> None:
    """Systemd ends what has not started after 90 s, and starts it again: from the beginning."""
    units = {file.name: file.read_text(encoding="utf-8") for file in DEPLOY.rglob("*.service")}
    upgrading = {name for name, text in units.items() if "manage.py migrate" in text}
    assert upgrading == {"outreach.service", "outreach@.service"}
    for name in upgrading:
        assert "\nTimeoutStartSec=infinity\n" in units[name]


def test_what_goes_on_beside_the_server_stops_and_starts_with_it() -> None:
    """After an update it went on with the version of before, until the machine was started anew."""
    for file in DEPLOY.rglob("*.service"):
        text = file.read_text(encoding="utf-8")
        if re.search("|".join(f"{name} {flag}" for name, flag in lasting().items()), text):
            server = "outreach@%i.service" if "@" in file.name else "outreach.service"
            assert f"\nPartOf={server}\n" in text
            assert f"\nWantedBy={server}\n" in text
            assert re.search(f"^After=.*{server}$", text, re.M)


def test_a_command_that_ends_beside_others_in_a_container_is_started_again() -> None:
    """While the database was away all of them ended, and no family was told anything any more."""
    services = yaml.safe_load(text_of("counties/compose.yaml"))["services"].values()
    [command] = {one["command"][-1] for one in services if "notify" in str(one.get("command"))}
    *beside, _last = command.split(" & ")
    assert len(beside) == 2
    for loop in beside:
        assert loop.startswith("while true; do python manage.py "), loop


def test_the_container_starts_the_server_that_the_service_starts() -> None:
    for name in ("outreach.service", "Containerfile"):
        assert "outreach.wsgi:application" in text_of(name)
    web = yaml.safe_load(text_of("compose.yaml"))["services"]["web"]
    assert web["ports"] == ["127.0.0.1:8000:8000"]


@pytest.mark.parametrize("name", ["compose.yaml", "counties/compose.yaml"])
def test_the_container_has_the_tools_of_the_server_beside_it(name: str) -> None:
    """Debian's pg_dump is older, and dumps no newer server: no backup could be taken there."""
    image = yaml.safe_load(text_of(name))["services"]["database"]["image"]
    assert f" postgresql-client-{image.rpartition(':')[2]} " in text_of("Containerfile")


def lasting() -> dict[str, str]:
    """Return the commands that go on by themselves, each with the argument that makes it."""
    found = {}
    for name, app in get_commands().items():
        if app in {"outreach", "certificates", "mobile_api"}:
            parser = load_command_class(app, name).create_parser("manage.py", name)
            flags = {flag for action in parser._actions for flag in action.option_strings}
            for flag in flags & {"--every", "--watch"}:
                found[name] = flag
    return found


def test_every_command_that_goes_on_has_a_unit_and_a_service() -> None:
    assert set(lasting()) >= {"notify", "post_changes", "issue_batches"}
    units = " ".join(text_of(file.name) for file in DEPLOY.glob("*.service"))
    services = yaml.safe_load(text_of("compose.yaml"))["services"].values()
    composed = [" ".join(one.get("command", [])) for one in services]
    for name, flag in lasting().items():
        assert f"manage.py {name} {flag}" in units
        assert any(f"manage.py {name} {flag}" in command for command in composed)


def test_containers_say_what_is_to_be_typed_beside_them() -> None:
    """Nobody made keys there, so that no certificate could be issued, nor took a backup."""
    for name, wanted in (
        ("compose.yaml", {"create_authority", "backup"}),
        ("counties/compose.yaml", {"create_authority"}),
    ):
        typed = re.findall(
            r"^#.* run --rm .*prepare\S* python manage\.py (\w+)", text_of(name), re.M
        )
        assert set(typed) == wanted


@pytest.mark.parametrize("name", ["compose.yaml", "counties/compose.yaml"])
def test_keys_beside_the_containers_are_for_no_other_account_commit_or_image(name: str) -> None:
    """They were readable by whoever had an account on the host, and stayed in what was built."""
    folder = (DEPLOY / name).parent
    assert f"`chmod 700 {folder.relative_to(DEPLOY.parent)}`" in text_of(name)
    for ignored in (".gitignore", ".dockerignore"):
        lines = (DEPLOY.parent / ignored).read_text(encoding="utf-8").splitlines()
        kept = [line.removeprefix("deploy/**/") for line in lines if line.startswith("deploy/**/")]
        for secret in yaml.safe_load(text_of(name))["secrets"].values():
            assert any(fnmatch(Path(secret["file"]).name, one) for one in kept)


def test_what_a_timer_does_on_a_machine_a_service_does_in_containers() -> None:
    """All but the backup, which goes to another place: compose leaves that to the host."""
    timed = {file.stem for file in DEPLOY.glob("*.timer")}
    text = " ".join(text_of(f"{stem}.service") for stem in sorted(timed))
    named = set(re.findall(r"manage\.py (\w+)", text)) - {"backup"}
    assert named == set(
        re.findall(r"manage\.py (settle\w+|upgrade\w+|verify\w+|erase\w+)", text_of("compose.yaml"))
    )


@pytest.mark.parametrize("fails", ["", "settle_certificates", "upgrade_certificates"])
def test_neither_of_what_certificates_need_waits_for_the_other(tmp_path: Path, fails: str) -> None:
    """While the time-stamp authority is away certificates expire; a clock ahead stops no stamp."""
    text = text_of("outreach-certificates.service").replace("\\\n", "")
    (line,) = re.findall("^ExecStart=(.*)$", text, re.M)
    (python := tmp_path / "python").write_text(f'#!/bin/sh\necho "$2"; test "$2" != "{fails}"\n')
    python.chmod(0o700)
    typed = line.replace("$$", "$").replace("/opt/outreach/.venv/bin/python", str(python))
    done = subprocess.run(["/bin/sh", "-c", typed], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["settle_certificates", "upgrade_certificates"]
    assert (done.returncode == 0) == (fails == "")


def test_a_unit_of_one_of_several_counties_sees_its_own_only() -> None:
    units = sorted((DEPLOY / "counties").glob("*@.service"))
    assert len(units) == 5
    for unit in units:
        text = unit.read_text(encoding="utf-8")
        assert "OUTREACH_ENV_FILE=/etc/outreach/%i.env" in text
        assert "TemporaryFileSystem=/etc/outreach:ro /srv/outreach:ro" in text
        bound = re.findall(r"^Bind(?:ReadOnly)?Paths=(.*)$", text, flags=re.M)
        assert all("%i" in path for line in bound for path in line.split())


def test_a_county_whose_backup_failed_is_erased_from_that_night_all_the_same() -> None:
    """One unit did both: what failed first kept the rest from running, night after night."""
    backup, erasing = (
        text_of(f"counties/outreach-{name}@.service") for name in ("daily", "retention")
    )
    for order in ("Wants", "Before"):
        assert f"\n{order}=outreach-retention@%i.service\n" in backup
    assert re.findall(r"manage\.py (\w+)", backup) == ["backup"]
    assert re.findall(r"manage\.py (\w+)", erasing) == ["verify_audit", "erase_due"]


@pytest.mark.parametrize("name", ["nginx.conf", "counties/nginx.conf"])
def test_what_the_operator_asks_is_not_there_from_outside(name: str) -> None:
    """Whoever asked for /readyz made the server look for migrations and write to its disk."""
    for address in ("metrics", "readyz"):
        assert f"location = /{address} {{ return 404; }}" in text_of(name)


@pytest.mark.parametrize("name", ["nginx.conf", "counties/nginx.conf"])
def test_the_proxy_lets_a_form_with_all_its_photos_pass(name: str) -> None:
    """Three photos of a telephone were too many: the proxy's bare 413 took the form along."""
    (most,) = re.findall(r"client_max_body_size (\d+)m;", text_of(name))
    assert int(most) * 1024 * 1024 > AT_ONCE * settings.OUTREACH_MAX_PHOTO_BYTES


def test_what_goes_on_beside_one_county_goes_on_beside_each_of_several() -> None:
    """All but the papers of batches, which each county's server makes itself."""
    units = " ".join(one.read_text() for one in (DEPLOY / "counties").glob("*@.service"))
    services = yaml.safe_load(text_of("counties/compose.yaml"))["services"]
    for county in ("511302", "511303"):
        beside = " ".join(services[f"beside-{county}"]["command"])
        for name, flag in lasting().items():
            if name != "issue_batches":
                assert f"manage.py {name} {flag}" in units
                assert f"manage.py {name} {flag}" in beside
        assert "verify_audit && python manage.py erase_due" in beside
        assert [one["source"] for one in services[f"web-{county}"]["secrets"]] == [f"{county}.env"]


def test_the_manual_makes_what_the_units_want_and_starts_what_there_is() -> None:
    """Whoever followed it had no account, no folder for backups, and no unit in its place."""
    page = (DEPLOY.parent / "docs/how-to/deploy-on-one-machine.md").read_text(encoding="utf-8")
    units = " ".join(text_of(file.name) for file in DEPLOY.glob("*.service"))
    wanted = re.findall(r"^(?:WorkingDirectory|ReadWritePaths)=(.*)$", units, re.M)
    made = set(" ".join(re.findall(r"^install -d (.*)$", page, re.M)).split())
    assert {path for line in wanted for path in line.split()} - made == set()
    assert re.search("^useradd .* outreach$", page, re.M)
    for name in ("deploy-on-one-machine.md", "run-a-province.md"):
        text = (DEPLOY.parent / "docs/how-to" / name).read_text(encoding="utf-8")
        started = re.findall(r"systemctl enable --now (.*)$", text, re.M)
        files = {file.name for file in DEPLOY.rglob("outreach*")}
        named = {re.sub("@[0-9]+", "@", one) for line in started for one in line.split()}
        assert named
        assert {one if "." in one else f"{one}.service" for one in named} - files == set()
