"""Structured logs: one JSON object a line with request id, route, status and time, and nothing a request held."""

from __future__ import annotations

import traceback

import structlog

log: structlog.stdlib.BoundLogger = structlog.get_logger("acerto")


def configure_logs() -> None:
    """One JSON object a line on standard output."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        logger_factory=structlog.PrintLoggerFactory(),
    )


def where(error: BaseException) -> str:
    """Kind of an error and the lines it came through; its message may hold a value, so that is left out."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = " > ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in frames)
    return f"{type(error).__name__} at {places}"
