"""``acerto``: one command for each step from events to decisions."""

from __future__ import annotations

import os
import sys

import typer

from cli import (
    arms_command,
    backtest_command,
    convert_command,
    decide_command,
    demo_command,
    discounts_command,
    evaluate_command,
    features_command,
    init_command,
    keys_commands,
    model_commands,
    models_command,
    monitor_command,
    policy_command,
    report_command,
    reproduce_command,
    serve_command,
    shadow_command,
    simulate_command,
    store_commands,
    validate_command,
    whatif_command,
    worklist_command,
)
from cli.output import console
from domain.errors import AcertoError

app = typer.Typer(
    name="acerto",
    help="Scores, next best actions and reasons for debt collection, account by account.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo_command.demo)
app.command("simulate")(simulate_command.simulate)
app.command("init")(init_command.init)
app.command("convert")(convert_command.convert)
app.command("validate")(validate_command.validate)
app.command("train")(model_commands.train)
app.command("backtest")(backtest_command.backtest)
app.command("reproduce")(reproduce_command.reproduce)
app.command("models")(models_command.models)
app.command("promote")(model_commands.promote)
app.command("rollback")(model_commands.rollback)
app.command("decide")(decide_command.decide)
app.command("whatif")(whatif_command.whatif)
app.command("worklist")(worklist_command.worklist)
app.command("evaluate")(evaluate_command.evaluate)
app.command("arms")(arms_command.arms)
app.command("discounts")(discounts_command.discounts)
app.command("report")(report_command.report)
app.command("monitor")(monitor_command.monitor)
app.command("serve")(serve_command.serve)
app.command("ingest")(store_commands.ingest)
app.command("export")(store_commands.export)
app.command("verify-log")(store_commands.verify_log)
app.command("erase")(store_commands.erase)
app.command("shadow")(shadow_command.shadow)
app.add_typer(keys_commands.keys, name="keys")
app.command("features")(features_command.features)
app.command("policy")(policy_command.policy)


def main() -> None:
    """Run a command: exit code 0 done, 1 refused or failed with one clear message, 2 usage."""
    os.environ.setdefault("OMP_NUM_THREADS", str(min(os.cpu_count() or 1, 2)))
    try:
        app(prog_name="acerto")
    except AcertoError as refusal:
        console.print(f"acerto: {refusal}", markup=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
