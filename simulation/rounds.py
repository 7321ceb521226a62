"""The closed loop: weekly rounds of decide, act and observe, in which a policy from outside takes the ladder's place.

The history is that of ``simulation.world``. From its end on all accounts share their weeks, as in the futures of the
truth: a round is one decision run, at noon UTC. Luck is a function of who, when and what for: policies share it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from domain.actions import ActionCatalogue
from domain.clock import US_PER_DAY, to_us
from domain.errors import DataError
from simulation import assumptions
from simulation.arrow import Ints
from simulation.canonical import Setting
from simulation.choices import Choice, chosen_table, eligible_actions
from simulation.journal import WEEK, WIDTH
from simulation.known import KnownTables
from simulation.ladder import playbook_of
from simulation.portfolio import draw_portfolio
from simulation.states import STATE
from simulation.steps import NOT_DUE, SEEN, close_round, open_round
from simulation.tally import Tally
from simulation.truth import END_DAY, Objective, World, first_page, net_values
from simulation.world import OnStep, histories

ROUND = timedelta(days=7)
_ROWS = 60_000


@dataclass(frozen=True)
class Due:
    """The accounts that are due for a decision in a round, and what a policy may look at.

    ``number`` counts from 1; ``data`` is the directory of canonical tables as known before ``moment``. All (n,):
    ``account``, the number of each, and ``account_ids``; ``days_past_due`` and ``overdue_cents`` as known; ``ladder``
    and ``logging``, what the ladder does without and with its share of exploration. ``eligible`` is (n, A).
    ``true_values`` gives the (n, A) net values that only a simulator can know.
    """

    number: int
    moment: datetime
    data: Path
    account: Ints
    account_ids: tuple[str, ...]
    days_past_due: Ints
    overdue_cents: Ints
    ladder: Ints
    logging: Ints
    eligible: npt.NDArray[np.bool_]
    true_values: Callable[[], npt.NDArray[np.float64]]


Policy = Callable[[Due], Choice]


@dataclass(frozen=True)
class Start:
    """A portfolio at the end of its history, from which every policy begins."""

    world: World
    tables: KnownTables


@dataclass(frozen=True)
class Terms:
    """How the loop is played: so many ``rounds``, with ``drift`` of strength 0 (none) or more.

    ``value_weeks`` is over how many weeks the true values count money, and ``runs`` the futures imagined for them.
    """

    rounds: int = 13
    drift: float = 0.0
    value_weeks: int = 52
    runs: int = 32

    @property
    def end(self) -> datetime:
        """The moment after the last round, at which the tables end."""
        return assumptions.END + self.rounds * ROUND


def begin(accounts: int, *, seed: int, catalogue: ActionCatalogue, out: Path, on_step: OnStep) -> Start:
    """Play the history of a portfolio and write what is known at its end to ``out``, a folder of parts per table."""
    folk = draw_portfolio(accounts, catalogue=catalogue, rng=np.random.default_rng(seed))
    states = np.zeros(accounts, dtype=STATE)
    past = histories(folk, states, catalogue=catalogue, tell=on_step)
    tables = KnownTables.begin(out, Setting(folk, catalogue), past, until_us=to_us(assumptions.END))
    return Start(World(folk=folk, states=states, catalogue=catalogue, seed=seed), tables)


def play_rounds(start: Start, policy: Policy, *, name: str, terms: Terms, out: Path) -> Tally:
    """Play every round under a policy; its canonical tables, decisions among them, grow in ``out``.

    Raises
    ------
    DataError : the policy answered with something that is no choice for the accounts that were due
    """
    run = Run(start, out, name=name, terms=terms)
    for number in range(1, terms.rounds + 1):
        due = run.open(number)
        run.close(due, policy(due))
    return run.tally


class Run:
    """One policy's world while it is played: the states of all accounts and the directory that grows."""

    def __init__(self, start: Start, out: Path, *, name: str, terms: Terms) -> None:
        self.world = replace(start.world, states=start.world.states.copy())
        self.tables = start.tables.copied(out)
        self.tally = Tally.begin(self.world)
        self.name, self.terms = name, terms
        self._seen = np.zeros(len(self.world.states), dtype=SEEN)
        self._week, self._book = np.zeros(1, dtype=WEEK), playbook_of(self.world.catalogue)
        self._rows = np.zeros((0, WIDTH), dtype=np.int64)

    def open(self, number: int) -> Due:
        """Begin a round: what is known so far stands in the tables, and who is due for a decision is told."""
        day = END_DAY + 7 * (number - 1)
        self._week["day"], self._week["end"], self._week["value_day"] = day, day + 7, day
        self._week["logged"], self._week["billing"] = 1, 1
        self._book = drifted(self.world.catalogue, rounds=number - 1, strength=self.terms.drift)
        before = replace(self.world, states=self.world.states.copy())
        page = first_page(Objective(), day=day, weeks=self.terms.value_weeks)
        self._rows = self._play(open_round, self._seen)
        account = np.flatnonzero(self._seen["due"])
        seen, book = self._seen[account], self._book
        return Due(
            number=number, moment=assumptions.END + (number - 1) * ROUND, data=self.tables.folder, account=account,
            account_ids=tuple(f"a{place:07d}" for place in account.tolist()),
            days_past_due=seen["days"].copy(), overdue_cents=seen["cents"].copy(),
            ladder=seen["ladder"].copy(), logging=seen["logging"].copy(),
            eligible=eligible_actions(seen["channels"], seen["offers"], self.world.catalogue),
            true_values=lambda: net_values(before, account, book, page, runs=self.terms.runs),
        )  # fmt: skip

    def close(self, due: Due, choice: Choice) -> None:
        """Act on the choices, play the week to its end, and write what is known then."""
        choice.check(len(due.account), self.world.catalogue, policy=self.name)
        chosen = np.full(len(self.world.states), NOT_DUE, dtype=np.int64)
        chosen[due.account] = choice.action
        part, ends_us = f"round-{due.number:02d}", to_us(due.moment) + 7 * US_PER_DAY
        serial = self.world.states["decisions"][due.account]
        decided = chosen_table(
            choice, (due.account, serial), to_us(due.moment), catalogue=self.world.catalogue, policy=self.name
        )
        self.tables.write("decisions", decided, part=part)
        rows = np.concatenate([self._rows, self._play(close_round, self._seen, chosen)])
        self.tables.advance(rows, until_us=ends_us, part=part)
        self.tally.add(rows, self._seen, chosen, self.world)

    def _play(self, kernel: Callable[..., tuple[int, int]], *plan: npt.NDArray[np.generic]) -> Ints:
        """The journal rows that a kernel writes over all accounts."""
        journal, first, found = np.zeros((_ROWS, WIDTH), dtype=np.int64), 0, []
        while first < len(self.world.states):
            tools = (self._book, self._week)
            first, written = kernel(self.world.folk.traits, self.world.states, tools, (journal, first, *plan))
            found.append(journal[:written].copy())
        return np.concatenate(found)


def drifted(catalogue: ActionCatalogue, *, rounds: int, strength: float) -> npt.NDArray[np.void]:
    """The playbook (1,) after so many rounds of drift: a channel is reached less, and hardship comes more often.

    Raises
    ------
    DataError : drift is asked for, and the catalogue lacks the channel that it is about
    """
    book = playbook_of(catalogue)
    if strength > 0.0:
        if assumptions.DRIFT_CHANNEL not in catalogue.channels:
            raise DataError(
                f"found drift {strength} and the channels {list(catalogue.channels)}, needed "
                f"{assumptions.DRIFT_CHANNEL!r} among them; leave out --drift"
            )
        book["reach"][0, catalogue.channels.index(assumptions.DRIFT_CHANNEL)] -= (
            strength * rounds * assumptions.DRIFT_REACH
        )
        book["falls"] *= 1.0 + strength * rounds * assumptions.DRIFT_FALLS
    return book
