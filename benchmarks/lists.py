"""The desk's lists: who opens which, and what each costs on a quiet machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from outreach.models import Application, User

#: The pages that each role opens; `{case}` is one of the county's.
PAGES: dict[str, tuple[str, ...]] = {
    "administrator": (
        *("/", "/cases/", "/cases/?page=200", "/cases/?q=王伟芳", "/cases/?state=accepted"),
        *("/cases/{case}/", "/accept/", "/assign/", "/schedule/", "/visits/not-done/"),
        *("/notices/post/", "/notices/end/", "/notices/", "/review/", "/hand-over/"),
        *("/certificates/", "/certificates/?page=200", "/certificates/renew/"),
        *("/tablets/", "/disputes/", "/notifications/", "/enquiries/", "/accounts/"),
        *("/rates/", "/reports/", "/savings/"),
    ),
    "approver": ("/", "/sign/", "/batches/", "/certificates/sign/", "/cases/"),
    "auditor": ("/", "/trail/", "/trail/?page=200", "/trail/?q=accept"),
    "liaison": ("/", "/cases/", "/cases/?q=王", "/certificates/", "/consent/", "/savings/"),
    "assessor": ("/", "/cases/", "/opinions/"),
}
#: Reports over years, opened by few and seldom; not among what people open in the evening.
REPORTS = ("/rates/", "/reports/", "/savings/")


@dataclass
class Page:
    """One page, how long it took, its statements, and the slowest of them."""

    role: str
    address: str
    ms: list[float] = field(default_factory=list)
    statements: int = 0
    slowest_ms: float = 0.0
    slowest: str = ""


def people(county: str) -> Iterator[tuple[str, User]]:
    """Yield one person of each role in a county."""
    for role in PAGES:
        theirs = User.objects.filter(role=role, username__contains=f"-{county}-")
        yield role, theirs.select_related("division").order_by("username")[0]


def addresses(role: str, user: User) -> list[str]:
    """Return the pages that somebody opens, with a case of their own county."""
    rows = Application.objects.filter(village__code__startswith=user.division.code)
    case = rows.order_by("-pk").values_list("pk", flat=True).first()
    return [page.format(case=case) for page in PAGES[role]]


def signed_in(user: User) -> Client:
    """Return a browser in which somebody has signed in."""
    browser = Client(headers={"host": "127.0.0.1"})
    browser.force_login(user)
    return browser


def measured(county: str, rounds: int) -> list[Page]:
    """Open every page of every role in this process, one after another, `rounds` times."""
    pages = []
    for role, user in people(county):
        browser = signed_in(user)
        for address in addresses(role, user):
            pages.append(_opened(browser, Page(role, address), rounds))
    return pages


def _opened(browser: Client, page: Page, rounds: int) -> Page:
    for _ in range(rounds):
        began = time.perf_counter()
        with CaptureQueriesContext(connection) as captured:
            answer = browser.get(page.address)
        page.ms.append((time.perf_counter() - began) * 1e3)
        if answer.status_code != 200:
            raise RuntimeError(f"{page.role} {page.address}: {answer.status_code}")
    page.statements = len(captured)
    slowest = max(captured.captured_queries, key=lambda one: float(one["time"]))
    page.slowest_ms, page.slowest = float(slowest["time"]) * 1e3, slowest["sql"]
    return page


def table(pages: list[Page], slow_ms: float) -> str:
    """Return what each page took as Markdown, and the statements slower than `slow_ms`."""
    lines = [
        "| who | page | ms | worst | statements | the slowest, ms |",
        "|---|---|---|---|---|---|",
    ]
    for page in pages:
        lines.append(
            f"| {page.role} | `{_shown(page.address)}` | {statistics.median(page.ms):.0f} |"
            f" {max(page.ms):.0f} | {page.statements} | {page.slowest_ms:.0f} |"
        )
    slow = sorted((page for page in pages if page.slowest_ms > slow_ms), key=lambda p: p.address)
    named = [f"- `{_shown(one.address)}`: {one.slowest_ms:.0f} ms: {one.slowest}" for one in slow]
    return "\n".join([*lines, "", *named])


def _shown(address: str) -> str:
    """Leave a case's id out."""
    return "/cases/…/" if len(address) > 40 else address
