"""The Open Bandit sample as logs for ``acerto evaluate``: ``python examples/open_bandit.py SRC OUT``.

SRC is the wheel of ``obp`` 0.4.1, which carries the sample (``pip download --no-deps obp==0.4.1``; neither is part of
this project), or a folder with ``random/all/all.csv`` and its sisters, such as the full Open Bandit data. Two policies
chose fashion items in the same week: ``random``, and ``bts`` (Bernoulli Thompson sampling). So each can be valued on
the log of the other, and compared with what it really earned. For each campaign OUT gets a file
``<campaign>_random.parquet`` and one ``<campaign>_bts.parquet``, named after the policy that logged them. What was
decided:

- A row is one item in one of three positions, the reward a click, ``action_prob`` the logged ``propensity_score``.
- ``pi_random`` is 1 / number of items. ``pi_bts`` is the share of the item in its position over the log of ``bts``: the
  policy looks at nobody, and this is what it did over the week. Its own ``propensity_score`` will not do: it is told
  only where the item was chosen, which is when it was high.
- Each row stands alone: the sample does not tell which rows were seen together, or by whom.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pandas as pd

CAMPAIGNS = ("all", "men", "women")
IN_WHEEL = "obp/dataset/obd/"
COLUMNS = ["item_id", "position", "click", "propensity_score"]


def convert(source: Path, out: Path, *, campaigns: tuple[str, ...] = CAMPAIGNS) -> dict[str, int]:
    """Writes ``OUT/<campaign>_<logged by>.parquet`` and returns the number of rows of each."""
    root = zipfile.Path(source, IN_WHEEL) if source.is_file() else source
    out.mkdir(parents=True, exist_ok=True)
    rows = {}
    for campaign in campaigns:
        chosen_by_random, chosen_by_bts = (_chosen(root, policy, campaign) for policy in ("random", "bts"))
        logs = {
            "random": log_of(chosen_by_random).assign(pi_bts=share_of(chosen_by_bts, chosen_by_random)),
            "bts": log_of(chosen_by_bts).assign(pi_random=1.0 / _items(root, campaign)),
        }
        for policy, log in logs.items():
            log.to_parquet(out / f"{campaign}_{policy}.parquet")
            rows[f"{campaign}_{policy}"] = len(log)
    return rows


def log_of(chosen: pd.DataFrame) -> pd.DataFrame:
    """The four columns of a plain table that say what was logged."""
    return pd.DataFrame(
        {
            "decision_id": range(len(chosen)),
            "action": "item_" + chosen["item_id"].astype(str),
            "action_prob": chosen["propensity_score"],
            "reward": chosen["click"].astype(float),
        }
    )


def share_of(chosen: pd.DataFrame, asked: pd.DataFrame) -> pd.Series[float]:
    """For each row of ``asked``, the share of its item among the rows of ``chosen`` in the same position."""
    shares = chosen.groupby("position")["item_id"].value_counts(normalize=True)
    found = shares.reindex(pd.MultiIndex.from_frame(asked[["position", "item_id"]]), fill_value=0.0)
    return found.set_axis(asked.index)


def _chosen(root: Path | zipfile.Path, policy: str, campaign: str) -> pd.DataFrame:
    return _read(root / policy / campaign / f"{campaign}.csv", columns=COLUMNS)


def _items(root: Path | zipfile.Path, campaign: str) -> int:
    """How many items the campaign chose among."""
    return len(_read(root / "random" / campaign / "item_context.csv", columns=["item_id"]))


def _read(file: Path | zipfile.Path, *, columns: list[str]) -> pd.DataFrame:
    if not file.is_file():
        raise FileNotFoundError(f"found no {file}, needed the wheel of obp 0.4.1 or a folder of Open Bandit data")
    with file.open("rb") as opened:
        return pd.read_csv(opened, usecols=columns)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: python examples/open_bandit.py SRC OUT")
    for written, count in convert(Path(sys.argv[1]), Path(sys.argv[2])).items():
        print(f"{written:<14} {count:>7,} rows")
