"""The how-to's own settings pass `check --deploy`, but for warnings that the how-to explains."""

from __future__ import annotations

import base64
import os
import re
import secrets
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/how-to/deploy-on-one-machine.md").read_text(encoding="utf-8")
ROOMS = ("certificates", "mobile_api", "outreach")
ID = re.compile(r'\bid="((?:certificates|mobile_api|outreach)\.[EW]\d{3})"')


def fresh_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an operator's environment with the settings file that the how-to writes."""
    lines = re.findall(r"^OUTREACH_\w+=.*$", PAGE, flags=re.M)
    file = tmp_path / "outreach.env"
    text = "\n".join(lines).replace("/srv/outreach", str(tmp_path))
    while "$(key)" in text:
        text = text.replace("$(key)", fresh_key(), 1)
    file.write_text(text)
    ours = ("OUTREACH_", "DATABASE_URL", "DJANGO_")
    rest = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return rest | {"OUTREACH_ENV_FILE": str(file)}


def manage(environment: dict[str, str], *command: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_deployment_by_the_how_to_has_only_warnings_that_it_explains(
    environment: dict[str, str],
) -> None:
    assert manage(environment, "create_authority")[0] == 0
    code, said = manage(environment, "check", "--deploy")
    assert code == 0, said
    raised = set(re.findall(r"\((\w+\.[EW]\d+)\)", said))
    explained = set(re.findall(r"^\| `(\w+\.W\d+)`", PAGE, flags=re.M))
    assert raised - explained == set()
    assert not any(one.startswith("security.") for one in raised)
    assert raised >= {"certificates.W003"}  # the demo authority: the check did run


def test_what_watches_on_the_machine_itself_is_answered(environment: dict[str, str]) -> None:
    asked = """
from django.test import Client
for host in ("127.0.0.1:8000", "localhost", "outreach.example", "else.example"):
    print(Client().get("/healthz", headers={"host": host}).status_code)
"""
    code, said = manage(environment, "shell", "-v", "0", "-c", asked)
    assert (code, said.split()[:3]) == (0, ["200", "200", "200"])
    assert "DisallowedHost" in said


#: Careless settings, and what names each; those of one dictionary do not hide each other.
CARELESS = [
    {
        "OUTREACH_HSTS=all": "(outreach.E004) OUTREACH_HSTS",
        "OUTREACH_ROAD_FACTOR=1,4": "(outreach.E004) OUTREACH_ROAD_FACTOR",
        "OUTREACH_MAX_PHOTO_BYTES=-1": "(outreach.E004) OUTREACH_MAX_PHOTO_BYTES",
    },
    {
        "OUTREACH_HTTPS=0": "security.W008",
        "OUTREACH_SECRET_KEY=short": "security.W009",
        "OUTREACH_PUBLIC_URL=outreach.example": "outreach.E017",
        "OUTREACH_HOSTS=https://outreach.example": "outreach.E018",
        "OUTREACH_SENDER=gateway": "outreach.E019",
        "OUTREACH_COUNTY_SEAT=30.7988，106.0884": "outreach.E014",
    },
    {"OUTREACH_SEALING_KEYS=k1:{key},k1:{key}": "two sealing keys have the same name"},
]


@pytest.mark.parametrize("settings", CARELESS)
def test_each_careless_setting_is_named(
    environment: dict[str, str], settings: dict[str, str]
) -> None:
    key = fresh_key()
    told = dict(one.format(key=key).split("=", 1) for one in settings)
    said = manage(environment | told, "check", "--deploy")[1]
    assert [word for word in settings.values() if word not in said] == []


def test_a_settings_file_may_be_written_as_others_are(environment: dict[str, str]) -> None:
    """As for a shell, with a slash more, by an editor of Windows, and with a name misspelt.

    Papers named the federation in quotes, families' links led nowhere, the first line was unread.
    """
    file = Path(environment["OUTREACH_ENV_FILE"])
    issuer, address = "示例县残疾人联合会", "https://outreach.example"
    text = file.read_text().replace(issuer, f'"{issuer}"').replace(address, f"'{address}/'")
    wrong = "OUTREACH_RETENTON=/etc/outreach/retention.toml\nOUTREACH_KEYS_DIR=\n"
    file.write_text(text + "\n" + wrong, encoding="utf-8-sig")
    asked = """
from django.conf import settings
print(settings.OUTREACH_ISSUER, settings.OUTREACH_PUBLIC_URL, len(settings.SECRET_KEY))
print(settings.OUTREACH_KEYS_DIR == settings.OUTREACH_DATA / "keys")
"""
    code, said = manage(environment, "shell", "-v", "0", "-c", asked)
    assert (code, said.split()) == (0, [issuer, address, "88", "True"])
    assert "OUTREACH_RETENTON is no setting" in manage(environment, "check")[1]


def test_a_settings_file_that_cannot_be_read_stops_every_command(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Misspelt, keys were made in another folder; saved in GBK, it was a Python traceback."""
    (chinese := tmp_path / "gbk.env").write_text("OUTREACH_ISSUER=示例县残疾人联合会", "gbk")
    why = {tmp_path / "none.env": "No such file", tmp_path: "Is a directory", chinese: "UTF-8"}
    for file, reason in why.items():
        code, said = manage(environment | {"OUTREACH_ENV_FILE": str(file)}, "create_authority")
        assert (code, said.count("\n")) == (1, 1), said
        assert str(file) in said
        assert reason in said
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize(
    "address", ["postgresql://outreach:p#ss@localhost/outreach", "mysql://outreach@localhost/o"]
)
def test_an_address_of_the_database_that_cannot_be_read_is_named(
    environment: dict[str, str], address: str
) -> None:
    """With a # in the password it was a Python traceback that showed half of that."""
    code, said = manage(environment | {"DATABASE_URL": address}, "check")
    assert (code, said.count("\n")) == (1, 1), said
    assert said.startswith("DATABASE_URL cannot be read")
    assert "p#ss" not in said
    assert "ss@" not in said


def test_no_two_findings_have_one_id() -> None:
    """Whoever silences one, or looks it up in a manual, would mean the other as well."""
    rooms = [file for name in ROOMS for file in (ROOT / name).rglob("*.py")]
    said = Counter(one for file in rooms for one in ID.findall(file.read_text()))
    assert "outreach.W013" in said
    assert [one for one, times in said.items() if times > 1] == []


def test_the_first_people_of_the_how_to_are_entered_whole_or_not_at_all(
    environment: dict[str, str],
) -> None:
    [people] = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.M | re.S)
    count = "print(User.objects.count(), Assessor.objects.count(), Division.objects.count())"

    assert manage(environment, "migrate", "-v", "0")[0] == 0
    assert manage(environment, "shell", "-v", "0", "-c", people)[0] == 0
    assert manage(environment, "shell", "-v", "0", "-c", count)[1].split()[-3:] == ["4", "1", "3"]
    code, said = manage(environment, "shell", "-v", "0", "-c", people)
    assert (code, "IntegrityError" in said) == (1, True)
    assert manage(environment, "shell", "-v", "0", "-c", count)[1].split()[-3:] == ["4", "1", "3"]


def test_the_settings_step_run_again_leaves_the_keys_of_the_register_alone(tmp_path: Path) -> None:
    """Written over they are gone, and with them whatever the register sealed."""
    [step] = [
        one for one in re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.M | re.S) if "<<END" in one
    ]
    step = step.replace("/etc/outreach", str(tmp_path))
    home = {**os.environ, "HOME": str(tmp_path)}
    run = partial(subprocess.run, ["bash", "-c", step], env=home, capture_output=True, text=True)
    assert run(check=False).stderr == ""
    kept = (tmp_path / "outreach.env").read_text()
    assert "outreach.env" in run(check=False).stderr
    assert (tmp_path / "outreach.env").read_text() == kept
