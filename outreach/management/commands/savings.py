"""Print what citizens saved, what the outreach cost, and the net, beside the press figure."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from dataclasses import asdict
from datetime import date
from io import StringIO
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from outreach.domain.press import Comparison, press_reference
from outreach.domain.savings import yuan
from outreach.reports import By, Entry, SavingsReport, Tally, savings_report

_LINES = {
    "bus_resident": "Bus, resident",
    "bus_companions": "Bus, companions",
    "hired_car": "Hired car",
    "meals": "Meals",
    "lodging": "Lodging",
    "lost_working_time": "Lost work",
    "assessment_fee": "Fee",
}


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=_day, help="first day, YYYY-MM-DD")
        parser.add_argument("--to", dest="last", type=_day, help="last day, included")
        parser.add_argument("--by", choices=[by.value for by in By], default=By.TOWNSHIP.value)
        parser.add_argument("--json", action="store_true", help="one JSON object with every line")

    def handle(self, *_args: Any, **options: Any) -> None:
        first, last, by = options["first"], options["last"], By(options["by"])
        if first and last and last < first:
            raise CommandError("--to lies before --from.", returncode=2)
        report = savings_report(first, last)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(report, by), ensure_ascii=False, indent=1))
            return
        for part in (_totals(report, by), _balance(report), _beside_the_press(report.comparison)):
            self.stdout.write(_drawn(part))


def _drawn(part: Table | str) -> str:
    """Draw at a fixed width, so that a pipe gets the same table as a screen."""
    out = StringIO()
    Console(file=out, width=132, highlight=False, markup=False).print(part)
    return out.getvalue()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("a day is written YYYY-MM-DD, for example 2018-06-01") from None


def _totals(report: SavingsReport, by: By) -> Table:
    table = Table(title=f"Saved by citizens, yuan, {_span(report)}", box=SIMPLE, show_footer=True)
    whole = report.whole
    table.add_column(by.value.title(), "Total")
    table.add_column("Homes", str(whole.assessments), justify="right")
    for code, title in _LINES.items():
        table.add_column(title, yuan(whole.lines.get(code, 0)), justify="right")
    table.add_column("Saved", yuan(whole.saved_fen), justify="right")
    for tally in report.tallies(by):
        table.add_row(tally.label, str(tally.assessments), *_amounts(tally), yuan(tally.saved_fen))
    return table


def _amounts(tally: Tally) -> list[str]:
    return [yuan(tally.lines.get(code, 0)) for code in _LINES]


def _span(report: SavingsReport) -> str:
    days = [entry.on for entry in report.entries]
    if not days:
        return "nothing recorded"
    return f"{report.first or min(days)} to {report.last or max(days)}"


def _balance(report: SavingsReport) -> str:
    cost = f"the outreach cost {yuan(report.cost_fen)} yuan; net {yuan(report.net_fen)} yuan"
    return (
        f"Saved by citizens {yuan(report.saved_fen)} yuan; "
        f"{cost if report.costs else 'what the outreach cost is not recorded'}.\n"
        f"Tariff {', '.join(tariff.code for tariff in report.tariffs) or '(none used)'}; "
        "with --json every figure opens to formula, parameters and sources.\n"
    )


def _beside_the_press(found: Comparison) -> Table:
    press = press_reference()
    title = (
        f"Beside the press figure: over {press.people_over} people, about "
        f"{yuan(press.about_total_fen)} yuan, {yuan(press.per_person_fen)} each (not a target)"
    )
    table = Table(title=title, box=SIMPLE)
    for head in ("Line", "Ours", "Press reading", "Difference", "Each"):
        table.add_column(head, justify="left" if head == "Line" else "right")
    table.add_column("Why")
    for line in found.lines:
        each = yuan(found.per_person(line.difference_fen))
        fen = (line.ours_fen, line.reading_fen, line.difference_fen)
        table.add_row(_LINES[line.code], *map(yuan, fen), each, line.why)
    reading = sum(line.reading_fen for line in found.lines)
    _add_remainder(table, found, reading)
    return table


def _add_remainder(table: Table, found: Comparison, reading: int) -> None:
    left = found.remainder_fen
    table.add_row(
        "Remainder",
        "",
        yuan(-left),
        yuan(left),
        yuan(found.per_person(left)),
        "what the press figure has beyond everybody by bus, alone, fee subsidised",
    )
    table.add_section()
    table.add_row(
        f"{found.people} people",
        yuan(found.ours_fen),
        yuan(reading - left),
        yuan(found.difference_fen),
        yuan(found.per_person(found.difference_fen)),
        f"ours {yuan(found.per_person(found.ours_fen))} each",
    )


def as_json(report: SavingsReport, by: By) -> dict[str, Any]:
    """Return the report as one object: totals, every line of every saving, costs, the press."""
    return {
        "from": report.first and report.first.isoformat(),
        "to": report.last and report.last.isoformat(),
        "assessments": len(report.entries),
        "saved_fen": report.saved_fen,
        "cost_fen": report.cost_fen,
        "net_fen": report.net_fen,
        "by": by.value,
        "totals": [_tally_json(tally) for tally in report.tallies(by)],
        "press": _press_json(report.comparison),
        "costs": [
            {
                "on": cost.on.isoformat(),
                "team": cost.team,
                "what": cost.what,
                "amount_fen": cost.amount_fen,
                "source": cost.source,
            }
            for cost in report.costs
        ],
        "tariffs": [
            {
                "code": tariff.code,
                "place": tariff.place,
                "valid_from": tariff.valid_from.isoformat(),
                "parameters": [
                    {**asdict(one), "valid_from": one.valid_from.isoformat()}
                    for one in tariff.parameters.values()
                ],
            }
            for tariff in report.tariffs
        ],
        "savings": [_entry_json(entry) for entry in report.entries],
    }


def _tally_json(tally: Tally) -> dict[str, Any]:
    return {**asdict(tally), "saved_fen": tally.saved_fen}


def _entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "evaluation": str(entry.evaluation),
        "on": entry.on.isoformat(),
        "village_code": entry.village_code,
        "village": entry.village,
        "township": entry.township,
        "category": entry.category,
        "tariff": entry.tariff.code,
        "facts": {**asdict(entry.facts), "road_km": float(entry.facts.road_km)},
        "saved_fen": entry.saving.total_fen,
        "lines": [asdict(line) for line in entry.saving.lines],
    }


def _press_json(found: Comparison) -> dict[str, Any]:
    return {
        **asdict(press_reference()),
        "people": found.people,
        "ours_fen": found.ours_fen,
        "ours_per_person_fen": found.per_person(found.ours_fen),
        "press_fen": found.press_fen,
        "difference_fen": found.difference_fen,
        "remainder_fen": found.remainder_fen,
        "lines": [{**asdict(line), "difference_fen": line.difference_fen} for line in found.lines],
    }
