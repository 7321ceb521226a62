"""Which smallest step of the debtor makes another action the best: found on the thresholds of the trees, recomputed.

One feature is changed at a time, in the direction that the catalogue declares, and all others are held fixed, as are
the rules and what each action asks for: it tells what the model looks at, and promises nothing about what would follow
from a real payment, which moves more than one feature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from decisioning.bundle import ModelBundle
from decisioning.desk import Desk
from decisioning.offers import Offers, outcomes_of
from decisioning.pressure import pressure_carried
from decisioning.valuation import worth
from domain.decisions import Change
from features.definitions import Feature

Floats = npt.NDArray[np.float64]

MOST = 3
STEPS = 2
"""How many values of a count that the model tells apart are tried: what lies farther is no small change."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A column of the features, the value it would have, and how many values of it are nearer."""

    column: int
    value: float
    nearer: int


def reached(found: Offers, row: int, bundle: ModelBundle, desk: Desk) -> list[Change]:
    """At most three features of an account, those first that need the fewest steps, and then what gains most."""
    steps = _steps(found.values[row], bundle)
    allowed = found.eligible.allowed[row]
    if not steps or allowed.sum() < 2:
        return []
    before = np.where(allowed, found.money.objective_cents[row], -np.inf)
    best = int(np.argmax(before))
    after = np.where(allowed, _objective(found, row, steps, bundle, desk), -np.inf)
    now = np.argmax(after, axis=1)
    told: dict[int, tuple[int, Change]] = {}
    for place in np.flatnonzero(now != best).tolist():
        step, action = steps[place], int(now[place])
        if step.column not in told:
            gain = float(after[place, action] - after[place, best])
            told[step.column] = (step.nearer, _change(found, row, step, bundle, action=action, gain=gain))
    ordered = sorted(told.values(), key=lambda one: (one[0], -one[1].gain_cents, one[1].feature or ""))
    return [change for _, change in ordered if change.gain_cents > 0][:MOST]


def _steps(values: Floats, bundle: ModelBundle) -> list[_Step]:
    """What can be tried, by column and then from near to far."""
    return [
        _Step(column, value, nearer)
        for column, declared in enumerate(bundle.schema.features)
        if declared.actionable and column in bundle.levels
        for nearer, value in enumerate(steps_of(declared, float(values[column]), bundle.levels[column]))
    ]


def steps_of(declared: Feature, value: float, levels: Floats) -> list[float]:
    """Values of an actionable feature that a model tells from ``value``, from near to far.

    What is counted grows by whole events. Days since the latest event can only begin anew, at 0. ``levels`` are rising
    thresholds; what is not known because its table is absent cannot be stepped from.
    """
    if declared.actionable < 0:
        crossed = len(levels) > 0 if np.isnan(value) else bool(((levels >= 0.0) & (levels < value)).any())
        return [0.0] if crossed else []
    if np.isnan(value):
        return []
    nearest = np.unique(np.floor(levels[levels >= value]) + 1.0)
    found: list[float] = nearest[:STEPS].tolist()
    return found


def _objective(found: Offers, row: int, steps: list[_Step], bundle: ModelBundle, desk: Desk) -> Floats:
    """(s, A) what the policy would compare after each step."""
    values = np.repeat(found.values[row : row + 1], len(steps), axis=0)
    values[np.arange(len(steps)), [step.column for step in steps]] = [step.value for step in steps]
    allowed = np.repeat(found.eligible.allowed[row : row + 1], len(steps), axis=0)
    explained = bundle.payment.horizons.index(bundle.payment.explained)
    p_pay = bundle.payment.predict(values)[:, explained] if bundle.response is None else np.zeros(len(steps))
    outcomes = outcomes_of(values, p_pay, bundle, desk, allowed=allowed)
    page = found.page
    carried = pressure_carried(page.states, page.catalogue, as_of_us=page.days.as_of_us)[row]
    money = worth(
        outcomes, page.asked.of_row(row, times=len(steps)), page.catalogue.actions, desk.config.objective,
        carried=np.full(len(steps), carried),
    )  # fmt: skip
    return money.objective_cents


def _change(found: Offers, row: int, step: _Step, bundle: ModelBundle, *, action: int, gain: float) -> Change:
    now = float(found.values[row, step.column])
    return Change(
        kind="feature", action=found.page.catalogue.actions[action].name, gain_cents=gain, by="debtor",
        feature=bundle.schema.names[step.column], value=None if np.isnan(now) else now, needed=step.value,
    )  # fmt: skip
