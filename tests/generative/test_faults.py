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
    "a_cut_hand_in_goes_on_although_more_was_recorded": 26,
    "a_deletion_drops_the_outbox": 4,
    "a_fork_begins_a_new_life": 26,
    "a_fork_is_not_noticed": 64,
    "a_gap_is_the_end": 4,
    "a_receipt_says_what_was_sent": 2,
    "a_refusal_is_an_http_error": 4,
    "a_restore_forgets_who_was_enrolled": 18,
    "a_restore_forgets_who_was_stopped": 51,
    "a_restore_is_taken_for_a_fork": 4,
    "a_revoked_tablet_is_served": 1,
    "a_tablet_forgets_before_the_last_receipt": 21,
    "accepting_is_only_noted": 33,
    "acknowledged_on_send": 1,
    "an_older_version_is_unknown": 2,
    "an_upgrade_begins_afresh": 17,
    "any_digest_proves_a_view": 1,
    "applied_is_said_and_nothing_done": 1,
    "beginning_again_clears_the_store": 1,
    "complete_means_announced": 26,
    "evaluations_overwrite": 7,
    "late_answers_are_accepted": 1,
    "missing_photos_are_not_asked_for": 1,
    "no_chain": 22,
    "no_gap_check": 4,
    "nobody_is_told_of_a_conflict": 2,
    "pages_are_not_proven": 1,
    "photos_are_freed_on_sending": 7,
    "said_is_not_saved": 2,
    "the_checksum_is_not_recomputed": 6,
    "the_feed_keeps_a_restore_to_itself": 4,
    "the_last_write_wins": 4,
    "the_old_view_is_deleted_on_sending": 1,
    "what_a_newer_version_brings_is_dropped": 4,
    "what_left_the_scope_is_refused": 4,
    "what_is_unknown_is_an_http_error": 2,
    "work_of_the_former_assessor_counts": 11,
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
