"""The bar of a long command, on the terminal's error stream; nothing where nobody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)


@contextmanager
def bar(title: str, *, unit: Literal["bytes", "things"]) -> Iterator[Callable[[int, int], None]]:
    """Draw one bar; call what is yielded with what is done and how much there is."""
    counts = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), counts, TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=None)

        def moved(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield moved


@contextmanager
def searching(title: str) -> Iterator[Callable[[float, str], None]]:
    """Draw how far a search is; call what is yielded with the share and the figures so far.

    Where no terminal looks, a line is written at every twentieth of the way.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=1.0, figures="")
        written = -1

        def moved(share: float, figures: str) -> None:
            nonlocal written
            progress.update(task, completed=share, figures=figures)
            if not console.is_terminal and int(share * 20) > written:
                written = int(share * 20)
                console.print(f"{title}: {share:.0%}, {figures}", highlight=False, soft_wrap=True)

        yield moved
