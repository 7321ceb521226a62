"""``acerto decide``: the batch of decisions for a portfolio at a moment."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from cli import tables as tables_io
from cli.allocation_output import prices_of, show_prices, write_allocation
from cli.exclusions_output import exclusions_of, show_exclusions, write_exclusions
from cli.options import DEFAULT_CONFIGS, AsJson, Configs, DataDir, Model, moment
from cli.output import OnStep, progress, say, show_json, show_table
from domain.clock import rfc3339, to_us
from domain.errors import DataError, UnknownAccountError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from decisioning.allocation.prices import PriceList
    from decisioning.exclusions import Exclusions
    from domain.decisions import Decision
    from domain.tables import Tables
    from features.encoding import Encoded

_LOG_PROBS = (
    "Add the columns action_probs, every action that could have been chosen with its probability, and eligible, their "
    "names: the file is then a decisions table that later policies can be evaluated on."
)
_CANDIDATES = "Add the column candidates: every allowed action, best first, with all factors of what it is worth."
_NESTED = (
    "debt_ids", "reasons", "reason_values", "nonpayment", "refusals", "notices", "action_probs", "eligible",
    "lost_to_budget", "candidates",
)  # fmt: skip


class Decided(NamedTuple):
    """One run: the tables it read, a decision an account, prices where anything is limited, and what was excluded."""

    tables: Tables
    decisions: list[Decision]
    prices: PriceList | None
    exclusions: Exclusions


def decide(
    data: DataDir,
    as_of: Annotated[str, typer.Option("--as-of", help="Moment of the decisions, RFC 3339 with offset.")],
    out: Annotated[Path, typer.Option("--out", help="A .parquet or .csv file, one row per account.")],
    model: Model = "champion",
    accounts: Annotated[Path | None, typer.Option("--accounts", help="CSV or Parquet with account_id.")] = None,
    log_probs: Annotated[bool, typer.Option("--log-probs", help=_LOG_PROBS)] = False,
    candidates: Annotated[bool, typer.Option("--candidates", help=_CANDIDATES)] = False,
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Decide on every account that owes anything at a moment, or on the accounts listed.

    Capacities, budgets and segments of decision.yaml are kept over all of them together. What is scarce then has a
    price, told at the end and in OUT.allocation.json. What took actions away before the choice, rule by rule, is in
    OUT.funnel.json.
    """
    tables_io.check_suffix(out)
    at = moment(as_of, option="--as-of")

    listed = None if accounts is None else tables_io.account_list(accounts)
    with progress("deciding", quiet=as_json) as step:
        found = decide_portfolio(
            data, as_of=at, model=model, listed=listed, configs=configs, on_step=step, log_probs=log_probs,
            candidates=candidates,
        )  # fmt: skip
        step("writing", 0.95)
        write_run(out, found, candidates=candidates)
    if as_json:
        prices = {} if found.prices is None else {"allocation": found.prices.model_dump(mode="json")}
        show_json(summarise(found.decisions) | prices | {"funnel": found.exclusions.as_json()})
        return
    show_run(found, out)


def decide_portfolio(
    data: Path,
    *,
    as_of: datetime,
    model: str,
    listed: list[str] | None,
    configs: Path,
    on_step: OnStep,
    log_probs: bool = False,
    candidates: bool = False,
) -> Decided:
    """A decision for each account of a directory that owes anything, or for those listed.

    Raises
    ------
    DataError : the moment lies before all history, so that nothing is known to decide on
    UnknownAccountError : a listed account is not in the data
    """
    from decisioning import engine
    from decisioning.bundle import read_bundle
    from decisioning.portfolio import allot
    from features.encoding import encode
    from training.registry import Tracking, resolve

    desk = engine.load_desk(configs)
    folder, note = resolve(model, Tracking.from_environment())
    if note:
        say(note)
    on_step("reading the model", 0.0)
    bundle = read_bundle(folder)
    on_step("reading the tables", 0.1)
    tables = tables_io.read(data, configs=configs)
    _has_history(tables, as_of)
    on_step("sorting events", 0.2)
    encoded = encode(tables, attributes=bundle.schema.attributes)
    chosen = None if listed is None else _positions(encoded, listed)
    on_step("allotting" if desk.config.is_limited else "deciding", 0.3)
    plan = allot(
        encoded, as_of=as_of, bundle=bundle, desk=desk, accounts=chosen,
        on_share=lambda share: on_step("allotting", 0.3 + 0.2 * share),
    )  # fmt: skip
    found = engine.decide(
        encoded, as_of=as_of, bundle=bundle, desk=desk, accounts=chosen, log_probs=log_probs, allot=plan,
        explain="full" if candidates else "reasons",
    )  # fmt: skip
    excluded = exclusions_of(found, encoded, desk)
    return Decided(tables, found, prices_of(plan, as_of=as_of, bundle=bundle, desk=desk), excluded)


