"""What a page of decisions adds to the figures of a run, taken from its arrays and not from records."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from decisioning.assembly import Case, runners_up
from decisioning.batch.outline import Outline, explained_of
from decisioning.bundle import ModelBundle
from decisioning.exclusions.refused import Key, Refused, key_of, refuse_contradictions
from decisioning.exclusions.segments import Segmentation, bands, known_segments
from decisioning.listed import Listed
from decisioning.targeting import Dealt


def refused_in(case: Case) -> Refused:
    """Who is refused what on a page, and by which rule; its refusals are ``Listed``.

    Raises
    ------
    DataError : an action was chosen that is refused
    """
    assert isinstance(case.refusals, Listed)
    every = [key_of(one.rule, one.code, one.layer) for one in case.refusals.rules]
    keys = sorted(set(every))
    column: dict[Key, int] = {key: place for place, key in enumerate(keys)}
    rule = np.array([column[key] for key in every], dtype=np.int64)
    refused = np.zeros((len(case.account_ids), len(case.refusals.actions) - 1, len(keys)), dtype=np.bool_)
    which, kinds = case.refusals.which, case.refusals.kinds
    # Waiting, the first action, is never refused.
    refused[case.refusals.rows, kinds.action[which] - 1, rule[kinds.whose[which]]] = True
    lost = np.array([one is not None for one in case.lost or [None] * len(refused)], dtype=np.bool_)
    found = Refused(0, tuple(keys), refused, case.choice.action - 1, case.choice.arm, lost)
    refuse_contradictions(found)
    return found


def segments_in(case: Case, bundle: ModelBundle) -> dict[str, Segmentation]:
    """The segments of a page's accounts, by what is known of them and by what was decided."""
    assert case.page.dossier is not None
    days = explained_of(bundle.payment.horizons)
    p_pay = case.p_pay[:, bundle.payment.horizons.index(days)]
    known = known_segments(case.page.states.days_past_due, case.page.dossier)
    return known | bands(p_pay, case.page.asked.due_cents, horizon_days=days)


def outline_of(case: Case, bundle: ModelBundle) -> Outline:
    """The outline of a page."""
    assert isinstance(case.refusals, Listed)
    rows, chosen = np.arange(len(case.account_ids)), case.choice.action
    net = np.rint(case.money.net_cents)
    added = net - net[:, :1]
    second = runners_up(case)
    could = np.where(chosen > 0, added[rows, chosen], -np.inf)
    could = np.maximum(could, np.where(second > 0, added[rows, np.maximum(second, 0)], -np.inf))
    days = explained_of(bundle.payment.horizons)
    dealt = Dealt(
        case.p_pay[:, bundle.payment.horizons.index(days)], chosen > 0, could, case.money.cost_cents[rows, chosen],
        added[rows, chosen],
    )  # fmt: skip
    actions = case.page.catalogue.actions
    found = zip(*np.unique(chosen, return_counts=True), strict=True)
    channels: dict[str, int] = {}
    for place, count in found:
        name = actions[int(place)].channel
        channels[name] = channels.get(name, 0) + int(count)
    return Outline(dealt, net[rows, chosen], channels, _codes(case.refusals))


def _codes(found: Listed) -> dict[str, int]:
    """How many rows have a refusal of each code."""
    codes = sorted({one.code for one in found.rules})
    place = np.array([codes.index(one.code) for one in found.rules], dtype=np.int64)
    pairs: npt.NDArray[np.int64] = np.unique(found.rows * max(len(codes), 1) + place[found.kinds.whose[found.which]])
    counts = np.bincount(pairs % max(len(codes), 1), minlength=len(codes))
    return dict(zip(codes, counts.tolist(), strict=True))
