"""At which moments each account is looked at: where it was decided on, or at regular intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from domain.clock import FOREVER, MISSING, US_PER_DAY
from domain.tables import Tables
from features.encoding import Encoded
from features.spine import Spine
from training.config import SamplingConfig
from training.splits import hash_share
from training.windows import Bools, Int64s

_ENOUGH_DECISIONS = 1_000
_SPANS = 4
"""A log must span so many of the longest horizon: three parts, with a gap before each of the last two."""


def decided(encoded: Encoded) -> tuple[Spine, Int64s]:
    """Moments at which accounts were decided on, and the row of the log each comes from; by account and time."""
    if not encoded.tables.rows("decisions"):
        return Spine(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)), np.zeros(0, dtype=np.int64)
    account = encoded.account_of("decisions")
    at_us = encoded.tables.ints("decisions", "decided_at")
    rows = np.flatnonzero((encoded.known_until("decisions") == FOREVER) & (account >= 0))
    names = encoded.tables.text("decisions", "decision_id")
    # Ties of account and moment are broken by id, so that the order of files changes nothing.
    order = rows[np.lexsort((_alphabetical(names.values)[names.codes[rows]], at_us[rows], account[rows]))]
    return Spine(account[order], at_us[order]), order


def periodic(encoded: Encoded, config: SamplingConfig, *, end_us: int, seed: int) -> Spine:
    """One moment every ``every_days`` from an account's first event on, at a phase of its own, up to the end."""
    first = _first_seen(encoded)
    rows = np.flatnonzero(first < end_us)
    step_us = config.every_days * US_PER_DAY
    # Phases spread the portfolio over the calendar: a common day would teach the model one day of the month.
    start = first[rows] + np.rint(hash_share(rows, seed=seed) * config.every_days).astype(np.int64) * US_PER_DAY
    counts = np.maximum(0, -((start - end_us) // step_us))
    account = np.repeat(rows, counts)
    steps = np.arange(len(account)) - np.repeat(np.cumsum(counts) - counts, counts)
    return Spine(account.astype(np.int32), np.repeat(start, counts) + steps * step_us)


def moments(
    encoded: Encoded, config: SamplingConfig, *, end_us: int, longest_days: int, seed: int
) -> tuple[Spine, str]:
    """Where the payment model looks, before what owes nothing is left out, and in a few words why.

    Notes
    -----
    Logged decisions alone where the log is long enough to split for the longest horizon: the model is asked at such
    moments, and is better calibrated on them. A shorter log is led up to by regular moments.
    """
    log, _ = decided(encoded)
    long_enough = len(log) >= _ENOUGH_DECISIONS and np.ptp(log.as_of_us) >= _SPANS * longest_days * US_PER_DAY
    if config.as_of == "decisions" or (config.as_of == "auto" and long_enough):
        return log, "decisions"
    regular = periodic(encoded, config, end_us=end_us, seed=seed)
    if config.as_of == "periodic" or (config.as_of == "auto" and len(log) < _ENOUGH_DECISIONS):
        return regular, "periodic"
    if config.as_of == "both":
        return _together(log, regular), "both"
    earlier = regular.take(regular.as_of_us < int(log.as_of_us.min()))
    return _together(log, earlier), "decisions + periodic before"


def thinned(spine: Spine, config: SamplingConfig, *, seed: int) -> Int64s:
    """Positions kept: at most ``max_per_account`` of an account and ``max_rows`` in all, in order of account and time.

    Notes
    -----
    An account's time is cut into spans at a phase of its own, and the first row of each is kept: whether a row is kept
    depends on its past alone. Drawing from all rows of an account would not do: who pays leaves the log and has few
    rows, so payers would be kept more often, and the more so the longer ago.
    """
    order = np.lexsort((spine.as_of_us, spine.account))
    account, as_of_us = spine.account[order].astype(np.int64), spine.as_of_us[order]
    if not len(order):
        return order
    width_us = int(np.ptp(as_of_us)) // max(config.max_per_account - 1, 1) + 1
    phase_us = np.rint(hash_share(account, seed=seed) * width_us).astype(np.int64)
    span = (as_of_us - as_of_us.min() + phase_us) // (width_us if config.max_per_account > 1 else 4 * width_us)
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (account[1:] != account[:-1]) | (span[1:] != span[:-1])
    kept = order[first]
    return kept[at_most(spine.take(kept), config.max_rows, seed=seed)]


def distinct(spine: Spine) -> Bools:
    """Whether each row is the first of its account and moment; the spine stands in that order."""
    first = np.ones(len(spine), dtype=np.bool_)
    same = (spine.account[1:] == spine.account[:-1]) & (spine.as_of_us[1:] == spine.as_of_us[:-1])
    first[1:] = ~same
    return first


def _together(left: Spine, right: Spine) -> Spine:
    account = np.concatenate([left.account, right.account])
    as_of_us = np.concatenate([left.as_of_us, right.as_of_us])
    order = np.lexsort((as_of_us, account))
    return Spine(account[order], as_of_us[order])


def _first_seen(encoded: Encoded) -> Int64s:
    """When each account's first debt or payment was known; ``FOREVER`` where there is none."""
    first = np.full(len(encoded.account_ids), FOREVER, dtype=np.int64)
    tables: Tables = encoded.tables
    for name in ("debts", "payments"):
        account, at_us = encoded.account_of(name), tables.ints(name, "recorded_at")
        dated = (account >= 0) & (at_us != MISSING)
        np.minimum.at(first, account[dated], at_us[dated])
    return first


def _alphabetical(values: Sequence[str]) -> Int64s:
    rank = np.empty(len(values), dtype=np.int64)
    rank[np.argsort(np.array(values, dtype=object), kind="stable")] = np.arange(len(values))
    return rank


def at_most(spine: Spine, max_rows: int, *, seed: int) -> Int64s:
    """Positions of at most that many rows, drawn by hash, in order."""
    if len(spine) <= max_rows:
        return np.arange(len(spine), dtype=np.int64)
    draw = hash_share(spine.account.astype(np.int64), spine.as_of_us, seed=seed)
    return np.sort(np.argsort(draw, kind="stable")[:max_rows])
