"""Faults to plant, one at a time: the mistakes that sync systems make, in server and tablet.

Each must be caught by the scenarios. A fault changes one decision and nothing around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import Max

from certificates import life
from certificates.models import CertificateQuerySet
from mobile_api import (
    api,
    auth,
    disputes,
    enrolments,
    handin,
    mutators,
    pull,
    push,
    quarantine,
    revocations,
    scope,
    upcasting,
)
from mobile_api.models import Epoch, HandInPart, LedgerEntry, Outcome
from mobile_api.problems import Problem
from mobile_api.tus import blobs
from mobile_api.wire import ChangesOut
from outreach.actions import applications, contacts, evaluations, outlasting, publicity, visits
from outreach.domain.vocabulary import Role
from outreach.models import Answers, AuditEvent, Evaluation, Kept, Visit
from outreach.models.visits import EvaluationQuerySet
from outreach.retention import requests
from outreach.rules import Raters, Refused
from tests.generative.device import Device
from tests.generative.world import World

Fault = Callable[[], AbstractContextManager[None]]
FAULTS: dict[str, Fault] = {}


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = owner[name] if isinstance(owner, dict) else getattr(owner, name)
    _put(owner, name, value)
    try:
        yield
    finally:
        _put(owner, name, before)


def _put(owner: Any, name: str, value: Any) -> None:
    if isinstance(owner, dict):
        owner[name] = value
    else:
        setattr(owner, name, value)


def plant(owner: Any, name: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a faulty stand-in for `owner.name`; its first argument is the sound original."""

    def register(faulty: Callable[..., Any]) -> Callable[..., Any]:
        def planted() -> AbstractContextManager[None]:
            sound = owner[name] if isinstance(owner, dict) else getattr(owner, name)
            if isinstance(owner, dict):
                stand_in = faulty(sound)
            else:

                def stand_in(*given: Any, **named: Any) -> Any:
                    return faulty(sound, *given, **named)

            return _replaced(owner, name, stand_in)

        FAULTS[faulty.__name__] = planted
        return faulty

    return register


# The server's way out


@plant(pull, "step")
def a_cursor_instead_of_a_manifest(sound: Any, held: Any, rows: Any, room: int) -> Any:
    """Send what changed and never what left."""
    _, puts, remaining = sound(held, rows, room)
    return [], puts, remaining


@plant(pull, "step")
def the_rest_is_forgotten(sound: Any, held: Any, rows: Any, room: int) -> Any:
    """Say that a page was the last one although rows remain."""
    gone, puts, _ = sound(held, rows, room)
    return gone, puts[:2], 0


@plant(pull, "_forget")
def the_old_view_is_deleted_on_sending(sound: Any, replica: Any, *given: Any) -> None:
    """Keep only the view that was just sent, before the tablet has it."""
    newest = replica.views.order_by("-pk").values_list("pk", flat=True)[:1]
    replica.views.exclude(pk__in=list(newest)).delete()


@plant(pull, "_forget")
def only_the_last_sent_view_is_kept(sound: Any, replica: Any, proven: Any, sent: Any) -> None:
    """Keep the proven view and the one just sent: what another window has is forgotten."""
    kept = {sent.pk, proven.pk if proven else sent.pk}
    replica.views.exclude(pk__in=kept).delete()


@contextmanager
def _hashes_by_key() -> Iterator[None]:
    known: dict[str, str] = {}
    sound = pull.row_of

    def remembered(key: str, content: dict[str, Any]) -> Any:
        row = sound(key, content)
        return row.model_copy(update={"h": known.setdefault(key, row.h)})

    with _replaced(pull, "row_of", remembered):
        yield


FAULTS["hashes_are_remembered_by_key"] = _hashes_by_key


def _overlooking(name: str, *, seen: int = 0) -> Fault:
    """Tell that there is nothing new after a look at some columns of what the rows are made of."""

    @contextmanager
    def planted() -> Iterator[None]:
        sound = scope.Scope.fingerprint.func

        def blind(read: scope.Scope) -> str:
            columns = [row[:seen] for row in getattr(read, name).stored if seen]
            return str(sound(replace(read, **{name: Answers(columns)})))

        with _replaced(scope.Scope, "fingerprint", property(blind)):
            yield

    return planted


