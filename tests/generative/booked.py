"""What must have become of visits that tablets booked, and of papers that they handed over."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from certificates.models import Certificate, CertificateEvent
from mobile_api.models import Dispute, LedgerEntry
from outreach.domain.workflow import OPEN_VISITS
from outreach.models import Visit, VisitEvent
from tests.generative.promises import check


def _done(name: str) -> list[LedgerEntry]:
    """Return the records of a kind that were applied, or accepted by a person, and say it still."""
    accepted = set(Dispute.objects.filter(decision="accepted").values_list("replica", "seq"))
    rows = LedgerEntry.objects.filter(name=name, erased_at=None)
    return [
        row for row in rows if row.outcome == "applied" or (row.replica_id, row.seq) in accepted
    ]


def bookings_stand() -> None:
    """Each booking that was acknowledged was made, once, for when it was said."""
    events = VisitEvent.objects.filter(name="schedule").values_list("visit", "on", "start")
    made: dict[str, list[str]] = {}
    for visit, on, start in events:
        made.setdefault(str(visit), []).append(f"{on} {start:%H:%M}")
    said = [
        (row.args["visit"], f"{row.args['on']} {row.args['start']}")
        for row in _done("schedule_visit")
    ]
    for visit, when in said:
        check("I1", made.get(visit) == [when], f"{when} was booked, {made.get(visit)} made")
    check("I1", len(dict(said)) == len(said), "a visit was booked twice")


def nobody_is_booked_twice() -> None:
    """No case has two visits to come, and no assessor two at one time."""
    coming = Visit.objects.filter(state__in=sorted(OPEN_VISITS)).order_by("pk")
    cases = Counter(visit.application_id for visit in coming)
    check("booking", set(cases.values()) <= {1}, "a case has two visits to come")
    for one, other in combinations(coming, 2):
        both = one.assessor_id == other.assessor_id and one.overlaps(other)
        check("booking", not both, f"somebody is at two homes on {one.on} at {one.start}")


def papers_are_handed_over_once() -> None:
    """Each hand-over that was acknowledged was one, and no paper went out twice."""
    events = CertificateEvent.objects.filter(name="hand_over").values_list("certificate", flat=True)
    counts = Counter(str(pk) for pk in events)
    check("I1", set(counts.values()) <= {1}, "a certificate was handed over twice")
    said = Counter(row.args["certificate"] for row in _done("hand_over_certificate"))
    check("I1", set(said.values()) <= {1}, "two are said to have handed a certificate over")
    check("I1", set(said) <= set(counts), "a hand-over was acknowledged and not made")
    for pk, at in Certificate.objects.values_list("pk", "handed_over_at"):
        check("I1", bool(at) == (str(pk) in counts), "a hand-over has no history")
