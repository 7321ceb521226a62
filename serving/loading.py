"""How a model gets into a worker: checked as bytes, tried in another process, and only then read.

Each step refuses with a ``BundleError`` whose ``code`` is one of ``CODES``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from decisioning.bundle import ModelBundle, check_golden, parse_bundle
from decisioning.integrity import read_files, seal_of
from domain.errors import BundleError, FeatureSchemaMismatchError
from serving.refusals import CODES

MOST_S = 120.0
MOST_BYTES = 8 << 30
"""Of address space, most of which is never touched: libraries alone reserve two GiB."""

Trial = Callable[[Path, str], str]


def verified_bundle(folder: Path, *, seal: str | None = None, trial: Trial | None = None) -> ModelBundle:
    """The bundle in a folder, once another process has read it and computed its golden rows as training did.

    Parameters
    ----------
    seal : SHA-256 that the manifest had when the bundle was promoted, where that is known
    trial : tries a folder with this seal, and returns the SHA-256 of what its golden rows computed; by default
        ``tried_in_a_child``

    Raises
    ------
    BundleError : why it is not served, with a code of ``CODES``

    Notes
    -----
    What is parsed are the bytes whose SHA-256 were checked, and the child has tried a bundle with the same manifest, so
    that nothing can be put in its place in between.
    """
    with coded("files"):
        manifest, contents = read_files(folder)
    found = seal_of(manifest)
    if seal is not None and found != seal:
        raise BundleError(
            f"{folder}: found a manifest with SHA-256 {found}, needed {seal}, which was promoted; "
            "register the model again and promote it", code="replaced",
        )  # fmt: skip
    outputs = (trial or tried_in_a_child)(folder, found)
    with coded("unfit"):
        bundle = parse_bundle(folder, manifest, contents)
    with coded("golden"):
        computed = check_golden(bundle)
    if computed != outputs:
        raise BundleError(f"{folder}: this process computes something else than the one that tried it", code="golden")
    return bundle


def tried_in_a_child(folder: Path, seal: str, *, most_s: float = MOST_S, command: list[str] | None = None) -> str:
    """Loads a bundle in a process of its own, with its own memory and a time after which it is killed.

    Returns
    -------
    SHA-256 of what its golden rows computed there

    Raises
    ------
    BundleError : the process refused, crashed, hung, or did not say what was needed
    """
    started = command or [sys.executable, "-m", "serving.trial"]
    # The child finds our packages where we found them, however this process was started.
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(place for place in sys.path if place)}
    try:
        done = subprocess.run(
            [*started, str(folder), seal, str(MOST_BYTES)], env=environ, timeout=most_s, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise BundleError(f"{folder}: the process that tried it was killed after {most_s:g} s", code="hung") from None
    if done.returncode != 0:
        raise BundleError(f"{folder}: the process that tried it {_ended(done.returncode)}", code="crashed")
    told = _last_line(done.stdout)
    if told.get("code") in CODES:
        raise BundleError(str(told.get("reason")), code=str(told["code"]))
    if told.get("seal") != seal or not isinstance(told.get("outputs"), str):
        raise BundleError(f"{folder}: the process that tried it did not say what it computed", code="nonsense")
    return str(told["outputs"])


def _last_line(output: bytes) -> dict[str, Any]:
    """LightGBM prints warnings to the same place, so the answer is the last line."""
    try:
        told = json.loads(output.rstrip().rpartition(b"\n")[2])
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _ended(code: int) -> str:
    if code > 0:
        return f"ended with exit code {code}"
    return f"was ended by {signal.Signals(-code).name}"


@contextmanager
def coded(code: str) -> Iterator[None]:
    """Gives what a step refuses with the code of that step; another schema has a code of its own."""
    try:
        yield
    except FeatureSchemaMismatchError as error:
        raise BundleError(str(error), code="schema") from error
    except BundleError as error:
        raise BundleError(str(error), code=code) from error
