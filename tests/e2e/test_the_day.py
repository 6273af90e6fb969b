"""The whole day: ready, three homes without a line, killed twice, and a bad line on the way back.

Afterwards the server holds exactly the three evaluations with every picture recomputed, and the
tablet's disk holds nothing of the three people that somebody could read.
"""

from __future__ import annotations

import json
import os
import re
from base64 import b64decode
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.handset import Handset
from tests.e2e.line import Line
from tests.e2e.office import Office
from tests.e2e.preparing import PEOPLE
from tests.e2e.serving import Service, serving
from tests.e2e.tablet import PHOTOS, Camera, Tablet

LONG = os.environ.get("OUTREACH_LONG") == "1"
pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
THREE = PEOPLE[:3]
LABEL = "the day"
#: 64 kbit/s, and a cut each time so much went up.
SLOW, CUT_EVERY = 8_000, 60_000
#: The long edge of a picture: in the ordinary run a poor camera's, so that it takes half a minute.
EDGE = 0 if LONG else 260
#: Reads every record of every database and every cached answer, as base64.
DUMP = """async () => {
  const spell = async (value) => {
    if (value instanceof Blob) value = new Uint8Array(await value.arrayBuffer())
    if (value instanceof ArrayBuffer) value = new Uint8Array(value)
    if (value instanceof Uint8Array) {
      let text = ''
      for (const byte of value) text += String.fromCharCode(byte)
      return btoa(text)
    }
    const text = typeof value === 'string' ? value : JSON.stringify(value) ?? ''
    return spell(new TextEncoder().encode(text))
  }
  const found = {}
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((done) => {
      const asked = indexedDB.open(name)
      asked.onsuccess = () => done(asked.result)
    })
    for (const store of db.objectStoreNames) {
      const all = await new Promise((done) => {
        const asked = db.transaction(store).objectStore(store).getAll()
        asked.onsuccess = () => done(asked.result)
      })
      found[store] = []
      for (const row of all)
        for (const value of Object.values(row)) found[store].push(await spell(value))
    }
    db.close()
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name)
    found[name] = []
    for (const request of await cache.keys()) {
      found[name].push(await spell(request.url))
      found[name].push(await spell(await (await cache.match(request)).arrayBuffer()))
    }
  }
  found.localStorage = await Promise.all(Object.entries(localStorage).flat().map(spell))
  return found
}"""


def unseen(_page: Page, _name: str) -> None:
    """Look at nothing: other tests look."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Serve the small county with the visits of a day."""
    with serving(tmp_path_factory.mktemp("day"), "days") as running:
        yield running


def test_three_homes_two_deaths_one_bad_line(
    handset: Handset, line: Line, camera: Camera, codes: Iterator[str], office: Office
) -> None:
    camera.edge = EDGE
    hand = Tablet(handset.switch_on(), camera, unseen)
    handset.grant("persistent-storage")
    hand.enrol(next(codes), LABEL)
    is_ready(hand)
    line.is_down = True
    three_homes(handset, hand)
    hand = come_back(handset, line, camera)
    expected = {"evaluations": 1, "waiting": 0, "pictures": [7]}
    assert office("evaluations", *THREE) == dict.fromkeys(THREE, expected)
    said = [[number, "submit_evaluation", "applied"] for number in (1, 2, 3)]
    assert office("ledger", LABEL) == said
    assert line.cuts >= 2
    has_proof(hand, office)
    nothing_in_clear(hand.page, handset, office)


def is_ready(hand: Tablet) -> None:
    """Everything that is asked before leaving is green."""
    hand.go("更多")
    hand.page.get_by_role("link", name="出发前检查").click()
    hand.expects_heading("出发前检查")
    expect(hand.page.get_by_role("status").filter(has_text="可以出发")).to_be_visible()


