"""Whether a recorded run, done again, gives the same model; and, where it does not, what is not the same."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from decisioning.integrity import canonical_contents, read_files
from training.runs import environment
from training.runs.configs import FILES

ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not as it was; ``kind`` is ``data``, ``lock``, ``code``, ``configs`` or ``model``."""

    kind: str
    name: str
    recorded: str
    found: str


@dataclass(frozen=True)
class Reproduced:
    """Both hashes, and everything that differs; what differs need not have changed the model."""

    recorded_hash: str
    found_hash: str
    differences: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """Whether the model is the same, to the last bit of what it computes with."""
        return self.recorded_hash == self.found_hash

    def of(self, kind: str) -> tuple[Difference, ...]:
        """The differences of one kind."""
        return tuple(one for one in self.differences if one.kind == kind)


@contextmanager
def recorded_configs(record: Mapping[str, Any], *, threads: int | None = None) -> Iterator[Path]:
    """A folder with the configuration files of a run, for as long as it is needed.

    Parameters
    ----------
    threads : takes the place of ``model.threads``, which decides no hash
    """
    with tempfile.TemporaryDirectory(prefix="acerto-configs-") as name:
        folder = Path(name)
        for file, one in record["configs"].items():
            (folder / file).write_text(one["text"], encoding="utf-8", newline="")
        if threads is not None:
            _set_threads(folder / "training.yaml", threads)
        yield folder


def compared(
    record: Mapping[str, Any], bundles: tuple[Path, Path], *, data: Mapping[str, Any], configs: Path
) -> Reproduced:
    """A run held against the same run done again.

    Parameters
    ----------
    bundles : folders of the bundle that was recorded, and of the one that was made again
    data : the summary of the data this time (``fingerprint.data_summary``)
    configs : the present configuration files; the recorded ones were used, and other ones are told

    Raises
    ------
    BundleError : one of the two is damaged
    """
    (was, before), (now, after) = (read_files(folder) for folder in bundles)
    found = [
        *_differing("data", _tables(record["data"]), _tables(data)),
        *_differing("lock", record["lock"]["versions"], environment.lock()),
        *_differing("code", _short(record["code"]), _short(environment.code())),
        *_differing("configs", *_config_hashes(record, configs)),
        *_models(canonical_contents(before), canonical_contents(after)),
    ]
    return Reproduced(str(was["model_hash"]), str(now["model_hash"]), tuple(found))


def _differing(kind: str, recorded: Mapping[str, Any], found: Mapping[str, Any]) -> list[Difference]:
    pairs = {
        name: (str(recorded.get(name, ABSENT)), str(found.get(name, ABSENT)))
        for name in sorted(recorded.keys() | found.keys())
    }
    return [Difference(kind, name, *pair) for name, pair in pairs.items() if pair[0] != pair[1]]


def _tables(data: Mapping[str, Any]) -> dict[str, str]:
    return {name: f"{one['rows']} rows, {one['fingerprint'][:16]}" for name, one in data["tables"].items()}


def _short(hashes: Mapping[str, str]) -> dict[str, str]:
    return {name: one[:16] for name, one in hashes.items()}


def _config_hashes(record: Mapping[str, Any], configs: Path) -> tuple[dict[str, str], dict[str, str]]:
    recorded = {name: str(one["sha256"]) for name, one in record["configs"].items()}
    files = [path for name in sorted({*recorded, *FILES}) if (path := configs / name).is_file()]
    present = {path.name: sha256(path.read_bytes()).hexdigest() for path in files}
    return _short(recorded), _short(present)


def _models(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[Difference]:
    """Files of the model that are not the same; of settings and schema the keys in which they differ."""
    found: list[Difference] = []
    for name in sorted(before.keys() | after.keys()):
        pair = before.get(name), after.get(name)
        if pair[0] == pair[1]:
            continue
        if name.endswith(".json") and pair[0] is not None and pair[1] is not None:
            found += _differing("model", _leaves(json.loads(pair[0]), name), _leaves(json.loads(pair[1]), name))
        else:
            found += _differing("model", _digest(name, pair[0]), _digest(name, pair[1]))
    return found


def _digest(name: str, content: bytes | None) -> dict[str, str]:
    if content is None:
        return {}
    return {name: f"{content.count(b'Tree=')} trees, {sha256(content).hexdigest()[:16]}"}


def _leaves(value: Any, name: str) -> dict[str, str]:
    """Keys down to the third level with their values: deep enough to name a setting, short enough to read."""
    if isinstance(value, dict) and name.count("/") < 3:
        found: dict[str, str] = {}
        for key, one in value.items():
            found |= _leaves(one, f"{name}/{key}")
        return found
    text = json.dumps(value, sort_keys=True)
    return {name: text if len(text) <= 40 else f"{sha256(text.encode()).hexdigest()[:16]}"}


def _set_threads(path: Path, threads: int) -> None:
    import yaml  # noqa: PLC0415  (only where another number of threads is tried)

    settings = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    settings = settings or {}
    settings["model"] = {**settings.get("model", {}), "threads": threads}
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
