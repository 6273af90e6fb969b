"""The Chinese catalogue has every msgid of the three rooms, and no other."""

from __future__ import annotations

import re

from tests.catalogue import extracted, translated

_PLACEHOLDER = re.compile(r"%\(\w+\)[ds]|\{\w+\}")


def _key(message: object) -> tuple[str, str | None]:
    first = message.id[0] if isinstance(message.id, tuple) else message.id  # type: ignore[attr-defined]
    return first, message.context  # type: ignore[attr-defined]


def test_every_msgid_is_in_the_catalogue_and_no_other() -> None:
    wanted = {_key(message) for message in extracted() if message.id}
    held = {_key(message) for message in translated() if message.id}
    assert held == wanted


def test_no_msgid_lacks_its_translation() -> None:
    left = [
        message.id
        for message in translated()
        if message.id and (message.fuzzy or not all(_strings(message)))
    ]
    assert left == []


def test_a_translation_keeps_the_placeholders() -> None:
    broken = [
        message.id
        for message in translated()
        if message.id
        and any(
            set(_PLACEHOLDER.findall(text)) != set(_PLACEHOLDER.findall(_key(message)[0]))
            for text in _strings(message)
        )
    ]
    assert broken == []


def _strings(message: object) -> tuple[str, ...]:
    said = message.string  # type: ignore[attr-defined]
    return (said,) if isinstance(said, str) else tuple(said)
