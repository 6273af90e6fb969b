"""What must hold once the dust has settled: I1 to I11 on the database and on every tablet."""

from __future__ import annotations

import hashlib
from collections import Counter

from django.db.models import QuerySet

from certificates.models import Certificate
from mobile_api.chain import ZERO, canonical, link
from mobile_api.models import Decision, Dispute, LedgerEntry, Replica
from mobile_api.pull import digest, row_of
from mobile_api.scope import RECENT, rows_for
from outreach import clock
from outreach.domain.workflow import OPEN_VISITS, VisitState
from outreach.files import files, photo_name
from outreach.models import Application, Evaluation, Photo, StoredBlob, User, Visit, VisitEvent
from outreach.retention import requests
from tests.generative.assessed import what_was_found_stands
from tests.generative.beside import hand_over
from tests.generative.booked import (
    bookings_stand,
    nobody_is_booked_twice,
    papers_are_handed_over_once,
)
from tests.generative.deciding import decide_one, set_one_aside, undecided
from tests.generative.device import Device
from tests.generative.expected import is_a_childs
from tests.generative.forgotten import no_tablet_shows, nothing_came_late, nothing_is_kept
from tests.generative.handed import handed_in
from tests.generative.heard import (
    copies_are_shown,
    hand_ins_are_heard,
    own_replicas,
    said_once,
)
from tests.generative.papers import papers_stand_by_their_history
from tests.generative.places import decrees_are_known
from tests.generative.promises import check
from tests.generative.receipts import receipt_still_holds
from tests.generative.speaking import post
from tests.generative.world import World, enrol

PATIENCE = 40


def settle(world: World) -> None:
    """Give everybody a working line and time, as one quiet evening does."""
    for device in list(world.devices.values()):
        device.state.app, device.max_bytes = "0.1.0", 65_536
        for attempt in range(2):
            _quiet(world, device)
            if device.state.halt not in ("sign_in", "unknown") or attempt:
                break
            if world.is_stopped(device):
                # Enrolled after the backup and stopped: nobody gives it a new code.
                break
            known = world.enrolments_lost or device.name in world.cloned
            check("I8", known, f"{device.name} is not known after a restore")
            # The server knows the tablet no more: the office gives it a new code.
            if not _shares_a_replica(world, device):
                enrol(device, world.place)
                world.reached["enrolled again"] += 1
    for device in world.devices.values():
        if device.state.halt == "revoked" or (device.state.halt and device.state.handing):
            hand_over(world, device)
    for first in undecided(world):
        decide_one(world, first, Decision.ACCEPTED)
        world.reached["hand-in accepted at last"] += 1
    for device in world.devices.values():
        # Once more, for what the others have brought meanwhile.
        _quiet(world, device)
        _halts_for_cause(world, device)
        if not device.state.halt:
            check("I3", not device.outbox(), f"{device.name} still has an outbox")
    set_one_aside(world)
    # The night erases once more what tablets brought again after a restore.
    world.reached["erased again in the night"] += requests.erase_what_came_back(clock.now())
    world.reached["erased what came late"] += requests.erase_what_came_late(clock.now())
    nothing_came_late()
    for device in world.devices.values():
        _quiet(world, device)


def _quiet(world: World, device: Device) -> None:
    for _ in range(PATIENCE):
        step = world.exchange(device)
        if step == "halted":
            return
        for name in device.wanted():
            world.upload(device, name)
        if step == "rest" and not device.wanted():
            return
        if step == "rest":
            world.exchange(device)
            check("I9", not _has_bytes(device), f"{device.name} uploaded, yet it is missed")
            return
    check("I3", False, f"{device.name} does not come to rest")


def _halts_for_cause(world: World, device: Device) -> None:
    """I3 and I8: only a copied or a revoked tablet, or one whose office waits, comes to a halt."""
    causes = {
        "fork": device.name in world.cloned,
        "revoked": device.name in world.told_revoked,
        "sign_in": device.name in world.cloned or world.is_stopped(device),
        "unknown": device.name in world.cloned,
    }
    halt = device.state.halt
    check("I8", halt is None or causes.get(halt), f"{device.name} came to a halt: {halt}")


def _has_bytes(device: Device) -> bool:
    return any(device.state.photos[name] for name in device.wanted())


def _shares_a_replica(world: World, device: Device) -> bool:
    others = [one for one in world.devices.values() if one is not device]
    return any(one.state.replica == device.state.replica for one in others)


def examine(world: World) -> None:
    """Raise `Broken` for the first invariant that does not hold."""
    ledger_is_whole()
    hand_ins_are_heard()
    said_once()
    copies_are_shown()
    _nothing_is_lost(world)
    _effects_are_said_once(world)
    _each_version_is_understood()
    nothing_is_overwritten()
    bookings_stand()
    nobody_is_booked_twice()
    papers_are_handed_over_once()
    papers_stand_by_their_history()
    what_was_found_stands()
    _media_is_verified(world)
    nothing_is_kept(world.gone)
    for device in world.devices.values():
        _tablet_agrees(world, device)
    for reader in world.readers:
        reader.catch_up()
        reader.holds_everything()
    world.reached["applied evaluations"] += _evaluations_of(world).count()
    world.reached["excused"] += len(world.excused)


