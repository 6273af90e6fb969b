"""What a command cannot do with what it was given it says in a sentence, without a traceback."""

from __future__ import annotations

import shlex
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class

from outreach.backups.archive import new_identity
from tests import builders

OURS = {"outreach", "certificates", "mobile_api"}
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"
#: Each is refused. In braces stand what lies in the folder of the test, and who is in the county.
ODD = f"""
backup {{file}}
backup {{file}}/in
backup --new-key {{none}}/key
backup --new-key {{folder}}
backup --new-key {{file}}
changepassword nobody
changepassword ""
demo --port -1
demo --port 70000
demo --until 2018-13-01
erase_person 2018-00000 --by {{office}} --request 1
erase_person "" --by {{office}} --request 1
erase_person {{case}} --by nobody --request 1
erase_person {{case}} --by liaison --request 1
export_certificates {{file}}
export_certificates {{file}}/in
forget_telephone nobody
forget_telephone {{office}}
grade {{none}}
grade {{folder}}
grade {{empty}}
grade {{latin}}
integration "" --division {{county}}
integration {"system" * 20} --division {{county}}
integration system --division 000000
integration system --division ""
integration system --revoke
integration system --hook https://system.example
integration system --no-hook
integration {"system" * 20} --revoke
issue_batches further
load_calendar {{none}}
load_calendar {{folder}}
load_calendar {{empty}}
load_calendar {{latin}}
make_plan 1
notify --every -1
open_handin 1 {{folder}}
open_handin {UNKNOWN} {{folder}}
open_handin {UNKNOWN} {{file}}
open_handin {UNKNOWN} {{file}}/in
plan {{none}}
plan {{folder}}
plan {{empty}}
plan {{latin}}
plan {{empty}} --seconds -1
plan {{empty}} --workers -1
plan {{empty}} --rounds -1
post_changes --every -1
restore {{none}} --identity {{file}}
restore {{file}} --identity {{none}}
restore {{file}} --identity {{folder}}
restore {{file}} --identity {{empty}}
restore {{file}} --identity {{latin}}
restore {{folder}} --identity {{file}}
restore --check {{none}} --identity {{identity}}
restore --check {{folder}} --identity {{identity}}
restore --check {{empty}} --identity {{identity}}
restore --check {{latin}} --identity {{identity}}
rotate_signing_key --request {{folder}}
rotate_signing_key --request {{none}}/request.pem
rotate_signing_key --install {{none}} --root {{file}}
rotate_signing_key --install {{file}}
rotate_signing_key --install {{latin}} --root {{latin}}
rotate_signing_key --install {{folder}} --root {{latin}}
rotate_signing_key --install {{empty}} --root {{empty}}
savings --from yesterday
savings --to 2018-02-30
savings --from 2018-02-02 --to 2018-02-01
upgrade_certificates --limit -1
upgrade_certificates --again-after -1
upgrade_certificates --again-after 999999999
upgrade_certificates --to B
verify_certificate {{none}}
verify_certificate {{folder}}
verify_certificate {{latin}}
verify_certificate {{empty}}
verify_certificate {{latin}} --sm2 {{none}}
verify_certificate {{latin}} --sm2 {{latin}}
verify_qr ""
verify_qr {{none}}
verify_qr {{folder}}
verify_qr {{empty}}
verify_qr {{latin}}
verify_qr DPC1:
verify_qr DPC1:ÄÖÜ
verify_receipt {{none}}
verify_receipt {{folder}}
verify_receipt {{empty}}
verify_receipt {{latin}}
""".strip().splitlines()


@pytest.fixture
def here(tmp_path: Path, settings: Any) -> dict[str, str]:
    """What the odd arguments name."""
    place = builders.county()
    secret, public = new_identity()
    settings.OUTREACH_BACKUP_RECIPIENTS = [public]
    settings.OUTREACH_KEYS_DIR = tmp_path / "keys"
    (folder := tmp_path / "folder").mkdir()
    files = {"empty": b"", "latin": "Bäume".encode("latin-1"), "file": b"text",
             "identity": secret.encode()}  # fmt: skip
    for name, body in files.items():
        (tmp_path / name).write_bytes(body)
    return {name: str(tmp_path / name) for name in files} | {
        "none": str(tmp_path / "none"),
        "folder": str(folder),
        "county": place.county.code,
        "office": place.administrator.username,
        "case": builders.applied(place)[0].number,
    }


@pytest.mark.django_db
@pytest.mark.parametrize("line", ODD)
def test_what_cannot_be_done_is_said_in_a_sentence(line: str, here: dict[str, str]) -> None:
    name, *given = shlex.split(line.format(**here))
    with pytest.raises((CommandError, SystemExit)):
        call_command(name, *given, stdout=StringIO(), stderr=StringIO())


@pytest.mark.django_db
def test_a_misspelt_answer_of_a_ca_is_named(here: dict[str, str]) -> None:
    """Whoever typed it was told to make an authority of their own instead."""
    for given in (("none", "file"), ("file", "none")):
        chain, root = (here[name] for name in given)
        with pytest.raises(CommandError, match=f"there is no file {here['none']}"):
            call_command("rotate_signing_key", "--install", chain, "--root", root)


@pytest.mark.parametrize("what", ["authority", "handin_key", "receipt_key", "second_key"])
def test_where_no_key_can_be_kept_that_is_said(what: str, tmp_path: Path, settings: Any) -> None:
    """As in a folder that root made: a Python traceback."""
    settings.OUTREACH_KEYS_DIR = tmp_path / "keys"
    settings.OUTREACH_KEYS_DIR.touch()
    with pytest.raises(CommandError, match=f"{tmp_path}/keys"):
        call_command(f"create_{what}", stdout=StringIO())


def test_every_command_that_takes_a_word_stands_in_the_table() -> None:
    named = {line.split()[0] for line in ODD}
    for name, app in get_commands().items():
        if app in OURS and name not in named:
            parser = load_command_class(app, name).create_parser("manage.py", name)
            ours = [
                one for one in parser._actions if one.dest in {"args"} or not one.option_strings
            ]
            assert ours == [], name
