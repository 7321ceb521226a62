"""``acerto init``: a folder to start in, with configurations and a mapping to fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.output import say


def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to; made if need be.")]) -> None:
    """Write configurations, a mapping to fill in, the next steps and a .gitignore; nothing is written over."""
    from cli.starting import start

    written = start(folder)
    say(f"{folder}: wrote {', '.join(written)}")
    say("next: fill in mapping.yaml, where every column of every table is explained; then, in that folder,")
    say("  acerto validate --mapping mapping.yaml --source FOLDER_OF_YOUR_FILES")
