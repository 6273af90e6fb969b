"""A server restored from a backup is complete again after its tablets' next sync (I8)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobile_api.models import Epoch, LedgerEntry, Replica
from outreach.demo.tablet import Tablet, TabletRefused
from outreach.files import photo_name
from outreach.models import Evaluation, StoredBlob, Visit
from outreach.models.ids import new_id
from tests import builders
from tests.mobile_api.conftest import Restore
from tests.mobile_api.talking import ON_THE_DAY, evaluation_args
from tests.mobile_api.uploading import digest, jpeg

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]


def said_and_sent(tablet: Tablet, place: builders.County, visit: Visit) -> str:
    args = evaluation_args(str(visit.pk), str(place.colleague.pk), visit.pk.bytes)
    tablet.say("submit_evaluation", args, ON_THE_DAY)
    tablet.sync()
    return str(args["evaluation"])


def restored(tablet: Tablet, backup: Replica) -> None:
    """Take the register back to the backup, as `manage.py restore` would find it."""
    late = LedgerEntry.objects.filter(seq__gt=backup.last_seq)
    for entry in late:
        evaluation = Evaluation.objects.get(pk=entry.args["evaluation"])
        evaluation.photos.all().delete()
        evaluation.journey.delete()
        evaluation.co_signers.clear()
        evaluation.delete()
        Visit.objects.filter(pk=entry.args["visit"]).update(state="scheduled")
        visit = Visit.objects.get(pk=entry.args["visit"])
        type(visit.application).objects.filter(pk=visit.application_id).update(state="accepted")
    late.delete()
    backup.save()
    Epoch.objects.update(value=new_id())


@pytest.mark.parametrize("says_more", [False, True])
def test_what_came_after_the_backup_is_sent_again_without_anyone_doing_anything(
    place: builders.County, tablet: Tablet, says_more: bool
) -> None:
    visits = builders.scheduled(place, 4)
    said = [said_and_sent(tablet, place, visits[0])]
    backup, epoch = Replica.objects.get(), tablet.state.epoch
    said += [said_and_sent(tablet, place, visit) for visit in visits[1:3]]
    restored(tablet, backup)
    assert Evaluation.objects.count() == 1
    if says_more:
        said.append(said_and_sent(tablet, place, visits[3]))
    tablet.sync()
    assert sorted(str(row.pk) for row in Evaluation.objects.all()) == sorted(said)
    assert [row.seq for row in LedgerEntry.objects.order_by("seq")] == list(range(1, len(said) + 1))
    assert tablet.state.epoch != epoch
    assert {row["media_state"] for row in tablet.rows("visit").values()} >= {"awaiting_media"}


def test_a_server_older_than_the_sent_box_is_said_and_not_bridged(
    place: builders.County, tablet: Tablet
) -> None:
    [visit, other] = builders.scheduled(place, 2)
    backup = Replica.objects.get()
    said_and_sent(tablet, place, visit)
    restored(tablet, backup)
    tablet.state.sent.clear()
    tablet.say("cancel_visit", {"visit": str(other.pk)}, ON_THE_DAY)
    with pytest.raises(TabletRefused, match="409 gap"):
        tablet.sync()


def test_photos_that_lie_among_the_files_are_not_waited_for(
    place: builders.County,
    tablet: Tablet,
    back_up: Callable[[], Restore],
    settings: Any,
    tmp_path: Path,
) -> None:
    """They came after the moment to which the register went back; their tablet let go of them."""
    settings.OUTREACH_FILES = tmp_path / "files"
    [visit] = builders.scheduled(place)
    args = evaluation_args(str(visit.pk), str(place.colleague.pk))
    pictures = [jpeg(seed=number) for number in range(4)]
    for entry, picture in zip(args["media"], pictures, strict=True):
        entry.update(sha256=digest(picture), size=len(picture))
    restore = back_up()
    tablet.say("submit_evaluation", args, ON_THE_DAY)
    tablet.sync()
    for picture in pictures:
        tablet.upload(picture)
    tablet.sync()
    torn, *_whole = (tmp_path / "files" / photo_name(digest(one)) for one in pictures)
    torn.write_bytes(torn.read_bytes()[:-1])

    assert "Photos entered again: 3." in restore()
    tablet.sync()
    assert tablet.state.blobs_missing == [digest(pictures[0])]
    assert (torn.exists(), StoredBlob.objects.count()) == (True, 3)