FAULTS["a_photo_that_came_is_nothing_new"] = _overlooking("waiting")
# Those with which a dispute is raised; what a person decides stands in the others.
FAULTS["a_decided_dispute_is_nothing_new"] = _overlooking("disputes", seen=6)


@plant(pull, "_proven")
def no_view_is_ever_proven(sound: Any, replica: Any, asked: Any) -> None:
    """Begin from nothing each time."""


@plant(pull, "_proven")
def any_digest_proves_a_view(sound: Any, replica: Any, asked: Any) -> Any:
    """Believe a tablet without proof that it holds what it names."""
    return replica.views.filter(pk=asked.view).first() or replica.views.order_by("-pk").first()


@contextmanager
def _scope_of_yesterday() -> Iterator[None]:
    remembered: dict[Any, Any] = {}
    sound = api.rows_for

    def stale(user: Any, on: Any) -> Any:
        if user.pk not in remembered or len(remembered[user.pk]) > 40:
            remembered[user.pk] = sound(user, on)
        return remembered[user.pk]

    with _replaced(api, "rows_for", stale):
        yield


FAULTS["the_scope_is_yesterdays"] = _scope_of_yesterday


@contextmanager
def _revoked_is_served() -> Iterator[None]:
    def unheeding(*given: Any, **named: Any) -> bool:
        """Ask for the token only."""
        return True

    with _replaced(auth, "check_in_use", unheeding), _replaced(api, "_seen", unheeding):
        yield


FAULTS["a_revoked_tablet_is_served"] = _revoked_is_served


@plant(api, "owed")
def missing_photos_are_not_asked_for(sound: Any, *given: Any) -> list[str]:
    """Tell every tablet that all its photos are here."""
    return []


@plant(api, "owed")
def photos_of_what_was_refused_are_not_asked_for(sound: Any, replica: Any) -> list[str]:
    """Ask only for the photos of what was applied."""
    applied = replica.ledger.filter(outcome=Outcome.APPLIED).values_list("media", flat=True)
    return sorted(set(sound(replica)) & {name for names in applied for name in names})


@plant(api, "owed")
def photos_are_asked_for_once(sound: Any, replica: Any) -> list[str]:
    """Take a photo that was asked for as one that comes."""
    names: list[str] = sound(replica)
    LedgerEntry.objects.filter(replica=replica).update(awaits_media=False)
    return names


@plant(api, "owed")
def photos_of_a_corrected_copy_are_not_asked_for(sound: Any, replica: Any) -> list[str]:
    """Believe that a copy has the photos of what it corrects and no others."""
    firsts = replica.ledger.filter(corrects=None).values_list("media", flat=True)
    return sorted(set(sound(replica)) & {name for names in firsts for name in names})


# The server's way in


@plant(push, "_check_chain")
def no_chain(sound: Any, *given: Any) -> None:
    """Compare numbers, not contents."""


@contextmanager
def _no_gap_check() -> Iterator[None]:
    def unheeding(*given: Any) -> None:
        """Take any stretch that begins anywhere."""

    def lenient(*given: Any) -> None:
        """Check what is known and trust the rest."""

    with _replaced(push, "_check_run", unheeding), _replaced(push, "_check_chain", lenient):
        yield


FAULTS["no_gap_check"] = _no_gap_check


@plant(mutators, "_check_seen")
def the_last_write_wins(sound: Any, *given: Any) -> None:
    """Change an appointment whatever its author saw."""


@contextmanager
def _not_done_at_any_time() -> Iterator[None]:
    kind = ("record_not_done", 2)
    sound = mutators.MUTATORS[kind].run

    def run(batch: Any, context: Any) -> None:
        sound([args.model_copy(update={"seen": None}) for args in batch], context)

    with _replaced(mutators.MUTATORS, kind, replace(mutators.MUTATORS[kind], run=run)):
        yield


FAULTS["a_visit_that_was_moved_is_not_done"] = _not_done_at_any_time


@plant(contacts, "_changes")
def an_address_is_overwritten(sound: Any, resident: Any, one: Any, *, is_admitted: bool) -> Any:
    """Change an address whatever its author saw."""
    return sound(resident, one, is_admitted=True)


