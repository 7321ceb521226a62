"""A data directory, validated and held against what is declared of it: what ``validate`` shows and ``train`` asks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.tables import attributes_of

if TYPE_CHECKING:
    from training.data_gates import Checked

_AGAINST = (
    "Which training to compare the data with: challenger (the last one), champion, a version, a bundle directory, or "
    "none, for a portfolio that has nothing to do with those before."
)
Against = Annotated[str, typer.Option("--against", help=_AGAINST)]
LAST = "challenger"


def check(data: Path, *, configs: Path, against: str, until: datetime | None = None) -> Checked:
    """Validation with the declared expectations; bad data are findings, never errors."""
    from domain.actions import ActionsConfig
    from domain.config import load_section
    from features.gates.judging import load_declared
    from features.validation import validate
    from training.data_gates import Checked, profile_of_training
    from training.registry import Tracking

    before, name = profile_of_training(against, Tracking.from_environment())
    declared = load_declared(configs, before=before, against=name if before is not None else None)
    channels = tuple(load_section(configs / "actions.yaml", ActionsConfig).channels)
    report = validate(
        data, attributes=attributes_of(configs), now=datetime.now(UTC), channels=channels, declared=declared,
        until=until,
    )  # fmt: skip
    return Checked(report, declared)
