"""The decision engine over one model bundle, as the service asks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.allocation.membership import check_attributes
from decisioning.allocation.prices import newest_prices
from decisioning.audiences import explained
from decisioning.bundle import ModelBundle
from decisioning.desk import Desk, load_desk
from decisioning.engine import decide, score
from decisioning.fidelity import faithful
from decisioning.permits import permit_json, permits
from decisioning.proposals import Proposal
from decisioning.record_words import Words
from decisioning.records import decision_json
from decisioning.refusals import PERSON_UNCHECKED
from domain.clock import rfc3339, to_us
from domain.decisions import Decision
from domain.money import from_cents
from features.catalogue import CATALOGUE
from features.encoding import Encoded, encode
from features.spine import Spine
from serving.brain import Answer, Explain
from serving.day_books import DayBooks
from serving.fallbacks import fell_back, standing
from serving.feature_log import FeatureLog
from serving.ledgers import SEPARATOR, Batch, own_id
from serving.loading import verified_bundle
from serving.reservations import Reservation
from serving.settings import Settings
from serving.swapping import Read
from serving.tallies import Tallies
from serving.tally import Tally
from serving.watching import Watcher


class Engine:
    """The decision engine over one model bundle and one desk.

    ``observe`` is told how many rows held a code that is in no vocabulary, by column; ``feature_log`` takes a share of
    what was scored, and ``tallies`` count all of it.
    With ``books`` capacities and budgets are kept at their prices, without them not at all.
    """

    def __init__(
        self,
        bundle: ModelBundle,
        desk: Desk,
        *,
        notice: str | None = None,
        observe: Callable[[Mapping[str, int]], None] = lambda _: None,
        feature_log: FeatureLog | None = None,
        books: DayBooks | None = None,
        tallies: Tallies | None = None,
    ) -> None:
        self._bundle = bundle
        self._desk = desk
        self._notice = notice
        self._observe = observe
        self._feature_log = feature_log
        self._books = books
        self._tallies = tallies
        self._watcher = Watcher(
            bundle.schema.fingerprint, bundle.version, tallies.kept(Tally(bundle)) if tallies else None, feature_log,
            fallbacks=standing(bundle, desk, limited=books is not None, promoted=notice is None),
        )  # fmt: skip

    @property
    def bundle(self) -> ModelBundle:
        """The model."""
        return self._bundle

    def with_bundle(self, bundle: ModelBundle) -> Engine:
        """Another model at the same desk, with the same books and the same feature log.

        Raises
        ------
        ConfigError : a segment goes by an attribute that this model was not trained with
        """
        if self._books is not None:
            check_attributes(self._desk.config.segments, bundle.schema.attributes)
        return Engine(
            bundle, self._desk, observe=self._observe, feature_log=self._feature_log, books=self._books,
            tallies=self._tallies,
        )  # fmt: skip

    def replayer(self, bundle: ModelBundle | None = None) -> Engine:
        """The same desk without books and logs, over another model where one is given."""
        return Engine(bundle or self._bundle, self._desk)

    def scores(self, batch: Batch, *, as_of: datetime) -> list[Answer]:
        """``p_pay`` by horizon and what is expected to come back."""
        encoded, accounts = self._encoded(batch)
        spine = Spine(accounts.astype(np.int32), np.full(len(accounts), to_us(as_of), dtype=np.int64))
        found = score(encoded, spine, self._bundle, desk=self._desk, watch=self._watcher.of(batch, encoded))
        explained = self._bundle.payment.explained
        place = found.horizons.index(explained)
        return [
            {
                "account_id": account_id,
                "p_pay": {f"{days}d": p for days, p in zip(found.horizons, p_pay, strict=True)},
                f"p_pay_{explained}d": p_pay[place],
                "expected_recovered": from_cents(round(float(found.expected_recovered_cents[row]))),
                "amount_due": from_cents(int(found.amount_due_cents[row])),
                "model_version": self._bundle.version,
                "schema_fingerprint": self._bundle.schema.fingerprint,
            }
            for row, (account_id, p_pay) in enumerate(zip(batch.account_ids, found.p_pay.tolist(), strict=True))
        ]

    def decisions(
        self,
        batch: Batch,
        *,
        as_of: datetime,
        explain: Explain,
        locale: str,
        commit: bool,
        reservation: Reservation | None = None,
    ) -> list[Answer]:
        """The records of the engine, with the ids that the request used.

        Those that are committed hold the probability of every action: the log of decisions is to be evaluated on.
        """
        encoded, accounts = self._encoded(batch)
        found = decide(
            encoded, as_of=as_of, bundle=self._bundle, desk=self._desk,
            accounts=accounts, explain=explain, locale=locale, watch=self._watcher.of(batch, encoded),
            log_probs=commit or explain == "full",
            allot=self._books.allot(encoded, commit=commit, reservation=reservation) if self._books else None,
        )  # fmt: skip
        notices = tuple(_assumed(table, locale) for table in batch.assumed)
        own = [
            replace(
                decision,
                debt_ids=tuple(own_id(debt) for debt in decision.debt_ids),
                notices=(*decision.notices, *notices, *_unchecked(decision, locale)),
            )
            for decision in found
        ]
        return [decision_json(decision, explained=self._bundle.payment.explained) for decision in own]

    def permits(self, batch: Batch, decided: Sequence[Proposal], *, at: datetime, locale: str) -> list[Answer]:
        """The permits of ``decisioning.permits``, with the span in which each decision may be carried out."""
        encoded, _ = self._encoded(batch)
        # Debts of a request are told apart by their account, those of the store have their own names.
        named = [
            one if batch.through is not None
            else replace(one, debt_ids=tuple(f"{one.account_id}{SEPARATOR}{debt}" for debt in one.debt_ids))
            for one in decided
        ]  # fmt: skip
        found = permits(encoded, named, at=at, bundle=self._bundle, desk=self._desk, locale=locale)
        return [
            {
                **permit_json(permit),
                "action": one.action,
                "not_before": rfc3339(one.not_before_us),
                "valid_until": rfc3339(one.valid_until_us),
            }
            for permit, one in zip(found, decided, strict=True)
        ]

    def explanation(self, answer: Answer, *, locale: str, beside: Mapping[str, Any]) -> Answer:
        """As ``decisioning.audiences`` words it, under the rules of this desk; no number that is not in the record."""
        words = self.words(locale)
        if not words.knows(answer):
            fell_back("wording_kept")
        told, left_out = faithful(explained(answer, words=words, beside=beside), answer, words)
        if left_out:
            fell_back("wording_unfaithful", left_out)
        return told

    def words(self, locale: str) -> Words:
        """With what records are worded, under the rules of this desk."""
        declared = {feature.code: feature for feature in (*CATALOGUE, *self._bundle.schema.features)}
        return Words(locale, self._desk.config.currency_symbol, declared, self._desk.contact_policy)

    def model(self) -> Answer:
        """Versions, hash and fingerprints of what is being served."""
        bundle = self._bundle
        return {
            "model_version": bundle.version,
            "model_hash": bundle.model_hash,
            "trained_at": bundle.trained_at,
            "schema_fingerprint": bundle.schema.fingerprint,
            "policy_version": self._desk.policy_version,
            "horizon_days": list(bundle.payment.horizons),
            "explained_horizon_days": bundle.payment.explained,
            "has_response_model": bundle.response is not None,
            "notice": self._notice,
        }

    def _encoded(self, batch: Batch) -> tuple[Encoded, npt.NDArray[np.int64]]:
        found = encode(batch.tables, attributes=self._bundle.schema.attributes, whole_debtors=batch.whole_debtors)
        encoded = replace(found, unchecked=batch.unchecked)
        self._observe(encoded.unknown_codes)
        index = encoded.account_index()
        return encoded, np.array([index[account_id] for account_id in batch.account_ids], dtype=np.int64)


def _unchecked(decision: Decision, locale: str) -> tuple[str, ...]:
    """What to send where a rule on the person had to refuse for want of it."""
    if not any(refusal.code == PERSON_UNCHECKED for refusal in decision.refusals):
        return ()
    if locale == "en":
        return ("rules on the person refuse contact: send debtor_contacts, [] where there were none",)
    return ("regras sobre a pessoa recusam o contato: envie debtor_contacts, [] se não houve nenhum",)


def _assumed(table: str, locale: str) -> str:
    if locale == "en":
        return f"the request has no {table}: taken as none"
    return f"a requisição não traz {table}: considerado como nenhum"


def load_engine(
    settings: Settings,
    *,
    observe: Callable[[Mapping[str, int]], None] = lambda _: None,
    read: Read | None = None,
    tallies: Tallies | None = None,
) -> Engine:
    """Reads and verifies bundle and configuration; ``read`` reads the bundle, by default ``verified_bundle``.

    Raises
    ------
    BundleError, FeatureSchemaMismatchError, ConfigError : there is nothing that can be served, and why
    """
    bundle = (read or verified_bundle)(settings.bundle, seal=settings.seal)
    desk, folder, place = load_desk(settings.configs), settings.feature_log, settings.prices
    return Engine(
        bundle, desk, notice=settings.notice, observe=observe,
        feature_log=FeatureLog(folder, share=settings.feature_log_share) if folder else None,
        books=DayBooks(partial(newest_prices, place), desk, attributes=bundle.schema.attributes) if place else None,
        tallies=tallies,
    )  # fmt: skip
