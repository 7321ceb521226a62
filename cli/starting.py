"""What a folder needs to begin with: the packaged configurations, a mapping to fill in, and the next steps in words."""

from __future__ import annotations

import shutil
from pathlib import Path

from domain.errors import ConfigError

NAMES = ("configs", "mapping.yaml", "README.md", ".gitignore")
_GITIGNORE = """\
# Data of debtors, and what is made of them, belong in no repository.
data/
mlruns/
reports/
*.parquet
*.csv
"""
_NEXT_STEPS = """\
# Acerto, on tables of your own

1. Fill in `mapping.yaml`: which of your columns become which of Acerto's. Accounts, debts and payments are needed.
2. `acerto validate --mapping mapping.yaml --source FOLDER` says what is wrong, with the mapping and with the data, and
   keeps nothing. FOLDER is where your files are; without `--source`, here.
3. `acerto convert --mapping mapping.yaml --source FOLDER --out data` writes the tables.
4. `acerto train --data data` trains a first version, `acerto report --model challenger --out reports` tells about it,
   and `acerto promote` makes it the one that decides; `--force --why "…"` where a gate is not met and you know why.
5. `acerto decide --data data --as-of TIME --out decisions.csv`, or `acerto serve --insecure` on this machine.

`configs/` is yours: actions, prices, contact policy, budgets, training. Columns of accounts beyond the usual ones are
declared in `configs/features.yaml`. Until `contacts` and `decisions` are mapped, what actions do rests on `priors` in
`configs/decision.yaml`, and every decision says so.
"""


def packaged_configs() -> Path:
    """The configurations that came with this installation: beside this file in a wheel, in the root of a checkout."""
    here = Path(__file__).parent
    for folder in (here / "configs", here.parent / "configs"):
        if (folder / "decision.yaml").is_file():
            return folder
    raise ConfigError(f"found no configurations beside {here.name}/, needed those of the package; install it again")


def start(folder: Path) -> tuple[str, ...]:
    """Write what a folder needs to begin with; the names of what was written.

    Raises
    ------
    ConfigError : some of it is there already; nothing is written then
    """
    from cli.tables import attributes_of
    from features.mapping.template import mapping_template

    there = [name for name in NAMES if (folder / name).exists()]
    if there:
        raise ConfigError(
            f"{folder}: found {', '.join(there)}, needed a folder without; give another one, or move them away, since "
            "nothing is written over"
        )
    configs = packaged_configs()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(configs, folder / "configs", ignore=shutil.ignore_patterns("__pycache__", "__init__.py"))
    texts = {
        "mapping.yaml": mapping_template(attributes_of(configs)),
        "README.md": _NEXT_STEPS,
        ".gitignore": _GITIGNORE,
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return NAMES
