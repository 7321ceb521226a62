"""A bundle tried in a process of its own, whose end is nobody else's: ``python -m serving.trial FOLDER SEAL BYTES``.

LightGBM aborts, crashes or hangs on texts that it cannot read, and no ``try`` holds that back (docs/adr/0006). What was
found is one line of JSON, the last one on standard output.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path


def try_bundle(folder: Path, seal: str) -> dict[str, str]:
    """Reads the bundle and computes its golden rows.

    Parameters
    ----------
    seal : SHA-256 of the manifest that the asking process has read

    Returns
    -------
    ``seal`` and ``outputs`` (the SHA-256 of all that was computed), or ``code`` and ``reason`` where it is refused
    """
    from decisioning.bundle import check_golden, parse_bundle  # noqa: PLC0415  (after the limits are set)
    from decisioning.integrity import read_files, seal_of  # noqa: PLC0415
    from domain.errors import BundleError  # noqa: PLC0415
    from serving.loading import coded  # noqa: PLC0415

    try:
        with coded("files"):
            manifest, contents = read_files(folder)
        if seal_of(manifest) != seal:
            return {"code": "replaced", "reason": f"{folder}: it was replaced while it was being read"}
        with coded("unfit"):
            bundle = parse_bundle(folder, manifest, contents)
        with coded("golden"):
            return {"seal": seal, "outputs": check_golden(bundle)}
    except BundleError as error:
        return {"code": str(error.code), "reason": str(error)}


def _limit(most_bytes: int) -> None:
    """So much memory, and no core file: what is tried here may ask for anything."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = most_bytes if hard == resource.RLIM_INFINITY else min(most_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))


if __name__ == "__main__":
    _limit(int(sys.argv[3]))
    sys.stdout.write("\n" + json.dumps(try_bundle(Path(sys.argv[1]), sys.argv[2])) + "\n")