@plant(push, "_settle")
def a_refusal_is_an_http_error(sound: Any, said: Any, error: Any) -> None:
    """Answer what a rule forbids with 422, so that the queue stops there."""
    sound(said, error)
    if said.outcome is not Outcome.APPLIED:
        raise Problem("malformed", "refused")


@plant(push, "_settle")
def what_left_the_scope_is_refused(sound: Any, said: Any, error: Any) -> None:
    """Refuse a fact whose case is not the author's any more, as if it were against a rule."""
    sound(said, error)
    if said.code == "out-of-scope":
        said.outcome = Outcome.REFUSED


@plant(push, "_read")
def what_is_unknown_is_an_http_error(sound: Any, said: Any, *given: Any) -> None:
    """Answer a mutation of another release with 422."""
    sound(said, *given)
    if said.code in {"unknown-mutation", "malformed"}:
        raise Problem("malformed", said.code)


@contextmanager
def _accepting_does_nothing() -> Iterator[None]:
    def undone(sound: Any) -> Any:
        def run(batch: Any, context: Any) -> None:
            with transaction.atomic():
                sound(batch, context)
                transaction.set_rollback(True)

        return run

    kind = ("submit_evaluation", 2)
    faulty = replace(mutators.MUTATORS[kind], run=undone(mutators.MUTATORS[kind].run))
    with _replaced(mutators.MUTATORS, kind, faulty):
        yield


FAULTS["applied_is_said_and_nothing_done"] = _accepting_does_nothing


@contextmanager
def _evaluations_overwrite() -> Iterator[None]:
    kind = ("submit_evaluation", 2)
    sound = mutators.MUTATORS[kind].run

    def run(batch: Any, context: Any) -> None:
        for args in batch:
            standing = Evaluation.objects.filter(visit=args.visit).first()
            if standing:
                standing.remark = args.remark
                standing.save(update_fields=["remark"])
            else:
                sound([args], context)

    with _replaced(mutators.MUTATORS, kind, replace(mutators.MUTATORS[kind], run=run)):
        yield


FAULTS["evaluations_overwrite"] = _evaluations_overwrite


@plant(mutators, "_visits")
def work_of_the_former_assessor_counts(sound: Any, ids: Any, *given: Any) -> Any:
    """Look a visit up by its id alone and let whoever asks act as the assessor in charge."""
    rows = Visit.objects.filter(pk__in=ids).select_related(
        "application__resident", "application__village__parent", "assessor"
    )
    found = {row.pk: row for row in rows}
    return found if set(ids) <= set(found) else sound(ids, *given)


@plant(push, "_write")
def nobody_is_told_of_a_conflict(sound: Any, replica: Any, *given: Any, **named: Any) -> Any:
    """Record what became of a mutation and raise no dispute."""
    told = sound(replica, *given, **named)
    replica.disputes.all().delete()
    return told


@plant(push, "_unheard")
def what_was_heard_of_a_hand_in_is_heard_again(sound: Any, fresh: Any, device: Any) -> Any:
    """Take in once more what a hand-in has brought: applied, or as a second dispute."""
    return fresh


@plant(mutators.Mutator, "known")
def an_earlier_one_of_a_push_counts_as_said(sound: Any, mutator: Any, batch: Any) -> list[bool]:
    """Take a second record under one number as said before, although the first may be refused."""
    known: list[bool] = sound(mutator, batch)
    if mutator.makes is None:
        return known
    ids = [mutator.makes[1](args) for args in batch]
    return [there or ids[at] in ids[:at] for at, there in enumerate(known)]


@plant(push, "_compare")
def other_words_under_a_known_number_count_as_said(sound: Any, *given: Any) -> None:
    """Call a record known whose number the register knows, whatever it says."""


@plant(evaluations, "_check_each_visit_once")
def two_evaluations_of_one_push_pass_together(sound: Any, *given: Any) -> None:
    """Look at each evaluation of a push as if it were the only one."""


@plant(evaluations, "insert")
def a_second_evaluation_stands_beside_the_first(sound: Any, model: Any, rows: Any, **rest: Any):
    """Forget a column: which evaluation it is that an accepted one corrects."""
    if model is Evaluation:
        rows = ({**row, "corrects_id": None} for row in rows)
    return sound(model, rows, **rest)


@plant(blobs, "_check_digest")
def the_checksum_is_not_recomputed(sound: Any, found: str, declared: str) -> None:
    """Believe the name under which a file was announced."""


