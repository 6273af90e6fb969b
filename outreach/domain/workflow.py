"""The transition tables of an application and of a visit, each step with its clause.

The tables are the only statement of what may follow what: actions ask them, the docs print
them, and the database keeps each step as an append-only event.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from outreach.domain.vocabulary import Role


class ApplicationState(StrEnum):
    """Where an application stands."""

    NOMINATED = "nominated"
    APPLIED = "applied"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    EVALUATED = "evaluated"
    ON_NOTICE = "on_notice"
    UNDER_OBJECTION = "under_objection"
    NOTICED = "noticed"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    ISSUED = "issued"
    HANDED_OVER = "handed_over"
    NOT_MET = "not_met"
    UNDER_APPEAL = "under_appeal"
    APPEAL_DISMISSED = "appeal_dismissed"
    REFERRED = "referred"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


class VisitState(StrEnum):
    """Where a home visit stands."""

    SCHEDULED = "scheduled"
    DONE = "done"
    NOT_DONE = "not_done"
    CANCELLED = "cancelled"


A = ApplicationState
V = VisitState

#: An application in one of these still wants something from somebody.
OPEN_STATES = frozenset(A) - {
    A.HANDED_OVER,
    A.NOT_MET,
    A.APPEAL_DISMISSED,
    A.REFUSED,
    A.WITHDRAWN,
    A.CLOSED,
}
#: A visit in one of these will still happen.
OPEN_VISITS = frozenset({V.SCHEDULED})


@dataclass(frozen=True)
class Transition:
    """One allowed step: its verb, where it starts and ends, who takes it, the rule behind it."""

    name: str
    sources: frozenset[str]
    target: str
    roles: frozenset[Role]
    clause: str = ""


def _step(
    name: str, sources: Iterable[str], target: str, roles: Iterable[Role], clause: str = ""
) -> Transition:
    return Transition(name, frozenset(sources), target, frozenset(roles), clause)


_FIELD = (Role.LIAISON, Role.ASSESSOR, Role.ADMINISTRATOR)
_INTAKE = (*_FIELD, Role.OUTLET)
_NEAR = (Role.LIAISON, Role.ADMINISTRATOR)
_ADMIN = (Role.ADMINISTRATOR,)
_OFFICE = (Role.ADMINISTRATOR, Role.APPROVER)
_BEFORE_VISIT = (A.NOMINATED, A.APPLIED, A.RETURNED, A.ACCEPTED)
_BEING_DECIDED = (A.EVALUATED, A.ON_NOTICE, A.UNDER_OBJECTION, A.NOTICED, A.REVIEWED)
_METHOD = "《残疾人证管理办法》(2017)"

APPLICATION = {
    step.name: step
    for step in (
        _step("nominate", (), A.NOMINATED, _INTAKE, "a nomination is not an application"),
        _step("apply", (A.NOMINATED,), A.APPLIED, _INTAKE, f"{_METHOD} 申请: person or guardian"),
        _step("return", (A.APPLIED,), A.RETURNED, _ADMIN, "everything missing is told at once"),
        _step("resubmit", (A.RETURNED,), A.APPLIED, _FIELD),
        _step("accept", (A.APPLIED,), A.ACCEPTED, _ADMIN, f"{_METHOD} 受理"),
        _step("refuse", (A.APPLIED, A.ACCEPTED), A.REFUSED, _ADMIN, "false information"),
        _step(
            "withdraw",
            (*_BEFORE_VISIT, *_BEING_DECIDED),
            A.WITHDRAWN,
            _FIELD,
            "nobody may be forced",
        ),
        _step(
            "move_in",
            (A.APPLIED,),
            A.NOTICED,
            _ADMIN,
            "迁入: assessed and publicised by the county left",
        ),
        _step("evaluate", (A.ACCEPTED,), A.EVALUATED, (Role.ASSESSOR,), f"{_METHOD} 评定"),
        _step("find_not_met", (A.ACCEPTED,), A.NOT_MET, (Role.ASSESSOR,), "written reason"),
        _step(
            "reconsider",
            (A.EVALUATED, A.NOT_MET),
            A.ACCEPTED,
            _ADMIN,
            "another evaluation of the visit was accepted",
        ),
        _step("refer", (A.ACCEPTED,), A.REFERRED, (Role.ASSESSOR, Role.ADMINISTRATOR)),
        _step(
            "close",
            (*_BEFORE_VISIT, A.REFERRED, *_BEING_DECIDED),
            A.CLOSED,
            (Role.ASSESSOR, Role.ADMINISTRATOR),
        ),
        _step("recall", (A.REFERRED,), A.ACCEPTED, _ADMIN),
        _step("post_notice", (A.EVALUATED,), A.ON_NOTICE, _ADMIN, f"{_METHOD} 公示: 5 days"),
        _step("skip_notice", (A.EVALUATED,), A.NOTICED, _ADMIN, "minors are not publicised"),
        _step("object", (A.ON_NOTICE, A.UNDER_OBJECTION), A.UNDER_OBJECTION, _FIELD, "异议"),
        _step("dismiss_objection", (A.UNDER_OBJECTION,), A.ON_NOTICE, _ADMIN),
        _step("dismiss_one", (A.UNDER_OBJECTION,), A.UNDER_OBJECTION, _ADMIN, "another one waits"),
        _step("uphold_objection", (A.UNDER_OBJECTION,), A.ACCEPTED, _ADMIN, "assessed again"),
        _step("end_notice", (A.ON_NOTICE,), A.NOTICED, _ADMIN, "after the last working day"),
        _step("review", (A.NOTICED,), A.REVIEWED, _ADMIN, f"{_METHOD} 审核: 10 working days"),
        _step(
            "send_back",
            (A.EVALUATED, A.NOTICED, A.REVIEWED, A.APPROVED),
            A.ACCEPTED,
            _OFFICE,
            "doubtful, or its photos are lost: assessed again",
        ),
        _step(
            "return_file", (A.NOTICED, A.REVIEWED), A.CLOSED, _OFFICE, "迁入: to the county left"
        ),
        _step("approve", (A.REVIEWED,), A.APPROVED, (Role.APPROVER,), f"{_METHOD} 批准"),
        _step("issue", (A.APPROVED,), A.ISSUED, (Role.APPROVER,), f"{_METHOD} 发放"),
        _step("hand_over", (A.ISSUED,), A.HANDED_OVER, _FIELD),
        _step("not_handed_over", (A.HANDED_OVER,), A.ISSUED, _NEAR, "another one was meant"),
        _step("end", (A.ISSUED,), A.CLOSED, _OFFICE, "注销, 迁出: before it was handed over"),
        _step("reopen", (A.CLOSED,), A.ISSUED, (Role.APPROVER,), "cancelled by mistake"),
        _step(
            "appeal",
            (A.NOT_MET, A.APPEAL_DISMISSED),
            A.UNDER_APPEAL,
            _FIELD,
            "10 working days each: city federation, then the province's committee",
        ),
        _step("uphold_appeal", (A.UNDER_APPEAL,), A.ACCEPTED, _ADMIN, "assessed again"),
        _step(
            "dismiss_appeal",
            (A.UNDER_APPEAL,),
            A.APPEAL_DISMISSED,
            _ADMIN,
            "the province's is final",
        ),
        _step(
            "withdraw_appeal", (A.UNDER_APPEAL,), A.NOT_MET, _NEAR, "the result stands as it was"
        ),
    )
}

_PLANNERS = (Role.ASSESSOR, Role.ADMINISTRATOR)
VISIT = {
    step.name: step
    for step in (
        _step("schedule", (), V.SCHEDULED, (*_PLANNERS, Role.LIAISON)),
        _step("move", (V.SCHEDULED,), V.SCHEDULED, (*_PLANNERS, Role.LIAISON)),
        _step("cancel", (V.SCHEDULED,), V.CANCELLED, _PLANNERS),
        _step("complete", (V.SCHEDULED,), V.DONE, (Role.ASSESSOR,)),
        _step("record_not_done", (V.SCHEDULED,), V.NOT_DONE, (Role.ASSESSOR,)),
    )
}


class NotAllowed(Exception):
    """The step does not start where the case stands."""

    def __init__(self, name: str, state: str) -> None:
        super().__init__(f"“{name}” cannot follow “{state or 'nothing'}”")
        self.name = name
        self.state = state


def check_step(table: dict[str, Transition], name: str, state: str) -> Transition:
    """Return the transition `name` if it may start from `state`, else raise `NotAllowed`."""
    step = table[name]
    starts_here = state in step.sources if step.sources else state == ""
    if not starts_here:
        raise NotAllowed(name, state)
    return step


def diagram(table: dict[str, Transition]) -> str:
    """Draw the table as a Mermaid state diagram."""
    arrows = [
        f"    {source} --> {step.target}: {step.name}"
        for step in table.values()
        for source in (sorted(step.sources) or ["[*]"])
    ]
    return "\n".join(["stateDiagram-v2", *arrows])
