"""Tablets bring the photos that the desk keeps, gives up and erases at the same moment."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import QuerySet

from mobile_api.photos import remove_files
from outreach import clock
from outreach.actions.papers import DRAFTS_LAST, photograph
from outreach.desk.keeping import keep
from outreach.domain.retention import Holding
from outreach.domain.vocabulary import Paper
from outreach.files import files, photo_name
from outreach.models import PaperPhoto, StoredBlob, User
from outreach.retention.erasing import erase_rows
from outreach.rules import Refused
from tests import builders
from tests.mobile_api.uploading import Tablet, digest, enrol, jpeg

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.mobile_api.uploading"),
]
PHOTOS = [jpeg(300, 200, seed=seed) for seed in range(3)]
ROUNDS = 12


def send(tablet: Tablet, photo: bytes, draw: Random) -> Iterator[int]:
    """Send a photo whole, in parts or not at all; yield what is answered."""
    how = draw.choice(("whole", "in parts", "not yet", "given up"))
    body = {"whole": photo, "not yet": b""}.get(how, photo[:20_000])
    answer = tablet.create(photo, body=body)
    yield answer.status_code
    if answer.status_code != 201:  # erased while it was looked at: it is sent once more
        return
    where, at = answer["Location"], int(answer["Upload-Offset"])
    if how == "in parts":
        yield tablet.patch(where, photo[at:], at).status_code
    elif how == "given up":
        yield tablet.send("DELETE", where).status_code
    else:
        yield tablet.send("HEAD", where).status_code


def at_the_desk(liaison: User, draw: Random, shown: set[Any]) -> None:
    """Photograph a paper, and perhaps give the nomination up."""
    sent = SimpleUploadedFile("photo.jpg", draw.choice(PHOTOS), "image/jpeg")
    with suppress(Refused):  # just erased: it is sent once more
        made = photograph(Paper.ID_CARD, keep(sent), by=liaison, at=clock.now())
        if draw.random() < 0.6:
            past = clock.now() - DRAFTS_LAST - timedelta(hours=1)
            PaperPhoto.objects.filter(pk=made.pk).update(sent_at=past)
        else:
            shown.add(made.pk)


def given_up() -> QuerySet[PaperPhoto]:
    return PaperPhoto.objects.filter(sent_at__lt=clock.now() - DRAFTS_LAST)


def erase() -> None:
    """Erase what was given up as a term does, and remove the files."""
    batch = list(given_up()[:2])
    erase_rows(batch, Holding.PAPERS, by=None, at=clock.now())
    given_up().filter(pk__in=[one.pk for one in batch]).delete()
    remove_files(clock.now(), files())


@pytest.mark.parametrize("seed", range(3))
def test_what_a_photo_shows_is_there_and_what_is_erased_is_not(
    place: builders.County, tablet: Tablet, seed: int
) -> None:
    tablets = [tablet, *(enrol(tablet.files, name) for name in ("wang", "zhao"))]
    answers: Counter[int] = Counter()
    shown: set[Any] = set()

    def often(work: Callable[[Random], object], number: int) -> None:
        draw = Random(100 * seed + number)
        gate.wait()
        try:
            for _round in range(ROUNDS):
                work(draw)
        finally:
            connection.close()

    def bring(one: Tablet, draw: Random) -> None:
        answers.update(send(one, draw.choice(PHOTOS), draw))

    work: list[Callable[[Random], object]] = [partial(bring, one) for one in tablets]
    work += [lambda draw: at_the_desk(place.liaison, draw, shown)] * 2 + [lambda _draw: erase()]
    gate = threading.Barrier(len(work))
    with ThreadPoolExecutor(len(work)) as pool:
        doing = [pool.submit(often, one, number) for number, one in enumerate(work)]
    for one in doing:
        one.result()

    assert set(answers) <= {200, 201, 204, 404, 409}
    erase()
    here = {digest(one): one for one in PHOTOS if tablet.stored(one) == one}
    of_photos = PaperPhoto.objects.filter(pk__in=shown).values_list("sha256", flat=True)
    assert set(of_photos) <= here.keys()
    for row in StoredBlob.objects.all():
        assert (row.erased_at is None) == files().exists(photo_name(row.pk)) == (row.pk in here)
