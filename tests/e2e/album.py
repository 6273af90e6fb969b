"""Pictures of the screens, for the documentation; without a folder to put them in, none."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page


class Album:
    """Numbers the pictures in the order in which they were taken."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.count = 0

    @classmethod
    def of_environment(cls) -> Album:
        """Return the album that `OUTREACH_SCREENSHOTS` asks for."""
        named = os.environ.get("OUTREACH_SCREENSHOTS")
        return cls(Path(named) if named else None)

    @property
    def is_kept(self) -> bool:
        """Tell whether anybody wants pictures."""
        return self.folder is not None

    def take(self, page: Page, name: str, *, whole: bool = True) -> None:
        """Keep the page as it is now, or only what the screen shows of it."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self.count += 1
        page.screenshot(path=self.folder / f"{self.count:02d}-{name}.png", full_page=whole)

    def keep(self, name: str, content: bytes) -> None:
        """Keep a file that a page gave, a paper or a calendar."""
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(content)
