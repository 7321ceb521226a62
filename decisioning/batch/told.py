"""What one part tells of its decisions, as a file beside it; those of all parts add up to what a run tells."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from decisioning.batch.outline import Outline
from decisioning.exclusions.refused import Key
from decisioning.exclusions.tally import Tally
from decisioning.targeting import Dealt
from domain.actions import ActionCatalogue
from features.frame import whole


@dataclass(frozen=True)
class Told:
    """The outline of some decisions, and what was counted of their refusals."""

    outline: Outline
    tally: Tally

    def save(self, path: Path) -> None:
        """Writes numbers and counts; the file appears when it is complete."""
        arrays = {name: getattr(self.outline.dealt, name) for name in Dealt.__slots__}
        counts = {
            "channels": dict(self.outline.channels), "refused": dict(self.outline.refused), "tally": _json(self.tally)
        }  # fmt: skip
        text = np.frombuffer(json.dumps(counts).encode(), dtype=np.uint8)
        with whole(path) as partial, partial.open("wb") as stream:
            np.savez(stream, net_cents=self.outline.net_cents, counts=text, **arrays)

    @classmethod
    def load(cls, path: Path, catalogue: ActionCatalogue) -> Told:
        """What a file holds; ``catalogue`` is that of the decisions."""
        with np.load(path, allow_pickle=False) as found:
            counts = json.loads(found["counts"].tobytes())
            dealt = Dealt(**{name: found[name] for name in Dealt.__slots__})
            outline = Outline(dealt, found["net_cents"], counts["channels"], counts["refused"])
        return cls(outline, _tally(counts["tally"], catalogue))

    @classmethod
    def together(cls, parts: Sequence[Told], catalogue: ActionCatalogue) -> Told:
        """What all parts tell."""
        tally = Tally(catalogue)
        for part in parts:
            tally.plus(part.tally)
        return cls(Outline.together([part.outline for part in parts]), tally)


def _json(tally: Tally) -> dict[str, Any]:
    return {
        "accounts": tally.accounts,
        "total": tally.total.tolist(),
        "segments": {
            name: {"labels": labels, "counts": {one: found.tolist() for one, found in tally.segments[name].items()}}
            for name, labels in tally.labels.items()
        },
        "channels": {name: found.tolist() for name, found in tally.channels.items()},
        "rules": [[*key, found.tolist(), tally.on_channels[key].tolist()] for key, found in tally.rules.items()],
        "causes": [[[[*key] for key in keys], count] for keys, count in tally.causes.items()],
        "away": [[*one] for one in tally.away.items()],
        "waits": dict(tally.waits),
    }


def _tally(found: dict[str, Any], catalogue: ActionCatalogue) -> Tally:
    tally = Tally(catalogue, accounts=found["accounts"], total=np.array(found["total"]))
    for name, segment in found["segments"].items():
        tally.labels[name] = tuple(segment["labels"])
        tally.segments[name] = {one: np.array(counts) for one, counts in segment["counts"].items()}
    tally.channels = {name: np.array(counts) for name, counts in found["channels"].items()}
    for layer, rule, code, counts, on_channels in found["rules"]:
        key = Key(layer, rule, code)
        tally.rules[key], tally.on_channels[key] = np.array(counts), np.array(on_channels)
    tally.causes.update({tuple(Key(*key) for key in keys): count for keys, count in found["causes"]})
    tally.away.update(dict(found["away"]))
    tally.waits.update(found["waits"])
    return tally
