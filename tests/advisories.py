"""Known holes looked up in a folder of advisories, for where no list can be asked over a network.

A folder is a checkout or export in the OSV format (ossf.github.io/osv-schema), JSON or YAML, one
advisory a file: the databases of PyPA and GitHub are published so, and all of OSV's per ecosystem.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from packaging.utils import canonicalize_name
from packaging.version import Version

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*])?==([^\s;\\]+)", re.MULTILINE)
_SEMVER = re.compile(r"^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+.*)?$")


class MalformedVersion(ValueError):
    """A version is not written as its ecosystem writes them."""


@dataclass(frozen=True)
class Package:
    """A pinned package of an ecosystem, as OSV names it: PyPI, npm."""

    ecosystem: str
    name: str
    version: str


@dataclass(frozen=True)
class Hole:
    """A pinned package that an advisory speaks of."""

    package: Package
    advisory: str
    said: str
    mended: tuple[str, ...]


@dataclass(frozen=True)
class Advisories:
    """What a folder holds, by ecosystem and name, and when any of it last changed."""

    by_package: Mapping[tuple[str, str], list[dict[str, Any]]]
    newest: str

    @classmethod
    def read(cls, folder: Path) -> Advisories:
        """Read every advisory below `folder` that was not withdrawn; raises `ValueError`."""
        found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        newest = ""
        for advisory in _advisories(folder):
            newest = max(newest, str(advisory["modified"]))
            for affected in [] if "withdrawn" in advisory else advisory.get("affected", []):
                package = affected.get("package", {})
                name = _name(package.get("ecosystem", ""), package.get("name", ""))
                found[package.get("ecosystem", ""), name].append(affected | {"of": advisory})
        return cls(found, newest)

    def count(self, ecosystem: str) -> int:
        """Count what there is about an ecosystem: none is no clean bill."""
        return sum(len(held) for (of, _), held in self.by_package.items() if of == ecosystem)

    def about(self, packages: Iterable[Package]) -> Iterator[Hole]:
        """Yield the holes of pinned packages; raises `MalformedVersion`."""
        for one in packages:
            for affected in self.by_package.get((one.ecosystem, one.name), []):
                if _is_affected(one, affected):
                    advisory = affected["of"]
                    said = advisory.get("summary") or advisory.get("details", "").split("\n")[0]
                    yield Hole(one, _called(advisory), said, tuple(_mended(affected)))


def pinned_python(text: str) -> set[Package]:
    """Return the packages that a requirements file pins."""
    return {Package("PyPI", _name("PyPI", name), version) for name, version in _PIN.findall(text)}


def pinned_modules(lock: str) -> set[Package]:
    """Return the modules that an npm lock file (version 2 or 3) pins, tools included."""
    packages = json.loads(lock)["packages"]
    return {
        Package("npm", one.get("name") or path.rpartition("node_modules/")[2], one["version"])
        for path, one in packages.items()
        if path and "version" in one
    }


def _advisories(folder: Path) -> Iterator[dict[str, Any]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for file in sorted(folder.rglob("*")):
        if file.suffix not in {".json", ".yaml", ".yml"} or ".git" in file.parts:
            continue
        text = file.read_text(encoding="utf-8")
        try:
            said = json.loads(text) if file.suffix == ".json" else yaml.load(text, loader)
        except (ValueError, yaml.YAMLError) as error:
            raise ValueError(f"{file} cannot be read: {error}") from error
        if isinstance(said, dict) and "id" in said and "modified" in said:
            yield said


def _name(ecosystem: str, name: str) -> str:
    return canonicalize_name(name) if ecosystem == "PyPI" else name


def _called(advisory: dict[str, Any]) -> str:
    return " ".join([advisory["id"], *advisory.get("aliases", [])])


def _mended(affected: dict[str, Any]) -> Iterator[str]:
    for span in affected.get("ranges", []):
        if span["type"] != "GIT":
            yield from (str(event["fixed"]) for event in span["events"] if "fixed" in event)


def _is_affected(package: Package, affected: dict[str, Any]) -> bool:
    """Evaluate an advisory as OSV's schema does: a listed version, or one inside a range."""
    if package.version in map(str, affected.get("versions", [])):
        return True
    key = _KEYS[package.ecosystem]
    spans = (span for span in affected.get("ranges", []) if span["type"] != "GIT")
    return any(_is_within(key(package.version), span["events"], key) for span in spans)


def _is_within(version: Any, events: list[dict[str, Any]], key: Callable[[str], Any]) -> bool:
    within = False
    # At the same version "introduced" stands before what ends it there.
    order = {"introduced": 0, "fixed": 1, "last_affected": 2}
    told = [(kind, str(at)) for event in events for kind, at in event.items() if kind in order]
    known = sorted(told, key=lambda one: (one[1] != "0", key(one[1]), order[one[0]]))
    for kind, at in known:
        if kind == "introduced" and (at == "0" or version >= key(at)):
            within = True
        elif (kind == "fixed" and version >= key(at)) or (
            kind == "last_affected" and version > key(at)
        ):
            within = False
    return within


def _semver(text: str) -> tuple[Any, ...]:
    """Return a key that sorts as SemVer 2.0 §11 does; raises `MalformedVersion`."""
    found = _SEMVER.match(text)
    if found is None:
        raise MalformedVersion(f"{text} is no version of a module")
    numbers = tuple(int(part or 0) for part in found.groups()[:3])
    if found[4] is None:
        return (*numbers, 1)
    parts = found[4].split(".")
    return (*numbers, 0, tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts))


_KEYS: Mapping[str, Callable[[str], Any]] = {"PyPI": Version, "npm": _semver}