def ledger_is_whole() -> None:
    """I1: 1..last_seq without holes, each link recomputed."""
    entries: dict[str, list[LedgerEntry]] = {}
    for entry in LedgerEntry.objects.order_by("replica", "seq"):
        entries.setdefault(str(entry.replica_id), []).append(entry)
    for replica in Replica.objects.exclude(pk__in=own_replicas()):
        rows = entries.get(str(replica.pk), [])
        check("I1", [row.seq for row in rows] == list(range(1, replica.last_seq + 1)), replica.pk)
        chain = ZERO
        for row in rows:
            said = {
                "seq": row.seq,
                "id": str(row.mutation_id),
                "name": row.name,
                "v": row.version,
                "at": row.said_at,
                "args": row.args,
            }
            # Of what was erased the words are gone, and the chain goes on from where it was.
            chain = row.chain if row.erased_at else link(chain, canonical(said))
            check("I1", chain == row.chain, f"the chain breaks at {row.seq}")
        check("I1", chain == replica.chain, "the replica's chain is not its ledger's")


def _nothing_is_lost(world: World) -> None:
    """I2 and I11: whatever was finished stands somewhere, and what is acknowledged, here."""
    quarantined = handed_in()
    server: dict[str, LedgerEntry] = {}
    for entry in LedgerEntry.objects.filter(name="submit_evaluation"):
        server[str(entry.args.get("evaluation"))] = entry
    logs: dict[str, set[str]] = {}
    for device in world.devices.values():
        for seq, said in device.state.log.items():
            made = str(said["args"].get("evaluation"))
            logs.setdefault(made, set()).add(device.name)
            is_kept = made in world.made and not world.is_gone(said["args"])
            if is_kept and seq <= device.state.acked and not device.state.halt:
                check("I11", made in server, f"{device.name} believes {seq} to be safe")
                same = str(server[made].mutation_id) == said["id"]
                check("I11", same, f"{device.name}: {seq} is another's")
    for made in world.made.values():
        where = made.id in server or made.id in logs or made.id in quarantined
        excused = made.id in world.excused or world.is_gone(vars(made))
        check("I2", where or excused, f"evaluation of {made.tablet} is gone")
        if made.id in server:
            check("I2", server[made.id].args["remark"] == made.remark, "its words were changed")
        if made.id in quarantined:
            check("hand-in", quarantined[made.id] == made.remark, "its words were changed")


def _effects_are_said_once(world: World) -> None:
    """I1: each effect has one ledger row that applied it, each other outcome a dispute."""
    accepted = set(Dispute.objects.filter(decision="accepted").values_list("replica", "seq"))
    counted = [
        entry.args
        for entry in LedgerEntry.objects.filter(name="submit_evaluation", erased_at=None)
        if entry.outcome == "applied" or (entry.replica_id, entry.seq) in accepted
    ]
    check("I1", all("evaluation" in said for said in counted), "what is no evaluation was accepted")
    applied = Counter(str(said["evaluation"]) for said in counted)
    standing = _evaluations_of(world).filter(application__erased_at=None)
    there = {str(pk): remark for pk, remark in ((e.pk, e.remark) for e in standing)}
    check("I1", set(applied) == set(there), "evaluations and ledger differ")
    check("I1", set(applied.values()) <= {1}, "an evaluation was applied twice")
    for pk, remark in there.items():
        check("I6", remark == world.made[pk].remark, "an evaluation was overwritten")
    open_questions = LedgerEntry.objects.filter(outcome__in=("refused", "conflict", "parked"))
    asked = set(Dispute.objects.values_list("replica", "seq"))
    for place in open_questions.values_list("replica", "seq"):
        check("I2", place in asked, f"{place[1]} was turned down and nobody is told")
    firsts = Evaluation.objects.filter(corrects=None)
    twice = Counter(firsts.exclude(visit=None).values_list("visit", flat=True))
    unseen = Application.objects.filter(visits__in=[pk for pk, n in twice.items() if n > 1])
    check("I6", not unseen.exists(), "a second evaluation was taken in unseen")


def _evaluations_of(world: World) -> QuerySet[Evaluation]:
    """Return what was assessed since the scenario began."""
    return Evaluation.objects.exclude(pk__in=world.beginning.assessed)


def _each_version_is_understood() -> None:
    """A version that is known is never parked for itself, and its effect is what it said."""
    entries = LedgerEntry.objects.filter(name="nominate", version__in=(1, 2, 3), erased_at=None)
    for entry in entries:
        check("upcast", entry.code != "unknown-mutation", f"nominate v{entry.version} is parked")
    for entry in entries.filter(outcome="applied"):
        case = Application.objects.filter(pk=entry.args["application"]).first()
        check("I1", case, "a nomination was acknowledged and not made")
        check("upcast", case.consent == entry.args["consent"], "the consent was dropped")
        papers = {one["paper"] for one in entry.args.get("media", [])}
        kept = set(case.paper_photos.values_list("paper", flat=True))
        check("I1", kept == papers, "the photos of its papers are not those that were said")
        needed = {"id_card", "household_book", "photos"}
        needed |= {"guardian_proof"} if is_a_childs(entry.args) else set()
        check("I1", set(case.papers_missing) == needed - papers, "a photographed paper is missing")
        guardian = entry.args.get("guardian")
        named = case.resident.guardians.values_list("name", flat=True)
        check("upcast", not guardian or guardian["name"] in named, "the guardian was dropped")


