"""From canonical tables and a bundle to what is watched, all of it as it was known at the end of the last week."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from decisioning.bundle import ModelBundle
from domain.clock import US_PER_DAY, rfc3339
from domain.errors import DataError
from domain.tables import Tables
from features.batch import compute_many
from features.encoding import Encoded, encode
from features.profile import unseen_shares
from features.schema import missing_tables
from features.spine import Spine, every_account
from training import labels, sampling
from training.dataset import Horizon
from training.facts import end_of_data, known_before
from training.monitoring.conduct import Conduct
from training.monitoring.config import MonitoringConfig
from training.monitoring.watched import DAYS, LEAST_WEEKS, ScoredRows, Watched, Week, part_of_month
from training.ope.canonical import trained_until_us
from training.splits import hash_share
from training.standing import standing_at
from training.windows import Int64s

OnStep = Callable[[str, float], None]
_SALT = 0x3A7C


@dataclass(frozen=True, slots=True)
class Span:
    """Which moments are asked for; ``None`` leaves them to the data and the configuration."""

    from_us: int | None = None
    until_us: int | None = None


def watch(
    tables: Tables,
    bundle: ModelBundle,
    *,
    config: MonitoringConfig,
    conduct: Conduct,
    span: Span,
    on_step: OnStep = lambda _what, _share: None,
) -> Watched:
    """Everything that the checks look at.

    Parameters
    ----------
    conduct : how decisions, contacts and payments are read
    span : judged weeks lie in ``[from, until)``; by default the last ``config.weeks`` before the last day of the data

    Raises
    ------
    DataError : there is no dated row, or no whole week in the span
    """
    before, weeks = _weeks_of(tables, span, config)
    until_us = weeks[-1].end_us
    on_step("sorting events", 0.1)
    known = known_before(tables, until_us=until_us)
    encoded = encode(known, attributes=bundle.schema.attributes)
    horizon = Horizon(_end_us(known, until_us), conduct.lag_days)
    scorer = _Scorer(encoded, bundle, _sampled(bundle, encoded, config), horizon, config)
    on_step("scoring weeks", 0.25)
    rows = tuple(scorer.rows(week) for week in weeks)
    on_step("scoring weeks before", 0.45)
    weeks_before, rows_before = _before(scorer, before, weeks[0])
    on_step("counting", 0.8)
    owing = [int(_owing(encoded, week).sum()) for week in (*before, *weeks)]
    told = conduct.of(encoded)
    return Watched(
        before=before,
        weeks=weeks,
        rows=rows,
        weeks_before=weeks_before,
        rows_before=rows_before,
        owing=np.array(owing, dtype=np.int64),
        decisions=told.decisions,
        contacts=told.contacts,
        payments=told.payments,
        discounts=told.discounts,
        answered_until_us=horizon.end_us - conduct.answer_days * US_PER_DAY,
        sampled=scorer.sampled,
        fallbacks=_fallbacks(bundle, encoded),
    )


def _weeks_of(tables: Tables, span: Span, config: MonitoringConfig) -> tuple[tuple[Week, ...], tuple[Week, ...]]:
    """The weeks just before the judged ones, and these."""
    # The last day of the data is mostly a part of one.
    last_us = end_of_data(tables, until_us=None)
    until_us = span.until_us if span.until_us is not None else last_us // US_PER_DAY * US_PER_DAY
    weeks = _weeks(span.from_us, until_us, config.weeks)
    back = range(config.reference_weeks, 0, -1)
    return tuple(Week(weeks[0].start_us - one * DAYS * US_PER_DAY) for one in back), weeks


def _before(scorer: _Scorer, before: tuple[Week, ...], first: Week) -> tuple[tuple[Week, ...], tuple[ScoredRows, ...]]:
    """The weeks that scores are held against, with their rows; none where too few of them have enough."""
    weeks = _anchored(scorer.bundle, before, first) if scorer.config.against == "weeks" else ()
    scored = [(week, scorer.rows(week)) for week in weeks]
    kept = [(week, rows) for week, rows in scored if len(rows) >= scorer.config.min_rows]
    if len(kept) < LEAST_WEEKS:
        return (), ()
    return tuple(week for week, _ in kept), tuple(rows for _, rows in kept)


def _end_us(known: Tables, until_us: int) -> int:
    """Up to when the known tables speak: to the end of the last week where they have a record of its last day."""
    last_us = end_of_data(known, until_us=until_us)
    return until_us if last_us > until_us - US_PER_DAY else last_us


def _weeks(from_us: int | None, until_us: int, count: int) -> tuple[Week, ...]:
    """Whole weeks that end at ``until_us``, in order of time."""
    width = DAYS * US_PER_DAY
    if from_us is not None:
        count = (until_us - from_us) // width
    if count < 1:
        raise DataError(
            f"found {rfc3339(from_us or until_us)} to {rfc3339(until_us)}, needed a week at least; give an earlier "
            "--from or a later --until"
        )
    return tuple(Week(until_us - back * width) for back in range(count, 0, -1))


def _anchored(bundle: ModelBundle, before: tuple[Week, ...], first: Week) -> tuple[Week, ...]:
    """The last weeks of the model's own data, which stay the same while it serves; those just ``before`` where the
    model knows later ones."""
    end_us = trained_until_us(bundle)
    if end_us is None or end_us > first.start_us:
        return before
    width = DAYS * US_PER_DAY
    away = (first.start_us - end_us + width - 1) // width
    return tuple(Week(week.start_us - away * width) for week in before)


@dataclass(frozen=True)
class _Scorer:
    """Scores the rows of any week."""

    encoded: Encoded
    bundle: ModelBundle
    sampled: str
    horizon: Horizon
    config: MonitoringConfig

    @cached_property
    def _log(self) -> Spine:
        return sampling.decided(self.encoded)[0]

    @cached_property
    def _money(self) -> labels.Receipts:
        return labels.receipts(self.encoded)

    def rows(self, week: Week) -> ScoredRows:
        encoded, bundle = self.encoded, self.bundle
        by_decisions = self.sampled == "decisions"
        whole = self._log.take(week.holds(self._log.as_of_us)) if by_decisions else _everyone(encoded, week)
        spine = whole.take(standing_at(encoded, whole).owes)
        spine = spine.take(one_per_debtor(spine, encoded, most=self.config.max_rows_per_week))
        values = compute_many(encoded, spine, bundle.schema)
        horizons = bundle.payment.horizons
        paid = [labels.paid_within(self._money, spine, horizon_days=days) for days in horizons]
        last = np.array([week.end_us], dtype=np.int64)
        return ScoredRows(
            debtor=encoded.debtor[spine.account].astype(np.int64),
            values=values,
            p_pay=bundle.payment.predict(values) if len(values) else np.zeros((0, len(horizons))),
            part=part_of_month(spine.as_of_us),
            paid=np.column_stack(paid).astype(np.float64),
            mature=np.array([bool(self.horizon.mature(last, days)[0]) for days in horizons]),
            unseen=unseen_shares(encoded, spine, bundle.schema),
        )


def _sampled(bundle: ModelBundle, encoded: Encoded, config: MonitoringConfig) -> str:
    """``decisions`` or ``portfolio``: what was asked for, or like the rows of training, where decisions are logged."""
    if config.rows != "auto":
        return config.rows
    path = bundle.folder / "evaluation" / "evaluation.json"
    told = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    by_decisions = str(told.get("sampling", {}).get("as_of", "")).startswith("decisions")
    return "decisions" if by_decisions and encoded.tables.rows("decisions") else "portfolio"


def one_per_debtor(spine: Spine, encoded: Encoded, *, most: int) -> Int64s:
    """Positions of at most ``most`` rows, one per debtor, drawn by hash: rows of one debtor are alike."""
    debtor = encoded.debtor[spine.account].astype(np.int64)
    draw = hash_share(spine.account.astype(np.int64), spine.as_of_us, seed=_SALT)
    order = np.lexsort((draw, debtor))
    first = order[np.diff(debtor[order], prepend=-1) != 0]
    if len(first) > most:
        first = first[np.argsort(hash_share(debtor[first], seed=_SALT), kind="stable")[:most]]
    return np.sort(first)


def _everyone(encoded: Encoded, week: Week) -> Spine:
    return every_account(len(encoded.account_ids), as_of_us=week.start_us)


def _owing(encoded: Encoded, week: Week) -> np.ndarray:
    owes: np.ndarray = standing_at(encoded, _everyone(encoded, week)).owes
    return owes


def _fallbacks(bundle: ModelBundle, encoded: Encoded) -> dict[str, float]:
    """Share of accounts that something lesser is done for, by what it is."""
    absent = {f"absent_{name}": 1.0 for name in missing_tables(bundle.schema, encoded.present)}
    if bundle.response is None:
        return {"priors": 1.0, **absent}
    constant = any(head.constant is not None for head in bundle.response.heads.values())
    return {"priors": 0.0, "constant_head": float(constant), **absent}
