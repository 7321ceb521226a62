"""The page of a run: alerts first, then every family week by week; one file without network or script."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape

from training.monitoring.checks import Check, State
from training.monitoring.config import FAMILIES, TESTED
from training.monitoring.monitor import RANK, Alert, Monitored, absent
from training.monitoring.pictures import small_multiples
from training.monitoring.wording import words_of
from training.reporting.formatting import DASH, number
from training.reporting.words import Words

SIGNS: dict[State, str] = {
    "green": "✓", "amber": "!", "red": "✕", "cannot_tell": "?", "not_mature": "…", "by_nature": "~",
}  # fmt: skip
_MOST_ROWS, _MOST_PANELS = 40, 12
_WHOLE = 100.0


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure and its state, by name and by sign."""

    text: str
    state: State
    sign: str


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """An alert in words."""

    severity: str
    named: str
    code: str
    check: str
    about: str
    weeks: str
    worst_week: str
    found: str
    expected: str
    effect: str
    p_value: str
    power: str
    way_out: str


@dataclass(frozen=True, slots=True)
class ShownSection:
    """A family of checks: a picture, and a row for each check and what it is about, with a cell for each week."""

    code: str
    title: str
    rows: tuple[tuple[str, str, tuple[Cell, ...]], ...]
    more: str
    png: str
    alt: str
    note: str


def page(found: Monitored, locale: str) -> bytes:
    """The whole page.

    Raises
    ------
    ConfigError : there is no such locale
    """
    said = words_of(locale)
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("training.monitoring"), PackageLoader("training.reporting")]),
        autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    weeks = found.watched.weeks
    text = environment.get_template("monitor.html").render(
        said=said,
        version=found.bundle.version,
        begin=weeks[0].name,
        end=weeks[-1].name,
        weeks=[week.name for week in weeks],
        counts=_counts(found, said),
        alerts=[_alert(one, found, said) for one in found.alerts],
        sections=_sections(found, said),
        notes=_notes(found, said),
    )
    return text.encode("utf-8")


def _counts(found: Monitored, said: Words) -> str:
    counts = found.counts()
    judged = counts["green"] + counts["amber"] + counts["red"]
    told = {name: counts[name] for name in ("red", "amber", "cannot_tell", "not_mature")}
    return said("counts", judged=judged, **told)


def _notes(found: Monitored, said: Words) -> list[str]:
    before, config = found.watched.weeks_before, found.config
    told = said("compared_weeks", count=len(before), begin=before[0].name) if before else said("compared_training")
    return [
        said("compared", features=told, others=len(found.watched.before)),
        said(
            "method", alpha=config.family_alpha, families=len(TESTED), total=config.alpha, power=config.min_power
        ),
        *(said(f"absent.{name}") for name in absent(found.watched, found.bundle)),
    ]  # fmt: skip


def _alert(one: Alert, found: Monitored, said: Words) -> ShownAlert:
    worst, limit = one.worst.found, found.config.limits[one.code]

    def told(value: float | None) -> str:
        return _figure(one.code, value, said)

    limits = f"{number(limit.amber, 2, said.locale)} / {number(limit.red, 2, said.locale)}"
    return ShownAlert(
        one.severity, said(one.severity), one.code, said(f"check.{one.code}"), one.about or said("overall"),
        str(len(one.weeks)), worst.week, told(worst.value), told(worst.before),
        f"{number(worst.effect, 3, said.locale)} ({limits})", _p(one.worst.p_adjusted, said),
        number(one.worst.power, 2, said.locale), said(f"way_out.{one.code}"),
    )  # fmt: skip


def _p(value: float | None, said: Words) -> str:
    if value is None:
        return DASH
    return f"< {number(0.0001, 4, said.locale)}" if value < 0.0001 else number(value, 4, said.locale)


def _sections(found: Monitored, said: Words) -> list[ShownSection]:
    shown = []
    for family in (*TESTED[1:2], TESTED[0], *TESTED[2:], "counts"):
        series: dict[tuple[str, str], list[Check]] = defaultdict(list)
        for one in found.checks:
            if FAMILIES[one.found.code] == family:
                series[one.found.code, one.found.about].append(one)
        if series:
            shown.append(_section(family, dict(series), found, said))
    return shown


def _section(family: str, series: dict[tuple[str, str], list[Check]], found: Monitored, said: Words) -> ShownSection:
    # The worst first; of many features, those that nothing happens to are in the JSON alone.
    keys = (
        sorted(series, key=lambda key: _worst(series[key]), reverse=True) if len(series) > _MOST_ROWS else list(series)
    )
    title, week_names = said(f"section.{family}"), [week.name for week in found.watched.weeks]
    rows = []
    for code, about in keys[:_MOST_ROWS]:
        by_week = {one.found.week: one for one in series[code, about]}
        cells = tuple(_cell(code, by_week.get(name), said) for name in week_names)
        rows.append((said(f"check.{code}"), about or said("overall"), cells))
    panels = [key for key in keys if any(one.found.value is not None for one in series[key])][:_MOST_PANELS]
    titled = [(f"{said(f'check.{code}')}\n{about or said('overall')}", series[code, about]) for code, about in panels]
    png = base64.b64encode(small_multiples(titled)).decode("ascii") if titled else ""
    more = len(series) - len(rows)
    return ShownSection(
        family, title, tuple(rows), said("more_rows", count=more) if more else "", png,
        said("chart", section=title), _maturity(found, said) if family == "calibration" else "",
    )  # fmt: skip


def _maturity(found: Monitored, said: Words) -> str:
    told = []
    for place, days in enumerate(found.bundle.payment.horizons):
        weeks = zip(found.watched.weeks, found.watched.rows, strict=True)
        ripe = [week.name for week, rows in weeks if rows.mature[place]]
        told.append(f"p_pay_{days}d: {ripe[-1] if ripe else said('none')}")
    return said("maturity", mature="; ".join(told))


def _worst(checks: Sequence[Check]) -> tuple[int, float]:
    """Alarming checks first, then by size; what moves by nature last."""
    return max((_order(one.state), one.found.effect or 0.0) for one in checks)


def _order(state: State) -> int:
    return -1 if state == "by_nature" else RANK.get(state, 0)


def _cell(code: str, one: Check | None, said: Words) -> Cell:
    if one is None:
        return Cell(DASH, "cannot_tell", "")
    return Cell(_figure(code, one.found.value, said), one.state, SIGNS[one.state])


def _figure(code: str, value: float | None, said: Words) -> str:
    """As the check's unit is written: shares in per cent, volumes whole, PSI and ratios with places."""
    if value is None:
        return DASH
    if code.startswith("VOLUME"):
        return number(value, 0, said.locale)
    if code.endswith(("PSI", "MEAN", "SLOPE")):
        return number(value, 3, said.locale)
    return f"{number(_WHOLE * value, 1, said.locale)} %"
