"""Why an account may not pay: does it forget, or can it not? Two scores of declared evidence, and their reasons.

No real data set says which of the two a debtor is, so nothing is learned here: each score adds up fixed points for
what is known (``FORGETS``, ``UNABLE``). They are scores and no probabilities, and change no other score and no choice:
the boosters see the same features and weigh them by outcomes. How well they part the two on simulated truth is in
docs/model.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from domain.decisions import Nonpayment, Reason
from features.catalogue import feature, reason_text
from features.schema import FeatureSchema

Floats = npt.NDArray[np.float64]

SAID_FROM = 0.3
"""From this score on a decision says so in its reasons."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Points for each unit of a feature (a count or a flag), up to ``most`` units."""

    points: float
    most: float


FORGETS: Mapping[str, Evidence] = {
    "payments_late_count_365d": Evidence(0.1, most=8.0),
    "reasons_forgot_count_365d": Evidence(0.7, most=2.0),
}
"""Who pays, but after the due date, time and again; and who says so."""
UNABLE: Mapping[str, Evidence] = {
    "hardship_active": Evidence(1.0, most=1.0),
    "reasons_hardship_count_365d": Evidence(0.5, most=2.0),
    "promises_broken_count_since_kept": Evidence(0.2, most=3.0),
    "agreements_broken_count": Evidence(0.2, most=3.0),
    "offer_abandoned_count_90d": Evidence(0.1, most=3.0),
}
"""Who says that the money is not there, or agrees to pay and then does not."""
_TEXTS = {
    "FORGETS": (
        "Costuma pagar, mas depois do vencimento: parece esquecer",
        "Usually pays, but after the due date: seems to forget",
    ),
    "UNABLE": (
        "Há sinais de falta de capacidade de pagamento",
        "There are signs that the money is not there",
    ),
}
KINDS = tuple(_TEXTS)
"""Codes of the reasons that say a kind of non-payment."""


@dataclass(frozen=True, slots=True)
class Profile:
    """``forgets`` and ``unable``, (n,) each, from 0 (no evidence) to below 1."""

    forgets: Floats
    unable: Floats

    def of(self, row: int) -> Nonpayment:
        """The two scores of one account."""
        return Nonpayment(float(self.forgets[row]), float(self.unable[row]))


def profile(values: Floats, schema: FeatureSchema) -> Profile:
    """Both scores of every account: 1 − exp(−points), so that more evidence never lowers one.

    Parameters
    ----------
    values : (n, k) features in the order of ``schema``

    Notes
    -----
    What is missing, in a row or in the schema, is no evidence: 0 points.
    """
    return Profile(*(-np.expm1(-_points(values, schema, kind).sum(axis=1)) for kind in (FORGETS, UNABLE)))


def profile_reasons(
    found: Profile, values: Floats, schema: FeatureSchema, *, locale: str | None, currency: str = "R$"
) -> list[tuple[Reason, ...]]:
    """At most one reason per row: the higher score, where it reaches ``SAID_FROM``; none where the two are equal.

    Without a ``locale`` it has no wording.

    It names its strongest evidence. Its contribution is 0, because it adds nothing to the explained probability.
    """
    kinds = {"FORGETS": (FORGETS, found.forgets, found.unable), "UNABLE": (UNABLE, found.unable, found.forgets)}
    said: list[tuple[Reason, ...]] = [()] * len(values)
    for code, (kind, score, other) in kinds.items():
        points, names = _points(values, schema, kind), tuple(kind)
        for row in np.flatnonzero((score >= SAID_FROM) & (score > other)).tolist():
            name = names[int(np.argmax(points[row]))]
            value = float(values[row, schema.index[name]])
            told = reason_text(feature(name), value, locale=locale, currency=currency) if locale else ""
            text = f"{kind_text(code, locale)}. {told}" if locale else ""
            said[row] = (Reason(code=code, feature=name, contribution=0.0, text=text),)
    return said


def kind_text(code: str, locale: str) -> str:
    """What ``FORGETS`` or ``UNABLE`` says, without its evidence; another code is a ``KeyError``."""
    return _TEXTS[code][1 if locale == "en" else 0]


def _points(values: Floats, schema: FeatureSchema, kind: Mapping[str, Evidence]) -> Floats:
    """(n, e) points of each piece of evidence."""
    columns, each, most = _weights(schema.names, tuple(kind.items()))
    # Of NaN, which is missing, and a number fmax is the number.
    return each * np.minimum(np.fmax(values[:, columns], 0.0), most)


@lru_cache(maxsize=32)
def _weights(
    features: tuple[str, ...], kind: tuple[tuple[str, Evidence], ...]
) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """(e,) each: the column, the points of a unit and the most units of each piece of evidence."""
    index = {name: place for place, name in enumerate(features)}
    return (
        np.array([index.get(name, 0) for name, _ in kind], dtype=np.int64),
        np.array([evidence.points if name in index else 0.0 for name, evidence in kind]),
        np.array([evidence.most for _, evidence in kind]),
    )
