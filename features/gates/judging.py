"""All declared expectations of a portfolio, judged: what is not met, and which of it is waived."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.config import load_section
from features.gates import across, history, reference, rows
from features.gates import config as kinds
from features.gates.breaches import Breach, Gates, Miss
from features.gates.config import SEVERITIES, ExpectationsConfig, Expected
from features.gates.looking import Look, Seen
from features.gates.profile import DataProfile
from features.gates.waivers import Waiver, WaiversConfig, check_waivers

EXPECTATIONS, WAIVERS = "data_expectations.yaml", "waivers.yaml"
Judge = Callable[[Seen, Any], Iterator[Miss]]
JUDGES: dict[type[Expected], Judge] = {
    kinds.Few: rows.few,
    kinds.WholeFile: rows.whole_file,
    kinds.Distinct: rows.distinct,
    kinds.Varied: rows.varied,
    kinds.InOrder: rows.in_order,
    kinds.AtMost: rows.at_most,
    kinds.OneScale: rows.one_scale,
    kinds.ChosenIsEligible: rows.chosen_is_eligible,
    kinds.RecordedInTime: rows.recorded_in_time,
    kinds.UpToDate: rows.up_to_date,
    kinds.WithinDebts: across.within_debts,
    kinds.PaidWithinOwed: across.paid_within_owed,
    kinds.KeptIsPaid: across.kept_is_paid,
    kinds.SteadyVolume: history.steady_volume,
    kinds.SteadyMix: history.steady_mix,
    kinds.SteadyHours: history.steady_hours,
    kinds.SteadyScale: history.steady_scale,
    kinds.SteadyMissing: history.steady_missing,
    kinds.RowsKept: reference.rows_kept,
    kinds.VocabularyKept: reference.vocabulary_kept,
    kinds.MixKept: reference.mix_kept,
    kinds.HoursKept: reference.hours_kept,
    kinds.ScaleKept: reference.scale_kept,
    kinds.CentsKept: reference.cents_kept,
    kinds.MissingKept: reference.missing_kept,
}
"""What judges each kind of expectation."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What is expected, what is waived, and what the data are compared with under the name ``against``."""

    expectations: ExpectationsConfig
    waivers: tuple[Waiver, ...] = ()
    before: DataProfile | None = None
    against: str | None = None


def load_declared(configs: Path, *, before: DataProfile | None = None, against: str | None = None) -> Declared:
    """The expectations and waivers of a folder of configuration; one without such files expects and waives nothing.

    Raises
    ------
    ConfigError : a file cannot be used, or a waiver is of something that is not declared or not to be waived
    """
    expectations, waivers = ExpectationsConfig(), WaiversConfig()
    if (configs / EXPECTATIONS).exists():
        expectations = load_section(configs / EXPECTATIONS, ExpectationsConfig)
    if (configs / WAIVERS).exists():
        waivers = load_section(configs / WAIVERS, WaiversConfig)
    check_waivers(waivers.waivers, expectations)
    return Declared(expectations, waivers.waivers, before, against)


def judge(look: Look, declared: Declared, *, now_us: int) -> Gates:
    """What of the declared expectations is not met; tables that are absent are not judged."""
    breaches = []
    for table, named in declared.expectations.tables.items():
        if table not in look.files:
            continue
        seen = Seen(table, look)
        for name, expected in named.items():
            misses = JUDGES[type(expected)](seen, expected)
            breaches += [Breach(expected.severity, table, name, expected.kind, miss) for miss in misses]
    count = sum(len(named) for named in declared.expectations.tables.values())
    # Features are judged later, and their waivers with them.
    waivers = [waiver for waiver in declared.waivers if waiver.table in declared.expectations.tables]
    return settle(breaches, waivers, now_us=now_us, declared=count, against=declared.against)


def settle(
    breaches: Iterable[Breach], waivers: Sequence[Waiver], *, now_us: int, declared: int, against: str | None = None
) -> Gates:
    """Breaches with their waivers, in a fixed order; a waiver that has expired lets nothing pass."""
    valid = [waiver for waiver in waivers if waiver.holds(now_us)]
    used: list[Waiver] = []
    settled = []
    for breach in breaches:
        found = [waiver for waiver in valid if _covers(waiver, breach)] if breach.severity != "critical" else []
        used += found[:1]
        settled.append(Breach(
            breach.severity, breach.table, breach.expectation, breach.kind, breach.miss, found[0] if found else None
        ))  # fmt: skip
    return Gates(
        declared=declared,
        against=against,
        breaches=tuple(sorted(settled, key=_order)),
        expired=tuple(waiver for waiver in waivers if waiver not in valid),
        idle=tuple(waiver for waiver in valid if waiver not in used),
    )


def _covers(waiver: Waiver, breach: Breach) -> bool:
    return waiver.covers(table=breach.table, expectation=breach.expectation, column=breach.miss.column)


def _order(breach: Breach) -> tuple[int, str, str, str]:
    return SEVERITIES.index(breach.severity), breach.table, breach.expectation, breach.miss.column or ""
