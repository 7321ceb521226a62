"""Generated documents: features, contact policy and API, as code and configuration give them."""

from __future__ import annotations

from pathlib import Path

from cli.output import say
from cli.tables import attributes_of
from features.docs import features_page


def write_documents(docs: Path, *, configs: Path) -> None:
    """Write ``features.md``, ``contact_policy.md`` and ``openapi.json``; tests keep them equal to the code."""
    from cli.policy_command import read_packs
    from decisioning.policy_page import policy_page
    from serving.app import create_app
    from serving.openapi import written
    from serving.schemas import build_schemas

    docs.mkdir(parents=True, exist_ok=True)
    (docs / "features.md").write_text(features_page(), encoding="utf-8")
    (docs / "contact_policy.md").write_text(policy_page(read_packs(configs)), encoding="utf-8")
    (docs / "openapi.json").write_text(written(create_app(build_schemas(attributes_of(configs)))), encoding="utf-8")
    say(f"features.md, contact_policy.md and openapi.json written to {docs}")
