"""What must become of the mutations of a push, as the register stands just before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import date, time
from typing import Any
from uuid import UUID

from django.conf import settings

from certificates.models import Certificate
from mobile_api.models import LedgerEntry
from outreach.domain.vocabulary import Role
from outreach.models import (
    Application,
    DeclaredRelative,
    Evaluation,
    User,
    Visit,
    working_calendar,
)
from outreach.rules import applications_for

#: Its last letter is another's.
A_BAD_NUMBER = "53010219200508011Y"
A_CHILDS_BIRTHDAY = date(2010, 6, 1)
#: By its number in the log: the promise, and the outcome that keeps it.
Expected = dict[int, tuple[str, str]]
Said = list[dict[str, Any]]
IN, OUT = ("in scope applies", "applied"), ("out of scope parks", "parked")


def expected(username: str, fresh: Said, made: Collection[str], reached: Counter[str]) -> Expected:
    """Return the outcomes that are beyond doubt, of mutations that were not taken in before.

    Nor brought by a hand-in, after which their tablet came back.
    """
    signed = LedgerEntry.objects.filter(mutation_id__in=[one["id"] for one in fresh])
    heard = {str(pk) for pk in signed.values_list("mutation_id", flat=True)}
    fresh = [one for one in fresh if one["id"] not in heard]
    found: Expected = {}
    if User.objects.get(username=username).role in (Role.APPROVER, Role.AUDITOR):
        return dict(_in_another_role(fresh, made, reached))
    for look in (
        _evaluations,
        _nominations,
        _addresses,
        _bookings,
        _hand_overs,
        _of_who_is_erased,
    ):
        found.update(look(username, fresh, made, reached))
    return found


#: What a tablet makes, by the argument that names it.
_MADE = {
    "submit_evaluation": ("evaluation", Evaluation),
    "nominate": ("application", Application),
    "schedule_visit": ("visit", Visit),
}


def _in_another_role(
    fresh: Said, made: Collection[str], reached: Counter[str]
) -> Iterator[tuple[int, tuple[str, str]]]:
    """Look at what was done while it was its author's to do, and is heard when it is not."""
    for one in fresh:
        name, args = one["name"], one["args"]
        if name in _MADE:
            key, model = _MADE[name]
            if model._default_manager.filter(pk=args.get(key)).exists():
                continue
        if name == "nominate" and (
            args["resident"]["id_number"] == A_BAD_NUMBER or _asks_alone(args)
        ):
            continue
        if name in ("nominate", "schedule_visit", "correct_contact", "hand_over_certificate") or (
            name == "submit_evaluation" and args.get("evaluation") in made
        ):
            reached["heard in another role"] += 1
            yield one["seq"], ("a step that is not theirs any more parks", "parked")


def _evaluations(
    username: str, fresh: Said, made: Collection[str], reached: Counter[str]
) -> Iterator[tuple[int, tuple[str, str]]]:
    """Look at those that nothing speaks against, and at those of visits that are another's."""
    # A visit that is booked by the same push is nobody's yet.
    about = Counter(one["args"].get("visit") for one in fresh)
    due = [
        one
        for one in fresh
        if one["args"].get("evaluation") in made and about[one["args"]["visit"]] == 1
    ]
    if not due:
        return
    mine = Visit.objects.filter(application__assessor__username=username)
    own = {str(pk) for pk in mine.values_list("pk", flat=True)}
    named = mine.filter(pk__in=[one["args"]["visit"] for one in due], state="scheduled")
    ids = {str(pk) for pk in named.values_list("pk", flat=True)}
    done = Evaluation.objects.filter(visit__in=ids).values_list("visit", flat=True)
    known = {str(pk) for pk in done}
    there = Evaluation.objects.filter(pk__in=[one["args"]["evaluation"] for one in due])
    came = {str(pk) for pk in there.values_list("pk", flat=True)}
    doctors = {
        str(pk) for pk in User.objects.filter(role=Role.ASSESSOR).values_list("pk", flat=True)
    }
    author = User.objects.get(username=username)
    for one in due:
        if one["args"]["evaluation"] in came:
            continue
        signed = len(doctors.intersection(one["args"]["co_signers"]))
        if one["args"]["visit"] in ids - known:
            is_enough = signed >= settings.OUTREACH_CO_SIGNERS
            if _are_kin([author.pk, *one["args"]["co_signers"]], one["args"]["visit"]):
                reached["rated by a relative"] += 1
                yield one["seq"], ("no relative rates", "refused")
            else:
                yield one["seq"], IN if is_enough else ("so many sign", "refused")
        elif one["args"]["visit"] not in own:
            yield one["seq"], OUT


