"""The way out: the difference between what a tablet proves to hold and what it should hold.

No cursor: the server hashes each row of the user's scope and compares with the manifest of
the view that the tablet names and proves by digest. Rows that left the scope are deletions
like any other, and each page is a complete step with a view of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson
import rfc8785
from django.db import models

from mobile_api.models import PulledView, Replica
from mobile_api.scope import Scope
from mobile_api.wire import PullIn, PullOut, Row
from outreach.models import Kept, Slot, insert

Manifest = dict[str, str]
#: Views that no tablet has proven yet, as many as a dying line may leave behind.
KEPT_VIEWS = 16
#: Digests of rows remembered by this process; some 200 bytes each.
REMEMBERED_FORMS = 50_000


def digest(manifest: Manifest) -> str:
    """Return the digest of a manifest: SHA-256 over its sorted `key:hash` lines."""
    lines = "".join(f"{key}:{manifest[key]}\n" for key in sorted(manifest))
    return hashlib.sha256(lines.encode()).hexdigest()


def row_of(key: str, content: dict[str, Any]) -> Row:
    """Return the row with the hash of its canonical JSON (RFC 8785)."""
    return Row(k=key, h=_canonical(content)[0], d=content)


_canonical_forms: dict[bytes, tuple[str, int]] = {}


def _canonical(content: dict[str, Any]) -> tuple[str, int]:
    """Return hash and size of the canonical form, worked out once for equal contents.

    Canonical JSON is written in Python and costs ten times what the C encoder takes; most
    rows of most polls are those of the poll before. Only digests are remembered, no content.
    """
    seen = hashlib.blake2b(orjson.dumps(content), digest_size=16).digest()
    form = _canonical_forms.get(seen)
    if form is None:
        if len(_canonical_forms) >= REMEMBERED_FORMS:
            _canonical_forms.clear()
        canonical = rfc8785.dumps(content)
        form = hashlib.sha256(canonical).hexdigest()[:16], len(canonical)
        _canonical_forms[seen] = form
    return form


def step(held: Manifest, rows: Sequence[Row], max_bytes: int) -> tuple[list[str], list[Row], int]:
    """Return deletions, then rows, that fit into `max_bytes`, and how many of either remain.

    At least one of them, whatever its size, so that each step goes on; no row before the last
    deletion, so that nobody holds more than they may for longer than it takes.
    """
    wanted = {row.k for row in rows}
    gone = sorted(set(held) - wanted)
    changed = [row for row in rows if held.get(row.k) != row.h]
    leaving, room = _fitting([len(key) + 3 for key in gone], max_bytes)
    if leaving < len(gone):
        return gone[:leaving], [], len(gone) - leaving + len(changed)
    sizes = (_canonical(row.d)[1] + len(row.k) + 40 for row in changed)
    coming, _ = _fitting(sizes, room, least=0 if gone else 1)
    return gone, changed[:coming], len(changed) - coming


def _fitting(sizes: Iterable[int], room: int, least: int = 1) -> tuple[int, int]:
    """Return how many of a run fit, and the room they leave."""
    count = 0
    for size in sizes:
        if size > room and count >= least:
            break
        count, room = count + 1, room - size
    return count, room


def pull(replica: Replica, asked: PullIn, scope: Scope) -> PullOut:
    """Answer the next step of this replica; a tablet that proves nothing begins from nothing.

    A lost answer, or a request that the network delivers again, costs one page and never a
    full download (I10): a view goes only once the tablet proves that it holds a later one.
    Where the tablet holds all of the scope as it was read, no row is made at all.
    """
    view = _proven(replica, asked)
    if view and view.whole == scope.fingerprint:
        _forget(replica, view, view)
        return _told(view, view, [], [], 0)
    held: Manifest = dict(view.manifest) if view else {}
    rows = [row_of(key, content) for key, content in scope]
    dels, puts, remaining = step(held, rows, asked.max_bytes)
    after = {key: value for key, value in held.items() if key not in set(dels)}
    after.update({row.k: row.h for row in puts})
    made = _made(replica, view, held, after, "" if remaining else scope.fingerprint)
    _forget(replica, view, made)
    return _told(view, made, dels, puts, remaining)


def _made(
    replica: Replica, view: PulledView | None, held: Manifest, after: Manifest, whole: str
) -> PulledView:
    if view is None or after != held:
        made = PulledView(replica=replica, digest=digest(after), manifest=after, whole=whole)
        insert(PulledView, [vars(made)])
        return made
    if view.whole != whole:
        PulledView.objects.filter(pk=view.pk).update(whole=whole)
    return view


def _told(
    view: PulledView | None,
    made: PulledView,
    dels: list[str],
    puts: list[Row],
    remaining: int,
) -> PullOut:
    return PullOut(
        base=view.pk if view else None,
        view=made.pk,
        digest=made.digest,
        more=remaining > 0,
        remaining=remaining,
        dels=dels,
        puts=puts,
    )


@Kept
def _newest(replica: Slot) -> models.QuerySet[PulledView, UUID]:
    found = PulledView.objects.filter(replica=replica).order_by("-pk")
    return found.values_list("pk", flat=True)


def _forget(replica: Replica, proven: PulledView | None, sent: PulledView) -> None:
    """Drop the views before the one the tablet proved, and of the others all but the newest.

    The one that is sent now stays, whatever the clock says from which its id is made.
    """
    views = _newest(replica=replica.pk)
    kept = {pk for pk in views[:KEPT_VIEWS] if proven is None or pk >= proven.pk}
    kept.update({sent.pk, proven.pk if proven else sent.pk})
    if gone := [pk for pk in views if pk not in kept]:
        replica.views.filter(pk__in=gone).delete()


@Kept
def _views(replica: Slot, view: Slot, digest: Slot) -> models.QuerySet[PulledView]:
    # What a long manifest holds is read only where something has changed.
    return PulledView.objects.filter(replica=replica, pk=view, digest=digest).defer("manifest")


def _proven(replica: Replica, asked: PullIn) -> PulledView | None:
    if asked.view is None:
        return None
    return _views.first(replica=replica.pk, view=asked.view, digest=asked.digest or "")
