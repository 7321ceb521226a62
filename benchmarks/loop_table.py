"""Closed loops of several seeds side by side: each policy less another, mean and 95 % over seeds (Student's t).

    python benchmarks/loop_table.py LOOP/2/rounds.json LOOP/3/rounds.json ... [--less tuned_ladder ladder]

Each file is of one run of ``acerto simulate --rounds``. *Unpaid* is by amount, of the bills 1–90 days past due at the
start; money is per account of the portfolio over the rounds. Costs and unpaid amounts are also told in per cent of the
other policy's.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats


def main() -> None:
    """Print one table per policy to compare with, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", nargs="+", type=Path)
    parser.add_argument("--less", nargs="+", default=["tuned_ladder", "tuned_ladder_log", "ladder"])
    options = parser.parse_args()
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in options.rounds]
    found = [run["policies"] for run in runs]
    seeds = ", ".join(str(run["seed"]) for run in runs)
    names = [name for name in found[0] if all(name in one for one in found)]
    for other in [name for name in options.less if name in names]:
        titles = (
            f"less `{other}`", "net", "unpaid, points", "unpaid, %", "contact cost", "contact cost, %",
            f"net by seed ({seeds})",
        )  # fmt: skip
        print("\n| " + " | ".join(titles) + " |", "|---" * len(titles) + "|", sep="\n")
        for name in names:
            if name != other:
                print(f"| `{name}` | " + " | ".join(_cells(found, name, other)) + " |")


def _cells(found: list[dict[str, Any]], name: str, other: str) -> list[str]:
    def values(key: str, of: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([one[of][key] for one in found], dtype=np.float64)

    net = values("net", name) - values("net", other)
    cells = [_mean(net)]
    for key, scale in (("unpaid_share", 100.0), ("contact_cost", 1.0)):
        less, whole = values(key, name) - values(key, other), values(key, other)
        cells += [_mean(scale * less), _mean(100 * less / whole, places=0) if whole.all() else "–"]
    return [*cells, ", ".join(f"{one:+.2f}" for one in net)]


def _mean(of_seeds: np.ndarray[tuple[int], np.dtype[np.float64]], *, places: int = 2) -> str:
    if len(of_seeds) == 1:
        return f"{of_seeds[0]:+.{places}f}"
    half = stats.t.ppf(0.975, len(of_seeds) - 1) * of_seeds.std(ddof=1) / len(of_seeds) ** 0.5
    return f"{of_seeds.mean():+.{places}f} ± {half:.{places}f}"


if __name__ == "__main__":
    main()
