"""Identifiers: UUID version 7 (RFC 9562), so that keys grow with time and are made offline."""

from collections.abc import Sequence
from uuid import UUID

import uuid_utils
from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a fresh UUIDv7."""
    return uuid7()


def new_ids(count: int) -> Sequence[uuid_utils.UUID]:
    """Return fresh UUIDv7s of a kind that costs a third: it is read as a text or `hex`."""
    return [uuid_utils.uuid7() for _ in range(count)]
