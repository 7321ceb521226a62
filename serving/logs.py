"""Structured logs: one JSON object a line with request id, route, status and time, and nothing a request held."""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
import warnings
from datetime import UTC, datetime

import structlog

from domain.errors import BundleError, ConfigError

log: structlog.stdlib.BoundLogger = structlog.get_logger("acerto")

_SUPERVISOR = ("circus",)
"""Loggers that see no request, so that what they say may be told: they start and stop processes."""


def configure_logs() -> None:
    """One JSON object a line on standard output, with the id of the request that it is about."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        logger_factory=structlog.PrintLoggerFactory(),
    )


def configure_libraries() -> None:
    """Takes over what libraries and Python itself would print: their messages may hold what a request held.

    A logger's line says who logged, where, and which error; never its message. What nobody caught, in any thread, and
    warnings are told in the same way. Access logs, which name paths and queries, are gone at any level.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Places())
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.root.handlers[:] = [handler]
    for name in ("uvicorn.access", "bentoml.access"):
        logging.getLogger(name).propagate, logging.getLogger(name).disabled = False, True
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda args: _uncaught(args.exc_type, args.exc_value)
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value)
    warnings.showwarning = _warned  # type: ignore[assignment]  # nobody calls it by the names of its arguments


def where(error: BaseException) -> str:
    """Kind of an error and the lines it came through; its message may hold a value, so that is left out."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = " > ".join(f"{_name(frame.filename)}:{frame.lineno}" for frame in frames)
    return f"{type(error).__name__} at {places}"


def request_id() -> str | None:
    """The id of the request that this thread or task is at, if any."""
    found = structlog.contextvars.get_contextvars().get("request_id")
    return None if found is None else str(found)


class _Places(logging.Formatter):
    """A record of a library as a line of ours."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            **structlog.contextvars.get_contextvars(),
            "at": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            "event": "library",
            "level": record.levelname.lower(),
            "logger": record.name,
            "place": f"{record.filename}:{record.lineno}",
        }
        if record.exc_info and record.exc_info[1]:
            line["error"] = where(record.exc_info[1])
        if record.name.partition(".")[0] in _SUPERVISOR:
            line["said"] = record.getMessage()
        return json.dumps(line, sort_keys=True)


def _uncaught(kind: type[BaseException], error: BaseException | None, _: object = None) -> None:
    # What is wrong with a configuration or a model is told before there is any request.
    said = {"reason": str(error)} if isinstance(error, ConfigError | BundleError) else {}
    log.error("uncaught", error=kind.__name__ if error is None else where(error), **said)


def _warned(_: object, category: type[Warning], filename: str, lineno: int, *__: object) -> None:
    log.warning("warned", error=category.__name__, place=f"{_name(filename)}:{lineno}")


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]