@plant(EvaluationQuerySet, "awaiting_media")
def complete_means_announced(sound: Any, rows: Any) -> Any:
    """Wait for no photo."""
    return sound(rows).none()


@plant(World, "announce_restore")
def a_restore_is_not_announced(sound: Any, world: World) -> None:
    """Go back in time under the old epoch."""
    before = Epoch.current()
    sound(world)
    Epoch.objects.update(value=before)


@plant(push, "upcast")
def an_older_version_is_unknown(sound: Any, name: str, version: int, args: Any) -> Any:
    """Take today's versions in and no other."""
    return version, args


@plant(mutators, "_nomination")
def what_a_newer_version_brings_is_dropped(sound: Any, *given: Any) -> Any:
    """Treat a nomination like one of the version before."""
    return replace(sound(*given), photographed=())


@plant(push, "_run")
def one_refusal_is_everybodys(sound: Any, mutator: Any, batch: Any, context: Any) -> None:
    """Refuse a whole run where one of it is refused."""
    try:
        with transaction.atomic():
            mutator.run([said.args for said in batch], context)
    except OperationalError:
        raise
    except Exception as error:
        for said in batch:
            push._settle(said, error)


@plant(upcasting.UPCASTERS, ("nominate", 1))
def an_upcaster_drops_a_field(sound: Any) -> Any:
    """Lose what is not asked for by name on the way to the next version."""

    def step(args: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in sound(args).items() if name != "consent"}

    return step


@plant(disputes, "_apply")
def accepting_is_only_noted(sound: Any, *given: Any) -> None:
    """Note that a dispute was accepted and do nothing of what was said."""


@plant(revocations, "reapply")
def a_restore_forgets_who_was_stopped(sound: Any) -> int:
    """Serve a tablet again that was stopped after the backup."""
    return 0


@plant(enrolments, "reapply")
def a_restore_forgets_who_was_enrolled(sound: Any) -> int:
    """Turn away a tablet that was enrolled after the backup."""
    return 0


@plant(handin, "reapply")
def a_restore_forgets_what_was_handed_in(sound: Any, lost: list[str]) -> int:
    """Lose what was handed in after the backup, although its tablets have forgotten it."""
    return 0


@plant(api, "take")
def a_hand_in_is_receipted_and_not_kept(sound: Any, part: Any, *, at: Any) -> Any:
    """Answer with a receipt and keep nothing."""
    return HandInPart(hand_in=part.hand_in, n=part.n), True


@plant(quarantine, "_hear")
def a_hand_in_is_taken_in_and_not_heard(sound: Any, *given: Any) -> list[str]:
    """Keep the pictures of a hand-in and forget its records."""
    return []


@plant(quarantine, "_keep")
def the_pictures_of_a_hand_in_are_dropped(sound: Any, *given: Any) -> bool:
    """Hear the records of a hand-in and keep none of its pictures."""
    return False


@plant(handin, "_check_whole")
def a_part_of_what_is_decided_is_receipted(sound: Any, part: Any) -> None:
    """Keep whatever part comes, also where nobody will look at it any more."""


@contextmanager
def _epoch_of_the_process() -> Iterator[None]:
    known: dict[str, str] = {}
    sound = Epoch.current

    def remembered() -> str:
        return known.setdefault("epoch", sound())

    with _replaced(Epoch, "current", remembered):
        yield


FAULTS["the_epoch_is_remembered_across_a_restore"] = _epoch_of_the_process


@plant(handin, "_check_room")
def strangers_are_turned_away(sound: Any, part: Any) -> None:
    """Keep nothing of a tablet that the register does not know."""
    raise Problem("unknown-replica")


@plant(api, "_receipt")
def a_receipt_says_what_was_sent(
    sound: Any, replica: Any, at: Any, epoch: str, outcomes: Any, missing: int
) -> Any:
    """Sign that all of a push was applied, whatever became of it."""
    nice = [one.model_copy(update={"outcome": "applied", "was": None}) for one in outcomes]
    return sound(replica, at, epoch, nice, missing)


@plant(api, "_receipt")
def photos_are_receipted_unseen(
    sound: Any, replica: Any, at: Any, epoch: str, outcomes: Any, missing: int
) -> Any:
    """Sign that no photo is missing."""
    return sound(replica, at, epoch, outcomes, 0)


