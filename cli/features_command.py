"""``acerto features``: the catalogue as a page, or the feature matrix of accounts at moments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import tables as tables_io
from cli.options import DEFAULT_CONFIGS, AsJson, Configs, moment
from cli.output import progress, say, show_json

_Shards = Annotated[int | None, typer.Option("--shards", min=1, help="How many parts; else about 1 M rows each.")]
_Workers = Annotated[int, typer.Option("--workers", min=1, help="Processes on this machine; each holds one shard.")]
_Cluster = Annotated[str | None, typer.Option("--cluster", help="Address of a Dask scheduler, tcp://HOST:PORT.")]
_ShardDir = Annotated[Path | None, typer.Option("--shard-dir", help="Keep the shards here, and take them next time.")]
_Spine = Annotated[Path | None, typer.Option("--spine", help="File of account_id, as_of: the rows wanted.")]


def features(
    docs: Annotated[bool, typer.Option("--docs", help="Write docs/features.md and docs/openapi.json.")] = False,
    data: Annotated[Path | None, typer.Option("--data", help="Directory of canonical tables.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Moment, RFC 3339 with offset.")] = None,
    spine: _Spine = None,
    out: Annotated[Path | None, typer.Option("--out", help="A .parquet or .csv file.")] = None,
    shards: _Shards = None,
    workers: _Workers = 1,
    cluster: _Cluster = None,
    shard_dir: _ShardDir = None,
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Features of every account at a moment (--as-of) or of the rows of a file (--spine), or the catalogue (--docs).

    Data of more than about a million rows are parted by debtor and computed shard by shard, so that memory stays
    bounded; the numbers are the same whatever the shards, workers and cluster.
    """
    if docs:
        from cli.docs_command import write_documents

        write_documents(Path("docs"), configs=configs)
        return
    if data is None or out is None or (as_of is None) == (spine is None):
        raise typer.BadParameter("give --docs, or --data DIR --out FILE with one of --as-of TIME and --spine FILE")
    if cluster is not None and workers > 1:
        raise typer.BadParameter("give one of --workers and --cluster")
    tables_io.check_suffix(out)
    at = None if as_of is None else moment(as_of, option="--as-of")
    from cli.matrix_runs import Means, Wanted, by_shards, in_one_piece
    from features.reading_files import estimated_rows
    from features.shards import ROWS_PER_SHARD

    wanted = Wanted(data, out, tables_io.attributes_of(configs), at, spine)
    means = Means(shards, workers, cluster, shard_dir)
    with progress("features", quiet=as_json) as step:
        if means.asks_for_shards or estimated_rows(data) > ROWS_PER_SHARD:
            done = by_shards(wanted, means, on_step=step)
        else:
            done = in_one_piece(wanted, on_step=step)
    names = list(done.schema.names)
    if as_json:
        size = {"rows": done.rows} if at is None else {"accounts": done.rows, "rows": done.rows}
        show_json(
            {**size, "features": names, **done.how, "schema_fingerprint": done.schema.fingerprint, "out": str(out)}
        )
        return
    shown = f" by {done.how['shards']} shards" if done.how else ""
    say(f"{done.rows} rows × {len(names)} features as known at {as_of or 'the moments of the spine'}{shown}, in {out}")
