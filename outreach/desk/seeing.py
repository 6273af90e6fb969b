"""A page that was left open overwrites nothing unseen: its form says what it showed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import BoundField
from django.utils.translation import gettext as _

from outreach.desk.forms import SeenForm
from outreach.rules import Refused

Shown = Mapping[str, Any]


def showing(what: Shown) -> dict[str, Any]:
    """Return what a form shows first, with the mark by which it says so when it comes back."""
    return {**what, "seen": _mark(what)}


@contextmanager
def as_seen(
    form: SeenForm,
    row: Model,
    shown: Callable[[], Shown],
    *,
    hold: Callable[[], object] = lambda: None,
) -> Iterator[list[str]]:
    """Let nobody else change a record until the step is taken; refuse where somebody has.

    `shown` returns what the form shows of the record. What only somebody else changed goes into
    the form. Where its fields stand each for itself, that is asked about only if both changed the
    same, and the labels of what went in are yielded. What stands now is listed above the form:
    whoever sends it once more has seen that. `hold` holds what the step wants before the record.
    """
    with transaction.atomic():
        hold()
        rows = type(row)._default_manager.select_for_update(of=("self",), no_key=True)
        row.refresh_from_db(from_queryset=rows)
        now = shown()
        theirs = _changed(form.data.get("seen", ""), now)
        alone = _take_over(form, theirs, now) if theirs else []
        both = [name for name in theirs if name not in alone and _differs(form, name, now)]
        if both or (theirs and not (form.each_for_itself and form.is_valid())):
            asked = [name for name in theirs if name in both or name in alone]
            form.show(_mark(now), [_line(form[name], now[name]) for name in asked])
            raise Refused(
                "changed-meanwhile",
                _(
                    "Somebody changed this meanwhile. What you had left as it was stands in the"
                    " form as it is now. See what stands now; send it once more if yours shall"
                    " count."
                ),
            )
        yield [str(form[name].label).rstrip("?？") for name in alone]


def told(done: str, kept: Sequence[str]) -> str:
    """Add to what was done what of somebody else's went in with it."""
    if not kept:
        return done
    also = _("What somebody else had changed meanwhile is kept: %(fields)s.")
    return f"{done} {also % {'fields': '、'.join(kept)}}"


def _mark(what: Shown) -> str:
    return ".".join(_digest(name, value) for name, value in what.items())


def _digest(name: str, value: Any) -> str:
    return hashlib.sha256(json.dumps([name, _plain(value)]).encode()).hexdigest()[:8]


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple | QuerySet):
        return sorted(str(_plain(one)) for one in value)
    return str(getattr(value, "pk", value))


def _changed(seen: str, now: Shown) -> dict[str, str]:
    """Return the fields that stand otherwise than a page showed them, each with its old mark.

    Where the page does not say what it showed, that is every field.
    """
    before = seen.split(".")
    if len(before) != len(now):
        return dict.fromkeys(now, "")
    return {
        name: mark
        for (name, value), mark in zip(now.items(), before, strict=True)
        if mark != _digest(name, value)
    }


def _take_over(form: SeenForm, theirs: Mapping[str, str], now: Shown) -> list[str]:
    """Put into the form what only somebody else changed, or added; return which fields that are."""
    form.is_valid()
    typed = form.cleaned_data
    alone = [
        name
        for name, mark in theirs.items()
        if form.lacks(name) or _digest(name, typed.get(name)) == mark
    ]
    form.put_in({name: _words(form[name], now[name]) for name in alone})
    return alone


def _differs(form: SeenForm, name: str, now: Shown) -> bool:
    return bool(_plain(form.cleaned_data.get(name)) != _plain(now[name]))


def _words(field: BoundField, value: Any) -> list[str]:
    """Return a value as a browser sends it."""
    if isinstance(value, bool):
        return ["on"] if value else []
    said = field.field.widget.format_value(field.field.prepare_value(value))
    return [str(one) for one in said] if isinstance(said, list) else [str(said or "")]


def _line(field: BoundField, value: Any) -> tuple[str, str]:
    return str(field.label), _said(field, value)


def _said(field: BoundField, value: Any) -> str:
    choices = getattr(field.field, "choices", None)
    if choices is not None:
        wanted = _plain(value if isinstance(value, list | tuple) else [value])
        return "、".join(str(label) for code, label in choices if str(code) in wanted) or "—"
    if isinstance(value, bool):
        return "✓" if value else "—"
    return str(field.field.widget.format_value(value) or "—")