def _are_kin(users: Collection[object], visit: str) -> bool:
    """Tell whether one of these declared the person of a visit a relative."""
    theirs = DeclaredRelative.objects.filter(user__in=users)
    return theirs.filter(resident__applications__visits=visit).exists()


def is_a_childs(args: dict[str, Any]) -> bool:
    """Tell whether a nomination is of a child."""
    return f"{A_CHILDS_BIRTHDAY:%Y%m%d}" in args["resident"]["id_number"]


def _asks_alone(args: dict[str, Any]) -> bool:
    return args["consent"]["by"] == "resident" and is_a_childs(args)


def _nominations(
    username: str, fresh: Said, _made: Collection[str], reached: Counter[str]
) -> Iterator[tuple[int, tuple[str, str]]]:
    """Look at those outside their author's present area, and at sound ones within."""
    said = [one for one in fresh if one["name"] == "nominate"]
    if not said:
        return
    area = User.objects.get(username=username).division.code
    ids = [one["args"]["application"] for one in said]
    known = Application.objects.filter(pk__in=ids).values_list("pk", flat=True)
    there = {str(pk) for pk in known}
    entries = LedgerEntry.objects.filter(name="nominate")
    before = {entry.args["resident"]["id_number"] for entry in entries.filter(erased_at=None)}
    for one in said:
        args = one["args"]
        number = args["resident"]["id_number"]
        if args["application"] not in there and not args["village"].startswith(area):
            reached["nominated elsewhere"] += 1
            yield one["seq"], OUT
        elif args["application"] not in there and _asks_alone(args):
            reached["a child asks alone"] += 1
            yield one["seq"], ("the guardian asks", "refused")
        elif args["application"] not in there and number not in before | {A_BAD_NUMBER}:
            reached["correction applied"] += "corrects" in args
            there.add(args["application"])
            yield one["seq"], IN
        before.add(number)


def _addresses(
    username: str, fresh: Said, _made: Collection[str], reached: Counter[str]
) -> Iterator[tuple[int, tuple[str, str]]]:
    """Look at addresses of cases in scope: their author saw the one that stands, or did not."""
    about = [one for one in fresh if one["name"] == "correct_contact"]
    if not about:
        return
    user = User.objects.get(username=username)
    ids = [one["args"]["application"] for one in about]
    cases = applications_for(user).filter(pk__in=ids, erased_at=None).select_related("resident")
    stands = {str(case.pk): case.resident.address for case in cases}
    for one in about:
        case, to, seen = (one["args"][name] for name in ("application", "to", "seen"))
        if case not in stands:
            continue
        fits = stands[case] in (to["address"], seen["address"])
        reached["address met" if fits else "address contested"] += 1
        stands[case] = to["address"] if fits else stands[case]
        yield one["seq"], ("I6", "applied" if fits else "conflict")


#: What changes whose time is free, and whose home is visited.
_BOOKING = {"schedule_visit", "move_visit", "cancel_visit", "record_not_done", "submit_evaluation"}


def _bookings(
    username: str, fresh: Said, _made: Collection[str], reached: Counter[str]
) -> Iterator[tuple[int, tuple[str, str]]]:
    """Look at bookings of cases out of scope, and at those that come alone."""
    said = [one for one in fresh if one["name"] == "schedule_visit"]
    user = User.objects.get(username=username) if said else None
    alone = sum(one["name"] in _BOOKING for one in fresh) == 1
    for one in said:
        args = one["args"]
        if user is None or Visit.objects.filter(pk=args["visit"]).exists():
            continue
        case = applications_for(user).filter(pk=args["application"]).first()
        if case is None:
            reached["booked elsewhere"] += 1
            yield one["seq"], OUT
        elif alone:
            promise, outcome = _booking(case, args)
            reached[f"booking {outcome}"] += 1
            yield one["seq"], (promise, outcome)


