"""What is left of a learner's norm under stress: its norm in each world, and that as a share of the first world's.

    python benchmarks/policy_share.py KEPT/usual KEPT/tied KEPT/hidden [--rows 20000] [--learners funnel hurdle]

Each folder is a ``--work`` of policy_value.py. Intervals are of a bootstrap over the debtors who are judged.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from policy_table import file_name, recall

Floats = npt.NDArray[np.float64]

BEST = "best policy on observables"
_DRAWS = 2_000


def main() -> None:
    """Print the table, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kept", nargs="+", type=Path)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--learners", nargs="+", default=["funnel", "hurdle"])
    options = parser.parse_args()
    titles = (
        "learner", "world", "best over ladder, R$", "norm by seed", "norm", "95 % over debtors",
        "share of the first world's, %", "95 % over debtors",
    )  # fmt: skip
    print("| " + " | ".join(titles) + " |", "|---" * len(titles) + "|", sep="\n")
    for learner in options.learners:
        for cells in _rows(learner, options.kept, rows=options.rows):
            print("| " + " | ".join(cells) + " |")


def _rows(learner: str, kept: list[Path], *, rows: int) -> Iterator[list[str]]:
    first: Floats | None = None
    for folder in kept:
        best = recall(folder / file_name(BEST, rows=0, world="truth")).gain
        pattern = file_name(learner, rows=rows, world="*")
        gains = [recall(path).gain for path in sorted(folder.glob(pattern))]
        if not gains:
            raise SystemExit(f"found no {pattern} in {folder}; run policy_value.py with --work {folder} first")
        norms = _norms(np.mean(gains, axis=0), best, np.load(folder / "debtor.npy"))
        share = np.ones_like(norms) if first is None else norms / first
        yield [
            learner, folder.name, f"{best.mean():.2f}",
            ", ".join(f"{100 * gain.mean() / best.mean():.1f}" for gain in gains),
            f"{norms[0]:.1f}", _interval(norms[1:]),
            *(("–", "–") if first is None else (f"{100 * share[0]:.0f}", _interval(100 * share[1:]))),
        ]  # fmt: skip
        first = norms if first is None else first


def _norms(gain: Floats, best: Floats, debtor: npt.NDArray[np.int64]) -> Floats:
    """(1 + draws,) the norm, and that of debtors drawn again."""
    rng = np.random.default_rng(0)
    group = np.unique(debtor, return_inverse=True)[1]
    sums = np.column_stack([np.bincount(group, one) for one in (gain, best)])
    drawn = np.stack([sums[rng.integers(0, len(sums), len(sums))].sum(axis=0) for _ in range(_DRAWS)])
    whole = np.concatenate([sums.sum(axis=0)[None], drawn])
    norms: Floats = 100 * whole[:, 0] / whole[:, 1]
    return norms


def _interval(draws: Floats) -> str:
    low, high = np.percentile(draws, [2.5, 97.5])
    return f"{low:.0f} … {high:.0f}"


if __name__ == "__main__":
    main()