@plant(api, "changes")
def a_page_of_the_feed_ends_at_the_head(sound: Any, reader: Any, after: int, *rest: Any) -> Any:
    """Let a reader go on from the newest number although its page was full."""
    told = sound(reader, after, *rest)
    head = AuditEvent.objects.aggregate(head=Max("number"))["head"]
    return told.model_copy(update={"last": head})


@plant(api, "changes")
def the_feed_keeps_a_restore_to_itself(
    sound: Any, reader: Any, after: int, limit: int, epoch: Any = None
) -> Any:
    """Answer a reader from another life as if nothing had happened."""
    try:
        return sound(reader, after, limit)
    except Problem:
        return ChangesOut(epoch=str(epoch), changes=[], last=after, more=False)


# Who asked to be forgotten


def _asking_less(name: str, column: str) -> Fault:
    """Read more into a scope than belongs there: whatever a column says."""

    @contextmanager
    def planted() -> Iterator[None]:
        sound = getattr(scope, name)

        def unheeding(*shape: Any, **slots: Any) -> Any:
            found = sound._build(*shape, **slots)
            where = found.query.where
            where.children = [one for one in where.children if column not in str(one)]
            return found

        with _replaced(scope, name, Kept(unheeding)):
            yield

    return planted


FAULTS["who_is_erased_is_in_scope"] = _asking_less("_visits_since", "erased_at")


@plant(requests, "_blank_said")
def what_was_said_of_who_is_erased_stays(sound: Any, *given: Any) -> int:
    """Erase a case, and not what tablets said of it."""
    return 0


@plant(requests, "waits")
def what_waits_is_erased_unseen(sound: Any, words: Any) -> bool:
    """Erase a case although somebody has to decide yet on what a tablet said of it."""
    return False


@plant(requests, "reapply")
def a_restore_forgets_who_was_erased(sound: Any, at: Any) -> int:
    """Bring back with a backup who asked to be forgotten."""
    return 0


@plant(requests, "erase_what_came_back")
def whom_a_tablet_brings_back_stays(sound: Any, at: Any) -> int:
    """Keep a case that a restored register hears of again, and that was erased."""
    return 0


@plant(requests, "erase_what_came_late")
def what_comes_late_of_who_is_erased_stays(sound: Any, at: Any) -> int:
    """Keep word for word what a tablet said of an erased case."""
    return 0


# Visits that tablets book, papers that they hand over


@contextmanager
def _a_booking_is_only_noted() -> Iterator[None]:
    kind = ("schedule_visit", 1)
    faulty = replace(mutators.MUTATORS[kind], run=lambda batch, context: None)
    with _replaced(mutators.MUTATORS, kind, faulty):
        yield


FAULTS["a_booking_is_only_noted"] = _a_booking_is_only_noted


@contextmanager
def _heedless_of(code: str) -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        if refused.code != code:
            raise


@plant(visits, "check_time")
def a_time_is_given_away_twice(sound: Any, *given: Any, **named: Any) -> None:
    """Book an assessor where they are elsewhere."""
    with _heedless_of("double-booking"):
        sound(*given, **named)


@plant(visits, "visit_open")
def a_second_booking_is_refused(sound: Any) -> Refused:
    """Decline the booking of a case that has a visit, instead of keeping both for a person."""
    return Refused("not-accepted", "")


@plant(CertificateQuerySet, "to_hand_over")
def a_paper_is_handed_over_again(sound: Any, rows: Any) -> Any:
    """Hand a certificate over that was handed over."""
    return rows.filter(state="valid")


# What the office does meanwhile


@plant(outlasting, "reapply")
def a_restore_gives_roles_back(sound: Any) -> None:
    """Let everybody have the role and the area again that they had at the backup."""


@contextmanager
def _whoever_has_a_tablet_holds_cases() -> Iterator[None]:
    with _replaced(scope, "HOLDERS", tuple(Role)):
        yield


FAULTS["whoever_has_a_tablet_holds_cases"] = _whoever_has_a_tablet_holds_cases


@plant(disputes, "correction_of")
def a_copy_is_looked_for_in_its_own_log_only(sound: Any, entry: Any) -> Any:
    """Miss what was corrected in a hand-in, whose records stand in a log of their own."""
    return entry.replica.ledger.filter(corrects=entry.mutation_id).first()


