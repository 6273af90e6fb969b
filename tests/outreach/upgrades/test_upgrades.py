"""A register as a tagged version left it becomes one of today, with everything it held.

The archives hold database and files of the tests' small county, its people invented, played by
the code of that tag under the tests' sealing key: `tests.e2e.preparing cases`. In that of v0.2.0 a
liaison's tablet also nominates three people and one with a wrong number.
"""

from __future__ import annotations

import base64
import json
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from outreach.demo.tablet import APP
from tests.mobile_api.recording import CONVERSATIONS
from tests.outreach.backups.installation import Installation, another_database

HERE = Path(__file__).parent
#: What each version itself said of its register, by the commands it had: all of them this, ...
SUMMARY = {
    "visits": 1,
    "evaluations": 1,
    "certificates": 1,
    "not_met": 0,
    "photos": 4,
    "saved_fen": 78204,
}
#: ... and each how many events its trail has, and the digest of the last one.
TRAILS = {
    "v0.2.0": (30, "f244847e91b22ccb477ca6afbe29c53edef090be3c01610db564eb9df600e1ff"),
    "v0.3.0": (26, "5b8c70111639c266b00f3d192e5d723fe87cc25629591d3a0405d771c701006d"),
    "v0.4.0": (26, "54272364655be5c606e8bf0f18574ff57874a504edc73c8956d5d9b5cf242c9a"),
    "v0.6.2": (26, "9bb9e0b9419a8d42fe3b76a4b6b4677a63b1e87a99c87afd3fb4a68cb4d171e1"),
    "v0.6.5": (26, "296ffd845239be0705c05851cc04b3aa0c74d39e21b11d29e44f64b875de4684"),
    "v0.6.6": (26, "1f020370df8a19b2cb6905dbf17b3993273f73938893d5118c74b6df4e8d899a"),
    "v0.6.7": (26, "0762472885b387988e424d3cf9f5599bb3a4169a9b85ab0c24170b686ee95155"),
    "v0.6.8": (26, "c5448ac327287c52af1a7918ce1d80a89072dc3bf7811ca42199fd7330e9aedd"),
    "v0.6.9": (26, "67b3914ed6c96a31ed79bef068a55c1f39b6dcf2640559e102b195c37a67c819"),
    "v0.7.0": (26, "ce961c30beade231ebaf37576869137458d25ea842fa4178a7931bdbc7872aec"),
    "v0.7.1": (26, "142ba3563a8d98a70142c043ad0a35d93f39555d2b1cb4201114378903a515f0"),
}
#: Their database has the shape of a later one in the list.
SHAPED_ALIKE = {"v0.5.0", "v0.6.0", "v0.6.1", "v0.6.3", "v0.6.4"}
PEOPLE = [[name, 18, "13900000000"] for name in ("孙长河", "赵青山", "钱白石")]
NOMINATED_BY_TABLET = [["孙长河", 18, "13612345678"]] * 3
LOAD = "from tests.outreach.upgrades.loading import load; load({file!r})"
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


def _versions() -> list[Any]:
    """List them; the oldest takes each step on its way, so that the ordinary run plays few more."""
    every = list(TRAILS)
    spared = every[1:-1]
    return [pytest.param(one, marks=pytest.mark.long) if one in spared else one for one in every]


@pytest.mark.parametrize("version", _versions())
def test_a_register_of_that_version_is_whole_after_the_upgrade(
    version: str, tmp_path: Path
) -> None:
    packed = base64.b64decode((HERE / f"{version}.tar.xz.base64").read_bytes())
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(tmp_path, filter="data")
    office = Installation(tmp_path, "", another_database())
    file = str(tmp_path / "outreach.sqlite3")
    first = ["shell", "-v", "0", "-c", LOAD.format(file=file)] if office.database_url else ["check"]

    _, _, sealed, summary, trail, papers, read, _ = office.manage_in_turn(
        first,
        ["migrate", "-v", "0"],
        ["rotate_sealing_key"],
        ["summary", "--json"],
        ["verify_audit"],
        ["shell", "-v", "0", "-c", "from tests.certificates.killing import tell; tell()"],
        ["shell", "-v", "0", "-c", READ],
        ["migrate", "--check"],
    )

    events, digest = TRAILS[version]
    assert json.loads(summary) == SUMMARY
    unbroken = [f"{events} events, unbroken. The last digest is", digest]
    assert trail.splitlines()[:2] == unbroken
    told = json.loads(papers)
    assert (told["whole_files"], told["files"]) == (1, 1)
    people, wrong, sizes, users = json.loads(read)
    if version == "v0.2.0":  # the last one whose files lay in clear
        assert "0 values and 5 files sealed with t1; 5 of the files lay in clear." in sealed
        assert (people, wrong) == ([*NOMINATED_BY_TABLET, *PEOPLE], ["53010219200508011Y"])
    else:
        assert "0 values and 0 files sealed with t1" in sealed
        assert (people, wrong) == (PEOPLE, [])
    assert (sizes, users) == ([5428, 5548], 8)


def test_every_earlier_tag_has_its_register_or_one_like_it() -> None:
    released = {f"v{file.stem}" for file in CONVERSATIONS.glob("*.json")}
    spared = {"v0.1.0", f"v{APP}"}  # the first one was never tagged; the newest may have its own
    assert {*TRAILS, *SHAPED_ALIKE} - spared == released - spared
