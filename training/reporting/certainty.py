"""Why a number of the report has no interval: all others are figures that carry one, and the rows they are of."""

from __future__ import annotations

from collections.abc import Mapping

from training.reporting.lights import Figure, Light
from training.reporting.parts import Section, Table, Value

UNSAID = "unsaid"
"""Of a number without an interval and without a reason here; a test finds those, and no report should have one."""
_MEASURED = ("number", "percent", "money")
_REASONS: Mapping[str, tuple[str, ...]] = {
    "chosen": (
        "from", "to", "quantile", "cutoff", "amber", "red", "self_cure_from", "self_cure_to", "at_most", "at_least",
        "odds",
    ),
    "said": (
        "mean_p_pay", "expected", "p_pay_held_out", "p_pay_served", "value", "contribution", "amount_due",
    ),
    "whole": (
        "pairs_refused", "pairs_alone", "accounts_refused", "refused_whole", "used", "price", "only_wait.share",
        "arm_shares.share", *(f"pairs_{stage}" for stage in (
            "applicable", "eligible", "suitable", "allowed", "candidates", "affordable", "chosen",
        )),
    ),
    "test": ("p_value",),
    "grid": ("effect", "against", "largest_against"),
    "spread": (
        "spread", "explained_spread", "max_change", "wide_range", "widest_range", "ess", "max_weight", "unsupported",
        "action_prob", "effective_with", "effective_without",
    ),
    "screened": ("single_auc",),
    "beside": ("received", "cost", "contacts", "per_cent", "otherwise"),
    "kept_without": (
        *(f"{name}.{column}" for name in ("heads", "challenger_heads") for column in ("rate", "auc", "ece")),
        "deciles.lift", "deciles.share_of_payers",
    ),
}  # fmt: skip
"""By reason: columns, or ``table.column`` where another table has an interval under that name."""
_OF = {name: reason for reason, names in _REASONS.items() for name in names}


def without_interval(table: Table) -> dict[str, str]:
    """The columns of a table with a number that has no interval, and a word of why."""
    found: dict[str, str] = {}
    for place, column in enumerate(table.columns):
        cells = [row[place] for row in table.rows]
        # What counts is what it is; an effective number of rows is no count.
        if column.kind not in _MEASURED and not any(isinstance(one, float) for one in cells):
            continue
        bare = [one for one in cells if _is_bare(one)]
        if bare:
            few = all(isinstance(one, Figure) for one in bare)
            named = _OF.get(f"{table.name}.{column.name}", _OF.get(column.name, UNSAID))
            found[column.name] = "too_few" if few else named
    return found


def of_section(section: Section) -> dict[str, dict[str, str]]:
    """The same for every table of a section that has such a column."""
    return {table.name: found for table in section.tables if (found := without_interval(table))}


def of_light(light: Light) -> str | None:
    """Why a light's figure has no interval; ``None`` where it has one, or where there is no figure."""
    figure = light.figure
    if figure.value is None or figure.bounds is not None:
        return None
    return "counted" if figure.method == "count" else "nothing_found"


def _is_bare(value: Value) -> bool:
    if isinstance(value, Figure):
        return value.value is not None and value.bounds is None
    return isinstance(value, int | float) and not isinstance(value, bool)
