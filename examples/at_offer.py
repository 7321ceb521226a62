"""The published question of the Starbucks offers: ``python examples/at_offer.py DATA CONFIGS FROM [GAP_DAYS]``.

Will an offer be completed, asked as it is sent? DATA is what ``starbucks_offers.py`` wrote. Acerto's features, as known
at the draw, and its features of the action are given to its learner and calibrator. Offers sent from FROM on judge;
those sent at least GAP_DAYS before it (by default ten, as long as an offer may run, so that all answers were known)
teach, and a fifth of their customers calibrate. Offers that only inform cannot be completed, so that telling them apart
would be no feat: they are left out. A figure far above the published one would be a leak.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from at_issue import judged

from decisioning.candidates import candidate_names, rows_for
from domain.actions import Action, ActionCatalogue, ActionsConfig
from domain.clock import US_PER_DAY, Int64s, parse_moment, to_us
from domain.config import load_section
from features.batch import compute_many
from features.config import FeaturesConfig
from features.encoding import Encoded, encode
from features.schema import fit_schema
from features.spine import Spine
from features.tables import read_tables
from training import sampling
from training.boosting import Columns
from training.config import load_training_config
from training.response_log import logged_actions
from training.splits import Split, unseen_debtors

CALIBRATING_SHARE = 0.2


def measure(data: Path, configs: Path, *, from_us: int, gap_days: int) -> dict[str, Any]:
    """AUC, KS and calibration of "completed" on offers sent from ``from_us`` on, with 95 % intervals over customers."""
    attributes = load_section(configs / "features.yaml", FeaturesConfig).attributes
    catalogue = ActionCatalogue(load_section(configs / "actions.yaml", ActionsConfig))
    encoded = encode(read_tables(data, attributes=attributes), attributes=attributes)
    schema = fit_schema(encoded, attributes=attributes)
    spine, actions, action, completed = at_offer(encoded, catalogue)
    names = candidate_names(schema, actions)
    values = rows_for(compute_many(encoded, spine, schema), schema, actions, action, names=names)
    debtor = encoded.debtor[spine.account]
    return judged(
        values, Columns((*schema.names, *names), schema.categorical), completed,
        _split(spine.as_of_us, debtor, from_us=from_us, gap_days=gap_days), debtor=debtor,
        config=load_training_config(configs / "training.yaml").model,
    )  # fmt: skip


def at_offer(
    encoded: Encoded, catalogue: ActionCatalogue
) -> tuple[Spine, tuple[Action, ...], Int64s, npt.NDArray[np.float64]]:
    """One row per offer that can be completed: when, which of the actions, and 1 where it was completed."""
    spine, rows = sampling.decided(encoded)
    actions, action = logged_actions(encoded, rows, catalogue)
    asks = np.flatnonzero(np.array([one.offer_kind != "none" for one in actions])[action])
    # A draw, what is owed for it and what is paid on it share one id.
    paid = frozenset(encoded.tables.text("payments", "debt_id").values)
    ids = encoded.tables.text("decisions", "decision_id").take(rows[asks]).decode()
    return spine.take(asks), actions, action[asks], np.array([float(name in paid) for name in ids])


def _split(as_of_us: Int64s, debtor: npt.NDArray[np.int32], *, from_us: int, gap_days: int) -> Split:
    known = as_of_us + max(gap_days * US_PER_DAY, 1) <= from_us
    calibrates = unseen_debtors(debtor, share=CALIBRATING_SHARE, seed=0)
    train, valid = np.flatnonzero(known & ~calibrates), np.flatnonzero(known & calibrates)
    test = np.flatnonzero(as_of_us >= from_us)
    return Split(train, valid, test, from_us, from_us, dropped=len(as_of_us) - len(train) - len(valid) - len(test))


if __name__ == "__main__":
    if len(sys.argv) not in {4, 5}:
        raise SystemExit("usage: python examples/at_offer.py DATA CONFIGS FROM [GAP_DAYS]")
    start_us, gap = to_us(parse_moment(sys.argv[3])), int(sys.argv[4]) if len(sys.argv) == 5 else 10
    print(json.dumps(measure(Path(sys.argv[1]), Path(sys.argv[2]), from_us=start_us, gap_days=gap), indent=2))
