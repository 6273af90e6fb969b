"""What is asked of every screen of the tablet: axe, large targets, twice the text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

#: Where the screens are kept as pictures, if anybody wants to judge what they look like.
FOLDER = os.environ.get("OUTREACH_SCREENS", "")
LYING, STANDING = {"width": 1280, "height": 800}, {"width": 800, "height": 1280}
LEAST_TARGET = 44
SAY = """(language) => {
  localStorage.setItem('outreach-language', language)
  const told = { key: 'outreach-language', newValue: language }
  window.dispatchEvent(new StorageEvent('storage', told))
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
}"""
#: Controls that a finger would miss. A link inside a sentence may be as high as the sentence.
SMALL = """(least) => {
  const open = document.querySelector('dialog[open]') ?? document
  return [...open.querySelectorAll('a, button, input, select, textarea, summary')]
    .map((one) => one.closest('label') ?? one)
    .filter((one) => one.checkVisibility() && !one.closest('.skip, .visually-hidden'))
    .filter((one) => !one.matches('p a, dd a'))
    .filter((one) => {
      const { width, height } = one.getBoundingClientRect()
      return Math.min(width, height) < least - 0.5 && width > 1
    })
    .map((one) => one.outerHTML.slice(0, 120))
}"""
WIDER_AT_TWICE_THE_TEXT = """() => {
  const root = document.documentElement
  root.style.setProperty('font-size', '200%')
  const wide = root.scrollWidth - root.clientWidth
  root.style.removeProperty('font-size')
  return wide
}"""

AXE = (
    """(rules) => axe.run({ resultTypes: ['violations'], rules }).then((told) => told.violations)"""
)
#: Contrast is two thirds of its work, and no other at another width or in another language.
ALL_BUT_CONTRAST = {"color-contrast": {"enabled": False}}


def violations(page: Page, *, colours: bool = True) -> list[dict[str, Any]]:
    """Return what axe finds wrong with a page, into which it is loaded once."""
    if page.evaluate("() => !('axe' in window)"):
        page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(AXE, {} if colours else ALL_BUT_CONTRAST)
    return found


class Eye:
    """Looks at pages through axe and remembers what is wrong, and what was looked at."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.seen: set[str] = set()

    def __call__(self, page: Page, name: str) -> None:
        """Look at a page."""
        self.seen.add(name)
        self.axe(page, name)

    def axe(self, page: Page, name: str, *, colours: bool = True) -> None:
        """Note each violation that axe finds."""
        for one in violations(page, colours=colours):
            self.found.append(f"{name}: {one['id']} {one['nodes'][0]['html']}")

    def sideways(self, page: Page, name: str) -> None:
        """Note a page that is wider than its window."""
        if page.locator("html").evaluate("html => html.scrollWidth > html.clientWidth"):
            self.found.append(f"{name} scrolls sideways")


class TabletEye(Eye):
    """Looks at a screen in both languages and both ways to hold the tablet."""

    def __call__(self, page: Page, name: str) -> None:
        """Look at a screen, which is left in Chinese and upright."""
        super().__call__(page, name)
        for target in page.evaluate(SMALL, LEAST_TARGET):
            self.found.append(f"{name}: too small for a finger: {target}")
        if (wide := page.evaluate(WIDER_AT_TWICE_THE_TEXT)) > 0:
            self.found.append(f"{name}: scrolls sideways by {wide} at twice the text")
        self.picture(page, name, "zh-standing")
        page.set_viewport_size(LYING)
        self.picture(page, name, "zh-lying")
        page.evaluate(SAY, "en")
        self.axe(page, f"{name} in English", colours=False)
        self.picture(page, name, "en-lying")
        page.set_viewport_size(STANDING)
        self.picture(page, name, "en-standing")
        page.evaluate(SAY, "zh")

    def picture(self, page: Page, name: str, how: str) -> None:
        """Keep the screen as it is now."""
        if FOLDER:
            Path(FOLDER).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(FOLDER) / f"{name}-{how}.png")
