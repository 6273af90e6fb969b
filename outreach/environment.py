"""The process environment, read once: each setting knows its default and its purpose."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class UnreadableSettings(Exception):
    """Settings that nothing can be begun with; says which, and what to do."""


@dataclass(frozen=True)
class Declared:
    """One setting as the reference page lists it."""

    name: str
    default: str
    purpose: str


@dataclass
class Environment:
    """Reads settings from variables, then from an optional file of NAME=value lines."""

    variables: Mapping[str, str]
    stored: Mapping[str, str] = field(default_factory=dict)
    declared: list[Declared] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, variables: Mapping[str, str], usual: Path) -> Environment:
        """Merge the file under the variables, so that a variable always wins.

        The `usual` file may be missing, one that OUTREACH_ENV_FILE names may not: without what it
        says a command would work on another register, or on none. Raises `UnreadableSettings`.
        """
        named = variables.get("OUTREACH_ENV_FILE")
        stored = parse_lines(_text_of(Path(named or usual))) if named or usual.exists() else {}
        return cls({**stored, **variables}, stored)

    def text(self, name: str, default: str, purpose: str) -> str:
        """Return a text setting."""
        self.declared.append(Declared(name, default, purpose))
        return self.variables.get(name, default)

    def number(self, name: str, default: int, purpose: str) -> int:
        """Return a whole number; a malformed one is reported by the start-up checks."""
        raw = self.text(name, str(default), purpose)
        try:
            number = int(raw)
        except ValueError:
            number = -1
        if number < 0:
            self.errors.append(f"{name} must be a whole number, for example {name}={default}.")
            return default
        return number

    def decimal(self, name: str, default: float, purpose: str) -> float:
        """Return a number above zero; a malformed one is reported by the start-up checks."""
        raw = self.text(name, str(default), purpose)
        try:
            number = float(raw)
        except ValueError:
            number = 0
        if not 0 < number < math.inf:
            self.errors.append(f"{name} must be a number, for example {name}={default}.")
            return default
        return number

    def switch(self, name: str, default: bool, purpose: str) -> bool:
        """Return a yes/no setting written as 1 or 0."""
        raw = self.text(name, "1" if default else "0", purpose)
        if raw not in {"0", "1"}:
            self.errors.append(f"{name} must be 1 or 0.")
        return raw == "1"

    def choice(self, name: str, default: str, choices: tuple[str, ...], purpose: str) -> str:
        """Return one of the named choices."""
        raw = self.text(name, default, purpose)
        if raw not in choices:
            self.errors.append(f"{name} must be one of {', '.join(choices)}.")
            return default
        return raw

    def path(self, name: str, default: Path, shown: str, purpose: str) -> Path:
        """Return a folder; `shown` is how the reference page writes the default.

        Left empty it is the default too, not the folder in which the process was started.
        """
        self.declared.append(Declared(name, shown, purpose))
        return Path(self.variables.get(name) or default)

    def unknown(self) -> list[str]:
        """Return what the file sets that is no setting of ours, as where a name is misspelt."""
        known = {one.name for one in self.declared}
        return [name for name in self.stored if name.startswith("OUTREACH_") and name not in known]

    def words(self, name: str, default: str, purpose: str) -> list[str]:
        """Return a comma-separated list."""
        return [word.strip() for word in self.text(name, default, purpose).split(",") if word]


def _text_of(file: Path) -> str:
    said = f"The settings file {file} (OUTREACH_ENV_FILE) cannot be read"
    try:
        # An editor of Windows may begin the file with a mark that nobody sees.
        return file.read_text(encoding="utf-8-sig")
    except PermissionError as error:
        hint = "run this as the account that serves, or let this one read it"
        raise UnreadableSettings(f"{said}: {hint}.") from error
    except OSError as error:
        raise UnreadableSettings(f"{said}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UnreadableSettings(f"{said}: save it as UTF-8.") from error


def parse_lines(text: str) -> dict[str, str]:
    """Read NAME=value lines; blank lines and lines that start with # are skipped.

    A value may stand in quotes, as in files that a shell or systemd reads.
    """
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] != "#")
    return {name.strip(): _without_quotes(value.strip()) for name, value in pairs}


def _without_quotes(value: str) -> str:
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if is_quoted else value


class MalformedBucket(ValueError):
    """The setting does not name a bucket."""


@dataclass(frozen=True)
class NamedBucket:
    """A bucket as the setting names it; `prefix` is the county's part of it, "" for the whole."""

    endpoint: str
    name: str
    prefix: str
    region: str | None


def parse_bucket(address: str) -> NamedBucket:
    """Read `https://store/bucket?region=…` or `https://store/bucket/county?region=…`.

    Raises `MalformedBucket`.
    """
    parts = urlsplit(address)
    name, _, prefix = parts.path.strip("/").partition("/")
    if parts.scheme not in {"http", "https"} or not parts.hostname or not name or "/" in prefix:
        raise MalformedBucket("it is written https://store.example/bucket?region=cn-north-1")
    if parts.username or parts.password:
        raise MalformedBucket("key and secret are settings of their own")
    region = parse_qs(parts.query).get("region", [None])[0]
    return NamedBucket(f"{parts.scheme}://{parts.netloc}", name, prefix, region)
