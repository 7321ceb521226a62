"""Generated documents: the catalogue of features and the API, as the code gives them."""

from __future__ import annotations

from pathlib import Path

from cli.output import say
from cli.tables import attributes_of
from features.docs import features_page


def write_documents(docs: Path, *, configs: Path) -> None:
    """Write ``features.md`` and ``openapi.json``; tests keep both equal to the code."""
    from serving.app import create_app
    from serving.openapi import written
    from serving.schemas import build_schemas

    docs.mkdir(parents=True, exist_ok=True)
    (docs / "features.md").write_text(features_page(), encoding="utf-8")
    (docs / "openapi.json").write_text(written(create_app(build_schemas(attributes_of(configs)))), encoding="utf-8")
    say(f"{docs / 'features.md'} and {docs / 'openapi.json'} written")
