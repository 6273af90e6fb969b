"""What must hold of cases that were assessed: what stands, what counts, what is announced."""

from __future__ import annotations

from collections import Counter

from certificates.models import Certificate
from outreach.models import Application, Evaluation, Journey, Notice, Visit
from tests.generative.promises import check

#: Where a case stands whose person meets the standard, and whose person does not.
MET = {
    *("evaluated", "on_notice", "under_objection", "noticed"),
    *("reviewed", "approved", "issued", "handed_over"),
}
NOT_MET = {"not_met", "under_appeal", "appeal_dismissed"}


def what_was_found_stands() -> None:
    """Check what follows from evaluations, however often somebody was assessed."""
    standing = _one_stands_of_each_case()
    _each_home_counts_once()
    _nobody_waits_in_vain()
    for notice in Notice.objects.filter(taken_down_on=None):
        stands = standing.get(notice.application_id) == notice.evaluation
        check("I6", stands, "a notice tells of what does not stand")
    for paper in Certificate.objects.filter(state="valid").select_related("evaluation"):
        check("I6", paper.evaluation.met, "a paper says what was not found")


def _one_stands_of_each_case() -> dict[object, Evaluation]:
    """I6: of several one stands, each corrects one, and the case goes by the one that stands."""
    made = Evaluation.objects.made_here()
    corrected = Counter(made.exclude(corrects=None).values_list("corrects", flat=True))
    check("I6", set(corrected.values()) <= {1}, "two evaluations correct the same one")
    standing = list(made.filter(corrections=None))
    counted = Counter(one.application_id for one in standing)
    check("I6", set(counted.values()) <= {1}, "two evaluations of a case stand")
    found = {one.application_id: one for one in standing}
    for case, state in Application.objects.values_list("pk", "state"):
        if state in MET | NOT_MET:
            stands = case in found and found[case].met == (state in MET)
            check("I6", stands, f"what was found is not why the case is {state}")
    return found


def _each_home_counts_once() -> None:
    counted = Counter(Journey.objects.values_list("evaluation__application", flat=True))
    assessed = set(Evaluation.objects.made_here().values_list("application", flat=True))
    once = set(counted) == assessed and set(counted.values()) <= {1}
    check("savings", once, "a home counts twice, or not at all")


def _nobody_waits_in_vain() -> None:
    coming = Visit.objects.open().exclude(application__state="accepted")
    states = coming.values_list("application__state", flat=True)
    check("booking", not coming.exists(), f"a visit is to come of a case that is {list(states)}")
