"""Runs a notebook of ``notebooks/`` as a reader would, in a kernel of its own, and gives back what it showed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
START_SECONDS, CELL_SECONDS = 60, 300
"""A kernel or a cell that takes longer is taken to hang, and ends the test."""


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def executed(path: Path, folder: Path) -> Any:
    """The notebook with its outputs, run in ``folder`` against the packages of this checkout.

    An error in a cell is raised with the cell's text.
    """
    found = read(path)
    # Over sockets of the file system: no port is opened, and the kernel need not warn that nothing on it is encrypted.
    # Their paths have to be short, and the same from wherever the kernel works.
    with tempfile.TemporaryDirectory(prefix="nb") as sockets:
        ways = Config({"KernelManager": {"transport": "ipc", "ip": str(Path(sockets) / "k")}})
        client = NotebookClient(
            found, config=ways, kernel_name="python3", timeout=CELL_SECONDS, startup_timeout=START_SECONDS,
            resources={"metadata": {"path": str(folder)}},
        )  # fmt: skip
        client.execute(env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"})
    return found


def outputs(found: Any) -> list[Any]:
    return [output for cell in found.cells if cell.cell_type == "code" for output in cell.outputs]


def complaints(found: Any) -> list[str]:
    """What it said on the side: warnings, and whatever else goes to stderr."""
    return [output.text for output in outputs(found) if output.output_type == "stream" and output.name == "stderr"]
