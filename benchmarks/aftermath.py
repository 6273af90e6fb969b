"""What must hold on the database once the storm is over: I1 to I11 as far as it can break them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from benchmarks.playing import Day


def broken(days: Sequence[Day]) -> list[str]:
    """Return every promise that does not hold, in words; an empty list is a good day."""
    from mobile_api.models import LedgerEntry, Replica
    from mobile_api.pull import digest, row_of
    from mobile_api.scope import rows_for
    from outreach import clock
    from outreach.models import Evaluation, Photo, StoredBlob, User
    from tests.generative.invariants import ledger_is_whole, nothing_is_overwritten
    from tests.generative.promises import Broken

    found: list[str] = []
    for check in (ledger_is_whole, nothing_is_overwritten):
        try:
            check()
        except Broken as error:
            found.append(str(error))
    replicas = {str(row.pk): row for row in Replica.objects.all()}
    stored = set(StoredBlob.objects.values_list("sha256", flat=True))
    for day in days:
        state, name = day.device.state, day.device.name
        place = replicas[state.replica]
        if place.last_seq < state.acked:
            found.append(f"I2: {name} was told {state.acked}, the server has {place.last_seq}")
        said = {one["seq"]: one["id"] for one in state.log.values()}
        kept = dict(LedgerEntry.objects.filter(replica=place).values_list("seq", "mutation_id"))
        if any(str(kept.get(seq)) != said[seq] for seq in said if seq <= state.acked):
            found.append(f"I11: {name}: the ledger holds something else")
        made = {one["args"]["evaluation"] for one in state.log.values() if one["seq"] in kept}
        if Evaluation.objects.filter(pk__in=made).count() != len(made):
            found.append(f"I1: {name}: an acknowledged evaluation is not there, or twice")
        if day.stored - stored:
            found.append(f"I9: {name}: {len(day.stored - stored)} acknowledged files are missing")
        if day.all_safe is not None:
            user = User.objects.get(pk=day.player.user.pk)
            rows = [row_of(key, content) for key, content in rows_for(user, clock.today())]
            if {row.k: row.h for row in rows} != {k: h for k, (h, _) in state.rows.items()}:
                found.append(f"I4: {name} holds other rows than its scope")
            if state.digest != digest({row.k: row.h for row in rows}):
                found.append(f"I4: {name} knows another digest")
    for name in stored:
        if not _is_whole(name):
            found.append("I9: a registered file is not what its name says")
    twice = Photo.objects.count() - Photo.objects.values("evaluation", "sha256").distinct().count()
    if twice:
        found.append(f"I1: {twice} photos are declared twice")
    return found


def _is_whole(name: str) -> bool:
    from outreach.files import files, photo_name

    try:
        with files().read(photo_name(name)) as photo:
            return hashlib.sha256(photo.read()).hexdigest() == name
    except FileNotFoundError:
        return False
