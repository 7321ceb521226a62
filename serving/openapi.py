"""The OpenAPI document: FastAPI's for the answers, and the request models, which are read outside FastAPI."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from serving.answers import ProblemAnswer
from serving.documenting import add_headers, add_keys
from serving.event_schemas import OutcomeRequest, ReviewRequest, rows_models
from serving.following import add_links
from serving.samples import SAMPLES
from serving.schemas import Schemas

_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
    "description": "Names this request: sent again within a day it has no second effect, and the same answer.",
}
_REFERENCE = "#/components/schemas/{model}"


def body_of(*models: str) -> dict[str, Any]:
    """``openapi_extra`` of a route whose body is that request model, or one of those; it takes an idempotency key."""
    schemas = [{"$ref": _REFERENCE.format(model=model)} for model in models]
    samples = {model: {"value": SAMPLES[model]} for model in models if model in SAMPLES}
    schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
    content = {"application/json": {"schema": schema, "examples": samples}}
    return {"requestBody": {"required": True, "content": content}, "parameters": [_KEY]}


def document(app: FastAPI, schemas: Schemas) -> dict[str, Any]:
    """The whole document, the same for the same routes, tables and attributes."""
    found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    accounts, rows = (schemas.scores, schemas.decisions, schemas.permits), rows_models(schemas).values()
    models = [(model, "validation") for model in (*accounts, *rows, OutcomeRequest, ReviewRequest, ProblemAnswer)]
    _, definitions = models_json_schema(models, ref_template=_REFERENCE)  # type: ignore[arg-type]
    found.setdefault("components", {}).setdefault("schemas", {}).update(definitions["$defs"])
    add_headers(found)
    add_keys(found)
    add_links(found)
    return found


def written(app: FastAPI) -> str:
    """The document as it is committed in ``docs/openapi.json``."""
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
