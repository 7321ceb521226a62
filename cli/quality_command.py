"""``acerto features --quality``: the features of a moment beside those that a model was trained on."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cli.output import progress, say, show_json, show_table

if TYPE_CHECKING:
    from decisioning.bundle import ModelBundle
    from features.profile import FeatureQuality
    from features.quality import Quality

_MOST_LINES = 30


def show_quality(data: Path, *, as_of: datetime, model: str, as_json: bool) -> None:
    """Print the quality of every feature of the accounts that owe, worst first, against the model's reference."""
    from decisioning.bundle import read_bundle
    from training.registry import Tracking, resolve

    folder, note = resolve(model, Tracking.from_environment())
    bundle = read_bundle(folder)
    notes = [note] if note else []
    if bundle.reference is None:
        notes.append(f"version {bundle.version} keeps no reference: nothing is compared; train again to have one")
    with progress("quality", quiet=as_json) as step:
        step("computing", 0.1)
        found = _measured(data, bundle, as_of=as_of)
    for text in notes:
        say(text)
    if as_json:
        show_json({"model_version": bundle.version, **found.to_json()})
        return
    title = f"{found.rows} accounts of {found.units} debtors that owe, against the training of version {bundle.version}"
    shown = found.worst_first[:_MOST_LINES]
    columns = ["", "missing", "zero", "range", "outside", "PSI", "by chance", "found"]
    show_table(title, columns, [[*_row(one), _codes(found, one.name)] for one in shown])
    if len(shown) < len(found.features):
        say(f"the worst {len(shown)} of {len(found.features)} features; --json tells all")
    for finding in found.findings:
        if finding.feature is None:
            say(f"{finding.severity}: {finding.text}")
    say(", ".join(f"{count} {severity}" for severity, count in found.counts.items()))


def _measured(data: Path, bundle: ModelBundle, *, as_of: datetime) -> Quality:
    """Training looks at accounts that owe, so these are compared with it and no others."""
    import numpy as np

    from domain.clock import to_us
    from features.batch import compute_many
    from features.encoding import encode
    from features.profile import unseen_shares
    from features.quality import Circumstances, quality
    from features.spine import every_account
    from features.state import balances, local_of
    from features.tables import read_tables

    attributes = bundle.schema.attributes
    encoded = encode(read_tables(data, attributes=attributes), attributes=attributes)
    spine = every_account(len(encoded.account_ids), as_of_us=to_us(as_of))
    spine = spine.take(balances(encoded, spine, local_of(encoded, spine)).balance > 0)
    return quality(
        compute_many(encoded, spine, bundle.schema), bundle.schema, bundle.reference,
        circumstances=Circumstances(
            units=len(np.unique(encoded.debtor[spine.account])),
            present=encoded.present,
            unseen=unseen_shares(encoded, spine, bundle.schema),
        ),
    )  # fmt: skip


def _codes(found: Quality, name: str) -> str:
    said = [finding for finding in found.findings if finding.feature == name]
    return ", ".join(f"{finding.severity} {finding.code}" for finding in said)


def _row(one: FeatureQuality) -> list[str]:
    def share(value: float | None) -> str:
        return "–" if value is None else f"{value:.1%}"

    spread = "–" if one.low is None or one.high is None else f"{one.low:.6g} … {one.high:.6g}"
    shift = one.stability
    psi, chance = ("–", "–") if shift is None else (f"{shift.psi:.3f}", f"{shift.expected:.3f}")
    return [one.name, share(one.null_rate), share(one.zero_rate), spread, share(one.outside_rate), psi, chance]