@plant(disputes, "_apply")
def what_is_theirs_no_more_is_lost(sound: Any, entry: Any, context: Any) -> None:
    """Accept only what its author might do today."""
    if context.user.role in (Role.APPROVER, Role.AUDITOR):
        raise Refused("not-your-step", "")
    sound(entry, context)


@plant(evaluations, "_judge")
def signatures_are_counted_once_more(sound: Any, submission: Any, raters: Any, *rest: Any) -> Any:
    """Accept only what as many have signed as the office wants today."""
    evaluations._check_co_signers(submission, rest[1])
    return sound(submission, raters, *rest)


@plant(evaluations, "record_spared")
def a_home_counts_each_time(sound: Any, made: Any) -> None:
    """Count a home anew whenever somebody is assessed there again."""
    for evaluation in made:
        evaluation.corrects_id = None
    sound(made)


@plant(publicity, "_check_complete")
def a_notice_waits_for_no_photo(sound: Any, *given: Any) -> None:
    """Announce what was found before its photos are here."""


@contextmanager
def _an_appeal_comes_too_late() -> Iterator[None]:
    with _replaced(requests, "APPEAL_DAYS", -1):
        yield


FAULTS["an_appeal_comes_too_late"] = _an_appeal_comes_too_late


@plant(requests, "_bars_until")
def whom_a_result_bars_is_erased_with_it(sound: Any, *given: Any) -> None:
    """Erase a result while nobody may apply for the person again."""


@plant(requests, "_is_closed")
def what_was_open_at_the_backup_is_not_erased(sound: Any, case: Any, *given: Any) -> bool:
    """Erase again in a restored register only cases that were closed at the backup."""
    return case.state in requests.CLOSED


# What is seldom


@plant(outlasting, "_end_noted")
def a_restore_lets_somebody_in_again(sound: Any, *given: Any) -> None:
    """Let whoever was ended after the backup go on."""


@plant(life, "rest_what_ended_since")
def a_restore_makes_papers_valid_again(sound: Any, *, at: Any) -> int:
    """Believe a backup that a paper is valid which was lost or ended since."""
    return 0


@plant(CertificateQuerySet, "to_hand_over")
def what_is_void_is_handed_over(sound: Any, rows: Any) -> Any:
    """Hand a certificate over whatever became of it."""
    return rows.filter(handed_over_at=None)


@plant(mutators, "guarding")
def who_stands_up_for_a_child_is_dropped(sound: Any, said: Any) -> None:
    """Treat a nomination like one of the version before, which names no guardian."""


@plant(applications, "check_asked")
def a_child_asks_for_itself(sound: Any, *given: Any) -> None:
    """Take the consent of whoever gave it."""


@plant(Raters, "check_may_rate")
def a_relative_rates(sound: Any, *given: Any) -> None:
    """Ask nobody whether they are a relative."""
    with _heedless_of("relative-rates"):
        sound(*given)


@plant(visits, "check_time")
def a_visit_is_booked_on_a_holiday(sound: Any, *given: Any, **named: Any) -> None:
    """Book a visit on a day that is off."""
    with _heedless_of("no-working-day"):
        sound(*given, **named)


@contextmanager
def _calendars_of_the_process() -> Iterator[None]:
    known: dict[str, dict[str, Any]] = {}
    sound = scope._calendars

    def remembered(on: Any) -> Any:
        return [(key, known.setdefault(key, days)) for key, days in sound(on)]

    with _replaced(scope, "_calendars", remembered):
        yield


FAULTS["the_days_off_are_remembered"] = _calendars_of_the_process


FAULTS["a_village_keeps_its_former_name"] = _asking_less("_villages_in", "Division.valid_")
FAULTS["an_ended_paper_stays_on_tablets"] = _asking_less("_valid_certificates", "Certificate.state")


# The tablet


@plant(Device, "begin_hand_in")
def a_cut_hand_in_goes_on_although_more_was_recorded(sound: Any, device: Device) -> None:
    """Go on with the next part of a hand-in whose parts have shifted."""
    if device.state.handing is None:
        sound(device)


@plant(Device, "may_forget")
def a_tablet_forgets_before_the_last_receipt(
    sound: Any, device: Device, receipted: int, of: int
) -> bool:
    """Erase the store when the hand-in has begun."""
    return True


