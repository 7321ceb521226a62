"""Reading YAML into frozen models: unknown keys are refused, with their line and the nearest known key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from domain.errors import ConfigError

M = TypeVar("M", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """YAML that refuses a key written twice, which plain YAML silently resolves to the last."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise ConfigError(f"line {line}: found a list or a mapping as a key, needed a name")
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise ConfigError(f"line {line}: the key {key!r} is written twice; keep one")
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
Place = tuple[Any, ...]
"""Keys and positions that lead from the top of a document to a value."""


@dataclass(frozen=True)
class Document:
    """One YAML file: its values, and on which line of it each of them stands."""

    path: Path
    text: str
    raw: Any

    def line(self, place: Place) -> int:
        """The line, from 1, of the key or item at a place, or of the deepest part of the way to it that is there."""
        node = yaml.compose(self.text, Loader=yaml.SafeLoader)
        line = 1 if node is None else node.start_mark.line + 1
        for step in place:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line


def _child(node: yaml.Node | None, step: Any) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line + 1, node.value[step]
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == str(step):
            return key.start_mark.line + 1, value
    return None


def load_document(path: Path) -> Document:
    """One YAML file.

    Raises
    ------
    ConfigError : the file is missing, is no YAML, or has a key twice; with its line where there is one
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        way_out = "give another folder with --configs, or write one to start from with acerto init"
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); {way_out}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: found bytes that are no UTF-8, needed a text file") from error
    try:
        return Document(path, text, yaml.load(text, Loader=_Loader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # A date such as 2026-13-01 is a ValueError of the date, and not of YAML.
        raise ConfigError(f"{path}: not valid YAML: {error}") from error
    except ConfigError as error:
        raise ConfigError(f"{path}, {error}") from error


def load_section(path: Path, model: type[M]) -> M:
    """One YAML file as a frozen model.

    Raises
    ------
    ConfigError : the file is missing, is no YAML mapping, holds an unknown key or a wrong value;
        each problem is named with its line and place, what was found and what was needed
    """
    document = load_document(path)
    raw = {} if document.raw is None else document.raw
    return parse_section(raw, model, source=str(path), line=document.line)


def parse_section(raw: object, model: type[M], *, source: str, line: Callable[[Place], int] | None = None) -> M:
    """The same for values that are already in memory; ``source`` is named in the error, and the line if it is known."""
    if not isinstance(raw, dict):
        raise ConfigError(f"{source}: found {type(raw).__name__}, needed a mapping of keys to values")
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problems = "; ".join(
            ("" if line is None else f"line {line(item['loc'])}: ") + _problem(item, model)
            for item in error.errors(include_url=False)
        )
        raise ConfigError(f"{source}: {problems}") from error


def _problem(item: Any, model: type[BaseModel]) -> str:
    place = ".".join(str(part) for part in item["loc"])
    if item["type"] != "extra_forbidden":
        found = item.get("input")
        # A whole mapping or list tells nobody what is wrong in it.
        parts = (place, "" if isinstance(found, dict | list) else f"found {found!r}", item["msg"])
        return ": ".join(part for part in parts if part)
    known = _known_keys(model, item["loc"][:-1])
    near = get_close_matches(str(item["loc"][-1]), known, n=1, cutoff=0.5)
    way_out = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(sorted(known)) or 'none'}"
    return f"{place}: unknown key; {way_out}"


def _known_keys(model: Any, location: tuple[Any, ...]) -> list[str]:
    """Field names of the model found by walking ``location`` from ``model``; empty where that is no model."""
    for step in location:
        fields = getattr(model, "model_fields", None)
        if fields is None:
            # A step into a mapping or a list: on to what it holds, which may be a list of models again.
            candidates = [arg for arg in get_args(model) if hasattr(arg, "model_fields") or get_args(arg)]
            model = candidates[-1] if candidates else None
        else:
            model = fields[step].annotation if step in fields else None
        if model is None:
            return []
    if not hasattr(model, "model_fields"):
        models = [arg for arg in get_args(model) if hasattr(arg, "model_fields")]
        model = models[-1] if models else None
    return list(getattr(model, "model_fields", {}))
