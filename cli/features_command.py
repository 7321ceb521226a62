"""``acerto features``: the catalogue as a page, or the feature matrix of every account at a moment."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli import tables as tables_io
from cli.options import DEFAULT_CONFIGS, AsJson, Configs, Model, moment
from cli.output import progress, say, show_json


def features(
    docs: Annotated[bool, typer.Option("--docs", help="Write docs/features.md and docs/openapi.json.")] = False,
    data: Annotated[Path | None, typer.Option("--data", help="Directory of canonical tables.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Moment, RFC 3339 with offset.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="A .parquet or .csv file.")] = None,
    quality: Annotated[
        bool, typer.Option("--quality", help="Compare with a model's training (--data, --as-of).")
    ] = False,
    check_skew: Annotated[bool, typer.Option("--check-skew", help="Recompute logged vectors (--data, --log).")] = False,
    log: Annotated[Path | None, typer.Option("--log", help="Folder of the service's feature log.")] = None,
    sample: Annotated[int, typer.Option("--sample", min=1, help="How many logged vectors to check.")] = 1_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the sample.")] = 0,
    model: Model = "champion",
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Features of every account at a moment (--data, --as-of, --out), or the page of the catalogue (--docs)."""
    if docs:
        from cli.docs_command import write_documents

        write_documents(Path("docs"), configs=configs)
        return
    if check_skew and data is not None:
        from cli import skew_command

        skew_command.check_skew(data, log, model=model, size=sample, seed=seed, as_json=as_json)
        return
    if quality and data is not None and as_of is not None:
        from cli.quality_command import show_quality

        show_quality(data, as_of=moment(as_of, option="--as-of"), model=model, as_json=as_json)
        return
    if data is None or as_of is None or out is None:
        raise typer.BadParameter(
            "give --docs, --data DIR --as-of TIME --out FILE, --quality --data DIR --as-of TIME, or "
            "--check-skew --data DIR"
        )
    tables_io.check_suffix(out)
    _write_features(data, moment(as_of, option="--as-of"), out=out, configs=configs, as_json=as_json)


def _write_features(data: Path, at: datetime, *, out: Path, configs: Path, as_json: bool) -> None:
    from domain.clock import to_us
    from features.batch import compute_many
    from features.encoding import encode
    from features.frame import write_matrix
    from features.schema import fit_schema
    from features.spine import every_account

    attributes = tables_io.attributes_of(configs)
    with progress("features", quiet=as_json) as step:
        step("reading", 0.0)
        encoded = encode(tables_io.read(data, configs=configs), attributes=attributes)
        step("computing", 0.5)
        schema = fit_schema(encoded, attributes=attributes)
        matrix = compute_many(encoded, every_account(len(encoded.account_ids), as_of_us=to_us(at)), schema)
        step("writing", 0.9)
        write_matrix(out, schema=schema, account_ids=encoded.account_ids, values=matrix, as_of=at)
    if as_json:
        told = {"accounts": len(matrix), "features": list(schema.names), "schema_fingerprint": schema.fingerprint}
        show_json({**told, "out": str(out)})
        return
    say(f"{len(matrix)} accounts × {len(schema.names)} features as known at {at.isoformat()}, in {out}")
