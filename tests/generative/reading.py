"""Another office's system that follows the feed of changes."""

from __future__ import annotations

from dataclasses import dataclass, field

from outreach.models import AuditEvent
from tests.generative.promises import check
from tests.generative.speaking import browser


@dataclass
class Reader:
    """A reader keeps what it was told, the last number and the epoch; it believes no more."""

    token: str
    division: str
    limit: int = 200
    last: int = 0
    epoch: str = ""
    held: tuple[tuple[int, str, str], ...] = field(default=())

    def read(self) -> str:
        """Ask once; return 'more', 'rest', or 'restored' where it has to begin again."""
        asked = {"after": str(self.last), "limit": str(self.limit)}
        if self.epoch:
            asked["epoch"] = self.epoch
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = browser().get("/api/v1/changes", asked, headers=headers)
        told = answer.json()
        if answer.status_code == 409:
            self.begin_again(told["epoch"])
            return "restored"
        check("feed", answer.status_code == 200, f"{answer.status_code} {told}")
        fresh = tuple((one["n"], one["id"], one["action"]) for one in told["changes"])
        numbers = [self.last, *(number for number, _, _ in fresh)]
        check("feed", numbers == sorted(set(numbers)), f"after {self.last} came {numbers[1:]}")
        self.held += fresh
        self.last, self.epoch = told["last"], told["epoch"]
        return "more" if told["more"] else "rest"

    def begin_again(self, epoch: str) -> None:
        """Drop what was read of a life that is over."""
        self.last, self.epoch, self.held = 0, epoch, ()

    def catch_up(self) -> None:
        """Read to the end."""
        while self.read() != "rest":
            pass

    def holds_everything(self) -> None:
        """Compare with the trail: each deed in the division once, in its order, nothing else."""
        trail = AuditEvent.objects.filter(division_code__startswith=self.division)
        deeds = trail.exclude(action__endswith=".view").order_by("number")
        wanted = [
            (number, str(subject), action)
            for number, subject, action in deeds.values_list("number", "subject_id", "action")
        ]
        check("feed", list(self.held) == wanted, f"{self.division} holds another feed")
