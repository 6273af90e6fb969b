"""Every sealed column has a line that says what becomes of it."""

from __future__ import annotations

from django.apps import apps

from outreach.models.sealed import SealedField
from outreach.retention import blanks


def test_every_sealed_column_is_erased_or_kept_for_a_reason() -> None:
    sealed = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, SealedField) and model._meta.label not in blanks.WHOLE
    }
    blanked = {f"{blank.record}.{name}" for blank in blanks.ALL for name in blank.columns}
    assert sealed - blanked - set(blanks.KEPT) == set()
    assert set(blanks.KEPT) - sealed == set()
