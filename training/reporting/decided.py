"""Decisions of a run as columns, with the groups of their debtors: for checks of fairness, and of nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from decisioning.pages import spine_at
from domain.actions import WAIT_CHANNEL, ActionCatalogue
from domain.errors import DataError
from features.encoding import Encoded
from training.reporting.keeping import protected_cuts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_UNKNOWN_PRESSURE = 1.0


@dataclass(frozen=True)
class Proposed:
    """Columns of a decisions file, each of n decisions; ``refused`` counts the actions that a rule refused."""

    account_id: Sequence[str]
    decided_at_us: int
    channel: Sequence[str]
    arm: Sequence[str]
    discount: Floats
    amount_due: Floats
    refused: Floats


@dataclass(frozen=True)
class DecidedRows:
    """(n,) each: ``pressure`` of the contact (0 for waiting), whether it offers a discount, its ``discount_share`` of
    what is due, the share of actions refused, ``arm`` and ``debtor``; ``groups`` are labels and codes by name.
    """

    pressure: Floats
    discounted: Floats
    discount_share: Floats
    refused: Floats
    arm: tuple[str, ...]
    debtor: Ints
    groups: Mapping[str, tuple[tuple[str, ...], Ints]]

    def __len__(self) -> int:
        return len(self.debtor)


def decided_rows(proposed: Proposed, encoded: Encoded, catalogue: ActionCatalogue) -> DecidedRows:
    """Join a run's decisions with the protected attributes of their accounts, as known when they were taken.

    Raises
    ------
    DataError : a decision is of an account that the tables do not hold
    """
    index = encoded.account_index()
    unknown = sum(name not in index for name in proposed.account_id)
    if unknown:
        raise DataError(
            f"found {unknown} decisions on accounts that the tables do not hold, needed the tables that were decided "
            "on; give the same directory as to `acerto decide --data`"
        )
    account = np.array([index[name] for name in proposed.account_id], dtype=np.int64)
    spine = spine_at(account, proposed.decided_at_us)
    known = {name: channel.intrusiveness for name, channel in catalogue.config.channels.items()}
    pressure = [0.0 if name == WAIT_CHANNEL else known.get(name, _UNKNOWN_PRESSURE) for name in proposed.channel]
    due = np.maximum(proposed.amount_due, 0.01)
    return DecidedRows(
        pressure=np.array(pressure),
        discounted=(proposed.discount > 0).astype(np.float64),
        discount_share=proposed.discount / due,
        refused=proposed.refused / max(len(catalogue.actions), 1),
        arm=tuple(proposed.arm),
        debtor=np.unique(encoded.debtor[account], return_inverse=True)[1].astype(np.int64),
        groups=protected_cuts(encoded, spine),
    )