@plant(Device, "sent")
def dequeued_on_send(sound: Any, device: Device, batch: Any) -> None:
    """Take from the outbox what goes out, before anybody answered."""
    for said in batch:
        del device.state.log[said["seq"]]
    device.save()


@plant(Device, "acknowledged")
def no_sent_box(sound: Any, device: Device, seq: int, chain: str) -> None:
    """Drop what is acknowledged."""
    sound(device, seq, chain)
    device.state.log = {n: said for n, said in device.state.log.items() if n > seq}


@contextmanager
def _acknowledged_on_send() -> Iterator[None]:
    sound = Device.acknowledged

    def at_once(device: Device, batch: Any) -> None:
        if batch:
            sound(device, batch[-1]["seq"], batch[-1]["chain"])

    def never_less(device: Device, seq: int, chain: str) -> None:
        if seq > device.state.acked:
            sound(device, seq, chain)

    with _replaced(Device, "sent", at_once), _replaced(Device, "acknowledged", never_less):
        yield


FAULTS["acknowledged_on_send"] = _acknowledged_on_send


@contextmanager
def _late_answers_are_accepted() -> Iterator[None]:
    def yes(*given: Any) -> bool:
        return True

    with (
        _replaced(Device, "awaits", yes),
        _replaced(Device, "follows", yes),
        _replaced(Device, "adds_up", yes),
    ):
        yield


FAULTS["late_answers_are_accepted"] = _late_answers_are_accepted


@plant(Device, "adds_up")
def pages_are_not_proven(sound: Any, device: Device, rows: Any, page: Any) -> bool:
    """Apply a page without comparing what comes out."""
    return True


@plant(Device, "_apply")
def a_deletion_drops_the_outbox(sound: Any, device: Device, page: Any) -> bool:
    """Drop with a visit that leaves what was said about it."""
    gone = {key.partition("/")[2] for key in page["dels"]}
    log = device.state.log
    device.state.log = {n: said for n, said in log.items() if said["args"].get("visit") not in gone}
    return bool(sound(device, page))


@plant(Device, "_begin_again")
def beginning_again_clears_the_store(sound: Any, device: Device) -> bool:
    """Clear everything where only the pulled rows are in doubt."""
    device.state.log.clear()
    return bool(sound(device))


@plant(Device, "_place")
def a_restore_is_taken_for_a_fork(sound: Any, device: Device, seq: int, chain: str) -> Any:
    """Stop where the server knows less than before."""
    return "fork" if seq < device.state.acked else sound(device, seq, chain)


@plant(Device, "_place")
def a_fork_is_not_noticed(sound: Any, device: Device, seq: int, chain: str) -> None:
    """Go on from wherever the server says it is."""
    device.acknowledged(seq, chain)


@plant(Device, "_refused")
def a_fork_begins_a_new_life(sound: Any, device: Device, problem: Any) -> Any:
    """Forget the log where the server has another one, and go on from its place."""
    if "fork" in str(problem.get("type")):
        device.state.log.clear()
        device.state.seq, device.state.chain = problem["last_seq"], problem["chain"]
        device.acknowledged(problem["last_seq"], problem["chain"])
        return "more"
    return sound(device, problem)


@plant(Device, "_refused")
def a_gap_is_the_end(sound: Any, device: Device, problem: Any) -> Any:
    """Stop at a gap although the sent box could fill it."""
    if "gap" in str(problem.get("type")):
        device.state.halt = "gap"
        return "halted"
    return sound(device, problem)


@plant(Device, "say")
def said_is_not_saved(sound: Any, device: Device, *given: Any, **named: Any) -> Any:
    """Keep what was finished in memory until the next exchange."""
    kept = device._disk
    said = sound(device, *given, **named)
    device._disk = kept
    return said


@plant(Device, "upgrade")
def an_upgrade_begins_afresh(sound: Any, device: Device, app: str) -> None:
    """Drop the log with the old version's store."""
    device.state.log = {}
    sound(device, app)


@plant(World, "upload")
def photos_are_freed_on_sending(sound: Any, world: World, device: Device, name: str, *how: Any):
    """Free a photo once its bytes went out, whatever arrived."""
    sound(world, device, name, *how)
    device.state.photos[name] = None
    device.save()
