"""Two models on the same requests: what the one that was served and the one in its shadow said, and how they compare.

A pair holds what a comparison needs and nothing of the debtor beside the account's pseudonymous id. Serving writes
pairs, one line of JSON each; :func:`compare` reads them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any


@dataclass(frozen=True, slots=True)
class Side:
    """What one model said: ``p_pay`` by horizon (``30d``), and for a decision its action with the amounts, currency."""

    model_version: str
    p_pay: Mapping[str, float]
    action: str | None = None
    action_prob: float | None = None
    expected_net_value: float | None = None
    incremental_net_value: float | None = None

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Side:
        """The side of a score or a decision as the service answers it; every horizon is under ``p_pay`` then."""
        own = {name.removeprefix("p_pay_"): value for name, value in answer.items() if name.startswith("p_pay_")}
        chosen = (answer.get(name) for name in ("action", "action_prob", "expected_net_value", "incremental_net_value"))
        return cls(answer["model_version"], {**answer["p_pay"], **own}, *chosen)


@dataclass(frozen=True, slots=True)
class Pair:
    """Both answers about one account at one moment (``as_of``, RFC 3339), under one policy."""

    account_id: str
    as_of: str
    champion: Side
    challenger: Side

    def to_line(self) -> str:
        """One line without its end."""
        return json.dumps(asdict(self), ensure_ascii=True, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_line(cls, line: str) -> Pair:
        """The pair of a line; a ``ValueError`` where the line is torn or something else."""
        try:
            found = json.loads(line)
            sides = (_side(found[name]) for name in ("champion", "challenger"))
            return cls(str(found["account_id"]), str(found["as_of"]), *sides)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("found a line that is no pair of answers") from error

    @property
    def differences(self) -> dict[str, float]:
        """Absolute difference of ``p_pay`` by the horizons that both have."""
        mine, other = self.champion.p_pay, self.challenger.p_pay
        return {days: abs(mine[days] - other[days]) for days in mine if days in other}

    @property
    def same_action(self) -> bool | None:
        """Whether both chose the same; ``None`` where it was about scores alone."""
        return None if self.champion.action is None else self.champion.action == self.challenger.action


@dataclass(frozen=True, slots=True)
class Horizon:
    """``p_pay`` of one horizon on both sides: means, and mean and largest absolute difference."""

    champion: float
    challenger: float
    mean_difference: float
    largest_difference: float


@dataclass(frozen=True, slots=True)
class Compared:
    """All pairs of two versions: ``pairs`` of them, of which ``decisions`` are decisions.

    Net values are means over decisions, in currency, each by its own model: that a model expects more of its own
    choices does not say that they are worth more.
    """

    champion: str
    challenger: str
    pairs: int
    decisions: int
    horizons: Mapping[str, Horizon]
    same_action_share: float | None
    champion_net_value: float | None
    challenger_net_value: float | None


def compare(pairs: Iterable[Pair]) -> list[Compared]:
    """One comparison for each two versions that met, in the order in which they first did."""
    by_versions: dict[tuple[str, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_versions[pair.champion.model_version, pair.challenger.model_version].append(pair)
    return [_compared(*versions, met) for versions, met in by_versions.items()]


def _compared(champion: str, challenger: str, pairs: list[Pair]) -> Compared:
    decided = [pair for pair in pairs if pair.same_action is not None]
    days = sorted({days for pair in pairs for days in pair.differences}, key=lambda text: (len(text), text))
    return Compared(
        champion=champion,
        challenger=challenger,
        pairs=len(pairs),
        decisions=len(decided),
        horizons={each: _horizon(each, pairs) for each in days},
        same_action_share=_mean([float(bool(pair.same_action)) for pair in decided]),
        champion_net_value=_mean([pair.champion.expected_net_value or 0.0 for pair in decided]),
        challenger_net_value=_mean([pair.challenger.expected_net_value or 0.0 for pair in decided]),
    )


def _horizon(days: str, pairs: list[Pair]) -> Horizon:
    both = [pair for pair in pairs if days in pair.differences]
    gaps = [pair.differences[days] for pair in both]
    return Horizon(
        champion=sum(pair.champion.p_pay[days] for pair in both) / len(both),
        challenger=sum(pair.challenger.p_pay[days] for pair in both) / len(both),
        mean_difference=sum(gaps) / len(gaps),
        largest_difference=max(gaps),
    )


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _side(found: Mapping[str, Any]) -> Side:
    p_pay = {str(days): float(p) for days, p in found["p_pay"].items()}
    if not all(isfinite(p) for p in p_pay.values()):
        raise ValueError("found a probability that is no number")
    return Side(**{**found, "p_pay": p_pay})
