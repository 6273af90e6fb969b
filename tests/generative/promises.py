"""What is said when a promise is broken."""

from __future__ import annotations


class Broken(AssertionError):
    """An invariant does not hold; `name` is I1 … I11, or what else was promised."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name}: {what}")
        self.name = name


def check(name: str, holds: object, what: object = "") -> None:
    """Raise `Broken` where an invariant does not hold."""
    if not holds:
        raise Broken(name, str(what))
