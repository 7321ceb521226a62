"""``acerto policy``: the contact-policy packs, and whether each does what its examples say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DEFAULT_CONFIGS, AsJson, Configs
from cli.output import say, show_json, show_table
from domain.errors import ConfigError

if TYPE_CHECKING:
    from decisioning.contact_policy.pack import Pack

_Check = Annotated[bool, typer.Option("--check", help="Run the examples of every rule; exit code 1 where one fails.")]


def policy(check: _Check = False, configs: Configs = DEFAULT_CONFIGS, as_json: AsJson = False) -> None:
    """Read every pack of --configs, and show how many rules each has; with --check, run their examples."""
    from decisioning.pack_examples import problems

    packs = read_packs(configs)
    broken = (
        [line for pack in packs for rule, one in pack.examples for line in problems(pack, rule, one)] if check else []
    )
    if as_json:
        found = [{"pack": pack.file.pack, "rules": len(pack.rules), "examples": len(pack.examples)} for pack in packs]
        show_json({"packs": found, "checked": check, "broken": broken})
    else:
        rows = [[pack.file.pack, str(len(pack.rules)), str(len(pack.examples))] for pack in packs]
        show_table(f"contact policy in {configs / 'contact_policy'}", ["pack", "rules", "examples"], rows)
        for line in broken:
            say(line)
        if check and not broken:
            say("every example holds")
    if broken:
        raise typer.Exit(1)


def read_packs(configs: Path) -> list[Pack]:
    """Every pack of a folder of configuration, by name.

    Raises
    ------
    ConfigError : there is none, or one cannot be read; with file, line and reason
    """
    from decisioning.contact_policy.pack import Names, read_pack
    from decisioning.desk import declared_attributes
    from domain.actions import ActionsConfig
    from domain.config import load_section

    folder = configs / "contact_policy"
    found = sorted(path.stem for path in folder.glob("*.yaml"))
    if not found:
        raise ConfigError(
            f"found no packs in {folder}, needed files such as br.yaml; give another folder with --configs"
        )
    channels = tuple(load_section(configs / "actions.yaml", ActionsConfig).channels)
    names = Names(channels, declared_attributes(configs))
    return [read_pack(folder, name, names=names) for name in found]
