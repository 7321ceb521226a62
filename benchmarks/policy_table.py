"""Figures of one policy on the judge's accounts, kept in files, and the table of all of them in Markdown."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from policy_world import Judged
from scipy import stats

from domain.actions import Action

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]

_PRICES = np.concatenate([[0.0], np.geomspace(0.02, 200.0, 60)])
_DRAWS = 1_000


@dataclass(frozen=True)
class Found:
    """A policy learned from one world, in currency per account of the judge's world.

    ``gain`` (m,) is over the ladder; ``claimed`` the predicted mean gain over waiting of the chosen actions, and
    ``true`` what it truly is; ``whole`` the predicted value, gain and all, as a multiple of the true one. ``cost`` is
    of the attempts it decides on. With a price on cost, ``gain_at_cost`` is the mean gain at no more cost than the
    ladder's, and ``cost_cut`` the part of the ladder's cost that is saved at no less recovered money. ``seconds`` are
    of the process, ``ratio`` is to one plain training. ``NaN`` where a policy tells no values.
    """

    name: str
    gain: Floats
    cost: float
    claimed: float = np.nan
    true: float = np.nan
    whole: float = np.nan
    gain_at_cost: float = np.nan
    cost_cut: float = np.nan
    seconds: float = np.nan
    ratio: float = np.nan


def found_of_rule(name: str, chosen: Int64s, judge: Judged, actions: tuple[Action, ...]) -> Found:
    """A policy of which only the choices (m,) are known."""
    return Found(name, judge.of(chosen) - judge.of(judge.ladder), float(_costs(actions)[chosen].mean()))


def found_of_values(
    name: str, net: Floats, judge: Judged, actions: tuple[Action, ...], *, whole: bool, seconds: float, ratio: float
) -> Found:
    """A policy that takes the largest of the values ``net`` (m, A) that it predicts.

    Parameters
    ----------
    whole : what is predicted is the value, and not only what it is more than that of waiting
    """
    cost, chosen = _costs(actions), judge.best(net)
    rule = found_of_rule(name, chosen, judge, actions)
    ladder_cost, ladder_money = cost[judge.ladder].mean(), judge.of(judge.ladder, judge.recovered).mean()
    priced = [judge.best(net - price * cost) for price in _PRICES]
    within = [one for one in priced if cost[one].mean() <= ladder_cost]
    as_much = [cost[one].mean() for one in priced if judge.of(one, judge.recovered).mean() >= ladder_money]
    return Found(
        name, rule.gain, rule.cost,
        claimed=float((judge.of(chosen, net) - net[:, 0]).mean()),
        true=float((judge.of(chosen) - judge.net[:, 0]).mean()),
        whole=float(judge.of(chosen, net).sum() / judge.of(chosen).sum()) if whole else np.nan,
        gain_at_cost=float((judge.of(within[0]) - judge.of(judge.ladder)).mean()) if within else np.nan,
        cost_cut=float(1.0 - min(as_much) / ladder_cost) if as_much else np.nan,
        seconds=seconds, ratio=ratio,
    )  # fmt: skip


def _costs(actions: tuple[Action, ...]) -> Floats:
    return np.array([action.unit_cost + action.offer_cost for action in actions])


def keep(path: Path, found: Found) -> None:
    """Write it to a file, for a later run."""
    np.savez(path, **asdict(found))


def recall(path: Path) -> Found:
    """What was kept in a file."""
    held = np.load(path)
    return Found(**{name: held[name] if name == "gain" else held[name].item() for name in held.files})


def file_name(name: str, *, rows: int, world: str) -> str:
    """Of the file that keeps one policy learned from so many rows of a world."""
    return f"{re.sub('[^a-z0-9]+', '_', name.lower())}-{rows}-{world}.npz"


def table(found: dict[tuple[str, int], list[Found]], best: Floats, debtor: Int64s) -> str:
    """Markdown, one row per policy and size.

    Parameters
    ----------
    found : by name and number of logged decisions, one per seed
    best : (m,) gain over the ladder of the best policy on observables
    debtor : (m,) whose account it is
    """
    titles = [
        "policy", "decisions", "seeds", "norm, mean ± sd", "95 % over seeds", "95 % over debtors",
        "norm at the ladder's cost", "gain over waiting: claimed", "true", "predicted / true value", "cost per account",
        "cost cut at equal recovery, %", "CPU-s", "times one `lightgbm.train`",
    ]  # fmt: skip
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    for (name, rows), seeds in found.items():
        norm = np.array([100 * one.gain.mean() / best.mean() for one in seeds])
        by_seed = stats.t.ppf(0.975, len(norm) - 1) * norm.std(ddof=1) / len(norm) ** 0.5 if len(norm) > 1 else np.nan
        low, high = _over_debtors(np.mean([one.gain for one in seeds], axis=0), best, debtor)
        at_cost = 100 * _mean(seeds, "gain_at_cost") / best.mean()
        cut = 100 * _mean(seeds, "cost_cut")
        cells = [
            name, f"{rows:,}" if rows else "–", str(len(seeds)),
            f"{norm.mean():.1f} ± {norm.std(ddof=1):.1f}" if len(norm) > 1 else f"{norm.mean():.1f}",
            f"{norm.mean() - by_seed:.0f} … {norm.mean() + by_seed:.0f}", f"{low:.0f} … {high:.0f}",
            f"{at_cost:.1f}", f"{_mean(seeds, 'claimed'):.2f}", f"{_mean(seeds, 'true'):.2f}",
            f"{_mean(seeds, 'whole'):.3f}", f"{_mean(seeds, 'cost'):.2f}", f"{cut:.0f}",
            f"{_mean(seeds, 'seconds'):.1f}", f"{_mean(seeds, 'ratio'):.1f}",
        ]  # fmt: skip
        lines.append("| " + " | ".join("–" if cell.startswith("nan") else cell for cell in cells) + " |")
    return "\n".join(lines)


def _mean(seeds: list[Found], name: str) -> float:
    values = np.array([getattr(one, name) for one in seeds])
    return float(values.mean())


def _over_debtors(gain: Floats, best: Floats, debtor: Int64s) -> tuple[float, float]:
    """Percentiles of the norm when debtors are drawn anew, the same draws for both gains."""
    rng = np.random.default_rng(0)
    _, group = np.unique(debtor, return_inverse=True)
    sums = np.column_stack([np.bincount(group, weights) for weights in (gain, best)])
    draws = (sums[rng.integers(0, len(sums), len(sums))].sum(axis=0) for _ in range(_DRAWS))
    low, high = np.percentile([100 * mine / whole for mine, whole in draws], [2.5, 97.5])
    return float(low), float(high)
