"""The columns of the file of decisions (contract §4), as Arrow knows them: the same whatever the rows hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

MOMENT = pa.timestamp("us", tz="UTC")
_TEXT, _NUMBER, _TEXTS = pa.string(), pa.float64(), pa.list_(pa.string())
REFUSAL = pa.struct(
    [
        ("action", _TEXT), ("rule", _TEXT), ("code", _TEXT), ("version", _TEXT), ("layer", _TEXT), ("until", MOMENT),
        ("allowed_from", MOMENT), ("depends_on", _TEXT),
    ]
)  # fmt: skip
LOST = pa.struct(
    [
        ("action", _TEXT), ("resource", _TEXT), ("code", _TEXT), ("price", _NUMBER), ("use", _NUMBER),
        ("charge", _NUMBER), ("lost_value", _NUMBER), ("text", _TEXT),
    ]
)  # fmt: skip
_MONEY = (
    "expected_recovered", "expected_cost", "p_complaint", "p_opt_out", "pressure_cost", "expected_net_value",
    "incremental_net_value", "offer_amount", "discount_amount", "instalment_amount",
)  # fmt: skip
_FACTORS = ("p_sent", "p_reached", "p_agreed", "complaint_cost", "opt_out_cost")
_CHARGE = "resource_charge"


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns a run writes: one probability per horizon, and what was asked for beside.

    ``log_probs`` and ``candidates`` as asked for; ``allotted`` where capacities or budgets were.
    """

    horizons: tuple[int, ...]
    log_probs: bool = False
    allotted: bool = False
    candidates: bool = False

    @property
    def schema(self) -> pa.Schema:
        """The columns in their order."""
        asked = [*_PROBS] if self.log_probs else []
        asked += [(_CHARGE, _NUMBER), ("lost_to_budget", LOST)] if self.allotted else []
        asked += [("candidates", pa.list_(_candidate(allotted=self.allotted)))] if self.candidates else []
        return pa.schema([*_before(self.horizons), *_AFTER, *asked])

    @property
    def nested(self) -> tuple[str, ...]:
        """Columns that are lists or records, which CSV holds as JSON."""
        return tuple(one.name for one in self.schema if pa.types.is_nested(one.type))

    @property
    def moments(self) -> tuple[str, ...]:
        """Columns that are moments."""
        return tuple(one.name for one in self.schema if pa.types.is_timestamp(one.type))


def _before(horizons: Sequence[int]) -> list[tuple[str, pa.DataType]]:
    return [
        *((name, _TEXT) for name in ("decision_id", "account_id")), ("decided_at", MOMENT),
        *((name, _TEXT) for name in ("action", "channel", "offer", "moment")),
        *((name, _NUMBER) for name in ("action_prob", "channel_prob")), ("arm", _TEXT),
        *((f"p_pay_{days}d", _NUMBER) for days in horizons),
        *((name, _NUMBER) for name in ("expected_recovered", "expected_cost", "p_complaint", "expected_net_value",
                                       "incremental_net_value")),
        ("runner_up", _TEXT), ("debt_ids", _TEXTS),
        *((name, _NUMBER) for name in ("amount_due", "offer_amount", "discount_amount", "instalment_amount")),
        ("not_before", MOMENT), ("valid_until", MOMENT),
    ]  # fmt: skip


_AFTER = (
    ("reasons", _TEXTS), ("reason_values", pa.list_(_NUMBER)),
    ("nonpayment", pa.struct([("forgets", _NUMBER), ("unable", _NUMBER)])), ("refusals", pa.list_(REFUSAL)),
    *((name, _TEXT) for name in ("model_version", "policy_version", "schema_fingerprint")), ("notices", _TEXTS),
)  # fmt: skip
_PROBS = (
    ("action_probs", pa.list_(pa.struct([("action", _TEXT), ("action_prob", _NUMBER)]))), ("eligible", _TEXTS),
)  # fmt: skip


def _candidate(*, allotted: bool) -> pa.StructType:
    """Where something was allotted its charge stands with the money, else last (``records.factors_json``)."""
    money, last = (*_MONEY, _CHARGE) if allotted else _MONEY, () if allotted else (_CHARGE,)
    return pa.struct([("action", _TEXT), *((name, _NUMBER) for name in ("p_pay", *money, *_FACTORS, *last))])
