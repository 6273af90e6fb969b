"""Parts of hand-ins, kept among the files too: upon the last receipt their tablet erases itself.

A register that is restored from an older backup does not know what was handed in since, and no
tablet has it any more. Each part lies here as its tablet said it, with when it came, and is read
once the restored register stands.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import BytesIO
from itertools import islice
from uuid import UUID

from pydantic import BaseModel

from mobile_api.models import HandInPart, HandInVerdict
from mobile_api.wire import HandInIn
from outreach.files import SealedStorage, SectorLost, lost_sectors_told
from outreach.sealing import SealBroken

log = logging.getLogger(__name__)

#: The room of these files: `handed/<hand-in>/<replica>/<part>`.
ROOM = "handed"
_NAME = re.compile(rf"{ROOM}/([0-9a-f-]{{36}})/([0-9a-f-]{{36}})/([0-9]{{6}})")
_BATCH = 500
#: A hand-in is known by its number and the replica that its tablet named.
HandIn = tuple[UUID, UUID]
Place = tuple[UUID, UUID, int]


class Handed(BaseModel):
    """What a file holds: a part as its tablet said it, and when it came."""

    part: HandInIn
    received_at: datetime


def keep(part: HandInIn, at: datetime, storage: SealedStorage) -> None:
    """Keep a part, on the disk before this returns; raises `OSError` where it cannot."""
    said = Handed(part=part, received_at=at).model_dump_json().encode()
    storage.put(_name(part.hand_in, part.replica, part.n), BytesIO(said).read)


def name_of(part: HandInPart) -> str:
    """Return the name of the file of a part that the register has."""
    return _name(part.hand_in, part.said_replica, part.n)


def remove(part: HandInPart, storage: SealedStorage) -> None:
    """Remove the file of a part; none is fine."""
    storage.delete(name_of(part))


def _name(hand_in: UUID, replica: UUID, n: int) -> str:
    return f"{ROOM}/{hand_in}/{replica}/{n:06}"


def read(name: str, storage: SealedStorage) -> Handed:
    """Return what a file holds; raises `FileNotFoundError`, `SealBroken`, `ValueError`."""
    with lost_sectors_told(name), storage.read(name) as file:
        return Handed.model_validate_json(file.read())


def beyond(storage: SealedStorage, lost: list[str]) -> Iterator[Handed]:
    """Yield the parts that the register does not know, but of what somebody has decided about.

    One that does not open is passed over and logged; to `lost` come those the disk has lost.
    """
    for places in _places(storage):
        known, decided = _known(places), _decided(places)
        for place, name in places.items():
            if place in known or place[:2] in decided:
                continue
            try:
                yield read(name, storage)
            except (FileNotFoundError, SealBroken, ValueError) as error:
                log.warning("%s is not entered: %s", name, error)
                if isinstance(error, SectorLost):
                    lost.append(name)


def remove_files(storage: SealedStorage) -> int:
    """Remove the files of hand-ins that were decided and whose rows are erased by now."""
    count = 0
    for places in _places(storage):
        over = _decided(places) - {place[:2] for place in _known(places)}
        for place, name in places.items():
            if place[:2] in over:
                storage.delete(name)
                count += 1
    return count


def _places(storage: SealedStorage) -> Iterator[dict[Place, str]]:
    """Yield some files at a time, each with the part that it holds."""
    names = storage.names(ROOM)
    while batch := list(islice(names, _BATCH)):
        found = filter(None, map(_NAME.fullmatch, batch))
        yield {(UUID(one[1]), UUID(one[2]), int(one[3])): one[0] for one in found}


def _known(places: Iterable[Place]) -> set[Place]:
    rows = HandInPart.objects.filter(hand_in__in={place[0] for place in places})
    return set(rows.values_list("hand_in", "said_replica", "n"))


def _decided(places: Iterable[Place]) -> set[HandIn]:
    rows = HandInVerdict.objects.filter(hand_in__in={place[0] for place in places})
    return set(rows.values_list("hand_in", "said_replica"))
