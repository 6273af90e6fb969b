"""Read-only tallies: what was saved, how promises were kept, whom the outreach reached."""

from outreach.reports.promises import Kept, ReplyRate, reply_rate, steps_kept
from outreach.reports.savings import (
    By,
    Entry,
    SavingsReport,
    Tally,
    entries_of,
    facts_of,
    savings_report,
)

__all__ = [
    "By",
    "Entry",
    "Kept",
    "ReplyRate",
    "SavingsReport",
    "Tally",
    "entries_of",
    "facts_of",
    "reply_rate",
    "savings_report",
    "steps_kept",
]
