"""Ways in which a model bundle can be damaged or forged; each changes a copy of one in place, at a place drawn.

Those of ``FORGED`` write the manifest and the model hash anew, so that bytes and manifest agree: what somebody does who
wants a change to pass, and no accident.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from decisioning.integrity import canonical_hash, canonical_json
from features.schema import FeatureSchema

Draw = np.random.Generator
_ODD_NAMES = ("../outside.txt", "/etc/passwd", "a/../../b", "manifest.json", ".hidden", "a//b", "CON\u0000", "")


def listed(folder: Path) -> list[Path]:
    """The files of a bundle, without its manifest."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")


def forge(folder: Path) -> None:
    """Writes the manifest of the files as they now are."""
    contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in listed(folder)}
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {name: sha256(content).hexdigest() for name, content in contents.items()}
    manifest["sizes"] = {name: len(content) for name, content in contents.items()}
    with contextlib.suppress(ValueError):  # no JSON any more, or no UTF-8: nobody can say what its hash is
        manifest["model_hash"] = canonical_hash(contents)
    (folder / "manifest.json").write_bytes(canonical_json(manifest, indent=1))


def _any(folder: Path, draw: Draw) -> Path:
    """A file that holds something, each as often as it has bytes."""
    files = [path for path in listed(folder) if path.stat().st_size > 0]
    sizes = np.array([path.stat().st_size for path in files], dtype=float)
    return files[int(draw.choice(len(files), p=sizes / sizes.sum()))]


def _booster(folder: Path, draw: Draw) -> Path:
    files = sorted(folder.glob("*.txt"))
    return files[int(draw.integers(len(files)))]


def _flipped(path: Path, draw: Draw) -> None:
    content = bytearray(path.read_bytes())
    content[int(draw.integers(len(content)))] ^= 1 << int(draw.integers(8))
    path.write_bytes(bytes(content))


def _truncated(path: Path, draw: Draw) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(draw.integers(len(content)))])


def _line_deleted(path: Path, draw: Draw) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[int(draw.integers(len(lines)))]
    path.write_bytes(b"".join(lines))


def _zeroed(path: Path, draw: Draw) -> None:
    content = bytearray(path.read_bytes())
    at = int(draw.integers(len(content)))
    content[at : at + 64] = bytes(len(content[at : at + 64]))
    path.write_bytes(bytes(content))


def _digit(path: Path, draw: Draw) -> None:
    content = bytearray(path.read_bytes())
    places = [at for at, byte in enumerate(content) if 48 <= byte <= 57]
    if not places:
        _flipped(path, draw)
        return
    at = places[int(draw.integers(len(places)))]
    content[at] = 48 + (content[at] - 48 + 1 + int(draw.integers(9))) % 10
    path.write_bytes(bytes(content))


_HARM = {"bit": _flipped, "truncation": _truncated, "line": _line_deleted, "zeros": _zeroed, "digit": _digit}


def _harmed(harm: str) -> Callable[[Path, Draw], None]:
    return lambda folder, draw: _HARM[harm](_any(folder, draw), draw)


def _manifest_harmed(harm: str) -> Callable[[Path, Draw], None]:
    return lambda folder, draw: _HARM[harm](folder / "manifest.json", draw)


def _removed(folder: Path, draw: Draw) -> None:
    _any(folder, draw).unlink()


def _added(folder: Path, draw: Draw) -> None:
    (folder / f"note-{draw.integers(1000)}.txt").write_text("hello")


def _exchanged(folder: Path, draw: Draw) -> None:
    names = sorted(folder.glob("payment_*.txt"))
    one, two = (names[int(at)] for at in draw.choice(len(names), 2, replace=False))
    contents = one.read_bytes(), two.read_bytes()
    one.write_bytes(contents[1])
    two.write_bytes(contents[0])


def _manifest_with(change: Callable[[dict[str, Any], Draw], None]) -> Callable[[Path, Draw], None]:
    def apply(folder: Path, draw: Draw) -> None:
        manifest = json.loads((folder / "manifest.json").read_text())
        change(manifest, draw)
        (folder / "manifest.json").write_text(json.dumps(manifest))

    return apply


def _hash_changed(manifest: dict[str, Any], draw: Draw) -> None:
    names = sorted(manifest["files"])
    manifest["files"][names[int(draw.integers(len(names)))]] = sha256(draw.bytes(8)).hexdigest()


def _key_dropped(manifest: dict[str, Any], draw: Draw) -> None:
    names = sorted(manifest)
    del manifest[names[int(draw.integers(len(names)))]]


def _place_outside(manifest: dict[str, Any], draw: Draw) -> None:
    name = _ODD_NAMES[int(draw.integers(len(_ODD_NAMES)))]
    manifest["files"][name], manifest["sizes"][name] = sha256(b"").hexdigest(), 0


