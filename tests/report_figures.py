"""Goes through a ``report.json`` as a reader would who asks of every number: of how many, how sure, or why not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def unsure(report: dict[str, Any]) -> list[str]:
    """Places of numbers that have neither rows and interval nor a reason for having none."""
    found = [name for name, light in report["lights"].items() if not _light_is_told(light)]
    return found + [place for section in report["sections"] for place in _of_section(section)]


def _light_is_told(light: dict[str, Any]) -> bool:
    if light["value"] is None:
        return light["reason"] is not None
    return light["no_interval"] is not None or (light["low"] is not None and light["n"] is not None)


def _of_section(section: dict[str, Any]) -> Iterator[str]:
    for name, rows in section["tables"].items():
        reasons = section["without_interval"].get(name, {})
        for row in rows:
            for column, value in row.items():
                place = f"{section['code']}.{name}.{column}"
                if reasons.get(column) == "unsaid" or not _is_told(value, reason=reasons.get(column)):
                    yield place


def _is_told(value: Any, *, reason: str | None) -> bool:
    if isinstance(value, dict):
        sure = value.get("low") is not None and value.get("high") is not None
        return value["value"] is None or (value["n"] is not None and (sure or reason is not None))
    # Whole numbers are counts, which are what they are.
    return not isinstance(value, float) or reason is not None
