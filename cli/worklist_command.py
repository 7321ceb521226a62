"""``acerto worklist``: the contacts that decisions ask for, as CSV for a dialler or a sender, best first."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import tables as tables_io
from cli.options import DEFAULT_CONFIGS, AsJson, Configs, Model, moment
from cli.output import OnStep, progress, say, show_json, show_table
from domain.clock import rfc3339
from domain.errors import DataError

if TYPE_CHECKING:
    from decisioning.desk import Desk
    from decisioning.permits import Permit
    from decisioning.proposals import Proposal
    from decisioning.worklist import Item

_DROPPED = ("decision_id", "account_id", "channel", "offer", "moment", "codes", "reason")
_HELP = {
    "decisions": "The file that `acerto decide --out` wrote, .parquet or .csv.",
    "out": "A .csv file, one row per contact.",
    "channel": "Only contacts on this channel; give it again for more. All channels by default.",
    "limit": "At most so many contacts, the best ones.",
    "locale": "pt-BR or en: the language of the reasons.",
    "data": "Directory of canonical tables as they are by now: contacts are rechecked, and moments local.",
    "at": "With --data: the moment of the recheck, RFC 3339 with offset.",
    "dropped": "With --data: a .csv file for the contacts that may not be made any more, with the reasons.",
}


def worklist(
    decisions: Annotated[Path, typer.Option("--decisions", help=_HELP["decisions"])],
    out: Annotated[Path, typer.Option("--out", help=_HELP["out"])],
    channel: Annotated[list[str] | None, typer.Option("--channel", help=_HELP["channel"])] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help=_HELP["limit"])] = None,
    locale: Annotated[str, typer.Option("--locale", help=_HELP["locale"])] = "pt-BR",
    data: Annotated[Path | None, typer.Option("--data", help=_HELP["data"])] = None,
    at: Annotated[str | None, typer.Option("--at", help=_HELP["at"])] = None,
    model: Model = "champion",
    dropped: Annotated[Path | None, typer.Option("--dropped", help=_HELP["dropped"])] = None,
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Write the contacts that decisions ask for as CSV, best first; waiting and the hold-out are never in it.

    With --data and --at every contact is asked about again, and left out where the debtor has paid, promised or
    objected since, or another limit is reached. Ask again right before each contact all the same.
    """
    _check_usage(locale, (data, at, dropped), (out, dropped))
    now = None if data is None or at is None else _Now(data, moment(at, option="--at"), model)
    with progress("listing", quiet=as_json) as step:
        found = _listed(decisions, channel or [], now, locale=locale, configs=configs, step=step)
        step("writing", 0.95)
        items = found.items[:limit]
        _write(out, found.rows(items, locale=locale))
        if dropped is not None:
            _write(dropped, _dropped_rows(found.dropped), columns=_DROPPED)
    summary = _summary(found, items, now)
    if as_json:
        show_json(summary)
    else:
        _show(summary, out, rechecked=now is not None)


@dataclass(frozen=True)
class _Now:
    """What contacts are rechecked against, at which moment, and with which model."""

    data: Path
    at: datetime
    model: str


@dataclass(frozen=True)
class _Listed:
    """What a file of decisions comes to: how many they are, how many of them contact anybody, and which may be made."""

    desk: Desk
    decisions: int
    contacts: int
    items: list[Item]
    dropped: list[tuple[Proposal, Permit]]

    def rows(self, items: Sequence[Item], *, locale: str) -> list[dict[str, Any]]:
        """The rows of the CSV, numbered from 1."""
        from decisioning.worklist import item_row

        currency = self.desk.config.currency_symbol
        return [
            item_row(item, priority=number, locale=locale, currency=currency) for number, item in enumerate(items, 1)
        ]


def _check_usage(
    locale: str, recheck: tuple[Path | None, str | None, Path | None], outs: tuple[Path, Path | None]
) -> None:
    data, at, dropped = recheck
    if locale not in {"pt-BR", "en"}:
        raise typer.BadParameter(f"found {locale!r}, needed pt-BR or en", param_hint="--locale")
    if (data is None) != (at is None):
        raise typer.BadParameter("--data DIR and --at TS go together: the tables, and the moment of the recheck")
    if dropped is not None and data is None:
        raise typer.BadParameter("--dropped FILE needs --data DIR and --at TS: without a recheck nothing is dropped")
    for path in outs:
        if path is not None and path.suffix != ".csv":
            raise DataError(f"found the output {path.name}, needed a name ending in .csv")


