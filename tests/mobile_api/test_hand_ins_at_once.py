"""A part that comes twice in one moment, or while a register stands again, is kept once."""

from __future__ import annotations

from uuid import uuid4

from mobile_api import handed
from mobile_api.federation import FederationKeys
from mobile_api.handin import take
from mobile_api.models import HandInPart
from mobile_api.restoring import begin_epoch
from mobile_api.wire import HandInIn
from outreach import clock
from outreach.demo.tablet import Tablet
from outreach.files import files
from tests.at_once import ON_POSTGRESQL, meanwhile
from tests.mobile_api.handing_in import signed_part
from tests.mobile_api.test_quarantine import keys as keys
from tests.mobile_api.test_quarantine import tablet as tablet

pytestmark = ON_POSTGRESQL


def sealings(tablet: Tablet, keys: FederationKeys) -> list[HandInIn]:
    """Return one part twice, sealed anew as after a lost answer."""
    said = {"hand_in": str(uuid4()), "of": 2}
    bodies = [signed_part(tablet.key, tablet.state.replica, keys, {}, **said) for _ in range(2)]
    return [HandInIn.model_validate(body) for body in bodies]


def as_file() -> list[dict[str, str]]:
    return [handed.read(name, files()).part.sealed for name in files().names(handed.ROOM)]


def test_file_and_row_are_of_whichever_came_first(tablet: Tablet, keys: FederationKeys) -> None:
    first, second = sealings(tablet, keys)
    meanwhile(lambda: take(first, at=clock.now()), lambda: take(second, at=clock.now()))
    assert [row.sealed for row in HandInPart.objects.all()] == as_file() == [first.sealed]


def test_a_register_that_stands_again_meanwhile_finds_no_second_one(
    tablet: Tablet, keys: FederationKeys
) -> None:
    first, _ = sealings(tablet, keys)
    meanwhile(lambda: take(first, at=clock.now()), lambda: begin_epoch([]))
    assert [row.sealed for row in HandInPart.objects.all()] == as_file() == [first.sealed]
