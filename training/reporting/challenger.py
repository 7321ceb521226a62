"""Section 16: the version beside the champion of its time, row by row on the same test rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.reporting.evidence import Evidence
from training.reporting.intervals import Scored, auc_gain, established, mean_figure
from training.reporting.lights import Figure
from training.reporting.parts import Column, Section, Value, not_available, note, table
from training.reporting.performance import no_held_out

Floats = npt.NDArray[np.float64]
_LIGHTS = ("CHALLENGER_AUC", "CHALLENGER_BRIER")
_FIFTHS = 5


def challenger(evidence: Evidence) -> Section:
    """Paired differences of AUC and Brier, who is in whose first fifths, and how many decisions would change."""
    held = evidence.held_out
    if held is None:
        return no_held_out(evidence, "challenger", *_LIGHTS)
    champion, unseen = held.of_test("champion"), held.of_test("champion_unseen")
    if champion is None or unseen is None:
        lights = evidence.missing(*_LIGHTS, reason="no_champion")
        return not_available("challenger", "no_champion", lights, why=held.told.get("no_champion") or "–")
    theirs = champion.astype(np.float64)
    every = paired(held.test, theirs)
    fresh = paired(held.test.where(unseen), theirs[unseen])
    auc, brier = fresh
    return Section(
        "challenger",
        lights=(
            evidence.judge("CHALLENGER_AUC", established(auc) if auc.n else None, reason="champion_has_seen"),
            evidence.judge("CHALLENGER_BRIER", established(brier) if brier.n else None, reason="champion_has_seen"),
        ),
        notes=(
            note("challenger_text", version=str(held.told["champion"]), unseen=int(unseen.sum()), rows=len(unseen)),
            note("swap_text"),
        ),
        tables=(
            table(
                "paired", (Column("rows_of", "word"), Column("rows", "count"), Column("auc_gain"),
                Column("brier_gain")),
                [("all_test_rows", len(held.test), *every), ("unseen_by_champion", int(unseen.sum()), *fresh)],
            ),
            table("swap_sets", (
                Column("this_fifth", "count"), *(Column(f"champion_fifth_{one}", "count") for one in range(1, 6)),
            ), _swaps(held.test.p, theirs)),
            table("swapped", (Column("set", "word"), Column("rows", "count"), Column("rate")),
                  _swapped(held.test, theirs, evidence)),
            table("decision_change", (Column("cutoff", "percent", 0), Column("changed")), _changes(held.test, theirs)),
        ),
    )  # fmt: skip


def paired(rows: Scored, other: Floats) -> tuple[Figure, Figure]:
    """AUC of this version less the champion's, and Brier score likewise (less is better)."""
    if not len(rows):
        return Figure(None, n=0, method="delong"), Figure(None, n=0, method="clustered")
    return auc_gain(rows, other), mean_figure((rows.p - rows.paid) ** 2 - (other - rows.paid) ** 2, rows.debtor)


def _fifth(p: Floats) -> npt.NDArray[np.int64]:
    """1 for the fifth with the highest probabilities, 5 for the lowest."""
    order = np.argsort(-p, kind="stable")
    place = np.empty(len(p), dtype=np.int64)
    place[order] = np.arange(len(p)) * _FIFTHS // max(len(p), 1)
    return place + 1


def _swaps(own: Floats, theirs: Floats) -> list[tuple[Value, ...]]:
    """Rows by fifth of this version and fifth of the champion."""
    mine, others = _fifth(own), _fifth(theirs)
    return [(one, *(int(((mine == one) & (others == two)).sum()) for two in range(1, 6))) for one in range(1, 6)]


def _swapped(rows: Scored, theirs: Floats, evidence: Evidence) -> list[tuple[Value, ...]]:
    """Payment rates of who enters and who leaves the selected share when this version takes over."""
    share = evidence.policy.selected_share
    own, other = (p >= np.quantile(p, 1.0 - share) for p in (rows.p, theirs))
    sets = {"enters": own & ~other, "leaves": ~own & other, "stays_in": own & other, "stays_out": ~own & ~other}
    return [(name, int(mask.sum()), mean_figure(rows.paid[mask], rows.debtor[mask])) for name, mask in sets.items()]


def _changes(rows: Scored, theirs: Floats) -> list[tuple[Value, ...]]:
    """Share of accounts that would lie on the other side of a cut of so many per cent."""
    found: list[tuple[Value, ...]] = []
    for share in (0.1, 0.3, 0.5, 0.7):
        own, other = (p >= np.quantile(p, 1.0 - share) for p in (rows.p, theirs))
        found.append((share, mean_figure((own != other).astype(np.float64), rows.debtor)))
    return found
