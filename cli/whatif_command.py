"""``acerto whatif``: what other budgets, agents, caps and rules would come to, before anything is changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import tables as tables_io
from cli.options import DEFAULT_CONFIGS, AsJson, Configs, DataDir, Model, moment
from cli.output import progress, say, show_json, show_table
from domain.clock import rfc3339

if TYPE_CHECKING:
    from decisioning.bundle import ModelBundle
    from decisioning.desk import Desk
    from decisioning.whatif import Point, Scenario, Totals
    from features.encoding import Encoded

    Change = tuple[str, Callable[[Desk], Desk]]

_HELP = {
    "as_of": "Moment of the decisions, RFC 3339 with offset.",
    "out": "Directory for whatif.json and whatif.png.",
    "capacity": "CHANNEL=N: so many contacts of a channel a day in place of what decision.yaml says; may be repeated.",
    "more": "CHANNEL=N: so many more contacts a day, or minutes where minutes are limited; may be repeated.",
    "cap": "RULE=N: another number in a frequency cap of the contact policy; may be repeated.",
    "without": "RULE: a rule of the contact policy switched off; may be repeated.",
}
_NAMES = {"contact_cost": "contact cost", "contacts": "contacts per account", "complaints": "complaints"}


def whatif(
    data: DataDir,
    as_of: Annotated[str, typer.Option("--as-of", help=_HELP["as_of"])],
    out: Annotated[Path | None, typer.Option("--out", help=_HELP["out"])] = None,
    model: Model = "champion",
    capacity: Annotated[list[str] | None, typer.Option("--capacity", help=_HELP["capacity"])] = None,
    more: Annotated[list[str] | None, typer.Option("--more", help=_HELP["more"])] = None,
    cap: Annotated[list[str] | None, typer.Option("--cap", help=_HELP["cap"])] = None,
    without: Annotated[list[str] | None, typer.Option("--without", help=_HELP["without"])] = None,
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Show what recovery costs in money, contacts and complaints, and what single changes would come to.

    Nothing is decided, stored or used up. Everything is what the model expects, with nobody exploring.
    """
    at = moment(as_of, option="--as-of")
    changes = [*_changes(capacity or [], more or [], cap or [], without or [])]
    from decisioning.bundle import read_bundle
    from decisioning.desk import load_desk
    from features.encoding import encode
    from training.registry import Tracking, resolve

    with progress("asking what if", quiet=as_json) as step:
        folder, note = resolve(model, Tracking.from_environment())
        desk, bundle = load_desk(configs), read_bundle(folder)
        asked = [(name, change(desk)) for name, change in changes]
        step("sorting events", 0.1)
        encoded = encode(tables_io.read(data, configs=configs), attributes=bundle.schema.attributes)
        found, scenarios = _compared(encoded, at, bundle, desk, asked, step=step)
    if note:
        say(note)
    told = _told(found, scenarios, at, currency=desk.config.currency)
    if out is not None:
        _write(out, told, found, currency=desk.config.currency_symbol)
    if as_json:
        show_json(told)
        return
    _show(found, scenarios, currency=desk.config.currency_symbol)
    if out is not None:
        say(f"{out / 'whatif.json'} and {out / 'whatif.png'} written")


def _changes(capacity: list[str], more: list[str], cap: list[str], without: list[str]) -> Iterator[Change]:
    from decisioning import whatif as parts

    for text in capacity:
        channel, number = _pair(text, "--capacity")
        yield f"{channel}: {number:g} a day", partial(parts.with_capacity, channel=channel, per_day=number)
    for text in more:
        channel, number = _pair(text, "--more")
        yield f"{channel}: {number:+g}", partial(parts.with_capacity, channel=channel, more=number)
    for text in cap:
        rule, number = _pair(text, "--cap")
        if number != int(number) or number < 1:
            raise typer.BadParameter(f"found {number:g} contacts in {text!r}, needed a whole number of at least 1")
        yield f"{rule}: at most {number:g}", partial(parts.with_cap, rule_id=rule, most=int(number))
    for rule in without:
        yield f"without {rule}", partial(parts.without_rule, rule_id=rule)


