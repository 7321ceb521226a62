"""What commands print: progress on the terminal, results for people or, with ``--json``, for machines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

OnStep = Callable[[str, float], None]
console = Console(stderr=True, highlight=False)
"""Progress and messages go to stderr, so that stdout holds results alone."""
results = Console(highlight=False, width=None if sys.stdout.isatty() else 120)


@contextmanager
def progress(title: str, *, quiet: bool = False, lines: bool = False) -> Iterator[OnStep]:
    """A progress bar; the callback takes the step's name and the share done, 0 to 1. Silent when ``quiet``.

    Parameters
    ----------
    lines : where no terminal shows a bar, one plain line as each step starts
    """
    if quiet:
        yield lambda _step, _share: None
        return
    if lines and not console.is_terminal:
        yield _plain(title)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.fields[step]}"),
    )
    with Progress(*columns, console=console, transient=not console.is_terminal, refresh_per_second=4) as bar:
        task = bar.add_task(title, total=1.0, step="")

        def on_step(step: str, share: float) -> None:
            bar.update(task, completed=min(max(share, 0.0), 1.0), step=step)

        yield on_step
        bar.update(task, completed=1.0, step="done")


def _plain(title: str) -> OnStep:
    """Says each step once, as it starts, with the seconds since the first."""
    started, last = time.monotonic(), ""

    def on_step(step: str, share: float) -> None:
        nonlocal last
        if step != last:
            say(f"{title}: {time.monotonic() - started:6.1f} s, {share:4.0%}, {step}")
        last = step

    return on_step


def say(text: str) -> None:
    """One line for people, on stderr."""
    console.print(text, markup=False, soft_wrap=True)


def say_result(text: str) -> None:
    """One line that is the result itself, on stdout."""
    sys.stdout.write(text + "\n")


def show_json(value: Any) -> None:
    """A result for machines, on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=False, allow_nan=False) + "\n")


def show_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """A result for people, on stdout."""
    results.print(f"\n{title}", soft_wrap=True)
    table = Table(show_edge=False, pad_edge=False)
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position == 0 else "right")
    for row in rows:
        table.add_row(*row)
    results.print(table)
