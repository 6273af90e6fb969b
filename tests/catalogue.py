"""The words of the screens as the sources have them, held against the Chinese catalogue.

`python -m tests.catalogue` writes new msgids into the catalogue and drops those that left.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
PO = ROOT / "outreach" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
STANDARDS = ROOT / "outreach" / "domain" / "standards"
ROOMS = ("outreach", "mobile_api", "certificates")
NOT_OURS = ("node_modules", "tablet", "migrations")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "_in": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def sources() -> Iterator[tuple[Path, str]]:
    """Yield every source of the three rooms as Python that babel can read."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if any(part in NOT_OURS for part in path.relative_to(ROOT).parts):
                continue
            if path.suffix == ".py":
                yield path, path.read_text(encoding="utf-8")
            elif path.suffix in (".html", ".txt") and "templates" in path.parts:
                yield path, _as_python(path.read_text(encoding="utf-8"))


def shipped_sources() -> Iterator[tuple[Path, str]]:
    """Yield where each shipped tariff's and promise's figure comes from: the screens say it."""
    for path in sorted([*STANDARDS.glob("tariff-*.toml"), *STANDARDS.glob("promises-*.toml")]):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for row in (*table.get("parameter", []), *table.values()):
            if isinstance(row, dict):
                yield path, row["source"]


_SAID = re.compile(r"""{%-?\s*translate\s+(?P<quote>["'])(?P<text>.*?)(?P=quote)""")
_MARKED = re.compile(r"""_\((?P<quote>["'])(?P<text>.*?)(?P=quote)\)""")
_BLOCK = re.compile(
    r"{% blocktranslate.*?%}(.*?)(?:{% plural %}(.*?))?{% endblocktranslate %}", re.S
)
_VALUE = re.compile(r"{{ (\w+) }}")


def _as_python(template: str) -> str:
    """Write what a template says as the calls that babel reads."""
    calls = [
        f"_({match['text']!r})"
        for match in (*_SAID.finditer(template), *_MARKED.finditer(template))
    ]
    for match in _BLOCK.finditer(template):
        one, many = (part and _VALUE.sub(r"%(\1)s", part) for part in match.groups())
        calls.append(f"ngettext({one!r}, {many!r}, 1)" if many else f"_({one!r})")
    said = template.count("{% translate") + template.count("{% blocktranslate")
    read = len(_SAID.findall(template)) + len(_BLOCK.findall(template))
    assert said == read, "a translate tag that this reader does not understand"
    return "\n".join(calls)


def extracted() -> Catalog:
    """Return every msgid with the files that use it."""
    found = Catalog(fuzzy=False)
    for path, text in sources():
        for line, message, comments, context in extract(
            "python", BytesIO(text.encode()), KEYWORDS, options={"encoding": "utf-8"}
        ):
            del line
            where = path.relative_to(ROOT).as_posix()
            found.add(message, locations=[(where, 0)], auto_comments=comments, context=context)
    for path, source in shipped_sources():
        found.add(source, locations=[(path.relative_to(ROOT).as_posix(), 0)])
    return found


def translated() -> Catalog:
    """Return the Chinese catalogue."""
    with PO.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def main() -> None:
    """Bring the catalogue up to date; what has no translation yet is left empty."""
    held = translated() if PO.exists() else Catalog(locale="zh_Hans")
    for message in extracted():
        if not message.id:
            continue
        known = held.get(message.id, message.context)
        held.add(
            message.id,
            known.string if known else None,
            locations=[(name, 0) for name in sorted({name for name, _ in message.locations})],
            context=message.context,
        )
    wanted = {(message.id, message.context) for message in extracted()}
    for message in list(held):
        if message.id and (message.id, message.context) not in wanted:
            held.delete(message.id, message.context)
    held.fuzzy, held.project, held.version = False, "outreach", "0.7.2"
    held.header_comment = "# What the screens say, in Simplified Chinese."
    with PO.open("wb") as file:
        write_po(file, held, sort_output=True, include_lineno=False, width=100)


if __name__ == "__main__":
    main()
