"""Why a model is not served: a code that names no path and no debtor, and what it means."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import BundleError, ConfigError

CODES = {
    "pointer": "the registry's alias cannot be read",
    "files": "its files are not those that its manifest lists",
    "replaced": "it is not the bundle that was promoted",
    "schema": "it needs features that this build does not compute",
    "unfit": "its files do not fit together",
    "golden": "it computes something else than it did at training",
    "crashed": "the process that tried it ended abnormally",
    "hung": "the process that tried it took too long",
    "nonsense": "the process that tried it did not say what it computed",
    "configuration": "it does not go with the configuration being served",
    "warm_up": "it cannot answer a made-up request",
    "unusable": "it could not be loaded; the log says more",
}
"""Why a bundle is refused, as ``/v1/model`` and the metrics say it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A version that was promoted and is not served; ``code`` is one of ``CODES``."""

    model_version: str | None
    code: str
    at: str

    def as_json(self) -> dict[str, str | None]:
        """As ``/v1/model`` tells it."""
        return {"model_version": self.model_version, "code": self.code, "reason": CODES[self.code], "at": self.at}


def code_of(error: Exception) -> str:
    """The word of ``CODES`` for what kept a model from being served."""
    if isinstance(error, BundleError):
        return error.code
    return "configuration" if isinstance(error, ConfigError) else "unusable"
