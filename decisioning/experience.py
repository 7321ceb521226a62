"""How often what is decided was tried in training: a value that rests on other actions has to say so.

Models know an action by what it is (channel, kind of offer, discount, instalments, cost), so that a new one gets a
value before it has data: that of what is like it. This module counts what was tried, and words the notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.actions import Action
from features.wording import say_value

Floats = npt.NDArray[np.float64]
Counts = Mapping[str, Mapping[str, Sequence[int]]]
"""Times tried and times taken, by what they are counted for (``_KEYS``) and by name."""

RARE = 30
"""Below it nothing was learned of an action itself: a leaf of the boosters that know actions holds at least 50 rows."""
_TEXTS = {
    "channel": (
        "este canal foi tentado {} vezes nos dados de treino: o valor apoia-se em canais semelhantes",
        "this channel was tried {} times in the training data: its value rests on channels that are like it",
    ),
    "offer": (
        "esta proposta foi tentada {} vezes nos dados de treino: o valor apoia-se em propostas semelhantes",
        "this offer was tried {} times in the training data: its value rests on offers that are like it",
    ),
    "both": (
        "esta proposta foi tentada {} vezes por este canal nos dados de treino: o valor apoia-se em ações semelhantes",
        "this offer was tried {} times on this channel in the training data: its value rests on actions like it",
    ),
    "range": (
        "; propostas do mesmo tipo que foram tentadas valem aqui de {} a {}",
        "; offers of its kind that were tried are worth {} to {} here",
    ),
}


@dataclass(frozen=True)
class Experience:
    """What a model has learned from."""

    counts: Counts

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Experience | None:
        """That of a bundle, from its settings; ``None`` where none was kept, as in older bundles."""
        found = (settings.get("response") or {}).get("tried")
        return None if found is None else cls(found)

    def lacking(self, action: Action) -> tuple[str, int] | None:
        """The widest of channel, offer and both that was tried less than ``RARE`` times, and how often it was."""
        if action.is_wait:
            return None
        for name in ("channel", "offer", "both"):
            times = int(self.counts[name].get(_key(action, name), (0, 0))[0])
            if times < RARE:
                return name, times
        return None


def count_tried(
    actions: Sequence[Action], index: npt.NDArray[np.int64], taken: npt.NDArray[Any]
) -> dict[str, dict[str, list[int]]]:
    """What rows of a model tried, and what of it was taken, by channel, kind of offer, offer, and channel with offer.

    Parameters
    ----------
    index : (n,) position in ``actions`` of what each row tried
    taken : (n,) whether it was agreed to, or paid after
    """
    tried = np.bincount(index, minlength=len(actions))
    won = np.bincount(index, weights=np.asarray(taken, dtype=np.float64), minlength=len(actions))
    found: dict[str, dict[str, list[int]]] = {name: {} for name in ("channel", "kind", "offer", "both")}
    for place, action in enumerate(actions):
        for name, counts in found.items():
            if not action.is_wait:
                total = counts.setdefault(_key(action, name), [0, 0])
                total[0], total[1] = total[0] + int(tried[place]), total[1] + int(won[place])
    return found


def experience_notices(
    found: Experience | None,
    actions: Sequence[Action],
    chosen: npt.NDArray[np.int64],
    *,
    net_cents: Floats,
    allowed: npt.NDArray[np.bool_],
    wording: tuple[str, str],
) -> list[tuple[str, ...]]:
    """One notice for each row whose chosen action was hardly tried; ``wording`` is locale and currency symbol.

    Notes
    -----
    The range is that of the values of tried and allowed actions with the same kind of offer, for this account, where
    there are two. It tells how far what the value rests on lies apart, and is no confidence interval: how the new
    action differs from all of these, no data can tell.
    """
    missing_of = {place: found.lacking(actions[place]) for place in set(chosen.tolist())} if found else {}
    # Nearly every request ends here, before all the other actions are looked up.
    if found is None or not any(missing_of.values()):
        return [()] * len(chosen)
    known = np.array([not action.is_wait and found.lacking(action) is None for action in actions])
    kinds = np.array([action.offer_kind for action in actions])
    said: list[tuple[str, ...]] = []
    for row, place in enumerate(chosen.tolist()):
        missing = missing_of[place]
        if missing is None:
            said.append(())
            continue
        like = net_cents[row, known & allowed[row] & (kinds == kinds[place])]
        text = _text(missing[0], wording[0]).format(missing[1])
        said.append((text + (_range(like, wording) if len(like) > 1 else ""),))
    return said


def _range(net_cents: Floats, wording: tuple[str, str]) -> str:
    locale, currency = wording
    ends = (
        say_value(float(end), "cents", locale=locale, currency=currency) for end in (net_cents.min(), net_cents.max())
    )
    return _text("range", locale).format(*ends)


def _text(name: str, locale: str) -> str:
    return _TEXTS[name][1 if locale == "en" else 0]


def _key(action: Action, name: str) -> str:
    """By what an action is and not by what it is called: an offer whose discount was changed is another one."""
    offer = f"{action.offer_kind}:{action.discount_pct:g}:{action.instalments}:{action.offer_cost:g}"
    return {"channel": action.channel, "kind": action.offer_kind, "offer": offer, "both": f"{action.channel}/{offer}"}[
        name
    ]
