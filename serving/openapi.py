"""The OpenAPI document: FastAPI's for the answers, and the request models, which are read outside FastAPI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from domain.config import load_section
from features.config import FeaturesConfig
from serving.answers import ProblemAnswer
from serving.schemas import Schemas, build_schemas

_REFERENCE = "#/components/schemas/{model}"


def body_of(model: str) -> dict[str, Any]:
    """``openapi_extra`` of a route whose body is that request model."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{model}"}}}
    return {"requestBody": {"required": True, "content": content}}


def document(app: FastAPI, schemas: Schemas) -> dict[str, Any]:
    """The whole document, the same for the same routes, tables and attributes."""
    found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    models = [(schemas.scores, "validation"), (schemas.decisions, "validation"), (ProblemAnswer, "validation")]
    _, definitions = models_json_schema(models, ref_template=_REFERENCE)  # type: ignore[arg-type]
    found.setdefault("components", {}).setdefault("schemas", {}).update(definitions["$defs"])
    return found


def write_openapi(target: Path, *, configs: Path = Path("configs")) -> None:
    """Writes ``docs/openapi.json`` for the attributes that ``configs/features.yaml`` declares."""
    from serving.app import create_app  # noqa: PLC0415  (the app asks this module for its document)

    schemas = build_schemas(load_section(configs / "features.yaml", FeaturesConfig).attributes)
    app = create_app(schemas)
    target.write_text(json.dumps(app.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
