"""Malformed pictures, papers, uploads and exchanges: a clear answer, no crash, bounded memory.

A seeded slice here; ten thousand in the long run, the same code.
"""

from __future__ import annotations

import gzip
import json
import os
import resource
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from mobile_api.chain import NotCanonical
from mobile_api.photos import examine, thumbnail
from mobile_api.problems import CATALOGUE, CONTENT_TYPE, Problem
from outreach import clock
from outreach.demo.tablet import Tablet
from outreach.files import files as kept_files
from outreach.files import photo_name
from outreach.models import Resident, User
from tests import builders
from tests.certificates.issuing import issued, paper_of
from tests.malformed.spoiling import misshapen, spoiled, spoiled_within
from tests.mobile_api.talking import ON_THE_DAY, enrolled, evaluation_args
from tests.mobile_api.uploading import CHUNK, b64, digest, jpeg, metadata, png
from tests.outreach.desk.test_importing import row, sheet

LONG = os.environ.get("OUTREACH_LONG") == "1"
pytestmark = [pytest.mark.django_db, pytest.mark.timeout(3600 if LONG else 300)]
#: How many of each of the six kinds.
CASES = 2_000 if LONG else 60
#: Mebibytes by which the process may have grown at its peak; a picture at the limit takes 200.
ROOM = 400
_REFUSALS = {entry.status for entry in CATALOGUE.values() if entry.status < 500}


@pytest.fixture(autouse=True)
def bounded_memory() -> Iterator[None]:
    """Fail when the process' peak grew by more than the room there is."""
    before = _peak()
    yield
    assert _peak() - before < ROOM


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def tell(kind: str, answers: Counter[str]) -> None:
    """Print what became of them; each was answered."""
    print(f"{kind}: {dict(answers)}")
    assert answers.total() == CASES


def test_malformed_pictures_are_refused_or_whole() -> None:
    rng, answers = Random(1), Counter[str]()
    sources = [jpeg(), png(), jpeg(640, 480, quality=70), png(64, 48, compress_level=0)]
    for _ in range(CASES):
        file = BytesIO(spoiled(rng.choice(sources), rng))
        try:
            examine(file, max_pixels=1_000_000)
            derived = thumbnail(file, max_pixels=1_000_000)
            answers["taken"] += 1
            assert len(derived) > 0
        except Problem as problem:
            answers[problem.slug] += 1
    tell("pictures", answers)
    assert set(answers) <= {"taken", "not-a-picture"}


@pytest.fixture
def files(tmp_path: Path, settings: Any, authority: None) -> Path:
    settings.OUTREACH_FILES = tmp_path / "files"
    return tmp_path / "files"


@pytest.mark.usefixtures("looked_into_here")
def test_malformed_papers_are_never_called_genuine(place: builders.County, files: Path) -> None:
    rng, answers = Random(2), Counter[str]()
    paper = paper_of(issued(place, files)[0])
    browser = Client(headers={"accept-language": "en"})
    for _ in range(CASES):
        cache.clear()  # strangers are throttled
        content = spoiled(paper, rng)
        file = SimpleUploadedFile("a.pdf", content or b" ", "application/pdf")
        answer = browser.post("/check/", {"file": file})
        page = answer.content.decode()
        assert answer.status_code in {200, 422}, answer.status_code
        is_ours = "ours, unchanged" in page
        assert not is_ours or content == paper
        answers["altered" if "was altered" in page else "not ours or unfit"] += 1
    tell("papers", answers)


def test_malformed_sheets_are_named_as_unreadable_and_take_nobody_in(
    place: builders.County, sign_in: Callable[[User], Client]
) -> None:
    rng, answers = Random(5), Counter[str]()
    people = [row(n) for n in range(40)]
    whole = sheet(people).read()
    browser = sign_in(place.administrator)
    before = Resident.objects.count()
    for number in range(CASES):
        content = (spoiled, spoiled_within)[number % 2](whole, rng)
        file = SimpleUploadedFile("名单.xlsx", content or b" ")
        answer = browser.post("/import/", {"file": file})
        assert answer.status_code in {200, 303, 422}, answer.status_code
        answers["read" if answer.status_code == 303 else "unreadable"] += 1
    tell("sheets", answers)
    assert Resident.objects.count() == before  # a draft is looked at before anybody is taken in


@pytest.fixture
def sent(place: builders.County, tmp_path: Path) -> dict[str, Any]:
    """Return the token of a tablet and an exchange of it with an evaluation."""
    clock.advance_to(ON_THE_DAY)
    visit = builders.scheduled(place)[0]
    tablet = enrolled(place, tmp_path)
    tablet.sync()
    tablet.say(
        "submit_evaluation", evaluation_args(str(visit.pk), str(place.colleague.pk)), ON_THE_DAY
    )
    return {"token": tablet.state.token, "body": next_exchange(tablet)}


