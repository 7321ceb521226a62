"""The process of the shadow: the challenger, loaded and asked apart from whatever is served.

Frames go over a socket whose number is the first argument: in, the route, the moment and the body of a request, on two
lines and the rest; out, the answers as JSON, or nothing where they could not be computed. The first frame out says that
the model is there: nothing before its golden rows were computed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from decisioning.bundle import ModelBundle, check_golden, read_bundle
from domain.config import load_section
from domain.errors import BundleError
from features.config import FeaturesConfig
from serving import handling
from serving.brain import Brain
from serving.engine import load_engine
from serving.schemas import Schemas, build_schemas
from serving.settings import read_settings
from serving.warmup import warm_up

READY = b"ready"
_ROUTES = {"/v1/scores": handling.scores, "/v1/decisions": handling.decisions}


def serve(connection: Connection, brain: Brain, schemas: Schemas) -> None:
    """Answers frames until the other end closes."""
    connection.send_bytes(READY)
    while True:
        try:
            frame = connection.recv_bytes()
        except EOFError:
            return
        connection.send_bytes(answered(frame, brain, schemas))


def answered(frame: bytes, brain: Brain, schemas: Schemas) -> bytes:
    """The answers to one request, as JSON; nothing where they failed, whatever it was: nobody waits for them."""
    try:
        route, as_of, body = frame.split(b"\n", 2)
        asked = {**json.loads(body), "as_of": as_of.decode()}
        reply = _ROUTES[route.decode()](json.dumps(asked).encode(), brain, schemas)
        # There is no store here: nothing is written, and accounts that are given by their id alone cannot be answered.
        assert isinstance(reply, handling.Reply)
        return json.dumps(reply.answers).encode()
    except Exception:
        return b""


def load(environ: Mapping[str, str], folder: Path, seal: str | None) -> tuple[Brain, Schemas]:
    """The challenger at a desk of its own, with books of its own where the service decides by prices."""
    settings = replace(read_settings(environ), bundle=folder, seal=seal, notice=None, feature_log=None)
    schemas = build_schemas(load_section(settings.configs / "features.yaml", FeaturesConfig).attributes)
    brain = load_engine(settings, read=read_here)
    warm_up(brain, schemas)
    return brain, schemas


def read_here(folder: Path, *, seal: str | None) -> ModelBundle:
    """The bundle, read in this process, which is the one that may crash of it."""
    bundle = read_bundle(folder)
    if seal not in (None, bundle.seal):
        raise BundleError(f"{folder}: it is not the bundle that the alias was set to", code="replaced")
    check_golden(bundle)
    return bundle


def main(arguments: list[str]) -> None:
    """Runs until the service that started it closes its end."""

    # Whoever ends the service tells its whole group; this process ends when the service closes the connection.
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_IGN)
    os.nice(10)
    with Connection(int(arguments[0])) as connection:
        serve(connection, *load(os.environ, Path(arguments[1]), arguments[2] or None))


if __name__ == "__main__":
    main(sys.argv[1:])
