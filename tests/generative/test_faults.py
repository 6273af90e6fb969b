"""The scenarios have teeth: every planted fault is caught, and it is told how soon."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.conftest import LONG
from tests.generative.faults import FAULTS
from tests.generative.scenarios import campaign
from tests.generative.world import Beginning

pytestmark = pytest.mark.django_db(transaction=True)

#: Scenarios that a fault may survive.
PATIENCE = 400 if LONG else 120
#: The seed that caught a fault when it was last looked for; a wrong one costs time, no more.
CAUGHT_BY = {
    "a_cursor_instead_of_a_manifest": 1,
    "a_cut_hand_in_goes_on_although_more_was_recorded": 102,
    "a_deletion_drops_the_outbox": 1,
    "a_fork_begins_a_new_life": 20,
    "a_fork_is_not_noticed": 33,
    "a_gap_is_the_end": 22,
    "a_restore_forgets_who_was_enrolled": 37,
    "a_tablet_forgets_before_the_last_receipt": 102,
    "accepting_is_only_noted": 17,
    "an_address_is_overwritten": 24,
    "an_older_version_is_unknown": 6,
    "an_upgrade_begins_afresh": 11,
    "applied_is_said_and_nothing_done": 1,
    "beginning_again_clears_the_store": 17,
    "complete_means_announced": 5,
    "evaluations_overwrite": 15,
    "late_answers_are_accepted": 1,
    "missing_photos_are_not_asked_for": 1,
    "no_chain": 6,
    "no_gap_check": 6,
    "pages_are_not_proven": 1,
    "photos_are_freed_on_sending": 6,
    "strangers_are_turned_away": 7,
    "the_checksum_is_not_recomputed": 11,
    "the_feed_keeps_a_restore_to_itself": 18,
    "the_last_write_wins": 15,
    "what_a_newer_version_brings_is_dropped": 7,
}


def seeds(name: str) -> Iterator[int]:
    """Yield the seeds to play: all from the first on, in the ordinary run the likely one before."""
    if not LONG and name in CAUGHT_BY:
        yield CAUGHT_BY[name]
    yield from range(PATIENCE)


@pytest.mark.timeout(3600 if LONG else 300)
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(
    beginning: Beginning, capsys: pytest.CaptureFixture[str], name: str
):
    with FAULTS[name]():
        played = campaign(beginning, seeds(name))
    with capsys.disabled():
        found = played.broken.name if played.broken else "nothing"
        told = f"{found} by seed {played.seed}, after {played.scenarios} scenarios"
        print(f"\n{connection.vendor}: {name}: {told}", end="")
    assert played.broken is not None
