"""A page that was left open overwrites nothing unseen: its form says what it showed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
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
) -> Iterator[None]:
    """Let nobody else change a record until the step is taken; refuse where somebody has.

    `shown` returns what the form shows of the record. What stands now is listed above the form:
    whoever sends it once more has seen that. `hold` holds what the step wants before the record.
    """
    with transaction.atomic():
        hold()
        rows = type(row)._default_manager.select_for_update(of=("self",), no_key=True)
        row.refresh_from_db(from_queryset=rows)
        now = shown()
        if form.data.get("seen", "") != _mark(now):
            _show(form, now)
            raise Refused(
                "changed-meanwhile",
                _(
                    "Somebody changed this meanwhile. See what stands now; send it once more"
                    " if yours shall count."
                ),
            )
        yield


def _mark(what: Shown) -> str:
    said = json.dumps({name: _plain(value) for name, value in what.items()}, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:20]


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple | QuerySet):
        return sorted(str(_plain(one)) for one in value)
    return str(getattr(value, "pk", value))


def _show(form: SeenForm, now: Shown) -> None:
    """Let the form list what stands otherwise than was typed, and say that it was seen."""
    form.is_valid()
    other = [
        (str(field.label), _said(field, now[field.name]))
        for field in form
        if field.name in now
        and _plain(now[field.name]) != _plain(form.cleaned_data.get(field.name))
    ]
    form.show(_mark(now), other)


def _said(field: BoundField, value: Any) -> str:
    choices = getattr(field.field, "choices", None)
    if choices is not None:
        wanted = _plain(value if isinstance(value, list | tuple) else [value])
        return "、".join(str(label) for code, label in choices if str(code) in wanted) or "—"
    if isinstance(value, bool):
        return "✓" if value else "—"
    return str(field.field.widget.format_value(value) or "—")
