"""``acerto features``: the catalogue as a page, or the feature matrix of accounts at moments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import tables as tables_io
from cli.options import DEFAULT_CONFIGS, AsJson, Configs, Model, moment
from cli.output import progress, say, show_json
from cli.sharding import Cluster, Means, ShardDir, Shards, Workers
from domain.clock import rfc3339

if TYPE_CHECKING:
    from cli.matrix_runs import Wanted

_Quality = Annotated[bool, typer.Option("--quality", help="Compare with a model's training (--data, --as-of).")]
_CheckSkew = Annotated[bool, typer.Option("--check-skew", help="Recompute logged vectors (--data, --log).")]
_Log = Annotated[Path | None, typer.Option("--log", help="Folder of the service's feature log.")]
_Spine = Annotated[Path | None, typer.Option("--spine", help="File of account_id, as_of: the rows wanted.")]


def features(
    docs: Annotated[
        bool, typer.Option("--docs", help="Write features.md, contact_policy.md and openapi.json to docs/.")
    ] = False,
    data: Annotated[Path | None, typer.Option("--data", help="Directory of canonical tables.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Moment, RFC 3339 with offset.")] = None,
    spine: _Spine = None,
    out: Annotated[Path | None, typer.Option("--out", help="A .parquet or .csv file.")] = None,
    shards: Shards = None,
    workers: Workers = 1,
    cluster: Cluster = None,
    shard_dir: ShardDir = None,
    quality: _Quality = False,
    check_skew: _CheckSkew = False,
    log: _Log = None,
    sample: Annotated[int, typer.Option("--sample", min=1, help="How many logged vectors to check.")] = 1_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the sample.")] = 0,
    model: Model = "champion",
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Features of every account at a moment (--as-of) or of the rows of a file (--spine), or the catalogue (--docs).

    Data of more than about a million rows are parted by debtor and computed shard by shard, so that memory stays
    bounded; the numbers are the same whatever the shards, workers and cluster. --quality compares the features of a
    moment with those a model was trained on, --check-skew what the service computed with what the data say.
    """
    at = None if as_of is None else moment(as_of, option="--as-of")
    from cli import docs_command, quality_command, skew_command

    if docs:
        docs_command.write_documents(Path("docs"), configs=configs)
    elif check_skew and data is not None:
        skew_command.check_skew(data, log, model=model, size=sample, seed=seed, as_json=as_json)
    elif quality and data is not None and at is not None:
        quality_command.show_quality(data, as_of=at, model=model, as_json=as_json)
    elif data is None or out is None or (at is None) == (spine is None):
        raise typer.BadParameter(_USAGE)
    else:
        tables_io.check_suffix(out)
        from cli.matrix_runs import Wanted

        wanted = Wanted(data, out, tables_io.attributes_of(configs), at, spine)
        _write_matrix(wanted, Means.given(shards, workers, cluster, shard_dir), as_json=as_json)


_USAGE = (
    "give --docs, or --data DIR --out FILE with one of --as-of TIME and --spine FILE, or --quality --data DIR --as-of "
    "TIME, or --check-skew --data DIR"
)


def _write_matrix(wanted: Wanted, means: Means, *, as_json: bool) -> None:
    from cli.matrix_runs import by_shards, in_one_piece
    from features.reading_files import estimated_rows
    from features.shards import ROWS_PER_SHARD

    with progress("features", quiet=as_json) as step:
        if means.asks_for_shards or estimated_rows(wanted.data) > ROWS_PER_SHARD:
            done = by_shards(wanted, means, on_step=step)
        else:
            done = in_one_piece(wanted, on_step=step)
    names = list(done.schema.names)
    if as_json:
        size = {"rows": done.rows} if wanted.as_of is None else {"accounts": done.rows, "rows": done.rows}
        told = {**size, "features": names, **done.how, "schema_fingerprint": done.schema.fingerprint}
        show_json({**told, "out": str(wanted.out)})
        return
    shown = f" by {done.how['shards']} shards" if done.how else ""
    known = "the moments of the spine" if wanted.as_of is None else rfc3339(wanted.as_of)
    say(f"{done.rows} rows × {len(names)} features as known at {known}{shown}, in {wanted.out}")