def _linked(folder: Path, draw: Draw) -> None:
    path = _any(folder, draw)
    elsewhere = folder.with_name(f"{folder.name}.elsewhere")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def _manifest_linked(folder: Path, _: Draw) -> None:
    elsewhere = folder.with_name(f"{folder.name}.elsewhere")
    (folder / "manifest.json").rename(elsewhere)
    (folder / "manifest.json").symlink_to(elsewhere)


def _folder_linked(folder: Path, _: Draw) -> None:
    elsewhere = folder.with_name(f"{folder.name}.elsewhere")
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)


def _pipe(folder: Path, _: Draw) -> None:
    os.mkfifo(folder / "pipe")


def _forged(change: Callable[[Path, Draw], None]) -> Callable[[Path, Draw], None]:
    def apply(folder: Path, draw: Draw) -> None:
        change(folder, draw)
        forge(folder)

    return apply


def _booster_harmed(harm: str) -> Callable[[Path, Draw], None]:
    return _forged(lambda folder, draw: _HARM[harm](_booster(folder, draw), draw))


def _golden_changed(folder: Path, draw: Draw) -> None:
    golden = json.loads((folder / "golden.json").read_text())
    row = golden["p_pay"][int(draw.integers(len(golden["p_pay"])))]
    row[int(draw.integers(len(row)))] *= 1.0 + 10.0 ** -draw.uniform(1, 6)
    (folder / "golden.json").write_bytes(canonical_json(golden))


def _golden_emptied(folder: Path, _: Draw) -> None:
    golden = json.loads((folder / "golden.json").read_text())
    (folder / "golden.json").write_bytes(canonical_json({**golden, "values": [], "p_pay": []}))


def _schema_changed(folder: Path, draw: Draw) -> None:
    schema = json.loads((folder / "schema.json").read_text())
    names = schema["names"]
    at = int(draw.integers(len(names)))
    if draw.random() < 0.5:
        names[at] = "phase_of_the_moon"
    else:
        del names[at]
    (folder / "schema.json").write_bytes(canonical_json(schema))


def _columns_exchanged(folder: Path, draw: Draw) -> None:
    schema = FeatureSchema.from_json(json.loads((folder / "schema.json").read_text()))
    names = list(schema.names)
    # Derived features need what they are made of, which two that are there still are.
    one, two = (int(at) for at in draw.choice(len(names), 2, replace=False))
    names[one], names[two] = names[two], names[one]
    (folder / "schema.json").write_bytes(canonical_json(replace(schema, names=tuple(names)).to_json()))


class Trap:
    """Leaves a folder where it is unpickled; nothing may ever unpickle it."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        """What a pickle does when it is loaded."""
        return os.mkdir, (str(self._mark),)


def pickled(mark: Path, *, forged: bool) -> Callable[[Path, Draw], None]:
    """A pickle in the place of a file, or beside the files."""

    def apply(folder: Path, draw: Draw) -> None:
        payload = pickle.dumps(Trap(mark), protocol=int(draw.integers(6)))
        names = [*(path.relative_to(folder) for path in listed(folder)), Path("model.pkl"), Path("model.joblib")]
        # What is in the folder of evaluation is read by nobody here, and so proves nothing.
        names = [name for name in names if name.parts[0] != "evaluation"]
        (folder / names[int(draw.integers(len(names)))]).write_bytes(payload)
        if forged:
            forge(folder)

    return apply


ACCIDENTS: dict[str, Callable[[Path, Draw], None]] = {
    **{f"a file's {harm}": _harmed(harm) for harm in _HARM},
    **{f"the manifest's {harm}": _manifest_harmed(harm) for harm in _HARM},
    "a file removed": _removed,
    "a file added": _added,
    "two files exchanged": _exchanged,
    "a hash changed": _manifest_with(_hash_changed),
    "a key dropped": _manifest_with(_key_dropped),
    "a place outside": _manifest_with(_place_outside),
    "a file linked": _linked,
    "the manifest linked": _manifest_linked,
    "the folder linked": _folder_linked,
    "a pipe": _pipe,
}
FORGED: dict[str, Callable[[Path, Draw], None]] = {
    **{
        f"a booster's {harm}, forged": _forged(
            lambda folder, draw, harm=harm: _HARM[harm](_booster(folder, draw), draw)
        )
        for harm in _HARM
    },
    "golden outputs, forged": _forged(_golden_changed),
    "no golden rows, forged": _forged(_golden_emptied),
    "the schema, forged": _forged(_schema_changed),
    "columns exchanged, forged": _forged(_columns_exchanged),
    "two boosters, forged": _forged(_exchanged),
}
