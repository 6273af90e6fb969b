"""What must be left of people who asked to be forgotten: nothing, here and on every tablet."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from mobile_api.models import Dispute, LedgerEntry
from outreach.files import files, photo_name
from outreach.models import Application, Evaluation, PaperPhoto, Photo, StoredBlob, VisitEvent
from tests.generative.device import Device
from tests.generative.promises import check


def keys_of(case: Application) -> set[str]:
    """Return what a tablet names a case by, with the ID number where it is the person's only."""
    keys = {str(case.pk)}
    for name in ("visits", "evaluations"):
        keys |= {str(pk) for pk in getattr(case, name).values_list("pk", flat=True)}
    others = case.resident.applications.exclude(pk=case.pk).filter(erased_at=None)
    return keys if others.exists() else keys | {case.resident.id_number}


def says(args: Any, keys: Collection[str]) -> bool:
    """Tell whether a record, or a row, names one of these."""
    text = json.dumps(args, default=str)
    return any(key in text for key in keys if key)


def disputes_about(keys: Collection[str]) -> list[Dispute]:
    """Return what waits at the desk and names one of these."""
    waiting = list(Dispute.objects.filter(decided_at=None).order_by("pk"))
    return [one for one in waiting if says(_entry_of(one).args, keys)]


def _entry_of(dispute: Dispute) -> LedgerEntry:
    return LedgerEntry.objects.get(replica=dispute.replica_id, seq=dispute.seq)


def nothing_was_said(keys: Collection[str]) -> None:
    """What tablets said of a person until now is gone, but what waits for a decision."""
    waiting = {(one.replica_id, one.seq) for one in disputes_about(keys)}
    for entry in LedgerEntry.objects.all():
        if (entry.replica_id, entry.seq) not in waiting:
            check("erasure", not says(entry.args, keys), f"{entry.name} names who was erased")


def nothing_came_late() -> None:
    """After a night, what tablets said of erased cases since is gone too, once it is decided."""
    cases = Application.objects.exclude(erased_at=None).select_related("resident")
    nothing_was_said(set().union(*map(keys_of, cases)))


def nothing_is_kept(gone: Collection[str]) -> None:
    """No erased case has words or files any more, and nothing was done in it since."""
    cases = Application.objects.exclude(erased_at=None).select_related("resident")
    for case in cases:
        person = case.resident
        if not person.applications.filter(erased_at=None).exists():
            left = (person.id_number, person.telephone, person.address)
            check("erasure", left == ("", "", ""), f"{left} is kept of a person")
        check(
            "erasure", case.state in ("withdrawn", "closed", "not_met"), f"it went on: {case.state}"
        )
    rows = VisitEvent.objects.filter(visit__application__in=cases)
    check("erasure", not [one for one in rows if one.note or one.place], "a visit tells of them")
    for evaluation in Evaluation.objects.filter(application__in=cases):
        told = [part["findings"] for part in evaluation.parts if part["findings"]]
        check("erasure", not told and not evaluation.remark, "their findings are kept")
    _no_file_is_kept(Photo.objects.filter(evaluation__application__in=cases))
    _no_file_is_kept(PaperPhoto.objects.filter(application__in=cases))
    accepted = set(Dispute.objects.filter(decision="accepted").values_list("replica", "seq"))
    for entry in LedgerEntry.objects.filter(erased_at=None):
        stands = entry.outcome == "applied" or (entry.replica_id, entry.seq) in accepted
        check("erasure", not stands or not says(entry.args, gone), f"{entry.name} applied")


def _no_file_is_kept(photos: Iterable[Photo | PaperPhoto]) -> None:
    names = [photo.sha256 for photo in photos]
    kept = StoredBlob.objects.filter(pk__in=names, erased_at=None)
    check("erasure", not kept.exists(), "a photo of an erased case is kept")
    left = StoredBlob.objects.filter(pk__in=names).exclude(removed_at=None)
    there = [one.pk for one in left if files().exists(photo_name(one.pk))]
    check("erasure", not there, "the file of an erased photo lies there")


def no_tablet_shows(device: Device, gone: Collection[str]) -> None:
    """A tablet that has exchanged holds no row of the person."""
    for key, (_, row) in device.state.rows.items():
        check("erasure", not says([key, row], gone), f"{device.name} still holds {key}")