def _booking(case: Application, args: dict[str, Any]) -> tuple[str, str]:
    """Tell what becomes of a booking of a case, as its family and its assessor are booked now."""
    doctor = case.assessor
    if case.state != "accepted" or doctor is None or doctor.role != Role.ASSESSOR:
        return "what is over is not visited", "refused"
    if not doctor.is_active:
        return "who has left visits nobody", "refused"
    if case.visits.filter(state="scheduled").exists():
        return "I6", "conflict"
    if doctor.declared_relatives.filter(resident=case.resident_id).exists():
        return "no relative rates", "refused"
    day = date.fromisoformat(args["on"])
    if not working_calendar(day).is_working_day(day):
        return "nobody comes on a holiday", "refused"
    wanted = Visit(on=date.fromisoformat(args["on"]), minutes=args["minutes"])
    wanted.start = time.fromisoformat(args["start"])
    taken = Visit.objects.filter(assessor=doctor, state="scheduled")
    is_taken = any(wanted.overlaps(other) for other in taken)
    return ("nobody is at two homes", "refused") if is_taken else IN


def _hand_overs(
    username: str, fresh: Said, _made: Collection[str], reached: Counter[str]
) -> Iterator[tuple[int, tuple[str, str]]]:
    """Look at papers: handed over once, by whom they are in scope of."""
    said = [one for one in fresh if one["name"] == "hand_over_certificate"]
    user = User.objects.get(username=username) if said else None
    handed = set(Certificate.objects.exclude(handed_over_at=None).values_list("pk", flat=True))
    valid = set(Certificate.objects.filter(state="valid").values_list("pk", flat=True))
    for one in said:
        pk = UUID(one["args"]["certificate"])
        theirs = applications_for(user).filter(certificates=pk) if user else None
        if theirs is None or not theirs.exists():
            reached["handed over elsewhere"] += 1
            yield one["seq"], OUT
        elif pk in handed:
            reached["handed over twice"] += 1
            yield one["seq"], ("handed over once", "refused")
        elif pk not in valid:
            reached["handed over, and void"] += 1
            yield one["seq"], ("what is void is not handed over", "refused")
        else:
            handed.add(pk)
            yield one["seq"], IN


#: What becomes of what is said of a case that was erased, by a tablet whose case it was still.
_TOO_LATE = {
    "submit_evaluation": "conflict",
    "record_not_done": "conflict",
    "move_visit": "conflict",
    "cancel_visit": "conflict",
    "correct_contact": "refused",
    "schedule_visit": "refused",
}


def _of_who_is_erased(
    username: str, fresh: Said, _made: Collection[str], reached: Counter[str]
) -> Iterator[tuple[int, tuple[str, str]]]:
    """Look at what comes late about people who were erased: it waits at the desk, and no more."""
    said = [one for one in fresh if one["name"] in _TOO_LATE]
    cases = Application.objects.exclude(erased_at=None)
    if not said or not cases.exists():
        return
    user = User.objects.get(username=username)
    theirs = applications_for(user).exclude(erased_at=None)
    visits = Visit.objects.filter(application__in=theirs)
    if user.role == "assessor":
        visits = visits.filter(assessor=user)
    mine = {str(pk) for rows in (theirs, visits) for pk in rows.values_list("pk", flat=True)}
    others = Visit.objects.filter(application__in=cases)
    known = {str(pk) for rows in (cases, others) for pk in rows.values_list("pk", flat=True)}
    for one in said:
        about = one["args"].get("visit") or one["args"].get("application")
        if about in known:
            reached["said of who is erased"] += 1
            yield one["seq"], ("erasure", _TOO_LATE[one["name"]] if about in mine else "parked")
