"""``acerto ingest``, ``export``, ``verify-log`` and ``erase``: what the service keeps, from the command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import DEFAULT_CONFIGS, AsJson, Configs, DataDir
from cli.output import progress, say, show_json, show_table
from cli.tables import attributes_of
from domain.errors import ConfigError, ConflictError, DataError, StoreError, UnknownAccountError
from domain.tables import TABLES

if TYPE_CHECKING:
    from serving.store import Appended, Store


def _tenant(named: str) -> str:
    from serving.access.tokens import check_tenant

    check_tenant(named)
    return named


Tenant = Annotated[str, typer.Option("--tenant", callback=_tenant, help="The creditor whose rows these are.")]
_AT_ONCE = 10_000
_SHOWN = 20


@contextmanager
def opened() -> Iterator[Store]:
    """The store that the service uses in this environment: ``ACERTO_DATABASE_URL``, or the file in the registry."""
    from serving.store import Store, database_url

    store = Store.open(database_url(os.environ))
    try:
        yield store
    finally:
        store.close()


def ingest(
    data: DataDir, tenant: Tenant = "default", configs: Configs = DEFAULT_CONFIGS, as_json: AsJson = False
) -> None:
    """Load the canonical tables of a directory into the service's store; a row that is there already counts once."""
    from features.reading_files import find_files

    tables = [table for table in TABLES if find_files(data, table)]
    if not tables:
        raise DataError(f"{data}: found no canonical table, needed at least one, such as accounts.parquet")
    with progress("loading", quiet=as_json) as step, opened() as store:
        counts: dict[str, Appended] = {}
        for table in tables:

            def on_share(share: float, table: str = table) -> None:
                step(table, (len(counts) + share) / len(tables))

            counts[table] = _load(store, data, table, tenant=tenant, configs=configs, on_share=on_share)
    if as_json:
        show_json({"tenant": tenant, "tables": {table: found._asdict() for table, found in counts.items()}})
        return
    rows = [[table, *(f"{count:,}" for count in found)] for table, found in counts.items()]
    show_table("rows", ["table", "new", "the same", "corrected"], rows)


def _load(
    store: Store, data: Path, table: str, *, tenant: str, configs: Path, on_share: Callable[[float], None]
) -> Appended:
    """One table at a time, in transactions of many rows: what was loaded before a failure stays, and counts once."""
    from features.tables import read_tables
    from serving.store import Appended, stored_row
    from serving.store.ledger import chunks
    from serving.store.rows import values_of

    tables = read_tables(data, attributes=attributes_of(configs), tables=[table])
    total, done, found = tables.rows(table), 0, Appended()
    for values in chunks(values_of(tables, table), _AT_ONCE) if total else iter([[]]):
        rows = [stored_row(table, row) for row in values]
        try:
            found = found.plus(store.append({table: rows}, tenant=tenant).result()[table])
        except ConflictError as error:
            raise DataError(
                f"{error}; found it in row {done + error.place + 1} of {table}, {done} rows before it are loaded"
            ) from error
        done += len(rows)
        on_share(done / max(total, 1))
    return found


def export(
    out: Annotated[Path, typer.Option("--out", help="A directory for canonical tables, new or without any.")],
    tenant: Tenant = "default",
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Write what the store holds as canonical tables, decisions of the service among them: training reads them."""
    from serving.schemas import account_columns

    columns = account_columns(attributes_of(configs))
    with progress("writing", quiet=as_json) as step, opened() as store:
        counts = store.export(out, tenant=tenant, accounts=columns, on_share=lambda share: step("rows", share))
    if as_json:
        show_json({"tenant": tenant, "out": str(out), "tables": counts})
        return
    show_table("rows", ["table", "rows"], [[table, f"{count:,}"] for table, count in counts.items()])
    say(f"written to {out}")


def verify_log(
    tenant: Annotated[str | None, typer.Option("--tenant", help="One creditor's chain; all by default.")] = None,
    noted: Annotated[str | None, typer.Option("--noted", help="A head told before, which must still be there.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check the chain of decision records; any change, removal, insertion or reordering is found, and exits 1."""
    with opened() as store:
        names = [tenant] if tenant else store.tenants()
        chains = {name: store.verify(tenant=name) for name in names}
        gone = noted is not None and not any(store.has_entry(noted, tenant=name) for name in names)
    broken = sum(len(found) for _, found in chains.values())
    told: dict[str, Any] = {
        name: {
            "entries": head.sequence, "head": head.digest.hex(),
            "breaks": [{"sequence": one.sequence, "what": one.what} for one in found],
        }
        for name, (head, found) in chains.items()
    }  # fmt: skip
    if as_json:
        show_json(told)
    else:
        rows = [[name, f"{one['entries']:,}", f"{len(one['breaks']):,}", one["head"]] for name, one in told.items()]
        show_table("chains", ["tenant", "entries", "breaks", "head"], rows)
        for name, (_, found) in chains.items():
            for one in found[:_SHOWN]:
                say(f"{name}, entry {one.sequence}: {one.what}")
    if gone:
        raise StoreError(
            "found no entry with the digest that was noted, needed the one that was the head then; the log was cut off "
            "or written anew since"
        )
    if broken:
        raise StoreError(
            f"found {broken} places at which the decision log does not hold, needed none; compare with a copy of the "
            "database from before, and keep this one as it is"
        )


def erase(
    debtor: Annotated[
        str | None, typer.Option("--debtor", help="The debtor_id; an account_id where none was given.")
    ] = None,
    expired: Annotated[
        bool, typer.Option("--expired", help="All of whom there was no news for retention_days of service.yaml.")
    ] = False,
    tenant: Tenant = "default",
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Forget a debtor: rows, decisions and what became of them are deleted, and the decision log still holds."""
    if (debtor is None) != expired:
        raise typer.BadParameter("give one of --debtor ID and --expired")
    told = _erase_expired(tenant, configs) if debtor is None else _erase_debtor(debtor, tenant)
    if as_json:
        show_json(told)
        return
    say(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in told.items()) + " erased")


def _erase_debtor(debtor: str, tenant: str) -> dict[str, int]:
    with opened() as store:
        found = store.erase(debtor, tenant=tenant)
    if not any(found):
        raise UnknownAccountError(
            f"found nothing of that debtor in the store of {tenant}, needed a debtor_id that has rows or decisions"
        )
    return found._asdict()


def _erase_expired(tenant: str, configs: Path) -> dict[str, int]:
    from serving.store.config import load_service_config

    days = load_service_config(configs).of(tenant).retention_days
    if days is None:
        raise ConfigError(
            f"service.yaml: found no retention_days of {tenant} nor of default, needed one to tell who is expired"
        )
    with opened() as store:
        return {"debtors": store.erase_expired(tenant=tenant, retention_days=days)}
