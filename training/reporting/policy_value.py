"""Section 17 and what belongs to it: what the decision policy is worth, with its support, and the models behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from decisioning.targeting import LeftAlone, band_of
from training.reporting.evidence import Evidence
from training.reporting.intervals import mean_figure
from training.reporting.lights import Figure
from training.reporting.parts import Column, Section, Value, not_available, note, table

_LIGHTS = ("POLICY_SUPPORT", "POLICY_VALUE", "POLICY_UNSEEN", "POLICY_PROBABILITIES")
_VERDICTS = {"better": 2.0, "not_established": 1.0, "worse": 0.0, "no_support": 1.0}


def policy_value(evidence: Evidence) -> Section:
    """IPS, SNIPS and DR of every policy with intervals, effective rows, largest weight, and support."""
    found = evidence.comparison
    if found is None or not found.get("opponents"):
        return not_available("policy_value", "never_compared", evidence.missing(*_LIGHTS, reason="never_compared"))
    evaluated = found.get("evaluated") or {}
    own = (evaluated.get("policies") or {}).get("model")
    ladder = found["opponents"].get("ladder", {}).get("verdict")
    support = None if own is None else Figure(own["ess"], n=found["decisions"])
    score = None if ladder is None else Figure(_VERDICTS[ladder], n=found["decisions"])
    notes = [
        note("opponents_text", days=found["horizon_days"], decisions=found["decisions"], at=str(found["compared_at"])),
        note("opponents_seen" if found["seen_in_training"] else "opponents_unseen", seen=found["seen_in_training"]),
        note("verdict_scale"), note("ope_text"),
    ]  # fmt: skip
    if any(one["verdict"] == "not_established" for one in found["opponents"].values()):
        notes.append(note("opponents_open"))
    return Section(
        "policy_value",
        lights=(
            evidence.judge("POLICY_SUPPORT", support, reason="old_comparison"),
            evidence.judge("POLICY_VALUE", score, about=ladder, reason="no_ladder"),
            evidence.judge("POLICY_UNSEEN", _unseen(evaluated, evidence), reason="old_comparison"),
            evidence.judge("POLICY_PROBABILITIES", _weights(evaluated, evidence), reason="old_comparison"),
        ),
        notes=tuple(notes), tables=(_opponents(found), *_policies(evaluated), *_overlap(evaluated)),
    )  # fmt: skip


def _weights(evaluated: Mapping[str, Any], evidence: Evidence) -> Figure | None:
    """How far the mean weight of the policy that draws evenly from what was eligible is from 1; 0 within chance.

    It is 1 whatever the outcomes are, as long as each action was drawn with the probability that the log says. Any
    policy's is, but this one weighs every action alike. Errors either way that cancel are not seen.
    """
    return _mean_weight("random", evaluated, evidence, sides=(-1.0, 1.0))


def _unseen(evaluated: Mapping[str, Any], evidence: Evidence) -> Figure | None:
    """By how much the mean weight of the model's policy is below 1: its mass on what the log hardly ever did.

    Effective rows do not tell it. Where the policy mostly does what the log does, all rows on which they agree count
    fully, and the rare, large weights that would stand for the rest are not in the sample at all.
    """
    return _mean_weight("model", evaluated, evidence, sides=(-1.0,))


def _mean_weight(
    name: str, evaluated: Mapping[str, Any], evidence: Evidence, *, sides: tuple[float, ...]
) -> Figure | None:
    """Distance of a policy's mean weight from 1, below, above or either way; 0 where chance makes as much."""
    found = (evaluated.get("policies") or {}).get(name) or {}
    se = found.get("mean_weight_se")
    if se is None or found.get("unsupported_share_is_estimated"):
        return None
    value = max(side * (found["mean_weight"] - 1.0) for side in sides)
    half = float(norm.isf(evidence.policy.family_error / 2.0)) * se
    told, low, high = (value, value - half, value + half) if value > half else (0.0, 0.0, 0.0)
    return Figure(told, low, high, evaluated["rows"], evaluated["debtors"], "clustered")


