"""`python -m benchmarks.tablet`: how quick the tablet app is on a slow tablet with 500 visits.

The processor is throttled to a quarter. Each figure stands beside the same one without the
throttle, because the machine that runs this may be busy. Lighthouse is installed by npm into
`benchmarks/lighthouse` and run with the Node that comes from PyPI.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.pressing import FULL, SLOW, open_form, press_keys, processor, throttle
from tests.e2e.handset import Handset
from tests.e2e.line import Line, a_line
from tests.e2e.preparing import CODES, PEOPLE
from tests.e2e.serving import ROOT, Service, serving
from tests.tablet_checks import NODE, NPM

LIGHTHOUSE = ROOT / "benchmarks" / "lighthouse"
STARTS = 9
#: Nobody types six digits in less.
TYPING_MS = 1_500
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run")
#: Notes when the field for the PIN, and after a press the first visit of Today, are painted:
#: milliseconds since the page began to load, and since the press.
WATCH_START = """() => {
  window.stood = {}
  let pressed = 0
  const painted = (name, since) =>
    requestAnimationFrame(() => setTimeout(() => (window.stood[name] = performance.now() - since)))
  addEventListener('click', (event) => (pressed = event.timeStamp), true)
  const seen = new Set()
  new MutationObserver(() => {
    for (const [name, what] of [['lock', 'input.pin'], ['today', 'a.visit']])
      if (!seen.has(name) && document.querySelector(what)) {
        seen.add(name)
        painted(name, name === 'lock' ? 0 : pressed)
      }
  }).observe(document, { childList: true, subtree: true })
}"""


@contextmanager
def tablet(service: Service, line: Line, folder: Path) -> Iterator[tuple[Handset, Page]]:
    """Hand out an enrolled tablet that holds all of its visits."""
    from tests.e2e.tablet import PIN

    codes = json.loads((Path(service.environment["OUTREACH_DATA"]) / CODES).read_text())
    with sync_playwright() as playwright:
        how = {"executable_path": shutil.which("chromium"), "args": list(FLAGS)}
        handset = Handset(playwright.chromium, how, folder / "disk", line.address)
        page = handset.switch_on()
        page.get_by_role("textbox", name="登记码").fill(codes[0])
        page.get_by_label("平板名称").fill("benchmark")
        page.get_by_label("设置 PIN 码").fill(PIN)
        page.get_by_label("再输一次 PIN 码").fill(PIN)
        page.get_by_role("button", name="登记", exact=True).click()
        expect(page.get_by_title("立即同步")).to_have_text("全部已送达", timeout=60_000)
        yield handset, page
        handset.switch_off()


def cold_starts(handset: Handset, rate: int) -> list[float]:
    """Start the browser anew without a line, so many times; seconds until Today is painted.

    By the page's own clock: from the beginning of the load until the lock screen is painted, and
    from the press that opens the vault until the visits are. The time in which a person types
    the PIN lies between and is not counted; working the key out of it is.
    """
    from tests.e2e.tablet import PIN

    taken = []
    for _ in range(STARTS):
        handset.switch_off()
        page = handset.switch_on()
        page.add_init_script(f"({WATCH_START})()")
        page.goto("about:blank")
        throttle(page, rate)
        page.goto("/tablet/", wait_until="commit")
        page.wait_for_function("() => window.stood?.lock")
        page.wait_for_timeout(TYPING_MS)
        page.get_by_label("PIN 码").fill(PIN)
        page.get_by_role("button", name="解锁").click()
        page.wait_for_function("() => window.stood.today")
        expect(page.get_by_role("link", name=PEOPLE[0]).first).to_be_visible(timeout=60_000)
        stood = page.evaluate("window.stood")
        taken.append((stood["lock"] + stood["today"]) / 1000)
    return taken


def lighthouse(address: str, folder: Path) -> dict[str, int]:
    """Return Lighthouse's scores of the app's first screen."""
    environment = {**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"}
    if not (LIGHTHOUSE / "node_modules" / "lighthouse").is_dir():
        command = [str(NODE), str(NPM), "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(command, cwd=LIGHTHOUSE, env=environment, check=True)
    report = folder / "lighthouse.json"
    command = [
        str(NODE), "node_modules/lighthouse/cli/index.js", f"{address}/tablet/", "--quiet",
        "--output=json", f"--output-path={report}", f"--chrome-flags={' '.join(FLAGS)}",
        "--only-categories=accessibility,best-practices,performance",
    ]  # fmt: skip
    found = {**environment, "CHROME_PATH": shutil.which("chromium") or ""}
    subprocess.run(command, cwd=LIGHTHOUSE, env=found, check=True)
    scores = json.loads(report.read_text())["categories"]
    return {name: round(100 * row["score"]) for name, row in scores.items()}


def said(name: str, slow: list[float], full: list[float], unit: str, limit: float) -> None:
    """Print a figure with its limit, and what it is without the throttle."""
    middle, worst, plain = statistics.median(slow), max(slow), statistics.median(full)
    late = statistics.quantiles(slow, n=20, method="inclusive")[-1]
    print(
        f"| {name} | {middle:.2f} {unit} | {late:.2f} {unit} | {worst:.2f} {unit}"
        f" | {plain:.2f} {unit}"
        f" | {middle / plain:.1f} | < {limit:g} {unit} |"
    )


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-lighthouse", action="store_true")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as named,
        serving(Path(named), "many") as service,
        a_line(service.port) as line,
    ):
        folder = Path(named)
        print("| | median at 4× | p95 at 4× | worst at 4× | median at 1× | ratio | wanted |")
        print("|---|---|---|---|---|---|---|")
        with tablet(service, line, folder) as (handset, _page):
            line.is_down = True
            full, slow = cold_starts(handset, FULL), cold_starts(handset, SLOW)
            said("cold start offline to Today, 500 visits", slow, full, "s", 2)
            assert handset.context is not None
            page = handset.context.pages[0]
            fields = open_form(page)
            quick, pressed = press_keys(page, FULL), press_keys(page, SLOW)
            for name, slow in pressed.items():
                said(f"key press, {fields} fields: {name}", slow, quick[name], "ms", 50)
            quick_cpu, cpu = processor(page, FULL), processor(page, SLOW)
            said(f"key press, {fields} fields: processor of the page", cpu, quick_cpu, "ms", 50)
            line.is_down = False
        if not chosen.no_lighthouse:
            scores = lighthouse(service.address, folder)
            print("Lighthouse: " + ", ".join(f"{name} {score}" for name, score in scores.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
