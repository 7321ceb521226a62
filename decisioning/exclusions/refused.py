"""Refusals of decisions as arrays, page by page: who is refused what, and by which rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from decisioning.arms import ARMS
from decisioning.exclusions.figures import LAYERS, STAGES
from decisioning.refusals import BUDGET_RULE
from domain.actions import WAIT, ActionCatalogue
from domain.decisions import Decision, Refusal
from domain.errors import DataError

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]
_ALLOWED = STAGES.index("allowed")
_BUDGET, _LIMIT = LAYERS.index("budget"), LAYERS.index("limit")
_PAGE = 500


class Key(NamedTuple):
    """One code of one rule; keys sort by layer first."""

    layer: int
    rule: str
    code: str


@dataclass(frozen=True)
class Refused:
    """n decisions: ``refused`` (n, A, R) without ``wait``, and the position of the ``chosen`` action, -1 for ``wait``.

    ``start`` is the place of the first of them among all; ``arm`` (n,) is the code of each debtor's arm, and ``lost``
    (n,) says whether the best action was lost to a budget.
    """

    start: int
    keys: tuple[Key, ...]
    refused: Bools
    chosen: Int64s
    arm: Int64s
    lost: Bools

    @cached_property
    def left(self) -> Bools:
        """(S, n, A) which pairs are left at each stage."""
        layer_of = np.array([key.layer for key in self.keys], dtype=np.int64)
        fallen = np.full(self.refused.shape[:2], len(LAYERS))
        if self.keys:
            first = layer_of[self.refused.argmax(axis=2)]
            fallen = np.where(self.refused.any(axis=2), first, fallen)
        after = [fallen >= layer for layer in range(len(LAYERS) + 1)]
        return np.stack([*after, np.arange(self.refused.shape[1]) == self.chosen[:, None]])

    @cached_property
    def alone(self) -> Bools:
        """(n, A, R) where nothing else refuses the pair."""
        single = self.refused.sum(axis=2) == 1
        return np.asarray(self.refused & single[:, :, None], dtype=np.bool_)

    @cached_property
    def only_wait(self) -> Bools:
        """(n,) accounts to which nothing is allowed."""
        return np.asarray(~self.left[_ALLOWED].any(axis=1), dtype=np.bool_)


def keys_of(decisions: Sequence[Decision]) -> tuple[Key, ...]:
    """Every rule and code that refuses anything, by layer, rule and code."""
    found = {(one.layer, one.rule, one.code): one for decision in decisions for one in decision.refusals}
    return tuple(sorted({_key(one) for one in found.values()}))


def _key(refusal: Refusal) -> Key:
    return key_of(refusal.rule, refusal.code, refusal.layer)


def key_of(rule: str, code: str, layer: str) -> Key:
    """The key of what a rule refuses; a layer that is not known counts as a limit."""
    if rule.startswith(BUDGET_RULE):
        return Key(_BUDGET, rule, code)
    return Key(LAYERS.index(layer) if layer in LAYERS else _LIMIT, rule, code)


def pages(decisions: Sequence[Decision], keys: tuple[Key, ...], catalogue: ActionCatalogue) -> Iterator[Refused]:
    """The decisions in their order, some hundreds at a time.

    Raises
    ------
    DataError : a decision knows an action that the catalogue has not, or chose what it refuses
    """
    place = {key: column for column, key in enumerate(keys)}
    actions = {name: column for column, name in enumerate(catalogue.names()[1:])}
    for start in range(0, len(decisions), _PAGE):
        page = decisions[start : start + _PAGE]
        refused = np.zeros((len(page), len(actions), len(keys)), dtype=np.bool_)
        try:
            for row, decision in enumerate(page):
                for one in decision.refusals:
                    refused[row, actions[one.action], place[_key(one)]] = True
            chosen = np.array([_chosen(decision, actions) for decision in page], dtype=np.int64)
        except KeyError as error:
            raise DataError(
                f"found a decision on the action {error.args[0]!r}, needed one of the {len(actions)} of actions.yaml; "
                "give the configuration by which these decisions were made"
            ) from error
        arm = np.array([ARMS.index(decision.arm) for decision in page], dtype=np.int64)
        lost = np.array([decision.lost_to_budget is not None for decision in page], dtype=np.bool_)
        found = Refused(start, keys, refused, chosen, arm, lost)
        refuse_contradictions(found)
        yield found


def _chosen(decision: Decision, actions: Mapping[str, int]) -> int:
    return -1 if decision.action == WAIT else actions[decision.action]


def refuse_contradictions(found: Refused) -> None:
    """A decision whose chosen action is refused in it is none.

    Raises
    ------
    DataError : there is one
    """
    acting = np.flatnonzero(found.chosen >= 0)
    wrong = found.refused[acting, found.chosen[acting]].any(axis=1)
    if wrong.any():
        raise DataError(
            f"found {int(wrong.sum())} decisions that chose an action which they refuse, needed none; the records were "
            "changed after they were made, so decide again"
        )
