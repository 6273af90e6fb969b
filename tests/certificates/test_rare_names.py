"""Names drawn from GB 18030-2022 level 3: what is printed copies out as it went in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from random import Random

import pytest

from certificates.layout import draw
from certificates.typeface import chains
from tests.certificates.making import QR_TEXT, paper, text_of

LONG = os.environ.get("OUTREACH_LONG") == "1"
NAMES = 10_000 if LONG else 240
TOGETHER = 3
"""Names on one paper: holder, guardian, and one in the address."""

BLOCKS = (
    (0x4E00, 0x9FEF),
    (0x3400, 0x4DB5),
    (0x20000, 0x2A6D6),
    (0x2A700, 0x2B734),
    (0x2B740, 0x2B81D),
    (0x2B820, 0x2CEA1),
    (0x2CEB0, 0x2EBE0),
)
"""GB 18030-2022, implementation level 3: the unified ideographs up to Extension F."""
TWELVE = "\ufa0e\ufa0f\ufa11\ufa13\ufa14\ufa1f\ufa21\ufa23\ufa24\ufa27\ufa28\ufa29"
LEVEL_3 = [chr(code) for low, high in BLOCKS for code in range(low, high + 1)] + list(TWELVE)

pytestmark = pytest.mark.timeout(1800)


def test_level_3_has_87887_characters_and_a_face_prints_each() -> None:
    regular, bold = chains()
    assert len(set(LEVEL_3)) == 87_887
    for chain in (regular, bold):
        for character in LEVEL_3:
            face, glyph = chain.find(character)
            assert glyph > 0
            assert face.outline(glyph), character


def invented(count: int) -> Iterator[str]:
    """Draw names so that every block is met as often as the common one."""
    random = Random(18030)
    groups = [[chr(code) for code in range(low, high + 1)] for low, high in BLOCKS]
    groups += [list(TWELVE), LEVEL_3]
    for _ in range(count):
        yield "".join(random.choice(random.choice(groups)) for _ in range(random.randint(2, 6)))


def together(names: Sequence[str]) -> str:
    """Draw names on one paper and return the text that copies out."""
    name, guardian, village = names
    drawn = draw(paper(name=name, guardian_name=guardian, address=f"灯台乡{village}村"), QR_TEXT)
    return text_of(drawn)


def test_every_name_copies_out_as_it_went_in() -> None:
    count = NAMES - NAMES % TOGETHER + TOGETHER
    names = list(invented(count))
    wrong = []
    for at in range(0, count, TOGETHER):
        group = names[at : at + TOGETHER]
        text = together(group)
        wrong += [name for name in group if name not in text]
    print(f"\n{count} names of {len(set(''.join(names)))} different characters, {len(wrong)} wrong")
    assert wrong == []
    assert count >= NAMES
