"""Yesterday's backup, restored elsewhere, is complete after its tablets' next sync: nobody acts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from mobile_api.federation import FederationKeys
from outreach.backups.archive import new_identity
from outreach.demo.server import free_port, serving
from outreach.demo.tablet import Tablet
from tests.e2e.preparing import CODES
from tests.mobile_api.handing_in import signed_part
from tests.mobile_api.talking import ON_THE_DAY, evaluation_args
from tests.mobile_api.uploading import digest, jpeg
from tests.outreach.backups.installation import Installation, a_register, another_database

#: Everything that tablets said, and what came of it.
TELL = """
from mobile_api.models import LedgerEntry
from outreach.models import Evaluation
said = LedgerEntry.objects.order_by("replica", "seq")
print([*said.values_list("replica", "seq", "chain", "outcome")])
print(sorted(Evaluation.objects.values_list("pk", "visit")))
"""
#: What waits at the desk of what tablets handed in, and what that holds.
TELL_HANDED_IN = """
from django.conf import settings
from mobile_api.federation import FederationKeys
from mobile_api.quarantine import hand_ins_for, look_into
from outreach.models import User
office = User.objects.get(username="administrator")
for first in hand_ins_for(office).filter(decided=""):
    held = look_into(first, FederationKeys(settings.OUTREACH_KEYS_DIR))
    print(first.hand_in, first.parts, first.is_whole, [one.name for one in held.fresh])
"""
TELL_WAITING = (
    "from outreach.models import Evaluation;print(Evaluation.objects.awaiting_media().count())"
)


@contextmanager
def open_office(office: Installation, *tablets: Tablet) -> Iterator[httpx.Client]:
    """Serve a register until the block ends, and let tablets talk to it."""
    port = free_port(0)
    with (
        serving(port, threads=2, environment=office.environment()),
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        for tablet in tablets:
            tablet.client = client
        yield client


def an_office(folder: Path) -> tuple[Installation, Path, list[str]]:
    """Return an office with its days ahead, the file that opens its backups, and tablets' codes."""
    secret, public = new_identity()
    identity = folder / "backup.key"
    identity.write_text(f"{secret}\n")
    office = a_register(folder / "office", public)
    office.data.mkdir(exist_ok=True)
    office.run("-m", "tests.e2e.preparing", "days")
    return office, identity, json.loads((office.data / CODES).read_text())


def tell(office: Installation, what: str) -> str:
    return office.manage("shell", "-v", "0", "-c", what)


def photos(seed: int) -> list[bytes]:
    return [jpeg(seed=seed * 10 + number) for number in range(4)]


def at_home(tablet: Tablet, visit: str, colleague: str, seed: int) -> None:
    """Evaluate a visit with whole pictures; what is said is safe at once, pictures come later."""
    args = evaluation_args(visit, colleague)
    for entry, photo in zip(args["media"], photos(seed), strict=True):
        entry.update(sha256=digest(photo), size=len(photo))
    tablet.say("submit_evaluation", args, ON_THE_DAY)
    tablet.sync()
    assert tablet.state.outbox == []


def send(tablet: Tablet, seed: int) -> None:
    for photo in photos(seed):
        tablet.upload(photo)
    tablet.sync()
    assert tablet.state.blobs_missing == []


def test_yesterdays_backup_is_complete_again_after_the_next_sync(tmp_path: Path) -> None:
    office, identity, codes = an_office(tmp_path)
    with open_office(office) as client:
        known, late = (Tablet(client, tmp_path / f"{name}.json") for name in ("known", "late"))
        known.enrol(codes[0], "Tablet known")
        known.sync()
        visits = [key.removeprefix("visit/") for key in sorted(known.rows("visit"))]
        other = min(known.rows("colleague")).removeprefix("colleague/")
        at_home(known, visits[0], other, 1)
        send(known, 1)
        office.manage("backup", str(tmp_path / "backups"))
        at_home(known, visits[1], other, 2)
        late.enrol(codes[1], "Tablet late")
        late.sync()
        at_home(late, visits[2], other, 3)
    told = tell(office, TELL)

    # The disk with the register is gone; what was to lie on another one is not.
    there = Installation(tmp_path / "there", "", another_database())
    (backup,) = (tmp_path / "backups").iterdir()
    files = ("OUTREACH_ENROLMENTS", "enrolments"), ("OUTREACH_REVOCATIONS", "revocations")
    kept = {name: str(office.data / f"{file}.jsonl") for name, file in files}
    there.manage("restore", str(backup), "--identity", str(identity), **kept)
    assert tell(there, TELL) != told
    with open_office(there, known, late):
        for tablet in (known, late):
            tablet.sync()
        assert tell(there, TELL) == told
        send(known, 2)
        send(late, 3)
    assert tell(there, TELL_WAITING) == "0\n"


def test_what_was_handed_in_after_the_backup_waits_at_the_desk_again(tmp_path: Path) -> None:
    """Its tablet has erased itself by then: of the disks that are left the files' has it."""
    office, identity, codes = an_office(tmp_path)
    keys = FederationKeys(office.data / "keys")
    keys.create()
    with open_office(office) as client:
        tablet = Tablet(client, tmp_path / "locked.json")
        tablet.enrol(codes[0], "Tablet locked")
        tablet.sync()
        visit = min(tablet.rows("visit")).removeprefix("visit/")
        office.manage("backup", str(tmp_path / "backups"))
        other = min(tablet.rows("colleague")).removeprefix("colleague/")
        tablet.say("submit_evaluation", evaluation_args(visit, other), ON_THE_DAY)
        for n, (kind, plain) in enumerate([("log", {"entries": tablet.state.outbox}), ("end", {})]):
            said = {"n": n, "of": 2, "kind": kind}
            body = signed_part(tablet.key, tablet.state.replica, keys, plain, **said)
            assert client.post("/api/v1/hand-in", json=body).status_code == 201
    told = tell(office, TELL_HANDED_IN)
    assert told.endswith(" 2 True ['submit_evaluation']\n")

    there = Installation(tmp_path / "there", "", another_database())
    (backup,) = (tmp_path / "backups").iterdir()
    shutil.copytree(office.data / "keys", there.data / "keys")
    kept = {"OUTREACH_FILES": str(office.data / "files")}
    there.manage("restore", str(backup), "--identity", str(identity), **kept)
    assert tell(there, TELL_HANDED_IN) == told
