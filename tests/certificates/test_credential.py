"""The QR credential: what it says, and that nothing else passes for it."""

from __future__ import annotations

from datetime import date

import base45
import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certificates.authority import Signer, Trust
from certificates.credential import (
    PREFIX,
    Credential,
    MalformedCredential,
    UntrustedCredential,
    read_credential,
    write_credential,
)
from tests.certificates.making import CERTIFICATE, facts

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


@pytest.fixture(scope="module")
def code(signer: Signer) -> str:
    return write_credential(facts(), CERTIFICATE, signer.credential)


def test_a_code_says_what_the_paper_says(code: str, trust: Trust) -> None:
    assert read_credential(code, trust.credential_keys) == Credential(
        certificate=CERTIFICATE,
        issuer="南充市顺庆区残疾人联合会",
        name="陈守田",
        number="51130219300305011141",
        category="physical",
        grade=1,
        issued_on=date(2018, 6, 20),
        valid_until=date(2028, 6, 20),
        demo=True,
    )


def test_an_ordinary_code_keeps_to_qr_version_ten(code: str) -> None:
    assert len(code) <= 311  # alphanumeric capacity of 10-M (ISO/IEC 18004, table 7)
    assert set(code) <= set(ALPHABET)


def test_a_code_of_another_authority_is_not_trusted(impostor: Signer, trust: Trust) -> None:
    code = write_credential(facts(), CERTIFICATE, impostor.credential)
    with pytest.raises(UntrustedCredential):
        read_credential(code, trust.credential_keys)


def test_claims_under_a_borrowed_key_name_are_not_trusted(
    impostor: Signer, signer: Signer, trust: Trust
) -> None:
    class Borrowed:
        key_id = signer.credential.key_id
        sign = staticmethod(impostor.credential.sign)

    code = write_credential(facts(name="王五"), CERTIFICATE, Borrowed())
    with pytest.raises(UntrustedCredential):
        read_credential(code, trust.credential_keys)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "HC1:6BF",
        PREFIX,
        PREFIX + "::::",
        PREFIX + base45.b45encode(b"\xff").decode(),
        PREFIX + base45.b45encode(bytes.fromhex("c4821b7fffffffffffffff01")).decode(),
        PREFIX + base45.b45encode(cbor2.dumps([1, 2, 3, 4])).decode(),
        PREFIX + base45.b45encode(cbor2.dumps(cbor2.CBORTag(18, [b"", {}, b"", b""]))).decode(),
        PREFIX + base45.b45encode(cbor2.dumps(cbor2.CBORTag(18, [b"\xa0", {}, b"", b""]))).decode(),
    ],
)
def test_other_texts_are_not_codes_of_ours(text: str, trust: Trust) -> None:
    with pytest.raises(MalformedCredential):
        read_credential(text, trust.credential_keys)


@settings(max_examples=60)
@given(data=st.data())
def test_one_changed_character_is_always_found(
    code: str, trust: Trust, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from([c for c in ALPHABET if c != code[at]]))
    with pytest.raises((MalformedCredential, UntrustedCredential)):
        read_credential(code[:at] + other + code[at + 1 :], trust.credential_keys)
