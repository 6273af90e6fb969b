"""What a register does first when it stands again from a backup."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, cast

from django.conf import settings
from django.db import transaction

from certificates import life
from mobile_api import enrolments, handin, revocations
from mobile_api.models import Epoch
from mobile_api.photos import PictureReceiver
from mobile_api.problems import Problem
from outreach import clock
from outreach.actions import outlasting
from outreach.files import SealedStorage, SectorLost, lost_sectors_told, photo_name
from outreach.models import StoredBlob
from outreach.sealing import SealBroken

log = logging.getLogger(__name__)
_BATCH = 500


class Outlasted(NamedTuple):
    """How many tablets were enrolled, and how many stopped, after the backup; how many hand-ins.

    And how many certificates rest that ended after it.
    """

    enrolled: int
    stopped: int
    handed_in: int
    resting: int


@transaction.atomic
def begin_epoch(lost: list[str]) -> Outlasted:
    """Begin another epoch, by which tablets notice; enrol and stop again whoever was since.

    So with accounts that were ended. What was handed in since is found again, once it is known
    whose it is. To `lost` come the files that the disk does not read.
    """
    Epoch.objects.all().delete()
    Epoch.current()
    outlasting.reapply()
    tablets = enrolments.reapply(), revocations.reapply(), handin.reapply(lost)
    return Outlasted(*tablets, life.rest_what_ended_since(at=clock.now()))


def enter_photos(storage: SealedStorage, at: datetime, lost: list[str]) -> int:
    """Enter the whole photos among the files that the register does not know; return how many.

    Their tablets were told that they are safe, and have let go of them: nobody sends them again.
    To `lost` come the names of those that the disk does not read.
    """
    receiver, count = PictureReceiver(settings.OUTREACH_MAX_PHOTO_PIXELS, lambda: at), 0
    for sha256 in _unknown(storage):
        name = photo_name(sha256)
        opening = partial(storage.read, name)
        try:
            with lost_sectors_told(name):
                with opening() as photo:
                    found = hashlib.file_digest(cast(Any, photo), "sha256").hexdigest()
                if found == sha256:
                    receiver.register(sha256, opening)
                    count += 1
        except (FileNotFoundError, SealBroken, Problem) as error:
            log.warning("%s is not entered: %s", name, error)
            if isinstance(error, SectorLost):
                lost.append(name)
    return count


def _unknown(storage: SealedStorage) -> Iterator[str]:
    names = (name.rpartition("/")[2] for name in storage.names("blobs"))
    while batch := list(islice(names, _BATCH)):
        known = set(StoredBlob.objects.filter(pk__among=batch).values_list("pk", flat=True))
        yield from (name for name in batch if name not in known)
