"""Allocation problems of realistic structure, and what others make of them: HiGHS, and greedy hands.

A portfolio of four channels, four offers and three moments (48 actions, and waiting), nine constraints: agents, SMS and
letters, expected discount, and contacts in each of five segments by days past due. Balances are lognormal; ability to
pay, reach by channel and taste for offers differ from account to account, so that no two are copies.
"""

from __future__ import annotations

from typing import Any

import highspy
import numba
import numpy as np
import numpy.typing as npt
from scipy import sparse

from decisioning.allocation.problem import Problem
from decisioning.allocation.repair import use_of

COST = {"sms": 0.09, "whatsapp": 0.35, "agent_call": 6.50, "letter": 3.80}
REACH = {"sms": 0.30, "whatsapp": 0.42, "agent_call": 0.28, "letter": 0.35}
PRESSURE = {"sms": 0.4, "whatsapp": 0.6, "agent_call": 1.0, "letter": 0.5}
LIFT = {"sms": 0.02, "whatsapp": 0.03, "agent_call": 0.05, "letter": 0.035}
DISCOUNT = (0.0, 0.10, 0.25, 0.0)
OPENS_AT_SEGMENT = (0, 1, 2, 0)
MOMENTS, SEGMENTS = 3, 5
AGENTS, SMS, LETTERS, MONEY = range(4)
_COMPLAINT = 250.0 * 0.002
_RESOURCE = {"agent_call": AGENTS, "sms": SMS, "letter": LETTERS}


def portfolio(n: int, *, seed: int = 0) -> Problem:
    """A problem of n accounts in currency units, as float32; limits bind: agents for 2 % of the accounts, and so on."""
    rng = np.random.default_rng(seed)
    balance = np.exp(rng.normal(6.7, 1.1, n))
    segment = rng.choice(SEGMENTS, n, p=[0.30, 0.25, 0.20, 0.15, 0.10])
    able = rng.beta(2, 4, n)
    value = np.zeros((n, 1 + len(COST) * len(DISCOUNT) * MOMENTS), dtype=np.float32)
    given, action = [], 0
    for channel, cost in COST.items():
        reach = np.clip(REACH[channel] * np.exp(rng.normal(0, 0.5, n)), 0, 0.95)
        closed = rng.random(n) < (0.35 if channel == "whatsapp" else 0.0)
        for offer, discount in enumerate(DISCOUNT):
            taste = np.exp(rng.normal(0, 0.4, n))
            agreed = able * (0.10 + 0.5 * discount + 0.08 * (offer == 3)) * taste * (1 - 0.1 * segment)
            agreed = np.clip(agreed + LIFT[channel], 0, 0.9)
            for _ in range(MOMENTS):
                action += 1
                taken = np.clip(reach * np.exp(rng.normal(0, 0.25, n)), 0, 0.98) * agreed
                worth = 0.6 * taken * balance * (1 - discount) - cost - _COMPLAINT * PRESSURE[channel]
                value[:, action] = np.where(closed | (segment < OPENS_AT_SEGMENT[offer]), np.nan, worth)
                if discount:
                    given.append((action, (taken * discount * balance).astype(np.float32)))
    value[rng.random(n) < 0.08, 1:] = np.nan
    return _limited(value, segment.astype(np.int64), given)


def _limited(value: npt.NDArray[np.float32], segment: npt.NDArray[np.int64], given: list[tuple[int, Any]]) -> Problem:
    n, actions = value.shape
    constant = np.zeros((SEGMENTS, actions, 4 + SEGMENTS))
    each = len(DISCOUNT) * MOMENTS
    for place, channel in enumerate(COST):
        if channel in _RESOURCE:
            constant[:, 1 + place * each : 1 + (place + 1) * each, _RESOURCE[channel]] = 1.0
    for one in range(SEGMENTS):
        constant[one, 1:, 4 + one] = 1.0
    problem = Problem(
        value=value, segment=segment, constant=constant, amount=np.stack([money for _, money in given], axis=1),
        pair_action=np.array([action for action, _ in given]), pair_resource=np.full(len(given), MONEY),
        limit=np.full(4 + SEGMENTS, np.inf), minimum=np.zeros(4 + SEGMENTS),
    )  # fmt: skip
    free = use_of(problem, np.nanargmax(value, axis=1).astype(np.int16))
    problem.limit[:] = [0.02 * n, 0.25 * n, 0.01 * n, 0.3 * free[MONEY], *np.floor(0.7 * free[4:])]
    return problem


def highs(problem: Problem, *, integer: bool, gap: float = 1e-6, seconds: float = 600.0) -> tuple[float, float]:
    """Value and proven bound of the program by HiGHS: the integer one to a ``gap``, or its relaxation."""
    rows, columns = np.nonzero(problem.value > -np.inf)
    n, m = len(problem), len(rows)
    place = np.full(problem.value.shape, -1)
    place[rows, columns] = np.arange(m)
    use = problem.constant[problem.segment[rows], columns]
    for pair, (action, resource) in enumerate(zip(problem.pair_action, problem.pair_resource, strict=True)):
        known = place[:, action] >= 0
        use[place[known, action], resource] += problem.amount[known, pair]
    one_each = sparse.csr_array((np.ones(m), (rows, np.arange(m))), shape=(n, m))
    matrix = sparse.vstack([one_each, sparse.csr_array(use.T)]).tocsc()
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = m, n + problem.resources
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = problem.value[rows, columns].astype(np.float64)
    model.col_lower_, model.col_upper_ = np.zeros(m), np.ones(m)
    model.row_lower_ = np.r_[np.ones(n), np.where(problem.minimum > 0, problem.minimum, -np.inf)]
    model.row_upper_ = np.r_[np.ones(n), problem.limit]
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr, matrix.indices
    model.a_matrix_.value_ = matrix.data
    if integer:
        model.integrality_ = [highspy.HighsVarType.kInteger] * m
    solver = highspy.Highs()
    for option, wanted in {"output_flag": False, "threads": 1, "mip_rel_gap": gap, "time_limit": seconds}.items():
        solver.setOptionValue(option, wanted)
    solver.passModel(model)
    solver.run()
    info = solver.getInfo()
    if info.primal_solution_status != 2:
        return -np.inf, -np.inf
    return info.objective_function_value, info.mip_dual_bound if integer else info.objective_function_value


def greedy(problem: Problem, *, dearest_first: bool) -> npt.NDArray[np.int16]:
    """Each account in turn takes the best action that still fits: in order, or those first that gain most."""
    best = np.nanmax(problem.value, axis=1)
    order = np.argsort(-best, kind="stable") if dearest_first else np.arange(len(problem))
    parts = problem.segment, problem.constant, problem.amount, problem.pair_start, problem.pair_resource
    return _greedy(problem.value, *parts, problem.limit, order)


@numba.njit(cache=True)
def _greedy(value, segment, constant, amount, start, pair_resource, limit, order):  # type: ignore[no-untyped-def]
    choice = np.zeros(len(value), dtype=np.int16)
    use, own = np.zeros(len(limit)), np.zeros(len(limit))
    for i in order:
        best = 0.0
        for a in range(1, value.shape[1]):
            if value[i, a] > best:
                own[:] = constant[segment[i], a]
                for p in range(start[a], start[a + 1]):
                    own[pair_resource[p]] += amount[i, p]
                if ((use + own <= limit) | (own == 0)).all():
                    best, choice[i] = value[i, a], a
        if choice[i]:
            use += constant[segment[i], choice[i]]
            for p in range(start[choice[i]], start[choice[i] + 1]):
                use[pair_resource[p]] += amount[i, p]
    return choice
