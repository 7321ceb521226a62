"""The page: one file that needs no network and no script, and is read by keyboard, screen reader and printer."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from training.reporting.page import ShownSection, counted
from training.reporting.words import Words


def page(sections: Sequence[ShownSection], said: Words, *, version: str, policy_version: str) -> str:
    """The whole page."""
    environment = Environment(
        loader=PackageLoader("training.reporting"), autoescape=select_autoescape(), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["data_uri"] = lambda png: "data:image/png;base64," + base64.b64encode(png).decode("ascii")
    return environment.get_template("report.html").render(
        sections=sections, said=said, version=version, policy_version=policy_version, counted=counted(sections, said)
    )
