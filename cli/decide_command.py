"""``acerto decide``: the batch of decisions for a portfolio at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from cli import tables as tables_io
from cli.allocation_output import prices_of, show_prices, write_allocation
from cli.exclusions_output import exclusions_of, show_exclusions, write_exclusions
from cli.options import DEFAULT_CONFIGS, AsJson, Configs, DataDir, Model, moment
from cli.output import OnStep, progress, say, show_json, show_table
from cli.sharding import ROWS_IN_ONE_PIECE, Cluster, Means, Shards, Workers
from domain.clock import rfc3339, to_us
from domain.errors import DataError, UnknownAccountError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from cli.decide_runs import Done
    from decisioning.allocation.prices import PriceList
    from decisioning.batch.layout import Layout
    from decisioning.exclusions import Exclusions
    from domain.decisions import Decision
    from domain.tables import Tables
    from features.encoding import Encoded

_LOG_PROBS = (
    "Add the columns action_probs, every action that could have been chosen with its probability, and eligible, their "
    "names: the file is then a decisions table that later policies can be evaluated on."
)
_SHARD_DIR = (
    "Keep the shards here, and take them next time; a run that was cut short goes on with the shards that are decided."
)
_CANDIDATES = "Add the column candidates: every allowed action, best first, with all factors of what it is worth."
_AsOf = Annotated[str, typer.Option("--as-of", help="Moment of the decisions, RFC 3339 with offset.")]
_Out = Annotated[Path, typer.Option("--out", help="A .parquet or .csv file, one row per account.")]
_Listed = Annotated[Path | None, typer.Option("--accounts", help="CSV or Parquet with account_id.")]
_LogProbs = Annotated[bool, typer.Option("--log-probs", help=_LOG_PROBS)]
_Candidates = Annotated[bool, typer.Option("--candidates", help=_CANDIDATES)]
_ShardDir = Annotated[Path | None, typer.Option("--shard-dir", help=_SHARD_DIR)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be decided, and where to; ``listed`` accounts, or all that owe anything."""

    data: Path
    out: Path
    as_of: datetime
    model: str
    listed: list[str] | None
    configs: Path
    log_probs: bool
    candidates: bool


class Decided(NamedTuple):
    """One run in one piece: the tables it read, a decision an account, prices where anything is limited, and figures.

    ``layout`` is that of its file.
    """

    tables: Tables
    decisions: list[Decision]
    prices: PriceList | None
    exclusions: Exclusions
    layout: Layout

    @property
    def summary(self) -> dict[str, Any]:
        """Counts and expected money, for people and machines."""
        from decisioning.batch.outline import Outline

        return Outline.of(self.decisions).summary(horizons=self.layout.horizons)


def decide(
    data: DataDir,
    as_of: _AsOf,
    out: _Out,
    model: Model = "champion",
    accounts: _Listed = None,
    log_probs: _LogProbs = False,
    candidates: _Candidates = False,
    shards: Shards = None,
    workers: Workers = 1,
    cluster: Cluster = None,
    shard_dir: _ShardDir = None,
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Decide on every account that owes anything at a moment, or on the accounts listed.

    Capacities, budgets and segments of decision.yaml are kept over all of them together. What is scarce then has a
    price, told at the end and in OUT.allocation.json. What took actions away before the choice, rule by rule, is in
    OUT.funnel.json.

    Data of more than some million rows are parted by debtor and decided shard by shard, so that memory stays bounded;
    the files are the same whatever the shards, workers and cluster.
    """
    tables_io.check_suffix(out)
    at = moment(as_of, option="--as-of")
    listed = None if accounts is None else tables_io.account_list(accounts)
    asked = Asked(data, out, at, model, listed, configs, log_probs=log_probs, candidates=candidates)
    found = _decided(asked, Means.given(shards, workers, cluster, shard_dir), quiet=as_json)
    if as_json:
        prices = {} if found.prices is None else {"allocation": found.prices.model_dump(mode="json")}
        show_json(found.summary | prices | {"funnel": found.exclusions.as_json()})
        return
    show_run(found, out)


def _decided(asked: Asked, means: Means, *, quiet: bool) -> Done:
    """The run in one piece or by shards, its files written."""
    from cli.decide_runs import by_shards, in_one_piece
    from features.reading_files import estimated_rows

    with progress("deciding", quiet=quiet) as step:
        if means.asks_for_shards or estimated_rows(asked.data) > ROWS_IN_ONE_PIECE:
            return by_shards(asked, means, on_step=step)
        return in_one_piece(asked, on_step=step)


def decide_portfolio(
    data: Path,
    *,
    as_of: datetime,
    model: str,
    configs: Path,
    on_step: OnStep,
) -> Decided:
    """A record for each account of a directory that owes anything: for whoever reads on in it.

    Raises
    ------
    DataError : the moment lies before all history, so that nothing is known to decide on
    """
    from decisioning import engine
    from decisioning.batch.layout import Layout
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
    has_history(tables.ints("debts", "recorded_at"), as_of)
    on_step("sorting events", 0.2)
    encoded = encode(tables, attributes=bundle.schema.attributes)
    on_step("allotting" if desk.config.is_limited else "deciding", 0.3)
    plan = allot(
        encoded, as_of=as_of, bundle=bundle, desk=desk, on_share=lambda share: on_step("allotting", 0.3 + 0.2 * share)
    )  # fmt: skip
    found = engine.decide(encoded, as_of=as_of, bundle=bundle, desk=desk, allot=plan)
    layout = Layout(bundle.payment.horizons, allotted=plan is not None)
    prices = prices_of(plan, as_of=as_of, bundle=bundle, desk=desk)
    return Decided(tables, found, prices, exclusions_of(found, encoded, desk), layout)


def has_history(recorded_us: npt.NDArray[np.int64], as_of: datetime) -> None:
    """Refuses a moment before anything is known.

    Raises
    ------
    DataError : no debt was recorded before ``as_of``, of those recorded at ``recorded_us``
    """
    if len(recorded_us) and int(recorded_us.min()) >= to_us(as_of):
        raise DataError(
            f"found --as-of {rfc3339(as_of)}, before all history: the first debt was recorded at "
            f"{rfc3339(int(recorded_us.min()))}; give a later moment"
        )


def positions(encoded: Encoded, listed: list[str]) -> npt.NDArray[np.int64]:
    """Where listed accounts stand, rising.

    Raises
    ------
    UnknownAccountError : one of them is not there
    """
    import numpy as np

    index = encoded.account_index()
    refuse_unknown([name for name in listed if name not in index])
    return np.array(sorted({index[name] for name in listed}), dtype=np.int64)


def refuse_unknown(names: list[str]) -> None:
    """Refuses listed accounts that are not there, where there are any.

    Raises
    ------
    UnknownAccountError : there are
    """
    if names:
        raise UnknownAccountError(
            f"found {len(names)} listed accounts that the data do not hold, such as {names[:3]}; "
            "needed ids from the accounts table"
        )


def write_run(out: Path, found: Decided) -> None:
    """The decisions, and beside them the prices where there are any, and what was excluded."""
    from decisioning.batch.files import table_of, write_decisions

    write_decisions(out, [table_of(found.decisions, found.layout)], found.layout)
    write_allocation(out, found.prices)
    write_exclusions(out, found.exclusions)


def show_run(found: Decided | Done, out: Path) -> None:
    """The summary, what was excluded, and the prices, as tables for people."""
    show_summary(found.summary, out)
    show_exclusions(found.exclusions)
    if found.prices is not None:
        show_prices(found.prices)


def show_summary(summary: dict[str, Any], out: Path) -> None:
    """The summary as tables for people."""
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
