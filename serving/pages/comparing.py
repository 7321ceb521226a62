"""Champion against challenger: what the registry's bundles say of each, and what the shadow saw of both."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from decisioning.integrity import manifest_of, read_files, seal_of
from decisioning.shadows import Compared, compare
from domain.errors import BundleError
from serving.pages.paired import Paired, paired
from serving.pointer import CHALLENGER, CHAMPION, Target, read_target
from serving.replaying import differences
from serving.shadow_log import latest_pairs

_METRICS = ("auc", "ks", "brier", "ece", "log_loss")
MOST_SETTINGS = 100
MOST_LOG_BYTES = 8 << 20
_MOST_TEXT = 160
_BAD_JSON = (ValueError, RecursionError, KeyError, TypeError, AttributeError)

Interval = tuple[float, float | None, float | None]
"""A value with the ends of its interval, where it has one."""


@dataclass(frozen=True)
class Version:
    """What a bundle says of itself, every byte of it checked."""

    version: str
    model_hash: str
    trained_at: str
    seal: str
    schema_fingerprint: str
    features: Sequence[str]
    settings: Any
    horizons: Mapping[str, Any]
    paired: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of one horizon (days) on both sides, ``None`` where a bundle does not tell it."""

    horizon: str
    name: str
    champion: Interval | None
    challenger: Interval | None

    @property
    def difference(self) -> float | None:
        """Challenger minus champion."""
        if self.champion is None or self.challenger is None:
            return None
        return self.challenger[0] - self.champion[0]


@dataclass(frozen=True)
class Comparison:
    """Both versions and what differs; ``missing`` says by alias why one is not there: ``no_alias``, or a code.

    ``paired`` are differences on the same rows, or ``unpaired`` says why there are none.
    """

    champion: Version | None
    challenger: Version | None
    missing: Mapping[str, str]
    metrics: Sequence[Metric] = ()
    settings: Sequence[tuple[str, str, str]] = ()
    settings_count: int = 0
    features: Mapping[str, Sequence[str]] | None = None
    shadow: Compared | None = None
    paired: Paired | None = None
    unpaired: str | None = None


def comparison(registry: Path, *, shadow_log: Path | None) -> Comparison:
    """The champion and the challenger of a registry; with ``shadow_log``, also on the requests that both answered."""
    found: dict[str, Version | None] = {}
    missing: dict[str, str] = {}
    for alias in (CHAMPION, CHALLENGER):
        found[alias] = None
        try:
            target = read_target(registry, alias)
            if target is None:
                missing[alias] = "no_alias"
            else:
                found[alias] = _version(target)
        except BundleError as error:
            missing[alias] = error.code
    champion, challenger = found[CHAMPION], found[CHALLENGER]
    if champion is None or challenger is None or champion == challenger:
        return Comparison(champion, challenger, missing)
    beside, why = paired((champion.model_hash, champion.paired), (challenger.model_hash, challenger.paired))
    places = list(differences(champion.settings, challenger.settings))
    return Comparison(
        champion, challenger, missing,
        metrics=list(_metrics(champion, challenger)),
        settings=[(place, _at(champion.settings, place), _at(challenger.settings, place))
                  for place in places[:MOST_SETTINGS]],
        settings_count=len(places),
        features={alias: sorted(set(one.features) - set(other.features))
                  for alias, one, other in ((CHAMPION, champion, challenger), (CHALLENGER, challenger, champion))},
        shadow=_shadow(shadow_log, champion, challenger) if shadow_log else None, paired=beside, unpaired=why,
    )  # fmt: skip


def _version(target: Target) -> Version:
    seal = seal_of(manifest_of(target.folder))
    if target.seal not in (None, seal):
        raise BundleError("it is not the bundle that the alias was set to", code="replaced")
    return _read(target.folder, seal)


@lru_cache(maxsize=4)
def _read(folder: Path, seal: str) -> Version:
    """A bundle's own words: checked once for each seal, which changes with any byte."""
    manifest, contents = read_files(folder)
    try:
        schema, settings = json.loads(contents["schema.json"]), json.loads(contents["settings.json"])
        evaluation = json.loads(contents.get("evaluation/evaluation.json", b"{}"))
        return Version(
            manifest["version"], manifest["model_hash"], manifest["trained_at"], seal,
            schema_fingerprint=str(schema["fingerprint"]), features=[str(name) for name in schema["names"]],
            settings=settings, horizons=dict(evaluation.get("horizons", {})),
            paired=dict(json.loads(contents.get("evaluation/paired.json", b"{}"))),
        )  # fmt: skip
    except _BAD_JSON as error:
        raise BundleError(f"{folder}: its files do not fit together ({type(error).__name__})", code="unfit") from error


def _metrics(champion: Version, challenger: Version) -> Iterator[Metric]:
    days = dict.fromkeys((*champion.horizons, *challenger.horizons))
    for horizon in sorted(days, key=lambda text: (len(text), text)):
        for name in _METRICS:
            sides = [_interval(one.horizons, horizon, name) for one in (champion, challenger)]
            if any(sides):
                yield Metric(horizon, name, *sides)


def _interval(horizons: Mapping[str, Any], horizon: str, name: str) -> Interval | None:
    try:
        found = horizons[horizon]["metrics"][name]
        ends = [None if found.get(end) is None else float(found[end]) for end in ("low", "high")]
        return float(found["value"]), ends[0], ends[1]
    except _BAD_JSON:
        return None


def _at(value: Any, pointer: str) -> str:
    """What stands at a JSON pointer, as JSON that is not too long; a dash where there is nothing."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(name)] if isinstance(value, list) else value[name]
        except (LookupError, TypeError, ValueError):
            return "–"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 1] + "…"


def _shadow(log: Path, champion: Version, challenger: Version) -> Compared | None:
    met = (champion.version, challenger.version)
    try:
        pairs = latest_pairs(log, [], most_bytes=MOST_LOG_BYTES)
    except OSError:
        return None
    own = [one for one in pairs if (one.champion.model_version, one.challenger.model_version) == met]
    return compare(own)[0] if own else None