def _opponents(found: Mapping[str, Any]) -> Any:
    rows = [
        (f"opponent_{name}", _estimate(one["uplift"], found["decisions"]), _estimate(one["mdr_uplift"],
        found["decisions"]),
         one["verdict"]) for name, one in found["opponents"].items()
    ]  # fmt: skip
    columns = (
        Column("opponent", "word"), Column("dr_uplift", places=2), Column("mdr_uplift", places=2),
        Column("verdict", "word"),
    )  # fmt: skip
    return table("opponents", columns, rows)


def _policies(evaluated: Mapping[str, Any]) -> list[Any]:
    if not evaluated:
        return []
    n, debtors = evaluated["rows"], evaluated["debtors"]
    rows: list[tuple[Value, ...]] = [
        ("opponent_logged", None, None, _estimate(evaluated["logged"], n, debtors), None, None, None, None)
    ]
    for name, one in evaluated["policies"].items():
        values = [_estimate(one.get(kind), n, debtors) for kind in ("ips", "snips", "dr")]
        rows.append(
            (f"opponent_{name}", *values, one["ess"], one["max_weight"], one["unsupported_share"], one["verdict"])
        )
    columns = (
        Column("policy", "word"), Column("ips", places=2), Column("snips", places=2), Column("dr", places=2),
        Column("ess", places=1), Column("max_weight", places=1), Column("unsupported", "percent", 1),
        Column("verdict", "word"),
    )  # fmt: skip
    return [table("policies", columns, rows)]


def _overlap(evaluated: Mapping[str, Any]) -> list[Any]:
    spread = evaluated.get("overlap") if evaluated else None
    if not spread:
        return []
    rows = [(float(share), value) for share, value in spread.items()]
    return [table("overlap", (Column("quantile", "percent", 0), Column("action_prob")), rows)]


def _estimate(found: Mapping[str, Any] | None, n: int, debtors: int | None = None) -> Figure | None:
    if found is None:
        return None
    return Figure(found["value"], found["low"], found["high"], n, debtors, "clustered")


def response(evidence: Evidence) -> Section:
    """The response model, its challenger, and money expected beside money that came."""
    found = evidence.evaluation.get("response", {})
    if found.get("refused") or "heads" not in found:
        return not_available("response", "response_refused", why=str(found.get("refused") or "–"))
    money = found.get("money") or {}
    notes = [
        note("response_text", learner=found["learner"], rows=found["rows"], debtors=found["debtors"],
             actions=found["actions"], days=found["share_days"])
    ]  # fmt: skip
    notes += [note("fell_back", why=str(found["fell_back"]))] if "fell_back" in found else []
    notes += [note("money_not_measured", why=str(money["not_measured"]))] if "not_measured" in money else []
    tables = [_heads("heads", found["heads"])]
    if "challenger" in found:
        tables.append(_heads("challenger_heads", found["challenger"]["heads"]))
    if "logged" in money:
        rows = [
            (f"money_{name}", money[name].get("rows", money["rows"]),
             Figure(money[name]["ratio"], money[name]["low"], money[name]["high"], money["rows"], None, "clustered"))
            for name in ("logged", "chosen")
        ]  # fmt: skip
        columns = (Column("decisions_of", "word"), Column("rows", "count"), Column("money_ratio", places=2))
        tables.append(table("money_ratio", columns, rows))
    return Section("response", notes=tuple(notes), tables=tuple(tables))


def _heads(name: str, heads: Mapping[str, Any]) -> Any:
    columns = (
        Column("head", "code"), Column("kind", "text"), Column("rows", "count"), Column("rate"), Column("auc"),
        Column("ece"),
    )  # fmt: skip
    rows = [
        (head, one["kind"], one["rows"], one.get("rate", one.get("mean")), one.get("test_auc"), one.get("test_ece"))
        for head, one in heads.items()
    ]
    return table(name, columns, rows)