class _Grabbed(Exception):
    """The request is in our hands and is not sent."""


def next_exchange(tablet: Tablet) -> Any:
    """Return the body that the tablet would send next."""
    grabbed = []

    def grab(request: httpx.Request) -> None:
        grabbed.append(request.read())
        raise _Grabbed

    tablet.client.event_hooks = {"request": [grab]}
    with pytest.raises(_Grabbed):
        tablet.exchange()
    return json.loads(gzip.decompress(grabbed[0]))


def test_malformed_exchanges_are_answered_and_nothing_is_taken_in_twice(
    sent: dict[str, Any],
) -> None:
    rng, answers = Random(3), Counter[str]()
    browser = Client(headers={"authorization": f"Bearer {sent['token']}"})
    whole = json.dumps(sent["body"]).encode()
    for _ in range(CASES):
        headers = {}
        if rng.random() < 0.5:
            body = json.dumps(misshapen(sent["body"], rng)).encode()
        else:
            body = spoiled(whole, rng)
        if rng.random() < 0.2:
            body, headers = gzip.compress(body), {"content-encoding": "gzip"}
            if rng.random() < 0.5:
                body = spoiled(body, rng)
        answer = browser.post("/api/v1/sync", body, "application/json", headers=headers)
        assert answer.status_code == 200 or answer.status_code in _REFUSALS, answer.status_code
        if answer.status_code != 200:
            assert answer["Content-Type"] == CONTENT_TYPE
            answers[answer.json()["type"]] += 1
        else:
            answers["200"] += 1
    tell("exchanges", answers)


def test_malformed_records_are_decided_one_by_one_and_never_stop_the_log(
    place: builders.County, tmp_path: Path
) -> None:
    """Signed and chained as a tablet of ours would, with arguments that none of ours would send."""
    clock.advance_to(ON_THE_DAY)
    rng, answers = Random(5), Counter[str]()
    visit = builders.scheduled(place)[0]
    tablet = enrolled(place, tmp_path)
    for _ in range(CASES):
        args = misshapen(evaluation_args(str(visit.pk), str(place.colleague.pk)), rng)
        said = args if isinstance(args, dict) else {"x": args}
        try:
            number = tablet.say("submit_evaluation", said, ON_THE_DAY)
        except NotCanonical:  # nested hundreds deep: no tablet of ours signs it
            answers["unsigned"] += 1
            continue
        tablet.exchange()
        assert tablet.state.outbox == []
        # Forgotten, for it writes all of its state to the disk after each.
        tablet.state.sent.clear()
        outcome = tablet.state.outcomes.pop(str(number))
        answers[f"{outcome['outcome']} {outcome['code'] or ''}"] += 1
    tell("records", answers)


def test_malformed_uploads_are_answered_and_nothing_false_is_called_complete(
    sent: dict[str, Any], files: Path
) -> None:
    rng, answers = Random(4), Counter[str]()
    browser = Client()
    picture = jpeg()
    for _ in range(CASES):
        headers = {
            "authorization": f"Bearer {sent['token']}",
            "tus-resumable": "1.0.0",
            "upload-length": str(len(picture)),
            "upload-metadata": metadata(digest(picture)),
        }
        for name in rng.sample(sorted(headers), rng.randint(0, 2)):
            headers[name] = _odd_header(headers[name], rng)
        body = spoiled(picture, rng)
        answer = browser.post("/api/v1/uploads/", body, CHUNK, headers=headers)
        assert answer.status_code == 201 or answer.status_code in _REFUSALS, answer.status_code
        if answer.status_code == 201:
            complete = answer.headers["Upload-Offset"] == str(len(picture))
            # Whole by this body, an earlier one, or by the end of this after the part of another.
            assert not complete or held(digest(picture)) == picture
            answers["201"] += 1
        else:
            answers[answer.json()["type"]] += 1
    tell("uploads", answers)
    names = [file.name for file in (files / "blobs").rglob("*") if file.is_file()]
    assert [name for name in names if digest(held(name)) != name] == []


def held(sha256: str) -> bytes:
    with kept_files().read(photo_name(sha256)) as photo:
        return photo.read()


def _odd_header(value: str, rng: Random) -> str:
    text = spoiled(value.encode(), rng).decode("latin-1")
    plain = "".join(letter for letter in text if " " <= letter <= "~")
    return rng.choice((plain[:4000], "", "-1", "9" * 30, b64("\0") * 3))
