"""The Chinese catalogue has every msgid of the three rooms, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.forms import BaseForm, Field
from django.urls import get_resolver
from django.utils.translation import override

from tests.catalogue import extracted, translated

_PLACEHOLDER = re.compile(r"%\(\w+\)[ds]|\{\w+\}")
_CHINESE = re.compile("[\u4e00-\u9fff]")


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


def _forms(kind: type[BaseForm] = BaseForm) -> Iterator[type[BaseForm]]:
    for form in kind.__subclasses__():
        yield form
        yield from _forms(form)


def test_no_form_speaks_chinese_to_who_reads_english() -> None:
    assert get_resolver().url_patterns  # every form's module is loaded
    with override("en"):
        said = {
            f"{form.__name__}.{name}: {text}"
            for form in _forms()
            if form.__module__.startswith(("outreach.", "certificates.", "mobile_api."))
            for name, field in form.base_fields.items()  # type: ignore[attr-defined]
            for text in (field.label, field.help_text, *_choices(field))
        }
    assert [text for text in said if _CHINESE.search(text.partition(", for example ")[0])] == []


def _choices(field: Field) -> list[object]:
    return [words for _, words in getattr(field, "choices", ())]
