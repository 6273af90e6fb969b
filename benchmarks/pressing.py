"""How long a key press takes in the largest form there is, by three clocks.

A person sees a press when the next picture is on the screen. Event Timing measures that, in steps
of 8 ms; the page's own clock measures until the first thing it does after that picture was drawn,
to a tenth of a millisecond. Both grow with what else the machine does. The processor time that the
page's thread spends from the press to the picture, from the browser's trace, hardly does.
"""

from __future__ import annotations

from random import Random
from typing import Any

from playwright.sync_api import Locator, Page

from tests.e2e.preparing import PEOPLE

PRESSES = 60
SLOW, FULL = 4, 1
#: Between two presses, so that they fall into every moment of what follows from the one before.
PAUSES_MS = (90, 400)
CATEGORIES = ("视力", "听力", "言语", "智力", "精神")
#: The shortest that Event Timing reports.
LEAST_MS = 16
WATCH = """(least) => {
  window.presses = { painted: [], drawn: [] }
  const note = (entry) => entry.name === 'keydown' && window.presses.painted.push(entry.duration)
  const observer = new PerformanceObserver((list) => list.getEntries().forEach(note))
  observer.observe({ type: 'event', durationThreshold: least, buffered: false })
  const { port1, port2 } = new MessageChannel()
  const begun = []
  port1.onmessage = () => window.presses.drawn.push(performance.now() - begun.shift())
  const press = (event) => {
    begun.push(event.timeStamp)
    requestAnimationFrame(() => port2.postMessage(null))
  }
  addEventListener('keydown', press, { capture: true })
  window.unwatch = () => {
    observer.disconnect()
    removeEventListener('keydown', press, { capture: true })
  }
}"""
TRACED = "devtools.timeline,disabled-by-default-devtools.timeline"


def throttle(page: Page, rate: int) -> None:
    """Give the page so many times less processor."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": rate})


def open_form(page: Page) -> int:
    """Open the first person's evaluation with every category; the number of its fields."""
    page.get_by_role("listitem").filter(has_text=PEOPLE[0]).get_by_role("link").first.click()
    page.get_by_role("link", name="评残").first.click()
    page.get_by_role("button", name="检查").click()
    for category in CATEGORIES:
        add = page.get_by_role("button", name="增加一类残疾")
        if add.count():
            add.click()
            page.get_by_role("button", name=category, exact=True).click()
    return page.locator("main").locator("input, select, textarea").count()


def press_keys(page: Page, rate: int) -> dict[str, list[float]]:
    """Type into the form; milliseconds of each press, by both clocks."""
    field = _emptied(page)
    page.evaluate(WATCH, LEAST_MS)
    _type(page, field, rate)
    page.evaluate("window.unwatch()")
    seen = page.evaluate("window.presses")
    painted = [*seen["painted"], *([float(LEAST_MS)] * (PRESSES - len(seen["painted"])))]
    return {"to the picture (Event Timing)": painted, "to the picture (fine clock)": seen["drawn"]}


def processor(page: Page, rate: int) -> list[float]:
    """Type as before; milliseconds of processor that each press cost until its picture."""
    field = _emptied(page)
    devtools = page.context.new_cdp_session(page)
    events: list[dict[str, Any]] = []
    ended: list[bool] = []
    devtools.on("Tracing.dataCollected", lambda part: events.extend(part["value"]))
    devtools.on("Tracing.tracingComplete", lambda _end: ended.append(True))
    devtools.send("Tracing.start", {"categories": TRACED, "transferMode": "ReportEvents"})
    _type(page, field, rate)
    devtools.send("Tracing.end")
    while not ended:
        page.wait_for_timeout(100)
    return costs(events)


def _emptied(page: Page) -> Locator:
    throttle(page, FULL)
    field = page.get_by_label("500 Hz").first
    field.fill("")
    page.wait_for_timeout(1_000)
    return field


def _type(page: Page, field: Locator, rate: int) -> None:
    dice = Random(1)  # the same rhythm each time
    throttle(page, rate)
    for number in range(PRESSES):
        field.press("5" if number % 2 else "Backspace")
        page.wait_for_timeout(dice.randint(*PAUSES_MS))
    throttle(page, FULL)


def costs(events: list[dict[str, Any]]) -> list[float]:
    """Add up, for each key press of a trace, what the page's thread did until it had drawn it."""

    def is_press(event: dict[str, Any]) -> bool:
        data = event["args"].get("data", {})
        return event["name"] == "EventDispatch" and bool(data.get("type") == "keydown")

    whole = sorted((event for event in events if event.get("ph") == "X"), key=lambda one: one["ts"])
    presses = [event for event in whole if is_press(event)]
    thread = (presses[0]["pid"], presses[0]["tid"])
    ours = [event for event in whole if (event["pid"], event["tid"]) == thread]
    drawn = [event["ts"] + event["dur"] for event in ours if event["name"] == "Commit"]
    tasks = [event for event in ours if event["name"] == "RunTask"]
    found = []
    for press in presses:
        end = next((at for at in drawn if at > press["ts"]), None)
        if end is not None:
            spent = (
                task.get("tdur", 0)
                for task in tasks
                if task["ts"] < end and task["ts"] + task["dur"] > press["ts"]
            )
            found.append(sum(spent) / 1000)
    return found
