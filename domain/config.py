"""Reading YAML into frozen models: unknown keys are refused, with the nearest known key suggested."""

from __future__ import annotations

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
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise ConfigError(f"line {key_node.start_mark.line + 1}: the key {key!r} is written twice; keep one")
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load_section(path: Path, model: type[M]) -> M:
    """One YAML file as a frozen model.

    Raises
    ------
    ConfigError : the file is missing, is no YAML mapping, holds an unknown key or a wrong value;
        each problem is named with its place, what was found and what was needed
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); give another folder with --configs") from error
    try:
        raw = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from error
    except ConfigError as error:
        raise ConfigError(f"{path}, {error}") from error
    return parse_section({} if raw is None else raw, model, source=str(path))


def parse_section(raw: object, model: type[M], *, source: str) -> M:
    """The same for values that are already in memory; ``source`` is named in the error."""
    if not isinstance(raw, dict):
        raise ConfigError(f"{source}: found {type(raw).__name__}, needed a mapping of keys to values")
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problems = "; ".join(_problem(item, model) for item in error.errors(include_url=False))
        raise ConfigError(f"{source}: {problems}") from error


def _problem(item: Any, model: type[BaseModel]) -> str:
    place = ".".join(str(part) for part in item["loc"])
    if item["type"] != "extra_forbidden":
        return f"{place}: found {item.get('input')!r}: {item['msg']}"
    known = _known_keys(model, item["loc"][:-1])
    near = get_close_matches(str(item["loc"][-1]), known, n=1, cutoff=0.5)
    way_out = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(sorted(known)) or 'none'}"
    return f"{place}: unknown key; {way_out}"


def _known_keys(model: Any, location: tuple[Any, ...]) -> list[str]:
    """Field names of the model found by walking ``location`` from ``model``; empty where that is no model."""
    for step in location:
        fields = getattr(model, "model_fields", None)
        if fields is None:
            candidates = [arg for arg in get_args(model) if hasattr(arg, "model_fields")]
            model = candidates[-1] if candidates else None
        else:
            model = fields[step].annotation if step in fields else None
        if model is None:
            return []
    if not hasattr(model, "model_fields"):
        models = [arg for arg in get_args(model) if hasattr(arg, "model_fields")]
        model = models[-1] if models else None
    return list(getattr(model, "model_fields", {}))
