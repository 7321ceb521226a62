"""``acerto monitor``: weeks after training beside those before, with alerts that chance does not explain."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import DEFAULT_CONFIGS, AsJson, Configs, Model, moment
from cli.output import OnStep, progress, say, show_json, show_table
from cli.store_commands import Tenant, opened
from cli.tables import attributes_of
from domain.errors import WorkerError

if TYPE_CHECKING:
    from domain.tables import Tables
    from training.monitoring.monitor import Monitored
    from training.monitoring.webhook import Address

_DATA = "Directory of canonical tables; or give --store."
_STORE = "Look at what the service's store holds (ACERTO_DATABASE_URL), decisions of the service among it."
_FROM = "Begin of the judged weeks, RFC 3339; by default `weeks` of monitoring.yaml before --until."
_UNTIL = "End of the judged weeks; nothing recorded at or after it is used. By default the last midnight of the data."
_OUT = "Directory to write monitor.html, monitor.json and monitor.prom to."
_FAIL = "Exit with 1 where there is an alert of that severity, or a worse one."
_SEND = "Whether alerts go to ACERTO_WEBHOOK_URL, where that is set, signed with ACERTO_WEBHOOK_SECRET."
_SHOWN = 20


class FailOn(StrEnum):
    """From which severity on a run with alerts counts as failed."""

    never = "never"
    amber = "amber"
    red = "red"


def monitor(
    data: Annotated[Path | None, typer.Option("--data", help=_DATA)] = None,
    store: Annotated[bool, typer.Option("--store", help=_STORE)] = False,
    begin: Annotated[str | None, typer.Option("--from", help=_FROM)] = None,
    until: Annotated[str | None, typer.Option("--until", help=_UNTIL)] = None,
    model: Model = "champion",
    out: Annotated[Path, typer.Option("--out", help=_OUT)] = Path("monitor"),
    locale: Annotated[str, typer.Option("--locale", help="pt-BR or en.")] = "pt-BR",
    fail_on: Annotated[FailOn, typer.Option("--fail-on", help=_FAIL)] = FailOn.never,
    send: Annotated[bool, typer.Option("--send/--no-send", help=_SEND)] = True,
    tenant: Tenant = "default",
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Tell week by week whether accounts, scores, payments, responses, refusals and decisions are what they were.

    Exit code 0 whatever is found, unless --fail-on says otherwise.
    """
    if (data is None) != store:
        raise typer.BadParameter("give one of --data DIR and --store", param_hint="--data")
    if locale not in {"pt-BR", "en"}:
        raise typer.BadParameter(f"found {locale!r}, needed pt-BR or en", param_hint="--locale")
    from training.monitoring.gathering import Span
    from training.monitoring.webhook import address_of

    address = address_of(os.environ) if send else None
    span = Span(_moment_us(begin, "--from"), _moment_us(until, "--until"))
    with (
        progress("monitor", quiet=as_json) as step,
        _folder(data, tenant=tenant, configs=configs, on_step=step) as folder,
    ):
        found = _found(folder, model=model, span=span, configs=configs, on_step=step)
        step("writing", 0.95)
        told = _written(found, out, locale=locale)
    if address is not None:
        _tell(told, found, address, out=out)
    if as_json:
        show_json(told)
    else:
        _show(told)
        say(f"{', '.join(str(out / f'monitor.{kind}') for kind in ('html', 'json', 'prom'))} written")
    _checked(told["webhook"])
    if fail_on != FailOn.never and any(one["severity"] in {fail_on, "red"} for one in told["alerts"]):
        raise typer.Exit(1)


def _written(found: Monitored, out: Path, *, locale: str) -> dict[str, Any]:
    """The numbers of the run, once they are on the disk with page and gauges: before anything that may fail."""
    from training.monitoring.exposition import exposition
    from training.monitoring.files import GAUGES, PAGE, write, write_numbers
    from training.monitoring.monitor import numbers
    from training.monitoring.page import page

    told = numbers(found)
    write_numbers(out, told)
    write(out, PAGE, page(found, locale))
    write(out, GAUGES, exposition(found))
    return told


def _tell(told: dict[str, Any], found: Monitored, address: Address, *, out: Path) -> None:
    """Sends the alerts, where any is severe enough, and keeps what came of it beside the numbers."""
    from training.monitoring.files import write_numbers
    from training.monitoring.webhook import deliver, message

    body = message(told, found.config.webhook)
    if body is not None:
        told["webhook"] = deliver(body, address, found.config.webhook).as_json()
        write_numbers(out, told)


def _checked(sent: dict[str, Any] | None) -> None:
    """Refuses to end well where somebody was to be told and was not."""
    if sent is not None and not sent["sent"]:
        raise WorkerError(
            f"the webhook was tried {sent['tries']} times and did not take the alerts ({sent['problem']}); see its "
            "receiver, and run again: the same alerts have the same idempotency key"
        )


def _moment_us(text: str | None, option: str) -> int | None:
    from domain.clock import to_us

    return None if text is None else to_us(moment(text, option=option))


@contextmanager
def _folder(data: Path | None, *, tenant: str, configs: Path, on_step: OnStep) -> Iterator[Path]:
    """The tables that were named, or those of the store, written where they are gone again afterwards."""
    if data is not None:
        yield data
        return
    from serving.schemas import account_columns

    on_step("reading the store", 0.0)
    with tempfile.TemporaryDirectory(prefix="acerto-monitor-") as name:
        with opened() as store:
            store.export(Path(name), tenant=tenant, accounts=account_columns(attributes_of(configs)))
        yield Path(name)


def _found(data: Path, *, model: str, span: Any, configs: Path, on_step: OnStep) -> Monitored:
    from decisioning.bundle import read_bundle
    from decisioning.engine import load_desk
    from features.tables import read_tables
    from training.config import load_training_config
    from training.monitoring.conduct import Conduct
    from training.monitoring.config import load_monitoring
    from training.monitoring.gathering import watch
    from training.monitoring.monitor import monitor as judge
    from training.registry import Tracking, resolve

    config, desk = load_monitoring(configs), load_desk(configs)
    lag = load_training_config(configs / "training.yaml").posting_lag_days
    folder, note = resolve(model, Tracking.from_environment())
    if note:
        say(note)
    bundle = read_bundle(folder)
    on_step("reading", 0.05)
    tables: Tables = read_tables(data, attributes=bundle.schema.attributes)
    watched = watch(
        tables, bundle, config=config, conduct=Conduct(desk.catalogue, lag), span=span, on_step=on_step
    )  # fmt: skip
    on_step("judging", 0.9)
    return judge(watched, bundle, limits=desk.config, config=config)


def _show(told: dict[str, Any]) -> None:
    alerts = told["alerts"]
    rows = [
        [one["severity"], one["code"], one["about"], str(len(one["weeks"])), one["worst_week"],
         *(_number(one[name]) for name in ("value", "before", "effect")), _p(one["p_adjusted"])]
        for one in alerts[:_SHOWN]
    ]  # fmt: skip
    if rows:
        columns = ["severity", "check", "about", "weeks", "worst", "found", "before", "effect", "p"]
        show_table(f"alerts: {len(alerts)}", columns, rows)
    counts = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in told["counts"].items())
    say(f"{told['from'][:10]} to {told['until'][:10]}, version {told['model']['version']}: {counts}")
    for name in told["absent"]:
        say(f"not looked at: {name.replace('_', ' ')}")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.3f}"


def _p(value: float | None) -> str:
    return "–" if value is None else f"{value:.1g}"