def _listed(
    path: Path, channels: Sequence[str], now: _Now | None, *, locale: str, configs: Path, step: OnStep
) -> _Listed:
    from cli.decision_file import read_proposals
    from decisioning.desk import load_desk
    from decisioning.worklist import by_worth, plain_items

    desk = load_desk(configs)
    step("reading the decisions", 0.0)
    decided = read_proposals(path)
    contacts = by_worth(decided)
    known = {*desk.catalogue.channels, *(one.channel for one in contacts)}
    if unknown := sorted({*channels} - known):
        raise typer.BadParameter(
            f"found {unknown}, needed channels of actions.yaml: {sorted(known)}", param_hint="--channel"
        )
    wanted = [one for one in contacts if not channels or one.channel in channels]
    if now is None:
        items = plain_items(wanted, locale=locale, currency=desk.config.currency_symbol)
        return _Listed(desk, len(decided), len(contacts), items, [])
    items, dropped = _rechecked(wanted, now, desk, locale=locale, configs=configs, step=step)
    return _Listed(desk, len(decided), len(contacts), items, dropped)


def _rechecked(
    wanted: list[Proposal], now: _Now, desk: Desk, *, locale: str, configs: Path, step: OnStep
) -> tuple[list[Item], list[tuple[Proposal, Permit]]]:
    from decisioning.bundle import read_bundle
    from decisioning.permits import permits
    from decisioning.worklist import recheck, told_items
    from features.encoding import encode
    from training.registry import Tracking, resolve

    folder, note = resolve(now.model, Tracking.from_environment())
    if note:
        say(note)
    bundle = read_bundle(folder)
    step("reading the tables", 0.1)
    encoded = encode(tables_io.read(now.data, configs=configs), attributes=bundle.schema.attributes)
    step("rechecking", 0.5)
    found = recheck(wanted, permits(encoded, wanted, at=now.at, bundle=bundle, desk=desk, locale=locale))
    step("saying why", 0.8)
    items = told_items(found.kept, encoded, bundle.schema, locale=locale, currency=desk.config.currency_symbol)
    return items, found.dropped


def _dropped_rows(dropped: Sequence[tuple[Proposal, Permit]]) -> list[dict[str, Any]]:
    rows = []
    for one, permit in dropped:
        said = dict.fromkeys(change.text for change in permit.changes if change.refuses)
        parts = dict(zip(("channel", "offer", "moment"), one.action.split("/"), strict=True))
        rows.append(
            {"decision_id": one.decision_id, "account_id": one.account_id, **parts, "codes": " ".join(permit.codes),
             "reason": " ".join(said)}
        )  # fmt: skip
    return rows


def _write(path: Path, rows: Sequence[Mapping[str, Any]], *, columns: Sequence[str] | None = None) -> None:
    from decisioning.worklist import COLUMNS

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns or COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _summary(found: _Listed, items: Sequence[Item], now: _Now | None) -> dict[str, Any]:
    """What became of the decisions; of each dropped contact the first code counts, so that they add up."""
    codes = Counter(permit.codes[0] for _, permit in found.dropped)
    channels = Counter(item.proposal.channel for item in items)
    return {
        "decisions": found.decisions,
        "without_contact": found.decisions - found.contacts,
        "other_channels": found.contacts - len(found.items) - len(found.dropped),
        "dropped": len(found.dropped),
        "dropped_by_code": dict(codes.most_common()),
        "beyond_limit": len(found.items) - len(items),
        "contacts": len(items),
        "channels": dict(channels.most_common()),
        "incremental_net_value": round(sum(item.proposal.incremental_net_cents for item in items) / 100, 2),
        "rechecked_at": None if now is None else rfc3339(now.at),
    }


def _show(summary: dict[str, Any], out: Path, *, rechecked: bool) -> None:
    rows = [[channel, f"{count:,}"] for channel, count in summary["channels"].items()]
    show_table(f"{summary['contacts']:,} contacts in {out}", ["channel", "contacts"], rows)
    if summary["dropped"]:
        rows = [[code, f"{count:,}"] for code, count in summary["dropped_by_code"].items()]
        show_table(f"{summary['dropped']:,} contacts may not be made any more", ["code", "contacts"], rows)
    say(
        f"of {summary['decisions']:,} decisions {summary['without_contact']:,} contact nobody, "
        f"{summary['other_channels']:,} another channel, and {summary['beyond_limit']:,} are beyond the limit; the "
        f"contacts are worth {summary['incremental_net_value']:,.2f} more than waiting"
    )
    if not rechecked:
        say("not rechecked: with --data and --at, what is paid, promised or refused since is left out")
