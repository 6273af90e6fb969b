"""The canonical form of a mutation: Python's own encoder where it agrees with RFC 8785."""

from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from mobile_api.chain import NotCanonical, canonical_json, is_signed

_WHOLE = 2**53 - 1
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-_WHOLE, _WHOLE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(-1000, 1000)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(VALUES.filter(lambda value: "\\ud" not in repr(value)))
def test_every_value_is_written_as_rfc_8785_writes_it(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (12.0, "12"),
        (-0.0, "0"),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (123456789.125, "123456789.125"),
        (2**60, "1152921504606847000"),
        ({"\ue000": 1, "\U0001f600": 2}, '{"\U0001f600":2,"\ue000":1}'),
        ("\x7f\u2028<", '"\x7f\u2028<"'),
    ],
)
def test_numbers_and_names_are_written_as_javascript_writes_them(value: Any, written: str) -> None:
    assert canonical_json(value).decode() == written


def nested(leaf: Any, depth: int) -> Any:
    for _ in range(depth):
        leaf = [leaf]
    return leaf


@pytest.mark.parametrize("leaf", [1, 1.0, 2**60, {"\ue000": 1}])
@pytest.mark.parametrize("depth", [300, 600, 1_000])
def test_what_lies_too_deep_has_no_canonical_form(leaf: Any, depth: int) -> None:
    assert canonical_json(nested(1, 200)) == b"[" * 200 + b"1" + b"]" * 200
    with pytest.raises(NotCanonical):
        canonical_json(nested(leaf, depth))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {"\ud800": 1}, 10**400])
def test_what_has_no_canonical_form_says_so(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical_json(value)


@pytest.mark.parametrize("signature", ["", "=", "é" * 88, "AAAA", "A" * 86 + "=="])
def test_what_is_no_signature_is_none(signature: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert not is_signed(key, b"said", signature)