def _pair(text: str, option: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name, float(number)
    except ValueError as error:
        raise typer.BadParameter(f"found {text!r}, needed NAME=NUMBER", param_hint=option) from error


def _compared(
    encoded: Encoded, at: datetime, bundle: ModelBundle, desk: Desk, asked: list[tuple[str, Desk]], *, step: Any
) -> tuple[dict[str, tuple[Point, ...]], list[Scenario]]:
    from decisioning.whatif import FRONTIERS, frontier, scenario, weigh, without_chance

    weighed = weigh(
        encoded, as_of=at, bundle=bundle, desk=without_chance(desk),
        on_share=lambda share: step("weighing every action", 0.2 + 0.4 * share),
    )  # fmt: skip
    found = {on: frontier(weighed, on) for on in FRONTIERS}
    scenarios = [scenario("as it is", encoded, as_of=at, bundle=bundle, desk=desk, found=weighed)]
    for place, (name, other) in enumerate(asked):
        step(name, 0.6 + 0.4 * place / len(asked))
        # Other limits leave every offer as it was; other rules do not.
        same = weighed if other.contact_policy is desk.contact_policy else None
        scenarios.append(scenario(name, encoded, as_of=at, bundle=bundle, desk=other, found=same))
    return found, scenarios


def _told(
    found: dict[str, tuple[Point, ...]], scenarios: list[Scenario], at: datetime, *, currency: str
) -> dict[str, Any]:
    first = scenarios[0].totals
    return {
        "as_of": rfc3339(at),
        "currency": currency,
        "frontiers": {
            on: [{"price": one.price, **_numbers(one.totals)} for one in points] for on, points in found.items()
        },
        "scenarios": [
            {
                "name": one.name, **_numbers(one.totals), "less_as_it_is": one.totals.net - first.net,
                "prices": one.prices,
            }
            for one in scenarios
        ],
    }  # fmt: skip


def _numbers(totals: Totals) -> dict[str, float]:
    return {**asdict(totals), "contacts_per_account": totals.contacts_per_account}


def _write(out: Path, told: dict[str, Any], found: dict[str, tuple[Point, ...]], *, currency: str) -> None:
    from training.plots import frontiers

    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(told, ensure_ascii=False, indent=2, allow_nan=False)
    (out / "whatif.json").write_text(text + "\n", encoding="utf-8")
    lines = {
        _NAMES[on]: [(_level(on, one.totals), one.totals.gained) for one in points] for on, points in found.items()
    }
    (out / "whatif.png").write_bytes(frontiers(lines, f"expected gain over waiting, {currency}"))


def _level(on: str, totals: Totals) -> float:
    levels = {"contact_cost": totals.contact_cost, "contacts": totals.contacts_per_account}
    return {**levels, "complaints": totals.complaints}[on]


def _show(found: dict[str, tuple[Point, ...]], scenarios: list[Scenario], *, currency: str) -> None:
    heads = ["gained over waiting", "contact cost", "contacts per account", "complaints", "recovered"]
    for on, points in found.items():
        rows = [[f"{one.price:,.2f}", *_row(one.totals)] for one in points]
        show_table(f"at less {_NAMES[on]}: a unit is priced, {currency}", ["price", *heads], rows)
    first = scenarios[0].totals
    rows = [
        [one.name, *_row(one.totals), f"{one.totals.net - first.net:+,.2f}", _prices(one.prices)] for one in scenarios
    ]
    show_table(
        f"single changes, {currency} a day", ["scenario", *heads, "net, less as it is", "what one more is worth"], rows
    )


def _row(totals: Totals) -> list[str]:
    return [
        f"{totals.gained:,.2f}", f"{totals.contact_cost:,.2f}", f"{totals.contacts_per_account:.3f}",
        f"{totals.complaints:,.2f}", f"{totals.recovered:,.2f}",
    ]  # fmt: skip


def _prices(prices: dict[str, float]) -> str:
    return ", ".join(f"{name} {price:,.2f}" for name, price in prices.items() if abs(price) >= 0.005) or "-"
