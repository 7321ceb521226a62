"""The files of a model bundle: every byte is checked against the manifest before anything in it is parsed.

A damaged LightGBM text file raises nothing: it crashes the process, hangs, or predicts something else (docs/adr/0005).
So a bundle is refused while it is still bytes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from domain.errors import BundleError

FORMAT = 2
MANIFEST = "manifest.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}(/[A-Za-z0-9][A-Za-z0-9_.-]{0,127}){0,3}")
# Texts of boosters, JSON, and arrays of evaluation: what else there might be nobody here reads, but others might.
_KINDS = (".json", ".txt", ".npz")
_MOST_BYTES = 1 << 30
_MOST_MANIFEST_BYTES = 1 << 20
_HASHED_JSON = ("calibration.json", "schema.json", "settings.json")
# Parameters that say how a booster was computed, or where, and not what it computes.
_NOT_THE_MODEL = re.compile(
    r"^\[(num_threads|verbosity|machines?|machine_list_filename|local_listen_port|time_out|num_machines|device_type|"
    r"gpu_\w+|data|valid|input_model|output_model|output_result|snapshot_freq|num_gpu|histogram_pool_size)\b"
)


def read_files(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Manifest and checked files of a bundle.

    Raises
    ------
    BundleError : no readable manifest, another format, a file that is missing, unlisted, linked, of another size or of
        other content than listed
    """
    manifest = manifest_of(folder)
    listed, sizes = manifest["files"], manifest["sizes"]
    found = _present(folder)
    if set(found) != set(listed):
        raise BundleError(
            f"{folder}: missing files {sorted(set(listed) - set(found))}, files that the manifest does not list "
            f"{sorted(set(found) - set(listed))}; register the model again from its training run"
        )
    contents: dict[str, bytes] = {}
    for name, digest in sorted(listed.items()):
        if found[name] != sizes.get(name):
            raise BundleError(f"{folder}: {name} has {found[name]} bytes, the manifest says {sizes.get(name)}")
        contents[name] = _bytes(folder / name)
        if sha256(contents[name]).hexdigest() != digest:
            raise BundleError(f"{folder}: {name} is not the file that was written (its SHA-256 differs)")
    return manifest, contents


def seal_of(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of a manifest, which lists that of every file: it changes with any byte of the bundle."""
    return sha256(canonical_json(manifest)).hexdigest()


def write_files(folder: Path, contents: Mapping[str, bytes], *, identity: Mapping[str, Any]) -> None:
    """Writes files and manifest next to their place, and moves them there in one step.

    Parameters
    ----------
    identity : version, trained_at and model_hash, for the manifest
    """
    if folder.exists():
        raise BundleError(f"{folder} exists already; a bundle is never overwritten, give another folder")
    wrong = sorted(name for name in contents if not _named_well(name))
    if wrong:
        raise BundleError(f"found the file names {wrong}, needed plain relative names of .json, .txt or .npz")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, content in contents.items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            _write(draft / name, content)
        manifest = {
            "format": FORMAT,
            **identity,
            "files": {name: sha256(content).hexdigest() for name, content in sorted(contents.items())},
            "sizes": {name: len(content) for name, content in sorted(contents.items())},
        }
        _write(draft / MANIFEST, canonical_json(manifest, indent=1))
        draft.chmod(0o755)
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def canonical_hash(contents: Mapping[str, bytes]) -> str:
    """SHA-256 of what a bundle computes: booster texts without how and where they were computed, calibrators, schema
    and settings; never times, paths, evaluation or the version.
    """
    digest = sha256()
    for name, kept in canonical_contents(contents).items():
        digest.update(f"{name}\0{len(kept)}\0".encode() + kept)
    return digest.hexdigest()


def canonical_contents(contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files that decide a model's hash, by name, each as what enters it."""
    found: dict[str, bytes] = {}
    for name in sorted(contents):
        if name.endswith(".txt"):
            lines = contents[name].decode("utf-8").splitlines()
            found[name] = "\n".join(line for line in lines if not _NOT_THE_MODEL.match(line)).encode()
        elif name in _HASHED_JSON:
            found[name] = canonical_json(json.loads(contents[name]))
    return found


def canonical_json(data: object, *, indent: int | None = None) -> bytes:
    """JSON bytes that are the same for the same data: sorted keys, shortest floats, no NaN."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators)
    return text.encode("utf-8")


def manifest_of(folder: Path) -> dict[str, Any]:
    """The manifest of a bundle, whose files are not looked at.

    Raises
    ------
    BundleError : there is none, or none of this format
    """
    path = folder / MANIFEST
    if not folder.is_dir() or folder.is_symlink() or not path.is_file() or path.is_symlink():
        raise BundleError(f"{folder} is no model bundle: it holds no {MANIFEST}; train a model, or name another folder")
    size = path.stat().st_size
    if size > _MOST_MANIFEST_BYTES:
        raise BundleError(f"{path}: has {size} bytes, more than the {_MOST_MANIFEST_BYTES} a manifest may have")
    try:
        # Without bound on its depth a text of brackets alone would end in a RecursionError.
        manifest = json.loads(_bytes(path))
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: cannot be read; register the model again from its training run") from error
    wanted = {"format": int, "version": str, "trained_at": str, "model_hash": str, "files": dict, "sizes": dict}
    if not isinstance(manifest, dict) or any(type(manifest.get(key)) is not kind for key, kind in wanted.items()):
        raise BundleError(f"{path}: needed the keys {sorted(wanted)}; register the model again from its training run")
    if manifest["format"] != FORMAT:
        raise BundleError(f"{path}: found the bundle format {manifest['format']}, this version reads {FORMAT}; retrain")
    wrong = [name for name in manifest["files"] if not _named_well(name)]
    if wrong:
        raise BundleError(f"{path}: lists names that are no plain relative .json, .txt or .npz: {sorted(wrong)}")
    return manifest


def _named_well(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and name.endswith(_KINDS) and name != MANIFEST


def _present(folder: Path) -> dict[str, int]:
    """Sizes of all files below a folder by relative name, without the manifest; anything that is no file is refused."""
    found: dict[str, int] = {}
    for place, folders, names in os.walk(folder, followlinks=False):
        for entry in (*folders, *names):
            path = Path(place) / entry
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise BundleError(f"{path}: links and special files are no part of a bundle; remove it")
            if path.is_file():
                found[path.relative_to(folder).as_posix()] = path.stat().st_size
    found.pop(MANIFEST, None)
    if sum(found.values()) > _MOST_BYTES:
        raise BundleError(f"{folder}: holds {sum(found.values())} bytes, more than the {_MOST_BYTES} a bundle may have")
    return found


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror}); register the model again") from error


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
