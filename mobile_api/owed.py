"""Which of the files that its records declare a tablet still owes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Func, QuerySet, TextField

from mobile_api.models import LedgerEntry, Replica
from outreach.models import Kept, Slot


class _NotHeld(Func):
    """The names in a JSON list of files that are not held, with commas; NULL where all are."""

    output_field = TextField()
    template = (
        "(SELECT %(joined)s FROM %(opened)s AS declared WHERE NOT EXISTS"
        " (SELECT 1 FROM outreach_storedblob AS held WHERE held.sha256 = declared.value))"
    )

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Open the list by `json_each`."""
        joined, opened = "group_concat(declared.value)", "json_each(%(expressions)s)"
        return self._as(joined, opened, compiler, connection, context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Open the list by `jsonb_array_elements_text`, whose column is named as that one's."""
        joined = "string_agg(declared.value, ',')"
        opened = "jsonb_array_elements_text(%(expressions)s)"
        return self._as(joined, opened, compiler, connection, context)

    def _as(self, joined: str, opened: str, compiler: Any, connection: Any, context: Any) -> Any:
        template = self.template.replace("%(joined)s", joined).replace("%(opened)s", opened)
        return self.as_sql(compiler, connection, template=template, **context)


@Kept
def _awaiting(replica: Slot) -> QuerySet[LedgerEntry, tuple[UUID, str | None]]:
    found = LedgerEntry.objects.filter(replica=replica, awaits_media=True)
    return found.values_list("pk", _NotHeld("media"))


def owed(replica: Replica) -> list[str]:
    """Return the declared files that are not held; entries that miss none are not asked again."""
    awaiting = _awaiting(replica=replica.pk).stored
    if complete := [pk for pk, names in awaiting if not names]:
        LedgerEntry.objects.filter(pk__among=complete).update(awaits_media=False)
    missing = ",".join(names for _, names in awaiting if names)
    return sorted(set(missing.split(","))) if missing else []