def targeting(evidence: Evidence) -> Section:
    """By chance of paying without a contact: what waiting and the best action are worth, and who is left alone."""
    found, alone = evidence.rehearsed, evidence.left_alone
    if found is None or alone is None:
        return not_available("targeting", "no_targeting")
    columns = (
        Column("self_cure_from", "percent", 0), Column("self_cure_to", "percent", 0), Column("accounts", "count"),
        Column("waiting_value", "money"), Column("chosen_value", "money"), Column("gain", "money"),
        Column("left_alone", "percent", 1), Column("mostly", "word"),
    )  # fmt: skip
    rows = [
        (one["p_pay_low"], one["p_pay_high"], one["accounts"],
         *_worth(alone, band, evidence.sample.clusters), one["mostly"])
        for one, band in zip(found["bands"], np.unique(band_of(alone)).tolist(), strict=True)
    ]  # fmt: skip
    notes = [note("targeting_text", rows=found["rows"])]
    notes += [note("targeting_priors")] if found["rests_on_priors"] else []
    return Section("targeting", notes=tuple(notes), tables=(table("targeting", columns, rows),))


def _worth(found: LeftAlone, band: int, debtor: npt.NDArray[np.int64]) -> list[Figure]:
    """Of one band: value of waiting and of the best action, the gain, and the share that is left alone."""
    inside = band_of(found) == band
    waiting, chosen = found.waiting_cents[inside] / 100.0, found.chosen_cents[inside] / 100.0
    parts = (waiting, chosen, chosen - waiting, (~found.contacted[inside]).astype(np.float64))
    return [mean_figure(one, debtor[inside]) for one in parts]


def discount_learning(evidence: Evidence) -> Section:
    """Whether discounts teach waiting (docs/dignity.md), as it was asked of the log in training."""
    found = evidence.evaluation.get("discount_learning")
    if not found:
        return not_available("discount_learning", "old_bundle")
    if not found["effects"]:
        return not_available("discount_learning", "no_discounts", why="; ".join(found["not_available"]) or "–")
    effects = [
        (f"on_{name}", one["otherwise"], *(_bound(one[bound], one) for bound in ("takers_lost", "takers_kept")),
         one["effective"]["with_discount"], one["effective"]["without_discount"], one["debtors"],
         f"waits_{one['verdict']}")
        for name, one in found["effects"].items()
    ]  # fmt: skip
    sides = ("with_discount", "without_discount")
    rows = [
        (row["earlier_offers"], f"paid_before_{row['paid_before']}",
         *(cell for side in sides for cell in (row[side]["decisions"], _side(row[side])))) for row in found["table"]
    ]  # fmt: skip
    columns = (
        Column("on_whom", "word"), Column("otherwise", "percent", 1), Column("takers_lost", places=3),
        Column("takers_kept", places=3), Column("effective_with", "count"), Column("effective_without", "count"),
        Column("debtors", "count"), Column("teaches", "word"),
    )  # fmt: skip
    logged = (
        Column("earlier_discounts", "text"), Column("paid_before", "word"), Column("with_discount", "count"),
        Column("paid_with", "percent", 1), Column("without_discount", "count"), Column("paid_without", "percent", 1),
    )  # fmt: skip
    notes = (
        note("waiting_effect", after=found["after_days"], valid=found["valid_days"], matters=found["matters"]),
        note("waiting_table", days=found["paid_days"]),
    )
    shown = (table("waiting_effects", columns, effects), table("waiting_logged", logged, rows))
    return Section("discount_learning", notes=notes, tables=shown)


def _bound(found: Mapping[str, float] | None, one: Mapping[str, Any]) -> Figure | None:
    if not found:
        return None
    return Figure(found["value"], found["low"], found["high"], sum(one["rows"].values()), one["debtors"], "clustered")


def _side(found: Mapping[str, Any]) -> Figure | None:
    paid = found["paid"]
    return None if not paid else Figure(paid["value"], paid["low"], paid["high"], found["decisions"], None, "clustered")