def three_homes(handset: Handset, hand: Tablet) -> None:
    """Assess three people without a line; the battery dies in a form and before a signature."""
    hand.open_visit(THREE[0])
    hand.evaluate(THREE[0], "assessor", "colleague")
    hand.expects_heading(THREE[0])

    hand.open_visit(THREE[1])
    hand.page.get_by_role("link", name="开始评残").click()
    hand.arrive()
    hand.find()
    hand.has_saved()
    handset.kill()
    hand.page = handset.switch_on()
    hand.unlocks()
    hand.card(THREE[1]).click()
    hand.page.get_by_role("link", name="继续评残").click()
    hand.photograph()
    hand.conclude("colleague")
    hand.sign(THREE[1], "assessor", "colleague")
    hand.press("提交评定")
    hand.expects_heading(THREE[1])

    hand.open_visit(THREE[2])
    hand.page.get_by_role("link", name="开始评残").click()
    hand.arrive()
    hand.find()
    for words in PHOTOS:
        hand.shoot(words)
    hand.has_saved()
    handset.kill()
    hand.page = handset.switch_on()
    hand.unlocks()
    hand.card(THREE[2]).click()
    hand.page.get_by_role("link", name="继续评残").click()
    hand.expects_heading("照片")
    hand.press("下一步")
    hand.conclude("colleague")
    hand.sign(THREE[2], "assessor", "colleague")
    hand.press("提交评定")
    hand.expects_heading(THREE[2])
    for person in THREE:
        hand.go("今天")
        expect(hand.card(person)).to_contain_text("仅在本机")


def come_back(handset: Handset, line: Line, camera: Camera) -> Tablet:
    """Come into a valley with 64 kbit/s that is cut again and again, and wait for the receipts."""
    line.is_down = False
    line.bytes_per_second, line.cut_every = SLOW, CUT_EVERY
    assert handset.context is not None
    hand = Tablet(handset.context.pages[0], camera, unseen)
    hand.line().click()
    hand.go("发件箱")
    safe = hand.page.get_by_role("listitem").filter(has_text=re.compile("7/7 已送达"))
    expect(safe).to_have_count(3, timeout=800_000 if LONG else 200_000)
    expect(hand.page.get_by_role("listitem").filter(has_text="全部已送达")).to_have_count(3)
    line.bytes_per_second = line.cut_every = 0
    return hand


def has_proof(hand: Tablet, office: Office) -> None:
    """The tablet holds the office's signature under everything, and the office knows it again."""
    page = hand.page
    expect(page.get_by_text("签名已核对：第 1 至 3 号记录，服务器都已收下")).to_be_visible()
    expect(page.get_by_text("这些记录的照片和签名也都已送到。")).to_be_visible()
    with page.expect_download() as handed_on:
        hand.press("导出回执")
    told = office("verify_receipt", handed_on.value.path().read_text())
    assert "the records 1 to 3 of replica" in told
    assert "0 declared files were missing" in told
    assert "The register holds these records." in told
    with page.expect_download() as one:
        hand.press("导出第 2 号的回执")
    outcomes = json.loads(json.loads(one.value.path().read_text())["said"])["outcomes"]
    assert [2, "applied"] in outcomes


def nothing_in_clear(page: Page, handset: Handset, office: Office) -> None:
    """Search what the app stored, and then every file of the browser, for the three people."""
    words = office("secrets", *THREE)
    marks = [word.encode(code) for word in words for code in ("utf-8", "utf-16-le")]
    taken = [b64decode(picture) for picture in office("pictures", *THREE)]
    assert len(taken) == 21
    # A stretch out of the middle of each picture, and how JPEG and PNG begin.
    marks += [one[len(one) // 2 :][:24] for one in taken]
    beginnings = [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n"]
    stored = page.evaluate(DUMP)
    assert {"meta", "rows", "log", "outcomes", "media", "drafts"} <= set(stored)
    assert len(stored["log"]) == 2 * len(THREE)
    records = {
        f"{store} {number}": b64decode(text)
        for store, texts in stored.items()
        for number, text in enumerate(texts)
    }
    assert found_in(records, [*marks, *beginnings]) == []
    assert found_in({"planted": taken[0]}, marks) == ["planted"]
    handset.switch_off()
    files = {str(path): path.read_bytes() for path in handset.disk.rglob("*") if path.is_file()}
    assert found_in(files, marks) == []


def found_in(places: dict[str, bytes], marks: list[bytes]) -> list[str]:
    """Name the places in which one of the marks stands."""
    return [name for name, body in places.items() if any(mark in body for mark in marks)]
