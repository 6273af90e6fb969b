"""Whether the keys of the settings are those under which the register was written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, models

from outreach.models.people import Resident
from outreach.models.sealed import blind_index, key_ring
from outreach.sealing import HEAD, MalformedKey, SealBroken


class OtherKeys(RuntimeError):
    """The keys of the settings are not those of the register."""


def check_keys() -> None:
    """Raise `OtherKeys` where the people of the register could not be read, or found again.

    What is written under such keys would be lost to the right ones.
    """
    people = Resident.objects.filter(erased_at=None)
    known = people.order_by("pk").first()
    head = models.Func("id_number", 1, HEAD, function="SUBSTR", output_field=models.BinaryField())
    try:
        number = known.id_number if known else ""
        is_opened = not people.alias(head=head).exclude(head__in=key_ring().heads).exists()
    except SealBroken:
        is_opened = False
    if not is_opened:
        raise OtherKeys("OUTREACH_SEALING_KEYS does not open what the register holds.")
    if known and known.id_number_index != blind_index(number, "id_number"):
        raise OtherKeys("OUTREACH_INDEX_KEY finds nobody of the register.")


@register(Tags.database)
def check_register(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Keep a register from being served, or upgraded, under other keys than its own."""
    try:
        if databases:
            check_keys()
    except OtherKeys as error:
        hint = "Put the keys of this register back: each that rotate_sealing_key still counts."
        return [Error(str(error), hint=hint, id="outreach.E015")]
    except (MalformedKey, DatabaseError):  # said elsewhere; not there, or not upgraded yet
        pass
    return []
