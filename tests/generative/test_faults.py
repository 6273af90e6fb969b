"""The scenarios have teeth: every planted fault is caught, and it is told how soon."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.conftest import LONG
from tests.generative.faults import FAULTS
from tests.generative.scenarios import Played, campaign
from tests.generative.world import Beginning

pytestmark = pytest.mark.django_db(transaction=True)

#: Scenarios that a fault may survive.
PATIENCE = 400 if LONG else 120
#: The seed whose scenario caught a fault when it was last looked for, and of how many of its steps;
#: a wrong one costs time, no more.
CAUGHT_BY = {
    "a_booking_is_only_noted": (1, 18),
    "a_child_asks_for_itself": (23, 28),
    "a_copy_is_looked_for_in_its_own_log_only": (16, 33),
    "a_cursor_instead_of_a_manifest": (7, 6),
    "a_cut_hand_in_goes_on_although_more_was_recorded": (38, 38),
    "a_decided_dispute_is_nothing_new": (1, 6),
    "a_deletion_drops_the_outbox": (1, 6),
    "a_fork_begins_a_new_life": (38, 14),
    "a_fork_is_not_noticed": (389, 46),
    "a_gap_is_the_end": (1, 33),
    "a_hand_in_is_receipted_and_not_kept": (3, 18),
    "a_hand_in_is_taken_in_and_not_heard": (3, 18),
    "a_home_counts_each_time": (2, 33),
    "a_notice_waits_for_no_photo": (22, 33),
    "a_page_of_the_feed_ends_at_the_head": (0, 10),
    "a_paper_is_handed_over_again": (27, 28),
    "a_part_of_what_is_decided_is_receipted": (5, 18),
    "a_photo_that_came_is_nothing_new": (1, 33),
    "a_receipt_says_what_was_sent": (0, 14),
    "a_refusal_is_an_http_error": (0, 14),
    "a_relative_rates": (13, 28),
    "a_restore_forgets_what_was_handed_in": (0, 33),
    "a_restore_forgets_who_was_enrolled": (6, 38),
    "a_restore_forgets_who_was_erased": (1, 33),
    "a_restore_forgets_who_was_stopped": (57, 23),
    "a_restore_gives_roles_back": (12, 48),
    "a_restore_is_not_announced": (6, 38),
    "a_restore_is_taken_for_a_fork": (1, 33),
    "a_restore_lets_somebody_in_again": (8, 14),
    "a_restore_makes_papers_valid_again": (3, 53),
    "a_revoked_tablet_is_served": (0, 38),
    "a_second_booking_is_refused": (20, 46),
    "a_second_evaluation_stands_beside_the_first": (9, 43),
    "a_tablet_forgets_before_the_last_receipt": (76, 28),
    "a_time_is_given_away_twice": (14, 10),
    "a_village_keeps_its_former_name": (3, 48),
    "a_visit_is_booked_on_a_holiday": (3, 53),
    "a_visit_that_was_moved_is_not_done": (31, 23),
    "accepting_is_only_noted": (9, 43),
    "acknowledged_on_send": (1, 33),
    "an_address_is_overwritten": (11, 6),
    "an_appeal_comes_too_late": (22, 6),
    "an_earlier_one_of_a_push_counts_as_said": (16, 14),
    "an_ended_paper_stays_on_tablets": (3, 14),
    "an_older_version_is_unknown": (1, 6),
    "an_upcaster_drops_a_field": (6, 38),
    "an_upgrade_begins_afresh": (6, 23),
    "any_digest_proves_a_view": (1, 6),
    "applied_is_said_and_nothing_done": (1, 6),
    "beginning_again_clears_the_store": (46, 46),
    "complete_means_announced": (4, 33),
    "dequeued_on_send": (0, 14),
    "evaluations_overwrite": (6, 33),
    "hashes_are_remembered_by_key": (0, 6),
    "late_answers_are_accepted": (5, 18),
    "missing_photos_are_not_asked_for": (4, 6),
    "no_chain": (40, 46),
    "no_gap_check": (1, 33),
    "no_sent_box": (0, 14),
    "no_view_is_ever_proven": (0, 6),
    "nobody_is_told_of_a_conflict": (1, 6),
    "one_refusal_is_everybodys": (1, 6),
    "only_the_last_sent_view_is_kept": (0, 14),
    "other_words_under_a_known_number_count_as_said": (1, 38),
    "pages_are_not_proven": (5, 18),
    "photos_are_asked_for_once": (4, 10),
    "photos_are_freed_on_sending": (4, 28),
    "photos_are_receipted_unseen": (0, 14),
    "photos_of_a_corrected_copy_are_not_asked_for": (89, 18),
    "photos_of_what_was_refused_are_not_asked_for": (4, 18),
    "said_is_not_saved": (33, 28),
    "signatures_are_counted_once_more": (2, 14),
    "strangers_are_turned_away": (14, 18),
    "the_checksum_is_not_recomputed": (4, 28),
    "the_days_off_are_remembered": (3, 53),
    "the_epoch_is_remembered_across_a_restore": (6, 38),
    "the_feed_keeps_a_restore_to_itself": (6, 38),
    "the_last_write_wins": (13, 28),
    "the_old_view_is_deleted_on_sending": (0, 10),
    "the_pictures_of_a_hand_in_are_dropped": (0, 33),
    "the_rest_is_forgotten": (0, 6),
    "the_scope_is_yesterdays": (0, 6),
    "two_evaluations_of_one_push_pass_together": (19, 38),
    "what_a_newer_version_brings_is_dropped": (1, 33),
    "what_comes_late_of_who_is_erased_stays": (10, 46),
    "what_is_theirs_no_more_is_lost": (22, 10),
    "what_is_unknown_is_an_http_error": (1, 38),
    "what_is_void_is_handed_over": (3, 53),
    "what_left_the_scope_is_refused": (1, 14),
    "what_waits_is_erased_unseen": (7, 38),
    "what_was_heard_of_a_hand_in_is_heard_again": (0, 28),
    "what_was_open_at_the_backup_is_not_erased": (1, 33),
    "what_was_said_of_who_is_erased_stays": (6, 28),
    "who_is_erased_is_in_scope": (1, 6),
    "who_stands_up_for_a_child_is_dropped": (8, 58),
    "whoever_has_a_tablet_holds_cases": (7, 28),
    "whom_a_result_bars_is_erased_with_it": (22, 6),
    "whom_a_tablet_brings_back_stays": (45, 38),
    "work_of_the_former_assessor_counts": (11, 28),
}


@pytest.mark.timeout(3600 if LONG else 300)
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(
    beginning: Beginning, capsys: pytest.CaptureFixture[str], name: str
):
    with FAULTS[name]():
        seed, length = CAUGHT_BY.get(name, (0, None))
        played = Played() if LONG else campaign(beginning, [seed], length)
        if played.broken is None:
            played = campaign(beginning, range(PATIENCE))
    with capsys.disabled():
        found = played.broken.name if played.broken else "nothing"
        told = f"{found} by {len(played.steps)} steps of seed {played.seed}"
        told += f", after {played.scenarios} scenarios"
        print(f"\n{connection.vendor}: {name}: {told}", end="")
    assert played.broken is not None
