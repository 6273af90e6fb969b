"""A tariff as the file it is kept in, so that one made at the desk is read like a shipped one."""

from __future__ import annotations

import json

from outreach.domain.savings import Tariff


def written(tariff: Tariff) -> str:
    """Return the TOML of a tariff: `load_tariff` reads the same tariff from it."""
    head = [
        f"code = {_text(tariff.code)}",
        f"place = {_text(tariff.place)}",
        f"valid_from = {tariff.valid_from.isoformat()}",
    ]
    parts = ["\n".join(head)]
    for one in tariff.parameters.values():
        lines = [
            "[[parameter]]",
            f"code = {_text(one.code)}",
            f"value = {one.value}",
            f"unit = {_text(one.unit)}",
            f"assumed = {'true' if one.assumed else 'false'}",
            f"source = {_text(one.source)}",
        ]
        if one.place != tariff.place:
            lines.append(f"place = {_text(one.place)}")
        if one.valid_from != tariff.valid_from:
            lines.append(f"valid_from = {one.valid_from.isoformat()}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _text(value: str) -> str:
    """Quote as TOML 1.0 wants: a JSON string is one, but for the delete character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
