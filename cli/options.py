"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import getpass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from domain.clock import parse_moment

DataDir = Annotated[Path, typer.Option("--data", help="Directory of canonical tables.")]
Configs = Annotated[Path, typer.Option("--configs", help="Directory of configuration files.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Model = Annotated[str, typer.Option("--model", help="champion, challenger, a version, or a bundle directory.")]
By = Annotated[str | None, typer.Option("--by", help="Who does this, for the history; by default the user here.")]
DEFAULT_CONFIGS = Path("configs")


def signer(by: str | None) -> str:
    """Who is recorded: who was named, else the user of the operating system."""
    if by:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "unknown"


def moment(text: str, *, option: str) -> datetime:
    """The value of a time option; a wrong one is a usage error that says what was needed."""
    try:
        return parse_moment(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"found {text!r}, needed RFC 3339 with an offset, such as 2026-03-02T12:00:00Z", param_hint=option
        ) from error
