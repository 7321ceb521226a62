"""``acerto arms``: what the policy brings beside the arms of debtors who are set apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import tables as tables_io
from cli.options import DEFAULT_CONFIGS, AsJson, Configs, moment
from cli.output import progress, say, show_json, show_table
from domain.clock import to_us

if TYPE_CHECKING:
    from training.arm_lift import Lifts
    from training.ope.estimators import Estimate

_HELP = {
    "data": "Directory of canonical tables with decisions, their `arm`, and what came of them.",
    "days": "Days that each account is followed for from its first decision on.",
    "from": "Only accounts' decisions from this moment on, RFC 3339 with offset; by default all that are logged.",
}


def arms(
    data: Annotated[Path, typer.Option("--data", help=_HELP["data"])],
    days: Annotated[int, typer.Option("--days", min=1, help=_HELP["days"])] = 90,
    since: Annotated[str | None, typer.Option("--from", help=_HELP["from"])] = None,
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Compare the policy with the control arms: value per account by debtors set apart at random, with intervals.

    Exit code 1 where there are not two arms with enough debtors that can be followed for so long.
    """
    from decisioning.desk import load_desk
    from features.encoding import encode
    from training.arm_lift import Period, arm_lifts
    from training.dataset import Horizon
    from training.facts import end_of_data
    from training.runs.configs import Configs as TrainingConfigs

    begins = None if since is None else to_us(moment(since, option="--from"))
    desk, training = load_desk(configs), TrainingConfigs.load(configs).training
    with progress("comparing arms", quiet=as_json) as step:
        step("reading tables", 0.1)
        tables = tables_io.read(data, configs=configs)
        step("sorting events", 0.5)
        encoded = encode(tables, attributes=tables_io.attributes_of(configs))
        horizon = Horizon(end_of_data(tables, until_us=None), training.posting_lag_days)
        step("valuing what came in", 0.8)
        found = arm_lifts(
            encoded, desk.catalogue, horizon, objective=desk.config.objective, period=Period(days, begins)
        )
    if as_json:
        show_json(found.to_json())
    else:
        _show(found, desk.config.currency_symbol)


def _show(found: Lifts, currency: str) -> None:
    show_table(
        f"per account over {found.days} days, {currency}",
        ["arm", "accounts", "debtors", "net [95 %]", "received", "cost", "contacts"],
        [
            [one.arm, f"{one.accounts:,}", f"{one.debtors:,}", _interval(one.net), f"{one.received:,.2f}",
             f"{one.cost:,.2f}", f"{one.contacts:,.2f}"]
            for one in found.arms
        ],
    )  # fmt: skip
    if found.lifts:
        show_table(
            "the policy less each control",
            ["control", "uplift [95 %]", "%", "verdict", "debtors of each arm that would tell"],
            [
                [one.than, _interval(one.uplift), f"{one.per_cent:+.1f}", one.verdict,
                 "-" if one.debtors_needed is None else f"{one.debtors_needed:,}"]
                for one in found.lifts
            ],
        )  # fmt: skip
    left = ", ".join(f"{count:,} {reason}" for reason, count in found.left_out.items() if count)
    say(f"left out: {left or 'nothing'}")


def _interval(found: Estimate) -> str:
    return f"{found.value:+,.2f} [{found.low:+,.2f}, {found.high:+,.2f}]"
