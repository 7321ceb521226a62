"""Simulate a portfolio: canonical tables, and the truth that no real portfolio ever shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from domain.actions import ActionCatalogue
from simulation.arrow import Ints
from simulation.canonical import accounts_table
from simulation.journal import NOTHING, TABLE, WEEK, WIDTH
from simulation.ladder import playbook_of
from simulation.lives import play_lives
from simulation.parquet import TableWriter
from simulation.portfolio import Portfolio, draw_portfolio
from simulation.states import STATE
from simulation.stress import NO_STRESS, Stress
from simulation.truth import END_DAY, Objective, World, write_truth

OnStep = Callable[[str, float], None]
JOURNAL_ROWS = 300_000


def simulate(
    *,
    accounts: int,
    seed: int,
    out: Path,
    catalogue: ActionCatalogue,
    stress: Stress = NO_STRESS,
    on_step: OnStep | None = None,
) -> None:
    """Write a simulated data directory, and beside it ``truth/``.

    Parameters
    ----------
    accounts : how many accounts; debtors are fewer, since some hold several
    seed : the same seed, number of accounts and catalogue write the same bytes
    out : directory to write ``<table>.parquet`` and ``truth/`` to; files of those names are replaced
    catalogue : channels, offers and moments; gated actions are never taken
    stress : what is made harder than in the ordinary world; by default nothing
    on_step : told (what is being done, share done) as the work goes on
    """
    tell = on_step or (lambda _what, _share: None)
    tell("drawing debtors", 0.0)
    folk = draw_portfolio(accounts, catalogue=catalogue, rng=np.random.default_rng(seed), stress=stress)
    states = play(folk, out=out, catalogue=catalogue, tell=tell, stress=stress)
    world = World(folk=folk, states=states, catalogue=catalogue, seed=seed, stress=stress)
    write_truth(
        world, out / "truth", objective=Objective(), tell=lambda share: tell("weighing actions", 0.6 + 0.4 * share)
    )
    tell("done", 1.0)


def play(
    folk: Portfolio, *, out: Path, catalogue: ActionCatalogue, tell: OnStep, stress: Stress = NO_STRESS
) -> npt.NDArray[np.void]:
    """Play three years of the portfolio into tables; returns the state of every account at the end."""
    states = np.zeros(len(folk.traits), dtype=STATE)
    with TableWriter(out, folk=folk, catalogue=catalogue) as tables:
        tables.write("accounts", accounts_table(folk))
        for journal in histories(folk, states, catalogue=catalogue, tell=tell, stress=stress):
            tables.write_journal(journal)
    return states


def histories(
    folk: Portfolio,
    states: npt.NDArray[np.void],
    *,
    catalogue: ActionCatalogue,
    tell: OnStep,
    stress: Stress = NO_STRESS,
) -> Iterator[Ints]:
    """Play three years of the portfolio block by block; ``states`` (n,), zeros at first, are left as at the end.

    Yields journals (rows, WIDTH), each to be used before the next is asked for: they share their memory.
    """
    book, week = playbook_of(catalogue, stress=stress), np.zeros(1, dtype=WEEK)
    journal = np.zeros((JOURNAL_ROWS, WIDTH), dtype=np.int64)
    yield _first_consents(folk, catalogue)
    first = 0
    while first < len(states):
        tell("playing three years", 0.1 + 0.5 * first / len(states))
        first, written = play_lives(folk.traits, states, (book, week), (journal, first, END_DAY))
        yield journal[:written]


def _first_consents(folk: Portfolio, catalogue: ActionCatalogue) -> Ints:
    """The consents given when the account was opened, as journal rows."""
    rows = []
    for c in range(len(catalogue.channels)):
        accounts = np.flatnonzero(folk.traits["consents"] >> c & 1)
        block = np.full((len(accounts), WIDTH), NOTHING)
        given = folk.opened_us[accounts] + 1_000_000
        block[:, 0], block[:, 1], block[:, 2], block[:, 3] = TABLE.consents, accounts, c, 0
        block[:, 4] = block[:, 5] = given
        rows.append(block)
    return np.concatenate(rows)
