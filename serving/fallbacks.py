"""Where the service answers with something lesser than it could: a fixed code for each place, and its counter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.metrics import FALLBACKS

if TYPE_CHECKING:
    # The process that watches over the workers does without what decides.
    from decisioning.bundle import ModelBundle
    from decisioning.desk import Desk

CODES = {
    "priors": "an account was valued by configured priors: the model has learned no responses",
    "constant_head": "an account was valued by a response model of which a part is a constant: too little was known",
    "unseen_channel": "an account was valued with a channel of which the log of decisions holds nothing",
    "no_champion": "an account was answered by the challenger: nothing was promoted",
    "trees_not_read": "an account was explained by LightGBM itself, at a hundred times the cost: see `TreeShap.of`",
    "limits_not_kept": "an account was decided on without the configured capacities and budgets: there are no prices",
    "table_assumed": "a ledger came without payments, which were taken as none",
    "not_kept": "a decision was answered and not kept: the service has no store",
    "prices_kept": "a day began at the prices of the day before: there were no newer ones that could be used",
    "keys_kept": "keys were taken as they were read before: the store could not be read",
    "wording_kept": "an explanation told a reason or a refusal as it was worded then, or by its code",
    "wording_unfaithful": "a sentence of an explanation was left out: it held a number that is not in the record",
    "feature_log": "what was scored could not be written to the feature log",
}
"""Every code with what happened once for each that is counted."""

for _code in CODES:
    # So that an alert sees the first one as a rise from 0.
    FALLBACKS.labels(_code)


def fell_back(code: str, times: int = 1) -> None:
    """Counts what was done by something lesser; ``code`` is one of ``CODES``."""
    if code not in CODES:
        raise KeyError(f"found the code {code!r}, needed one of serving.fallbacks.CODES")
    FALLBACKS.labels(code).inc(times)


def standing(bundle: ModelBundle, desk: Desk, *, limited: bool, promoted: bool) -> tuple[str, ...]:
    """The codes that hold for each account which this model answers at this desk.

    Parameters
    ----------
    limited : whether capacities and budgets are kept
    promoted : whether the model is one that was promoted, or was asked for by name
    """
    found = [] if promoted else ["no_champion"]
    if bundle.response is None:
        found.append("priors")
    else:
        if any(head.constant is not None for head in bundle.response.heads.values()):
            found.append("constant_head")
        sent = getattr(bundle.response, "sent", None)
        if sent is not None and set(desk.catalogue.channels) - set(sent):
            found.append("unseen_channel")
    if bundle.payment.explainers[bundle.payment.explained].reason:
        found.append("trees_not_read")
    if desk.config.is_limited and not limited:
        found.append("limits_not_kept")
    return tuple(found)
