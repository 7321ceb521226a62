"""``acerto discounts``: do debtors who were offered discounts learn to wait for them?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cli import tables as tables_io
from cli.options import DEFAULT_CONFIGS, AsJson, Configs, DataDir
from cli.output import progress, say, show_json, show_table


def discounts(data: DataDir, configs: Configs = DEFAULT_CONFIGS, as_json: AsJson = False) -> None:
    """Tell from logged decisions whether discounts teach debtors to wait for the next one: yes, no or not established.

    Exit code 0 whatever the answer; what the log does not tell is said with its reason.
    """
    with progress("reading", quiet=as_json) as step:
        step("reading", 0.1)
        found = of_data(data, configs=configs)
    if as_json:
        show_json(found)
        return
    for reason in found["not_available"]:
        say(f"not available: {reason}")
    if found["effects"]:
        _show(found)


def of_data(data: Path, *, configs: Path) -> dict[str, Any]:
    """What a directory of canonical tables tells of it."""
    from domain.actions import ActionCatalogue, ActionsConfig
    from domain.config import load_section
    from features.encoding import encode
    from training.config import load_training_config
    from training.dataset import Horizon
    from training.discount_learning import discount_learning
    from training.evaluation import plain
    from training.facts import end_of_data

    catalogue = ActionCatalogue(load_section(configs / "actions.yaml", ActionsConfig))
    config = load_training_config(configs / "training.yaml")
    tables = tables_io.read(data, configs=configs)
    horizon = Horizon(end_of_data(tables, until_us=None), config.posting_lag_days)
    encoded = encode(tables, attributes=tables_io.attributes_of(configs))
    told: dict[str, Any] = plain(discount_learning(encoded, catalogue, horizon, seed=config.model.seed))
    return told


def _show(found: dict[str, Any]) -> None:
    title = f"effect of a discount on paying in full in the {found['after_days']} days after its {found['valid_days']}"
    sides = ("with_discount", "without_discount")
    columns = ["on", "pay otherwise", "if takers would not", "if they would", "ess with", "ess without", "waiting"]
    rows = [
        [name, _share(one["otherwise"]), _interval(one["takers_lost"]), _interval(one["takers_kept"]),
         *(f"{one['effective'][side]:,.0f}" for side in sides), one["verdict"]]
        for name, one in found["effects"].items()
    ]  # fmt: skip
    show_table(title, columns, rows)
    rows = [
        [row["earlier_offers"], row["paid_before"], *(_rate(row[side]) for side in sides)] for row in found["table"]
    ]
    title = f"who pays within {found['paid_days']} days after a contact, as it was logged"
    show_table(title, ["earlier discounts", "paid before", "with a discount", "without"], rows)
    for name, one in found["effects"].items():
        for reason in one["reasons"]:
            say(f"{name}: {reason}")


def _interval(found: dict[str, float] | None) -> str:
    return "–" if found is None else f"{found['value']:+.3f} [{found['low']:+.3f}, {found['high']:+.3f}]"


def _share(found: float | None) -> str:
    return "–" if found is None else f"{found:.1%}"


def _rate(found: dict[str, Any]) -> str:
    return "–" if found["paid"] is None else f"{found['paid']['value']:.1%} of {found['decisions']:,}"
