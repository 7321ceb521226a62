"""Samples of the Prometheus registry, and by how much they rise."""

from __future__ import annotations

from prometheus_client import REGISTRY


def value(name: str, **labels: str) -> float:
    """A sample of the registry; 0 where there is none yet."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


class Rise:
    """By how much a sample rose since this was made."""

    def __init__(self, name: str, **labels: str) -> None:
        self._sample = lambda: value(name, **labels)
        self._before = self._sample()

    def __call__(self) -> float:
        return self._sample() - self._before
