"""The words on the screen for the codes of the register: one table per vocabulary."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _in

from outreach.domain.retention import Holding
from outreach.domain.vocabulary import (
    Category,
    EvidenceKind,
    NextStep,
    NotDone,
    OutletKind,
    Paper,
    PaperFault,
    ReturnReason,
    Role,
    Sex,
    Urgency,
)
from outreach.domain.workflow import ApplicationState as A
from outreach.domain.workflow import VisitState as V

Words = Mapping[str, str | Promise]


def choices(table: Words, *left_out: str) -> list[tuple[str, str | Promise]]:
    """Return a table's codes and words as a form offers them, but for some."""
    return [(str(code), word) for code, word in table.items() if code not in left_out]


ROLES: Words = {
    Role.LIAISON: _("Village liaison"),
    Role.ASSESSOR: _("Assessor"),
    Role.ADMINISTRATOR: _("Administrator"),
    Role.APPROVER: _("Approver"),
    Role.AUDITOR: _("Auditor"),
    Role.OUTLET: _("Outlet"),
}
OUTLET_KINDS: Words = {
    OutletKind.TOWNSHIP_WINDOW: _("Township window"),
    OutletKind.VILLAGE_STATION: _("Village station"),
    OutletKind.BANK: _("Bank outlet"),
    OutletKind.CLINIC: _("Clinic outlet"),
}
URGENCIES: Words = {
    Urgency.TERMINAL_ILLNESS: _("Terminal illness"),
    Urgency.SUBSIDY_LAPSING: _("A subsidy is about to lapse"),
}
SEXES: Words = {Sex.MALE: _("Male"), Sex.FEMALE: _("Female")}
CATEGORIES: Words = {
    Category.VISION: _("Vision"),
    Category.HEARING: _("Hearing"),
    Category.SPEECH: _("Speech"),
    Category.PHYSICAL: _("Physical"),
    Category.INTELLECTUAL: _("Intellectual"),
    Category.MENTAL: _("Mental"),
    Category.MULTIPLE: _("Multiple"),
}
GRADES: Mapping[int | None, str | Promise] = {
    1: _("Grade 1"),
    2: _("Grade 2"),
    3: _("Grade 3"),
    4: _("Grade 4"),
    None: _("Not met"),
}
STATES: Words = {
    A.NOMINATED: _("Nominated, consent missing"),
    A.APPLIED: _("Applied, to be accepted"),
    A.RETURNED: _("Returned, papers missing"),
    A.ACCEPTED: _("Accepted, visit to come"),
    A.EVALUATED: _("Evaluated, notice to post"),
    A.ON_NOTICE: _("On public notice"),
    A.UNDER_OBJECTION: _("Objection to decide"),
    A.NOTICED: _("To be reviewed"),
    A.REVIEWED: _("Reviewed, to sign"),
    A.APPROVED: _("Approved, certificate to make"),
    A.ISSUED: _("Certificate issued, to hand over"),
    A.HANDED_OVER: _("Certificate handed over"),
    A.NOT_MET: _("Does not meet the standard"),
    A.UNDER_APPEAL: _("Appeal at the city or the province"),
    A.APPEAL_DISMISSED: _("Appeal dismissed"),
    A.REFERRED: _("Referred to a hospital"),
    A.REFUSED: _("Refused"),
    A.WITHDRAWN: _("Withdrawn"),
    A.CLOSED: _("Closed"),
}
#: How a state is coloured: the sign and the word beside it say the same.
TONES: Mapping[str, str] = {
    A.NOMINATED: "warn",
    A.RETURNED: "warn",
    A.UNDER_OBJECTION: "warn",
    A.UNDER_APPEAL: "warn",
    A.ISSUED: "good",
    A.HANDED_OVER: "good",
    A.NOT_MET: "quiet",
    A.APPEAL_DISMISSED: "quiet",
    A.REFERRED: "quiet",
    A.REFUSED: "bad",
    A.WITHDRAWN: "quiet",
    A.CLOSED: "quiet",
}
STEPS: Words = {
    "nominate": _("nominated"),
    "apply": _("applied with consent"),
    "return": _("returned"),
    "resubmit": _("handed in again"),
    "accept": _("accepted"),
    "refuse": _("refused"),
    "withdraw": _("withdrawn"),
    "evaluate": _("evaluated at home"),
    "find_not_met": _("found not to meet the standard"),
    "move_in": _("moved in with a certificate of another county"),
    "return_file": _("file sent back to the county it came from"),
    "refer": _("referred to a hospital"),
    "close": _("closed"),
    "recall": _("taken up again"),
    "post_notice": _("notice posted"),
    "skip_notice": _("not publicised: a minor"),
    "object": _("objection recorded"),
    "dismiss_objection": _("objection dismissed"),
    "dismiss_one": _("objection dismissed; another one waits"),
    "uphold_objection": _("objection upheld: to be assessed again"),
    "end_notice": _("notice taken down"),
    "review": _("reviewed"),
    "send_back": _("sent back to be assessed again"),
    "reconsider": _("another evaluation of the visit was accepted"),
    "approve": _("approved"),
    "issue": _("certificate issued"),
    "hand_over": _("certificate handed over"),
    "not_handed_over": _("certificate not handed over after all"),
    "end": _("closed: the certificate ended before it was handed over"),
    "reopen": _("taken up again: the certificate is valid again"),
    "appeal": _("appealed"),
    "uphold_appeal": _("appeal upheld: to be assessed again"),
    "dismiss_appeal": _("appeal dismissed"),
    "withdraw_appeal": _("appeal taken back"),
}
VISIT_STATES: Words = {
    V.SCHEDULED: _("Scheduled"),
    V.DONE: _("Done"),
    V.NOT_DONE: _("Not done"),
    V.CANCELLED: _("Cancelled"),
}
PAPERS: Words = {
    Paper.ID_CARD: _("ID card"),
    Paper.HOUSEHOLD_BOOK: _("Household book"),
    Paper.PHOTOS: _("Three two-inch photos on white"),
    Paper.GUARDIAN_PROOF: _("Proof of the guardian"),
}
RETURN_REASONS: Words = {
    ReturnReason.NAME_DIFFERS: _("The name differs from the ID card"),
    ReturnReason.ID_DIFFERS: _("The ID number differs from the card"),
    ReturnReason.REGISTERED_ELSEWHERE: _("The household is registered elsewhere"),
    ReturnReason.ADDRESS_UNCLEAR: _("The address is not clear"),
    ReturnReason.NOT_REACHED: _("The telephone does not reach the family"),
    ReturnReason.CONSENT_UNCLEAR: _("Who asked for the certificate is not clear"),
    ReturnReason.GUARDIAN_UNCLEAR: _("Who the guardian is is not clear"),
    ReturnReason.CATEGORY_UNCLEAR: _("The disability does not fit the description"),
    ReturnReason.PHOTO_UNFIT: _("The photo is unfit: bare-headed, on white"),
    ReturnReason.PAPER_UNREADABLE: _("A paper cannot be read"),
    ReturnReason.PAPER_EXPIRED: _("A paper is out of date"),
}
PAPER_FAULTS: Words = {
    PaperFault.BLURRED: _("Blurred, cannot be read"),
    PaperFault.INCOMPLETE: _("A page or a corner is missing"),
    PaperFault.WRONG_PAPER: _("Another paper than asked for"),
    PaperFault.OUT_OF_DATE: _("Not valid any more"),
}
EVIDENCE: Words = {
    EvidenceKind.PORTRAIT: _("Portrait"),
    EvidenceKind.WHOLE_BODY: _("Whole body"),
    EvidenceKind.AFFECTED_PART: _("Affected part"),
    EvidenceKind.ENVIRONMENT: _("The home"),
    EvidenceKind.DOCUMENT: _("Document"),
    EvidenceKind.SIGNATURE_RESIDENT: _("Signature of the person or guardian"),
    EvidenceKind.SIGNATURE_ASSESSOR: _("Signature of the assessor"),
}
NOT_DONE: Words = {
    NotDone.ABSENT: _("Nobody at home"),
    NotDone.REFUSED: _("Did not want the visit"),
    NotDone.IN_HOSPITAL: _("In hospital"),
    NotDone.ROAD_CUT: _("Road cut"),
    NotDone.WRONG_SPECIALTY: _("Another specialty is needed"),
    NotDone.PAPERS_MISSING: _("Papers missing"),
    NotDone.GUARDIAN_ABSENT: _("Guardian absent"),
    NotDone.DIED: _("Has died"),
    "": _("Nothing was heard of it"),
}
NEXT_STEPS: Words = {
    NextStep.REVISIT: _("Visit again"),
    NextStep.REFER_HOSPITAL: _("Refer to a hospital"),
    NextStep.CLOSE: _("Close the case"),
    NextStep.WAIT: _("Wait for the family's call"),
    "": _("Ask the assessor"),
}
OUTCOMES: Words = {
    "applied": _("Applied"),
    "duplicate": _("Said before"),
    "refused": _in("outcome", "Refused"),
    "conflict": _("Conflict"),
    "parked": _("Parked"),
}
#: What a tablet's record says, as the office reads it when it is disputed.
RECORDED: Words = {
    "on": _("Day"),
    "start": _("Time"),
    "minutes": _("Minutes"),
    "seen": _("Appointment as the author saw it"),
    "grade": _("Grade"),
    "evaluated_at": _("Evaluated at"),
    "recorded_at": _("Recorded at"),
    "handed_over_at": _("Handed over at"),
    "remark": _("Remark"),
    "note": _("Note"),
    "reason": _("Reason"),
    "next_step": _("Next step"),
    "media": _("Photos and signatures"),
    "village": _("Village"),
    "to": _("Telephone and address as the author corrected them"),
    "nominated": _("Telephone and address of the nomination"),
    "guardian": _("Guardian"),
    "seen_contact": _("Telephone and address as the author saw them"),
    "stands_contact": _("Telephone and address that stand now"),
    "stands_nominated": _("Telephone, address and guardian that stand now"),
    "stands_visit": _("Appointment that stands now"),
    "stands_evaluation": _("Evaluation that stands now"),
    "stands_person": _("Name under which the register knows this ID number"),
}
MUTATIONS: Words = {
    "schedule_visit": _("Schedule a visit"),
    "move_visit": _("Move a visit"),
    "cancel_visit": _("Cancel a visit"),
    "record_not_done": _("Record a visit not done"),
    "submit_evaluation": _("Submit an evaluation"),
    "nominate": _("Nominate a person"),
    "hand_over_certificate": _("Hand over a certificate"),
    "correct_contact": _("Correct telephone or address"),
}
WEEKDAYS: tuple[str | Promise, ...] = (
    _("Monday"),
    _("Tuesday"),
    _("Wednesday"),
    _("Thursday"),
    _("Friday"),
    _("Saturday"),
    _("Sunday"),
)
RELATIONS: Words = {
    "spouse": _("Spouse"),
    "parent": _("Parent"),
    "child": _("Son or daughter"),
    "sibling": _("Brother or sister"),
    "grandparent": _("Grandparent"),
    "other": _("Other"),
}
CERTIFICATES: Words = {
    "valid": _("Valid"),
    "frozen": _("Frozen"),
    "lost": _("Declared lost"),
    "replaced": _("Replaced"),
    "moved": _("Moved away"),
    "cancelled": _in("certificate", "Cancelled"),
}
#: What happened to a certificate, in its history and in the trail.
LIFE: Words = {
    "issue": _("issued"),
    "issue_changed": _("issued after another assessment"),
    "issue_moved_in": _("issued after moving in"),
    "issue_renewed": _("issued as a renewal"),
    "issue_again": _("issued in place of a lost one"),
    "hand_over": _("handed over"),
    "not_handed_over": _("not handed over after all"),
    "ask_renewal": _("renewal asked for"),
    "renew": _("replaced by its renewal"),
    "change": _("replaced after another assessment"),
    "declare_lost": _("declared lost"),
    "ask_another": _("another paper asked for"),
    "find": _("found again"),
    "reissue": _("replaced by another paper"),
    "note_move": _("household moved away"),
    "forget_move": _("move taken back"),
    "move_out": _("moved to another office"),
    "freeze": _("frozen"),
    "unfreeze": _("valid again"),
    "cancel": _("cancelled"),
    "restore": _("end taken back"),
    "expire": _("expired"),
}
KINDS: Words = {
    "first": _("First certificate"),
    "change": _("After another assessment"),
    "renewal": _("Renewal for ten years"),
    "reissue": _("In place of a lost one"),
    "move_in": _("After moving in"),
}
#: How long a signature can be proven (PAdES, ETSI EN 319 142-1).
PROOFS: Words = {
    "B": _("Signed (B-B)"),
    "T": _("Signed and time-stamped (B-T)"),
    "LT": _("Time-stamped, with its proof (B-LT)"),
    "LTA": _("Archived for the long term (B-LTA)"),
}
GROUNDS: Words = {
    "death": _("The person has died"),
    "no_longer_meets": _("No longer meets the standard"),
    "false_information": _("Obtained with false information"),
    "own_wish": _("The person's own wish"),
    "not_moved": _("Not moved within the time allowed"),
    "forgotten": _("A restore has forgotten why it ended; see what was, and enter it again"),
}
#: Why a tablet handed in what it still held (`mobile_api.wire.HandInIn`).
HAND_IN_REASONS: Words = {
    "revoked": _("The tablet was stopped"),
    "fork": _("A copy of the tablet had spoken before"),
    "gap": _("Records in between were missing"),
    "damaged": _("Its store was damaged"),
    "unknown": _("The register did not know it"),
    "locked": _("Locked after ten wrong PINs"),
}
DECISIONS: Words = {
    "accepted": _("Taken in"),
    "set_aside": _("Set aside"),
    "waits": _("To decide"),
}
#: What became of the records and pictures of a hand-in that was taken in.
TAKEN_IN: Words = {
    "applied": _("Entered"),
    "duplicate": _("Had been entered through another tablet"),
    "here": _("Were in the register already"),
    "refused": _("Refused, to decide"),
    "conflict": _("Conflicting, to decide"),
    "parked": _("Set apart, to decide"),
    "picture": _("Pictures kept"),
    "no_picture": _("Pictures that are missing or damaged"),
    "unreadable": _("Unreadable"),
}
SUBJECTS: Words = {
    "application": _("Case"),
    "visit": _("Visit"),
    "evaluation": _("Evaluation"),
    "objection": _("Objection"),
    "notice": _("Notice"),
    "appeal": _("Appeal"),
    "certificate": _("Certificate"),
    "batch": _("Batch of papers"),
    "resident": _("Person"),
    "device": _("Tablet"),
    "enrolmentcode": _("Enrolment code"),
    "handinpart": _("Hand-in of a tablet"),
    "photo": _("Photo"),
    "user": _("Account"),
    "tariff": _("Tariff"),
    "outreachcost": _("Cost of the outreach"),
    "familylink": _("Family link"),
    "paperphoto": _("Photo of a paper"),
    "outlet": _("Outlet"),
    "institution": _("Institution"),
    "campaign": _("Campaign"),
    "team": _("Team"),
    "plan": _("Plan"),
    "hindrance": _("Hindrance"),
    "call": _("Call to make"),
    "enquiry": _("Question"),
    "importdraft": _("Nomination list"),
    "notification": _("Message"),
    "integration": _("Other office's system"),
    "calendaryear": _("Calendar of a year"),
}
#: What the audit trail calls a deed.
DEEDS: Words = {
    **{f"application.{name}": word for name, word in STEPS.items()},
    "application.returned_for": _("told what is missing or wrong"),
    "application.assign": _("assigned to an assessor"),
    "application.view": _("case opened"),
    "visit.schedule": _("visit scheduled"),
    "visit.move": _("visit moved"),
    "visit.cancel": _("visit cancelled"),
    "visit.complete": _("visit done"),
    "visit.record_not_done": _("visit not done"),
    "evaluation.submit": _("evaluation received"),
    "evaluation.view": _("evaluation looked at"),
    "evaluation.second_opinion": _("second opinion given"),
    "appeal.record": _("appeal recorded"),
    "objection.record": _("objection recorded"),
    "photo.view": _("photo looked at"),
    **{f"certificate.{name}": word for name, word in LIFE.items()},
    "certificate.view": _("certificate opened"),
    "batch.start": _("papers signed for"),
    "application.died": _("death of the person noted"),
    "application.alive": _("death of the person taken back"),
    "resident.bar": _("barred from applying"),
    "resident.lift_bar": _("bar taken back"),
    "device.code": _("enrolment code made"),
    "device.enrol": _("tablet enrolled"),
    "device.revoke": _("tablet revoked"),
    "device.lend": _("part of the key lent"),
    "device.hand_in": _("tablet handed in"),
    "handin.accepted": _("hand-in taken in"),
    "handin.set_aside": _("hand-in set aside"),
    "enquiry.ask": _("question asked"),
    "enquiry.reply": _("question answered"),
    "export.xlsx": _("list taken along (XLSX)"),
    "export.csv": _("list taken along (CSV)"),
    "import.read": _("nomination list read"),
    "import.taken": _("nomination list taken in"),
    "notification.sent": _("message sent"),
    "notification.failed": _("message not sent"),
    "notification.uncertain": _("message perhaps sent"),
    "notification.overtaken": _("message overtaken"),
    "notification.unreachable": _("message without a mobile number"),
    "notification.again": _("message to be sent again"),
    "application.contact": _("telephone or address corrected"),
    "application.guardian": _("guardian named"),
    "application.relative": _("declared a relative"),
    "application.hasten": _("put into the fast lane"),
    "application.unhasten": _("taken out of the fast lane"),
    "family_link.make": _("family link made"),
    "family_link.revoke": _("family link ended"),
    "family_link.open": _("family link opened"),
    "family_link.choose": _("time chosen by the family"),
    "family_link.take_back": _("time taken back by the family"),
    "family_link.times": _("times at home told by the family"),
    "paper.photograph": _("paper photographed"),
    "paper.send": _("photo of a paper sent by the family"),
    "paper.take_back": _("photo taken back by the family"),
    "paper.accept": _("photo of a paper accepted"),
    "paper.refuse": _("photo of a paper sent back"),
    "paper.view": _("photo of a paper looked at"),
    "institution.designate": _("institution added"),
    "institution.change": _("institution changed"),
    "institution.retire": _("institution retired"),
    "institution.resume": _("institution designated again"),
    "outlet.open": _("outlet opened"),
    "outlet.change": _("outlet changed"),
    "outlet.close": _("outlet closed"),
    "outlet.account": _("outlet account made"),
    "outlet.account_end": _("outlet account ended"),
    "visit.pin": _("promised visit pinned"),
    "visit.unpin": _("pin taken out"),
    "campaign.create": _("campaign made"),
    "campaign.change": _("campaign changed"),
    "team.create": _("team made"),
    "team.change": _("team changed"),
    "team.remove": _("team removed"),
    "team.hours": _("team's hours changed"),
    "team.feed": _("team's calendar feed opened"),
    "team.feed_revoked": _("team's calendar feed closed"),
    "hindrance.record": _("hindrance recorded"),
    "hindrance.withdraw": _("hindrance withdrawn"),
    "plan.ask": _("plan asked for"),
    "plan.stop": _("planning stopped"),
    "plan.resume": _("planning gone on with"),
    "plan.publish": _("plan published"),
    "plan.view": _("itinerary taken along"),
    "plan.adopt": _("appointments made by hand taken as a plan"),
    "call.told": _("family told by telephone"),
    "call.not_told": _("family not told after all"),
    "certificate.upgrade": _("archival proof added"),
    "calendar.load": _("working days loaded"),
    "integration.make": _("key for another office made"),
    "integration.revoke": _("key of another office revoked"),
    "integration.hook": _("changes posted to another office"),
    "integration.unhook": _("changes posted no more"),
    "account.open": _("account opened"),
    "account.change": _("account changed"),
    "account.let_in": _("account let in"),
    "account.end": _("account ended"),
    "account.ask": _("second person asked"),
    "account.confirm": _("agreed as the second person"),
    "account.decline": _("declined as the second person"),
    "account.take_back": _("wish taken back"),
    "account.own_password": _("own password set"),
    "account.password": _("password set by the operator"),
    "second_factor.confirm": _("telephone set up"),
    "second_factor.spare_code": _("spare code used"),
    "second_factor.forget": _("telephone taken off"),
    "cost.record": _("cost of the outreach recorded"),
    "cost.take_back": _("cost of the outreach taken back"),
    "tariff.take_in": _("tariff taken in"),
    "tariff.withdraw": _("tariff withdrawn"),
    "case.erase": _("personal data erased"),
    **dict.fromkeys(
        (f"{kind}.erase" for kind in set(Holding) - {"unfinished", "not_met", "assessed"}),
        _("erased after its term"),
    ),
    "session.sign_in": _("signed in"),
    "session.sign_out": _("signed out"),
}
#: Why a tablet is stopped.
REVOKED: Words = {
    "lost": _("Lost or stolen"),
    "broken": _("Broken"),
    "left": _("The person has left"),
    "returned": _("Handed back"),
}
#: What is wrong with a tablet.
WORRIES: Words = {
    "lease_over": _("Away for more than 14 days; it wants a network before it opens"),
    "unsent": _("Work waits on it for more than two days"),
    "silent": _("Silent for more than three days"),
    "old_app": _("Its app is too old; open it with a network"),
    "space": _("Little space left"),
    "clock": _("Its clock is wrong; let it set the time by itself"),
    "not_kept": _("Its browser may clear the data; install the app to the home screen"),
    "never": _("Has not spoken yet"),
}
#: What is asked of a second person.
WISHES: Words = {
    "open": _("Let the person in"),
    "change": _("Change role or area"),
    "password": _("Give a new password"),
    "second_factor": _("Take the telephone off"),
}
PROMISES: Words = {
    "accept": _("Accept or return"),
    "visit": _("Visit and assess"),
    "post_notice": _("Post the notice"),
    "review": _("Review"),
    "sign": _("Approve and issue"),
    "hand_over": _("Hand over"),
}
MATTERS: Words = {
    "assessed_at_home": _("Certificate, assessed at home"),
    "assessed_elsewhere": _("Certificate, assessed elsewhere"),
    "question": _("Question answered"),
}
NOTIFICATIONS: Words = {
    "appointment": _("Appointment made"),
    "moved": _("Appointment moved"),
    "cancelled": _("Appointment cancelled"),
    "needless": _("Appointment not needed any more"),
    "tomorrow": _("Reminder, the day before"),
    "today": _("Reminder, the same morning"),
    "papers": _("Papers missing"),
    "result": _("Result"),
    "ready": _("Certificate ready"),
    "link": _("Link for the family"),
}
#: In the order in which a person cares.
NOTIFIED: Words = {
    "failed": _("Not sent"),
    "uncertain": _("Sent or not, unknown"),
    "unreachable": _("No mobile number"),
    "waiting": _("Waits to be sent"),
    "sending": _("Being sent"),
    "sent": _("Sent"),
    "overtaken": _("Overtaken, not sent"),
}
NOT_SENT: Words = {
    "no-gateway": _("No message gateway is set up, so nobody was told."),
}
SAVING_LINES: Words = {
    "bus_resident": _("Bus, the person"),
    "bus_companions": _("Bus, companions"),
    "hired_car": _("Hired car"),
    "meals": _("Meals"),
    "lodging": _("Lodging"),
    "lost_working_time": _("Lost working time"),
    "assessment_fee": _("Assessment fee"),
}
#: The figures of a tariff.
PARAMETERS: Words = {
    "journeys": _("Journeys spared for each person"),
    "companions_sitting": _("Companions of somebody who can sit"),
    "companions_bedridden": _("Companions of somebody bedridden"),
    "bus_fare_fen": _("Bus fare at the known distance"),
    "bus_fare_km": _("The known distance"),
    "bus_minimum_fen": _("Smallest bus fare"),
    "bus_free_from_age": _("Buses are free from the age of"),
    "car_minimum_fen": _("Hired car, lowest price"),
    "car_maximum_fen": _("Hired car, highest price"),
    "car_per_km_fen": _("Hired car, a kilometre"),
    "meal_fen": _("Meals, a traveller and journey"),
    "lodging_fen": _("Lodging, a traveller and night"),
    "lodging_beyond_km": _("Lodging beyond"),
    "lodging_nights": _("Nights of lodging"),
    "half_day_fen": _("Lost working time, half a day"),
    "assessment_fee_fen": _("Assessment fee"),
}
UNITS: Words = {
    "journeys": _("journeys"),
    "persons": _("persons"),
    "fen": _("yuan"),
    "km": _("km"),
    "years": _("years"),
    "nights": _("nights"),
}
FACTORS: Words = {
    "journeys": _("journeys"),
    "ways": _("ways"),
    "paying_residents": _("paying persons"),
    "companions": _("companions"),
    "cars": _("cars"),
    "travellers": _("travellers"),
    "nights": _("nights"),
    "fees": _("fees"),
}
#: Why our figure differs from the press figure, line by line (`outreach.domain.press`).
PRESS_WHY: Words = {
    "bus_resident": _("who cannot sit in a bus pays for a hired car instead"),
    "bus_companions": _("the reading lets everybody travel alone"),
    "hired_car": _("the reading lets everybody travel by bus"),
    "meals": _("companions eat too"),
    "lodging": _("companions sleep too"),
    "lost_working_time": _("the reading counts no companion, so no working time"),
    "assessment_fee": _("the reading takes the fee as subsidised for everybody"),
}
