"""The sealed file: whatever its length it comes back, and nothing of it can be changed."""

from __future__ import annotations

import io
from itertools import cycle
from random import Random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from outreach.files.stream import (
    CHUNK,
    FRAME,
    HEADER,
    opened,
    possible_sizes,
    sealed_blocks,
    sealed_size,
)
from outreach.sealing import KeyRing, SealBroken

RING = KeyRing({"k1": b"1" * 32}, b"i" * 32)
LENGTHS = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5)


def plain(length: int) -> bytes:
    return Random(length).randbytes(length)


def seal(content: bytes, name: str = "a", ring: KeyRing = RING) -> bytes:
    return b"".join(sealed_blocks(io.BytesIO(content).read, ring, name))


def read(sealed: bytes, name: str = "a", ring: KeyRing = RING) -> bytes:
    with opened(io.BytesIO(sealed), len(sealed), ring, name) as file:
        return file.read()


@pytest.mark.parametrize("length", LENGTHS)
def test_a_file_of_any_length_comes_back(length: int) -> None:
    sealed = seal(plain(length))

    assert read(sealed) == plain(length)
    assert len(sealed) == sealed_size(length)


@given(st.integers(0, 2 * CHUNK + 9), st.lists(st.integers(1000, CHUNK), min_size=1, max_size=9))
def test_blocks_of_any_size_make_the_same_chunks(length: int, sizes: list[int]) -> None:
    source = io.BytesIO(plain(length))
    cut = cycle(sizes)

    sealed = b"".join(sealed_blocks(lambda most: source.read(min(most, next(cut))), RING, "a"))

    assert len(sealed) == sealed_size(length)
    assert read(sealed) == plain(length)


@given(st.integers(0, 3 * CHUNK + 9), st.integers(0, 2 * CHUNK))
def test_it_is_read_anywhere_without_the_rest(start: int, length: int) -> None:
    content = plain(3 * CHUNK + 5)
    sealed = seal(content)

    with opened(io.BytesIO(sealed), len(sealed), RING, "a") as file:
        file.seek(start)
        assert file.read(length) == content[start : start + length]


@given(st.data())
def test_one_changed_bit_anywhere_is_found(data: st.DataObject) -> None:
    sealed = bytearray(seal(plain(CHUNK + 100)))
    at = data.draw(st.integers(8, len(sealed) - 1))
    sealed[at] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(SealBroken):
        read(bytes(sealed))


@pytest.mark.parametrize("length", [5, CHUNK, 2 * CHUNK, 2 * CHUNK + 5])
def test_a_cut_is_found_before_the_first_byte(length: int) -> None:
    sealed = seal(plain(length))
    for end in {HEADER, HEADER + 3, HEADER + FRAME, HEADER + 2 * FRAME, len(sealed) - 1}:
        if end < len(sealed):
            with pytest.raises(SealBroken):
                opened(io.BytesIO(sealed[:end]), end, RING, "a")


def test_chunks_cannot_change_places() -> None:
    sealed = seal(plain(3 * CHUNK))
    first, second, third = (sealed[HEADER + n * FRAME : HEADER + (n + 1) * FRAME] for n in range(3))

    assert read(sealed[:HEADER] + first + second + third) == plain(3 * CHUNK)
    with pytest.raises(SealBroken):
        read(sealed[:HEADER] + second + first + third)


def test_a_file_under_another_name_does_not_open() -> None:
    with pytest.raises(SealBroken, match="another file's"):
        read(seal(b"a photo", "blobs/a"), "blobs/b")


def test_an_older_key_opens_and_a_missing_one_is_named() -> None:
    sealed = seal(b"a photo")
    both = KeyRing({"k2": b"2" * 32, **RING.keys}, b"i" * 32)

    assert read(sealed, ring=both) == b"a photo"
    with pytest.raises(SealBroken, match="no key of the ring"):
        read(sealed, ring=KeyRing({"k2": b"2" * 32}, b"i" * 32))


def counted(content: bytes, ring: KeyRing, name: str) -> bytes:
    """Seal as the first version did, whose nonces are counted and not written down."""
    tag, salt = ring.first_tag, b"s" * 16
    cipher = AESGCM(ring.file_key(tag, salt, name))
    chunks = [content[at : at + CHUNK] for at in range(0, len(content), CHUNK)] or [b""]
    sealed = [
        cipher.encrypt(number.to_bytes(11, "big") + bytes([chunk is chunks[-1]]), chunk, None)
        for number, chunk in enumerate(chunks)
    ]
    return b"\x8eOSEAL\x01\n" + tag + salt + b"".join(sealed)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_file_of_the_first_version_is_read_as_before(length: int) -> None:
    content = plain(length)
    sealed = counted(content, RING, "a")

    assert read(sealed) == content
    assert len(sealed) in possible_sizes(length)
    with opened(io.BytesIO(sealed), len(sealed), RING, "a") as file:
        file.seek(length // 2)
        assert file.read(9) == content[length // 2 : length // 2 + 9]
    with pytest.raises(SealBroken):
        read(sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_a_file_from_before_sealing_reads_as_it_is() -> None:
    assert read(b"%PDF-1.7 an old paper") == b"%PDF-1.7 an old paper"


def test_the_same_file_is_never_sealed_twice_alike() -> None:
    assert seal(b"a photo") != seal(b"a photo")
