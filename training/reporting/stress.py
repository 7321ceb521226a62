"""Section 27: what a worse or better economy does to scores, to expected money, and to calibration.

A scenario of ``report_policy.yaml`` does one or both of two things. It moves features of every account, which the score
sees; and it multiplies the odds of paying at unchanged features, which no score can see. Nobody has observed either, so
what is shown is what the model would say, and by how much it would be wrong if the scenario's own numbers were true.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from decisioning.engine import rehearse
from training.reporting.evidence import Evidence
from training.reporting.intervals import Scored, mean_figure
from training.reporting.lights import Figure
from training.reporting.parts import Column, Section, Value, not_available, note, table
from training.reporting.policy import Scenario
from training.reporting.resampling import ece_of

Floats = npt.NDArray[np.float64]
_TINY = 1e-9
_AS_IT_IS = ("como está", "as it is")


def economy(evidence: Evidence) -> Section:
    """Each scenario on the sampled test rows, beside no scenario at all."""
    scenarios = evidence.policy.scenarios
    if not scenarios:
        return not_available("economy", "no_scenarios")
    base = _World.of(evidence, None)
    worlds = [(one, _World.of(evidence, one)) for one in scenarios]
    place = 1 if evidence.locale == "en" else 0
    columns = (
        Column("scenario", "text"), Column("mean_p_served"), Column("p_change"), Column("crossed", "percent", 1),
        Column("true_rate"), Column("stress_gap"), Column("ece"),
    )  # fmt: skip
    rows = [_scores(one.title[place], found, base, evidence) for one, found in worlds]
    shown = [table("scenario_scores", columns, rows)]
    if base.worth is not None:
        money = (
            Column("scenario", "text"), Column("chosen_value", "money"), Column("value_change", "money"),
            Column("gain", "money"), Column("left_alone", "percent", 1),
        )  # fmt: skip
        told = [(_AS_IT_IS[place], base), *((one.title[place], found) for one, found in worlds)]
        shown.append(table("scenario_money", money, [_money(name, found, base) for name, found in told]))
    assumed = (Column("scenario", "text"), Column("odds", places=2), Column("moves", "text"), Column("source", "text"))
    facts = [(one.title[place], one.odds, found.moved or "–", one.source[place]) for one, found in worlds]
    shown.append(table("scenario_assumptions", assumed, facts))
    notes = [note("economy_text", rows=len(base.served), share=evidence.policy.selected_share), note("economy_money")]
    unmoved = [one.title[place] for one, found in worlds if one.features and not found.moved]
    notes += [note("economy_unmoved", names=", ".join(unmoved))] if unmoved else []
    return Section("economy", notes=tuple(notes), tables=tuple(shown))


@dataclass(frozen=True)
class _World:
    """The sampled rows under a scenario.

    ``served`` (m,) is what the delivered model says once their features have moved, and ``true`` (m,) what it says of
    them as they are, with the scenario's odds. ``worth`` (m, 3) are the values of waiting and of the best action in
    currency, and whether that is a contact. ``moved`` names the features that the model has and the scenario moves.
    """

    served: Floats
    true: Floats
    debtor: npt.NDArray[np.int64]
    worth: Floats | None
    moved: str

    @classmethod
    def of(cls, evidence: Evidence, scenario: Scenario | None) -> _World:
        """The rows under a scenario, or as they are."""
        odds = 1.0 if scenario is None else scenario.odds
        values, moved = moved_values(evidence, scenario)
        served = evidence.served(values)
        return cls(
            served, with_odds(evidence.served(evidence.sample.values), odds), evidence.sample.clusters,
            _worth(evidence, values, odds=odds, moved_nothing=not moved), ", ".join(moved),
        )  # fmt: skip


def moved_values(evidence: Evidence, scenario: Scenario | None) -> tuple[Floats, list[str]]:
    """(m, k) sampled rows with the scenario's features moved, and the names of those that the model has.

    What is missing stays missing, shares stay in [0, 1], counts and amounts do not fall below 0, and categories, which
    have no order, are left as they are.
    """
    values, names = evidence.sample.values.copy(), evidence.names
    moved: list[str] = []
    if scenario is None:
        return values, moved
    schema = evidence.bundle.schema
    for column, name in enumerate(names):
        found = [move for pattern, move in scenario.features.items() if fnmatchcase(name, pattern)]
        if not found or column in schema.categorical:
            continue
        own = values[:, column] * found[0].times + found[0].add
        least = -np.inf if np.nanmin(values[:, column], initial=0.0) < 0.0 else 0.0
        most = 1.0 if schema.features[column].unit == "share" else np.inf
        values[:, column] = np.clip(own, least, most)
        moved.append(name)
    return values, moved


def with_odds(p: Floats, odds: float) -> Floats:
    """Probabilities whose odds are multiplied.

    >>> with_odds(np.array([0.5]), 3.0).tolist()
    [0.75]
    """
    if odds == 1.0:
        return p
    return np.asarray(expit(logit(np.clip(p, _TINY, 1.0 - _TINY)) + np.log(odds)), dtype=np.float64)


def _worth(evidence: Evidence, values: Floats, *, odds: float, moved_nothing: bool) -> Floats | None:
    """Money of waiting and of the best action; what comes back falls as an account's probability of paying does.

    The choice is the model's, which does not know of the odds. Costs are in what is scaled: they are a small part.
    """
    if evidence.left_alone is None or evidence.desk is None:
        return None
    found = evidence.left_alone if moved_nothing else rehearse(values, evidence.bundle, desk=evidence.desk)
    scale = with_odds(found.p_pay, odds) / np.maximum(found.p_pay, _TINY)
    money = np.column_stack([found.waiting_cents, found.chosen_cents]) / 100.0 * scale[:, None]
    return np.column_stack([money, found.contacted.astype(np.float64)])


def _scores(name: str, found: _World, base: _World, evidence: Evidence) -> tuple[Value, ...]:
    """One row: mean score, its change, who crosses the cut, the rate that would be, and how far the score is off."""
    cut = np.quantile(base.served, 1.0 - evidence.policy.selected_share)
    crossed = ((found.served >= cut) != (base.served >= cut)).astype(np.float64)
    figures = [
        mean_figure(one, found.debtor) for one in (found.served, found.served - base.served, crossed, found.true)
    ]
    gap = mean_figure(found.true - found.served, found.debtor)
    return (name, *figures, gap, _ece(found))


def _ece(found: _World) -> Figure:
    """Calibration error if the scenario holds: of what is served against the scenario's own probabilities."""
    return ece_of(Scored(found.true, found.served, found.debtor))


def _money(name: str, found: _World, base: _World) -> tuple[Value, ...]:
    worth, before = found.worth, base.worth
    if worth is None or before is None:
        return (name, None, None, None, None)
    parts = (worth[:, 1], worth[:, 1] - before[:, 1], worth[:, 1] - worth[:, 0], 1.0 - worth[:, 2])
    return (name, *(mean_figure(one, found.debtor) for one in parts))
