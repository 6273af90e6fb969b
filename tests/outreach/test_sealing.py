"""Sealed columns: what the database holds, what opens, and what must not."""

from __future__ import annotations

import base64

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from outreach.models import Resident
from outreach.models.sealed import key_ring
from outreach.sealing import KeyRing, MalformedKey, SealBroken
from tests import builders

KEY = base64.b64encode(b"k" * 32).decode()
OTHER = base64.b64encode(b"o" * 32).decode()
RING = KeyRing.parse([f"new:{KEY}", f"old:{OTHER}"], KEY)


@given(plain=st.binary(max_size=300), row=st.text(max_size=60))
def test_what_was_sealed_opens_for_the_same_row_only(plain: bytes, row: str) -> None:
    sealed = RING.seal(plain, row)
    assert RING.unseal(sealed, row) == plain
    with pytest.raises(SealBroken):
        RING.unseal(sealed, row + "x")


@given(plain=st.binary(max_size=60), place=st.integers(0), bit=st.integers(0, 7))
def test_one_changed_bit_is_found(plain: bytes, place: int, bit: int) -> None:
    sealed = bytearray(RING.seal(plain, "row"))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(SealBroken):
        RING.unseal(bytes(sealed), "row")


def test_a_key_that_was_rotated_out_of_first_place_still_opens() -> None:
    before = KeyRing.parse([f"old:{OTHER}"], KEY)
    assert RING.unseal(before.seal(b"plain", "row"), "row") == b"plain"
    with pytest.raises(SealBroken):
        before.unseal(RING.seal(b"plain", "row"), "row")


@pytest.mark.parametrize(
    "keys", [[], ["named"], ["named:not base64"], ["named:" + base64.b64encode(b"short").decode()]]
)
def test_a_malformed_key_is_named_but_never_shown(keys: list[str]) -> None:
    with pytest.raises(MalformedKey) as raised:
        KeyRing.parse(keys, KEY)
    assert "c2hvcnQ" not in str(raised.value)


@pytest.mark.django_db
def test_the_database_holds_no_number_telephone_or_diagnosis_in_clear() -> None:
    place = builders.county()
    [case] = builders.applied(place)
    secrets = [case.resident.id_number, "13900000000", "下肢缺失"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT id_number, telephone, address FROM outreach_resident")
        stored = b"".join(bytes(value) for value in cursor.fetchone())
        cursor.execute("SELECT diagnosis FROM outreach_application")
        stored += bytes(cursor.fetchone()[0])
    assert [secret for secret in secrets if secret.encode() in stored] == []


@pytest.mark.django_db
def test_a_value_copied_into_another_row_does_not_open() -> None:
    place = builders.county()
    first, second = (case.resident for case in builders.applied(place, 2))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE outreach_resident SET id_number = "
            "(SELECT id_number FROM outreach_resident WHERE id_number_index = %s) "
            "WHERE id_number_index = %s",
            [first.id_number_index, second.id_number_index],
        )
    with pytest.raises(SealBroken):
        _ = Resident.objects.get(pk=second.pk).id_number


@pytest.mark.django_db
def test_a_resident_is_found_by_the_number_and_a_sealed_column_cannot_be_queried() -> None:
    place = builders.county()
    [case] = builders.applied(place)
    found = Resident.objects.with_id_number(case.resident.id_number)
    assert list(found) == [case.resident]
    with pytest.raises(TypeError, match="sealed"):
        Resident.objects.filter(id_number=case.resident.id_number).exists()
    with pytest.raises(TypeError, match="sealed"):
        Resident.objects.update(telephone="13800000000")


def test_the_fingerprint_depends_on_key_and_purpose() -> None:
    other = KeyRing.parse([f"a:{KEY}"], OTHER)
    prints = {RING.blind("1", "a"), RING.blind("1", "b"), other.blind("1", "a")}
    assert len(prints) == 3
    assert key_ring().blind("1", "a") == key_ring().blind("1", "a")
