"""Published questions, Acerto's features and learner: ``python examples/at_issue.py DATA CONFIGS FROM``.

``acerto train`` learns p_pay: will this account pay anything within 30 days, asked on every day on which it owes.
Published figures for late loans and late invoices ask something else, once per debt, when it is issued: will this debt
be paid by its due day? Here the features of ``features/catalogue.py``, as known a second after the issue, are given to
the learner and calibrator of ``training/payment.py`` with that answer. Debts issued from FROM on judge; those issued
earlier and due before FROM teach and calibrate, the latest of them calibrating. A figure far above the published one
would be a leak, one far below it a loss in the mapping or in the features.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.models import PaymentModel
from domain.clock import US_PER_DAY, US_PER_SECOND, Int64s, local_days, parse_moment, to_us
from domain.config import load_section
from domain.zones import local_us
from features.batch import compute_many
from features.config import FeaturesConfig
from features.encoding import Encoded, encode
from features.schema import fit_schema
from features.spine import Spine
from features.tables import read_tables
from training.boosting import Columns
from training.config import ModelConfig, load_training_config
from training.metrics import auc, cluster_weights, ece, ks, with_intervals
from training.payment import Target, assemble, fit_horizon
from training.splits import Split

Floats = npt.NDArray[np.float64]
HORIZON_DAYS = 30


def measure(data: Path, configs: Path, *, from_us: int) -> dict[str, Any]:
    """AUC, KS and calibration of "late" on debts issued from ``from_us`` on, with 95 % intervals over debtors."""
    attributes = load_section(configs / "features.yaml", FeaturesConfig).attributes
    config = load_training_config(configs / "training.yaml")
    encoded = encode(read_tables(data, attributes=attributes), attributes=attributes)
    schema = fit_schema(encoded, attributes=attributes)
    spine, late = at_issue(encoded)
    values = compute_many(encoded, spine, schema)
    split = _split(spine.as_of_us, from_us=from_us, valid_share=config.splits.valid_share)
    columns = Columns(schema.names, schema.categorical)
    return judged(values, columns, late, split, debtor=encoded.debtor[spine.account], config=config.model)


def judged(
    values: Floats,
    columns: Columns,
    happened: Floats,
    split: Split,
    *,
    debtor: npt.NDArray[np.int32],
    config: ModelConfig,
) -> dict[str, Any]:
    """Fit the learner and calibrator of the payment model on a yes-or-no question, and judge them on the test rows.

    Parameters
    ----------
    values, happened, debtor : (n, k) features, (n,) the answers, 1 or 0, and (n,) the clusters of the intervals
    """
    usable = np.ones(len(happened), dtype=np.bool_)
    target = Target(HORIZON_DAYS, happened, usable, split)
    fitted = fit_horizon(values, columns, target, debtor=debtor, config=config)
    model: PaymentModel = assemble({HORIZON_DAYS: fitted}, explained=HORIZON_DAYS, shipped="evaluated")
    test = split.test
    p = model.predict(values[test])[:, 0]
    weights = cluster_weights(debtor[test], replications=400, rng=np.random.default_rng(0))
    figures = with_intervals({"auc": auc, "ks": ks, "ece": ece}, happened[test], p, weights=weights)
    rows = {"train": len(split.train), "valid": len(split.valid), "test": len(test)}
    return {"rows": rows, "happened": float(happened[test].mean()), "mean_p": float(p.mean()), **figures}


def at_issue(encoded: Encoded) -> tuple[Spine, Floats]:
    """One row per debt, a second after it was issued, by account and time; 1 where it was not paid by its due day."""
    tables = encoded.tables
    late = 1.0 - _paid_in_time(encoded)
    account, issued = encoded.account_of("debts"), tables.ints("debts", "occurred_at")
    order = np.lexsort((issued, account))
    return Spine(account[order], issued[order] + US_PER_SECOND), late[order]


def _paid_in_time(encoded: Encoded) -> Floats:
    """Per debt, 1 where a payment naming it happened on or before its due day, in the account's own zone."""
    tables = encoded.tables
    ids = tables.text("debts", "debt_id")
    position = {ids.values[code]: row for row, code in enumerate(ids.codes)}
    debt = tables.text("payments", "debt_id").recode(position)
    zones = encoded.zones[encoded.account_of("payments")]
    day = local_days(local_us(tables.ints("payments", "occurred_at"), zones, encoded.zone_names))
    in_time = np.zeros(len(ids), dtype=np.float64)
    in_time[debt[(debt >= 0) & (day <= tables.ints("debts", "due_on")[debt])]] = 1.0
    return in_time


def _split(as_of_us: Int64s, *, from_us: int, valid_share: float) -> Split:
    """By time: what is judged starts at ``from_us``; what teaches is answered by then, what calibrates comes last."""
    known = np.flatnonzero(as_of_us + (HORIZON_DAYS + 1) * US_PER_DAY <= from_us)
    valid_from = int(np.quantile(as_of_us[known], 1.0 - valid_share))
    train, valid = known[as_of_us[known] < valid_from], known[as_of_us[known] >= valid_from]
    test = np.flatnonzero(as_of_us >= from_us)
    return Split(train, valid, test, valid_from, from_us, dropped=len(as_of_us) - len(known) - len(test))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit("usage: python examples/at_issue.py DATA CONFIGS FROM")
    start_us = to_us(parse_moment(sys.argv[3]))
    print(json.dumps(measure(Path(sys.argv[1]), Path(sys.argv[2]), from_us=start_us), indent=2))
