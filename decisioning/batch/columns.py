"""A page of decisions as Arrow columns: what ``records.decision_row`` says row by row, without a record of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from decisioning.arms import ARMS
from decisioning.assembly import Case, channel_probs, decision_id, runners_up
from decisioning.batch.layout import LOST, MOMENT, REFUSAL, Layout
from decisioning.bundle import ModelBundle
from decisioning.desk import Desk
from decisioning.listed import Listed
from decisioning.records import lost_row
from domain.clock import FOREVER, MISSING

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]


def columns_of(case: Case, layout: Layout, bundle: ModelBundle, desk: Desk) -> pa.Table:
    """The rows of a page, whose refusals are ``Listed``; candidates are not among its columns.

    Money is rounded to cents as in a record, where each amount is rounded by itself.
    """
    found = {
        **_whose(case, bundle, desk), **_chosen(case, desk), **_scores(case, bundle), **_money(case),
        **_said(case), **_versions(case, bundle, desk), **_asked(case, layout),
    }  # fmt: skip
    schema = layout.schema
    return pa.Table.from_arrays([pa.array(found[one.name], type=one.type) for one in schema], schema=schema)


def _own(case: Case, of: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(n,) of the chosen action of each row."""
    return of[np.arange(len(of)), case.choice.action]


def _whose(case: Case, bundle: ModelBundle, desk: Desk) -> dict[str, object]:
    moments = case.page.days.as_of_us
    pairs = zip(case.account_ids, moments.tolist(), strict=True)
    return {
        "decision_id": [decision_id(name, at, bundle, desk.policy_version) for name, at in pairs],
        "account_id": list(case.account_ids),
        "decided_at": _moments(moments),
        "debt_ids": [list(names) for names in case.debt_ids],
    }


def _chosen(case: Case, desk: Desk) -> dict[str, object]:
    actions, chosen = desk.catalogue.actions, case.choice.action
    second = runners_up(case)
    names = pa.array([action.name for action in actions])
    return {
        "action": names.take(pa.array(chosen)),
        **{
            part: pa.array([getattr(action, part) for action in actions]).take(pa.array(chosen))
            for part in ("channel", "offer", "moment")
        },
        "action_prob": case.choice.action_prob,
        "channel_prob": channel_probs(case),
        "arm": pa.array(ARMS).take(pa.array(case.choice.arm)),
        "runner_up": names.take(pa.array(np.maximum(second, 0), mask=second < 0)),
        "not_before": _moments(_own(case, case.spans[0])),
        "valid_until": _moments(_own(case, case.spans[1])),
    }


def _scores(case: Case, bundle: ModelBundle) -> dict[str, object]:
    return {f"p_pay_{days}d": case.p_pay[:, place] for place, days in enumerate(bundle.payment.horizons)}


def _money(case: Case) -> dict[str, object]:
    money, asked = case.money, case.page.asked
    # Adding 0 makes nothing of what is a hair below nothing: cents are whole numbers, and know no negative zero.
    net, waiting = np.rint(_own(case, money.net_cents)) + 0.0, np.rint(money.net_cents[:, 0]) + 0.0
    instalment = _own(case, asked.instalment_cents)
    return {
        "expected_recovered": (np.rint(_own(case, money.recovered_cents)) + 0.0) / 100.0,
        "expected_cost": _currency(_own(case, money.cost_cents)),
        "p_complaint": _own(case, case.outcomes.p_complaint),
        "expected_net_value": net / 100.0,
        "incremental_net_value": (net - waiting) / 100.0,
        "amount_due": asked.due_cents / 100.0,
        "offer_amount": _own(case, asked.offer_cents) / 100.0,
        "discount_amount": _own(case, asked.discount_cents) / 100.0,
        "instalment_amount": pa.array(instalment / 100.0, mask=instalment == 0),
    }


def _said(case: Case) -> dict[str, object]:
    assert isinstance(case.refusals, Listed)
    return {
        "reasons": [[reason.code for reason in row] for row in case.reasons],
        "reason_values": [[reason.value for reason in row] for row in case.reasons],
        "nonpayment": pa.StructArray.from_arrays(
            [pa.array(case.profile.forgets), pa.array(case.profile.unable)], names=["forgets", "unable"]
        ),
        "refusals": _refusals(case.refusals),
        "notices": [list(row) for row in case.notices],
    }


def _refusals(found: Listed) -> pa.ListArray:
    kinds, rules = found.kinds, pa.array(found.kinds.whose)
    of_rule = {
        name: pa.array([getattr(one, name) for one in found.rules], type=pa.string()).take(rules)
        for name in ("rule", "code", "version", "layer")
    }
    why = pa.array(np.maximum(kinds.depends_on, 0), mask=kinds.depends_on < 0)
    columns = {
        "action": pa.array(found.actions, type=pa.string()).take(pa.array(kinds.action)), **of_rule,
        "until": _known(kinds.until_us), "allowed_from": _known(kinds.whole_us),
        "depends_on": pa.array([*found.reasons, ""], type=pa.string()).take(why),
    }  # fmt: skip
    distinct = pa.StructArray.from_arrays([columns[one.name] for one in REFUSAL], fields=[*REFUSAL])
    return pa.ListArray.from_arrays(pa.array(found.offsets, type=pa.int32()), distinct.take(pa.array(found.which)))


def _known(at_us: Int64s) -> pa.Array:
    return pa.array(at_us, mask=(at_us == MISSING) | (at_us == FOREVER)).cast(MOMENT)


def _versions(case: Case, bundle: ModelBundle, desk: Desk) -> dict[str, object]:
    same = {
        "model_version": bundle.version, "policy_version": desk.policy_version,
        "schema_fingerprint": bundle.schema.fingerprint,
    }  # fmt: skip
    return {name: pa.repeat(pa.scalar(text), len(case.account_ids)) for name, text in same.items()}


def _asked(case: Case, layout: Layout) -> dict[str, object]:
    """What is there only where it was asked for, or where something was allotted."""
    found: dict[str, object] = {}
    if layout.log_probs:
        names = pa.array([action.name for action in case.page.catalogue.actions])
        row, action = np.nonzero(case.choice.probabilities > 0)
        offsets = pa.array(np.searchsorted(row, np.arange(len(case.account_ids) + 1)), type=pa.int32())
        possible, probs = names.take(pa.array(action)), pa.array(case.choice.probabilities[row, action])
        each = pa.StructArray.from_arrays([possible, probs], names=["action", "action_prob"])
        found |= {"action_probs": pa.ListArray.from_arrays(offsets, each)}
        found |= {"eligible": pa.ListArray.from_arrays(offsets, possible)}
    if layout.allotted and case.charge_cents is not None:
        found["resource_charge"] = _currency(_own(case, case.charge_cents) + 0.0)
        lost = case.lost or [None] * len(case.account_ids)
        found["lost_to_budget"] = pa.array([None if one is None else lost_row(one) for one in lost], type=LOST)
    return found


def _moments(at_us: npt.NDArray[Any]) -> pa.Array:
    return pa.array(at_us, type=pa.int64()).cast(MOMENT)


def _currency(cents: npt.NDArray[Any]) -> Sequence[float]:
    """Two decimals of what has more: as Python rounds, which looks at the exact value."""
    return [round(one / 100.0, 2) for one in cents.tolist()]