def nothing_is_overwritten() -> None:
    """I6: a value that a tablet changed was the one that its user saw."""
    marked = {"move_visit": "reason", "cancel_visit": "reason", "record_not_done": "note"}
    entries = LedgerEntry.objects.filter(outcome="applied", name__in=marked, erased_at=None)
    seen = {
        entry.args[marked[entry.name]]: (entry.args["visit"], entry.args["seen"])
        for entry in entries
    }
    before: dict[str, str] = {}
    marks = Counter[str]()
    for event in VisitEvent.objects.order_by("visit", "at", "id"):
        if event.note in seen:
            marks[event.note] += 1
            pk, told = seen[event.note]
            same = before.get(pk) == f"{told['on']} {told['start']}"
            check("I6", same, f"{before.get(pk)} stood, {told} was seen")
        before[str(event.visit_id)] = f"{event.on} {event.start:%H:%M}"
    check("I1", set(marks) == set(seen), "a change was acknowledged and not made")
    check("I1", set(marks.values()) <= {1}, "a change was made twice")


def _sha256_of(name: str) -> str:
    with files().read(photo_name(name)) as photo:
        return hashlib.sha256(photo.read()).hexdigest()


def _media_is_verified(world: World) -> None:
    """I9: whoever is complete has every file here, whole."""
    kept = StoredBlob.objects.filter(erased_at=None).exclude(pk__in=world.beginning.files)
    for name in kept.values_list("sha256", flat=True):
        whole = files().exists(photo_name(name)) and _sha256_of(name) == name
        check("I9", whole, "a file is in the register and not what it is named")
    held = set(StoredBlob.objects.values_list("sha256", flat=True))
    waiting = set(Evaluation.objects.awaiting_media().values_list("pk", flat=True))
    for evaluation in _evaluations_of(world):
        made = world.made[str(evaluation.pk)]
        told = set(Photo.objects.filter(evaluation=evaluation).values_list("sha256", flat=True))
        check("I9", told == set(made.media), "declared photos are missing")
        check("I9", (evaluation.pk in waiting) != (told <= held), "complete means all are here")
    for device in world.devices.values():
        if world.reached["restores"] or device.state.halt:
            continue
        check("I9", not device.wanted(), f"{device.name} has photos that never arrive")
        gone = {
            media["sha256"]
            for said in device.state.log.values()
            for media in (said["args"].get("media", []) if world.is_gone(said["args"]) else [])
        }
        for name, content in device.state.photos.items():
            if content is None and name not in gone:
                check("I9", name in held, f"{device.name} freed a photo that is not here")


def _tablet_agrees(world: World, device: Device) -> None:
    """I4 and I5: a tablet at rest holds its scope, no more, no less, and knows its digest."""
    state = device.state
    if device.name in world.revoked:
        status, _ = post("/api/v1/sync", device.request(), state.token)
        check("I5", status in (401, 403), f"a revoked tablet was answered {status}")
        return
    if state.halt:
        return
    receipt_still_holds(device)
    no_tablet_shows(device, world.gone)
    user = User.objects.get(username=device.username)
    decrees_are_known(device, user)
    rows = [row_of(key, content) for key, content in rows_for(user, clock.today())]
    wanted = {row.k: row.h for row in rows}
    held = {key: hashed for key, (hashed, _) in state.rows.items()}
    check("I4", held == wanted, f"{device.name}: {sorted(set(held.items()) ^ set(wanted.items()))}")
    check("I4", state.digest == digest(held), f"{device.name}: its digest is another's")
    mine = {key for key in held if key.startswith(("visit/", "certificate/"))}
    check("I5", mine == _scope(user), f"{device.name} shows what it may not, or hides")


def _scope(user: User) -> set[str]:
    """Return visits and papers of a user's scope, worked out apart from the code under test."""
    found = set()
    for visit in Visit.objects.select_related("application__village"):
        case = visit.application
        is_kept = case.erased_at is None and visit.state != VisitState.CANCELLED
        is_recent = visit.state in OPEN_VISITS or visit.on >= clock.today() - RECENT
        if _is_theirs(user, case) and is_kept and is_recent:
            found.add(f"visit/{visit.pk}")
    for paper in Certificate.objects.filter(state="valid").select_related("application__village"):
        if _is_theirs(user, paper.application):
            found.add(f"certificate/{paper.pk}")
    return found


def _is_theirs(user: User, case: Application) -> bool:
    if user.role == "assessor":
        return case.assessor_id == user.pk
    return user.role == "liaison" and case.village.code.startswith(user.division.code)