def _has_history(tables: Tables, as_of: datetime) -> None:
    recorded = tables.ints("debts", "recorded_at")
    if len(recorded) and int(recorded.min()) >= to_us(as_of):
        raise DataError(
            f"found --as-of {rfc3339(as_of)}, before all history: the first debt was recorded at "
            f"{rfc3339(int(recorded.min()))}; give a later moment"
        )


def _positions(encoded: Encoded, listed: list[str]) -> npt.NDArray[np.int64]:
    import numpy as np

    index = encoded.account_index()
    unknown = [name for name in listed if name not in index]
    if unknown:
        raise UnknownAccountError(
            f"found {len(unknown)} listed accounts that the data do not hold, such as {unknown[:3]}; "
            "needed ids from the accounts table"
        )
    return np.array(sorted({index[name] for name in listed}), dtype=np.int64)


def write_run(out: Path, found: Decided, *, candidates: bool = False) -> None:
    """The decisions, and beside them the prices where there are any, and what was excluded."""
    write_decisions(out, found.decisions, candidates=candidates)
    write_allocation(out, found.prices)
    write_exclusions(out, found.exclusions)


def write_decisions(path: Path, decisions: list[Decision], *, candidates: bool = False) -> None:
    """One row per account, in the order of their ids; lists become JSON text in CSV."""
    import pandas as pd

    from decisioning.records import decision_row

    frame = pd.DataFrame([decision_row(decision, candidates=candidates) for decision in decisions])
    if path.suffix == ".csv":
        for name in _NESTED:
            if name in frame:
                frame[name] = [json.dumps(value, ensure_ascii=False, default=rfc3339) for value in frame[name]]
        for name in ("decided_at", "not_before", "valid_until"):
            if name in frame:
                frame[name] = [value.isoformat().replace("+00:00", "Z") for value in frame[name]]
        frame.to_csv(path, index=False)
        return
    frame.to_parquet(path, index=False)


def summarise(decisions: list[Decision]) -> dict[str, Any]:
    """Counts by action's channel and by refusal code, and the expected money, for people and machines."""
    from decisioning.targeting import targeting

    horizons = list(decisions[0].p_pay) if decisions else []
    explained = 30 if 30 in horizons else next(iter(horizons), 30)
    channels = Counter(decision.channel for decision in decisions)
    refusals: Counter[str] = Counter()
    for decision in decisions:
        refusals.update({refusal.code for refusal in decision.refusals})
    return {
        "accounts": len(decisions),
        "expected_net_value": round(sum(decision.chosen.expected_net_cents for decision in decisions) / 100, 2),
        "incremental_net_value": round(sum(decision.chosen.incremental_net_cents for decision in decisions) / 100, 2),
        "expected_cost": round(sum(decision.chosen.expected_cost_cents for decision in decisions) / 100, 2),
        "channels": dict(channels.most_common()),
        "accounts_with_refusal": dict(refusals.most_common()),
        "p_pay_horizon_days": explained,
        "targeting": targeting(decisions, horizon_days=explained),
    }


def show_run(found: Decided, out: Path) -> None:
    """The summary, what was excluded, and the prices, as tables for people."""
    show_summary(found.decisions, out)
    show_exclusions(found.exclusions)
    if found.prices is not None:
        show_prices(found.prices)


def show_summary(decisions: list[Decision], out: Path) -> None:
    """The summary as tables for people."""
    summary = summarise(decisions)
    total = max(summary["accounts"], 1)
    rows = [[channel, f"{count:,}", f"{count / total:.1%}"] for channel, count in summary["channels"].items()]
    show_table(f"{summary['accounts']:,} decisions in {out}", ["channel", "accounts", "share"], rows)
    cells = [
        [row["p_pay"], row["contact_could_add"], f"{row['accounts']:,}", f"{row['contacted']:,}", f"{row['cost']:,.2f}",
         f"{row['incremental_net_value']:,.2f}"]
        for row in summary["targeting"]
    ]  # fmt: skip
    header = [f"p_pay_{summary['p_pay_horizon_days']}d", "contact could add", "accounts", "contacted", "cost", "added"]
    show_table("whom contacting pays for", header, cells)
    say(
        f"expected net value {summary['expected_net_value']:,.2f}, of which {summary['incremental_net_value']:,.2f} "
        f"over waiting, at a cost of {summary['expected_cost']:,.2f}"
    )
