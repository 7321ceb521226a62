"""The response model of a training: what it learns from, learner and challenger, and how well its money holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import Any

from decisioning.config import DecisionConfig
from decisioning.experience import count_tried
from decisioning.funnel import FunnelModel
from decisioning.response import ResponseModel
from domain.actions import ActionCatalogue
from domain.errors import NotEnoughDataError
from features.encoding import Encoded
from features.schema import FeatureSchema
from training import labels, learners
from training.caching.steps import Chain
from training.config import TrainingConfig
from training.contact_log import ContactLog, Money, contact_log
from training.dataset import Horizon
from training.learners import Learner
from training.money_check import Checked, Checking, check
from training.response_log import ResponseLog, response_log, summary_of
from training.seeds import other_response


@dataclass(frozen=True)
class World:
    """What a response model is learned from: ledgers, features, the actions that there are, and what money came in."""

    encoded: Encoded
    schema: FeatureSchema
    catalogue: ActionCatalogue
    money: labels.Receipts
    horizon: Horizon


@dataclass(frozen=True)
class Responded:
    """The response model, if any; what is told of it, or why there is none; and that of another seed, if asked for."""

    model: ResponseModel | None
    told: dict[str, Any]
    other_seed: ResponseModel | None = None


def respond(world: World, config: TrainingConfig, decision: DecisionConfig, *, after: Chain | None = None) -> Responded:
    """The response model, or the reason why there is none; and what is told of it in the evaluation.

    Parameters
    ----------
    after : the steps that made the world, where those of the response model are kept
    """
    learner, encoded = config.response.learner, world.encoded
    if not encoded.tables.rows("decisions"):
        return Responded(None, {"learner": learner, "refused": "there is no decisions table, or it is empty"})
    logged, contacted, fits = response_chains(after or Chain(), world, config, decision)
    log = logged.of(
        "logged decisions",
        lambda: response_log(
            encoded, world.schema, config, catalogue=world.catalogue, money=world.money, horizon=world.horizon,
            value_days=decision.value_horizon_days,
        ),
    )  # fmt: skip
    told = {"learner": learner, **summary_of(log)}
    if len({action.channel for action in log.actions}) < 2:
        return Responded(None, {**told, "refused": "the log holds fewer than two channels to compare"})
    rate = decision.objective.monthly_discount_rate
    money = Money(world.money, world.horizon, decision.value_horizon_days, rate, decision.objective)
    contacts = contacted.of(
        "contacts",
        lambda: contact_log(encoded, world.schema, config, catalogue=world.catalogue, money=money, log=log),
    )
    checking = Checking(encoded, world.schema, world.catalogue, money, decision.objective, seed=config.model.seed)
    model, found = fit_response(log, contacts, checking, config=config, after=fits)
    told |= found

    def again(named: Learner, seeded: TrainingConfig) -> ResponseModel:
        learned = fits.then(seed=seeded.model.seed).of(
            "response of another seed", lambda: named.fit(log, world.schema, seeded, contacts=contacts)
        )
        other = learned.model
        if isinstance(other, FunnelModel) and isinstance(model, FunnelModel):
            return replace(other, kept=model.kept)
        return other

    return Responded(model, told, other_response(model, told, again, config=config))


def response_chains(
    after: Chain, world: World, config: TrainingConfig, decision: DecisionConfig
) -> tuple[Chain, Chain, Chain]:
    """What logged decisions, contacts, and the models learned from both depend on."""
    logged = after.then(
        actions=[asdict(action) for action in world.catalogue.actions],
        label=config.label.model_dump(mode="json"),
        max_rows=config.response.max_rows,
        value_days=decision.value_horizon_days,
    )
    contacted = logged.then(
        objective=decision.objective.model_dump(mode="json"), looks_ahead=config.response.looks_ahead
    )
    fits = contacted.then(
        response=config.response.model_dump(mode="json"),
        model=config.model.model_dump(mode="json", exclude={"threads"}),
    )
    return logged, contacted, fits


def fit_response(
    log: ResponseLog, contacts: ContactLog, checking: Checking, *, config: TrainingConfig, after: Chain | None = None
) -> tuple[ResponseModel | None, dict[str, Any]]:
    """The configured learner's model, ``None`` where there is too little to learn from, and what is told of it."""
    chain = after or Chain()
    found = learners.fit(
        config.response.learner, log, checking.schema, config, contacts=contacts,
        once=lambda name, fit: chain.of(f"response {name}", fit),
    )  # fmt: skip
    told = {**found.told, "contacts": {**contacts.counts, "sent": contacts.sent}}
    told["tried"] = _tried(found.model, log, contacts)
    if not isinstance(found.model, FunnelModel):
        return found.model, told
    checked = chain.of("money check", lambda: _money_checked(log, contacts, checking, config=config, after=chain))
    return replace(found.model, kept=checked.kept), {**told, "money": checked.told}


def _money_checked(
    log: ResponseLog, contacts: ContactLog, checking: Checking, *, config: TrainingConfig, after: Chain
) -> Checked:
    """Expected against realised money by halves of the debtors, or why that could not be measured.

    The halves are learned without twins: these take half of a training's time on a young portfolio, and change money
    by far less than the interval of what is measured.
    """

    number = count(1)

    def fit(rows: ResponseLog, shown: ContactLog) -> ResponseModel:
        learned = after.of(
            f"money check half {next(number)}",
            lambda: learners.LEARNERS["funnel"].fit(rows, checking.schema, config, contacts=shown),
        )
        return learned.model

    try:
        return check(log, contacts, fit, checking=checking)
    except NotEnoughDataError as error:
        return Checked({"not_measured": str(error)})


def _tried(model: ResponseModel | None, log: ResponseLog, contacts: ContactLog) -> dict[str, dict[str, list[int]]]:
    """What the model has seen of each channel and offer: a funnel learns from contacts, a hurdle from decisions."""
    if isinstance(model, FunnelModel):
        return count_tried(contacts.contacts.actions, contacts.contacts.action, contacts.agreed)
    return count_tried(log.actions, log.action, log.paid)
