"""A register as each tagged version left it becomes one of today, with everything it held.

The archives hold database and files of the tests' small county, its people invented, played by
the code of that tag under the tests' sealing key: `tests.e2e.preparing cases`, and a liaison's
tablet that nominates three people and one with a wrong number.
"""

from __future__ import annotations

import base64
import json
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from tests.outreach.backups.installation import Installation, another_database

HERE = Path(__file__).parent
#: What each version itself said of its register, by the commands it had.
SAID = {
    "v0.2.0": {
        "summary": {
            "visits": 1,
            "evaluations": 1,
            "certificates": 1,
            "not_met": 0,
            "photos": 4,
            "saved_fen": 78204,
        },
        "trail": [
            "30 events, unbroken. The last digest is",
            "f244847e91b22ccb477ca6afbe29c53edef090be3c01610db564eb9df600e1ff",
        ],
        "whole_papers": 1,
    }
}
READ = """
import json
from mobile_api.models import LedgerEntry
from outreach.files import files, photo_name
from outreach.models import Photo, Resident, User
people = Resident.objects.order_by("name", "id_number_index")
print(json.dumps([
    sorted([one.name, len(one.id_number), one.telephone] for one in people),
    [entry.args["resident"]["id_number"] for entry in LedgerEntry.objects.order_by("seq")][-1:],
    sorted({len(files().read(photo_name(one.sha256)).read()) for one in Photo.objects.all()}),
    User.objects.count(),
]))
"""


@pytest.mark.parametrize("version", SAID)
def test_a_register_of_that_version_is_whole_after_the_upgrade(
    version: str, tmp_path: Path
) -> None:
    packed = base64.b64decode((HERE / f"{version}.tar.xz.base64").read_bytes())
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(tmp_path, filter="data")
    office = Installation(tmp_path, "", another_database())
    if office.database_url:
        office.run("-m", "tests.outreach.upgrades.loading", str(tmp_path / "outreach.sqlite3"))

    office.manage("migrate", "-v", "0")
    sealed = office.manage("rotate_sealing_key")

    said = SAID[version]
    assert json.loads(office.manage("summary", "--json")) == said["summary"]
    assert office.manage("verify_audit").splitlines()[:2] == said["trail"]
    told = json.loads(office.run("-m", "tests.certificates.killing", "tell"))
    assert (told["whole_files"], told["files"]) == (said["whole_papers"], said["whole_papers"])
    assert "0 values and 5 files sealed with t1; 5 of the files lay in clear." in sealed
    people, wrong, sizes, users = json.loads(office.manage("shell", "-v", "0", "-c", READ))
    assert people == [
        ["孙长河", 18, "13612345678"],
        ["孙长河", 18, "13612345678"],
        ["孙长河", 18, "13612345678"],
        *[[name, 18, "13900000000"] for name in ("孙长河", "赵青山", "钱白石")],
    ]
    assert (wrong, sizes, users) == (["53010219200508011Y"], [5428, 5548], 8)
    office.manage("migrate", "--check")
