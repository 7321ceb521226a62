"""The desk: what decides beside the model, read from ``configs/`` at decision time and hashed into a policy version."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from decisioning.budgets import MONEY, check_moments, known_names
from decisioning.config import DecisionConfig
from decisioning.contact_policy import ContactPolicy, load_contact_policy
from decisioning.integrity import canonical_json
from domain.actions import ActionCatalogue, ActionsConfig
from domain.config import load_section
from domain.errors import ConfigError
from features.config import Attribute, FeaturesConfig


@dataclass(frozen=True)
class Desk:
    """Actions, decision parameters and contact policy; ``policy_version`` changes with any of them."""

    catalogue: ActionCatalogue
    config: DecisionConfig
    contact_policy: ContactPolicy
    policy_version: str


def load_desk(configs: Path) -> Desk:
    """Reads ``actions.yaml``, ``decision.yaml`` and the contact-policy packs it names.

    Raises
    ------
    ConfigError : a file is missing or wrong, or names a channel or an offer that is not configured
    """
    catalogue = ActionCatalogue(load_section(configs / "actions.yaml", ActionsConfig))
    config = load_section(configs / "decision.yaml", DecisionConfig)
    packs = load_contact_policy(
        configs / "contact_policy", config.packs, channels=catalogue.channels, attributes=declared_attributes(configs)
    )
    return desk(catalogue, config, packs)


def declared_attributes(configs: Path) -> dict[str, Attribute] | None:
    """What ``features.yaml`` declares; ``None`` where there is no such file, as decisions need none."""
    path = configs / "features.yaml"
    return load_section(path, FeaturesConfig).attributes if path.is_file() else None


def desk(catalogue: ActionCatalogue, config: DecisionConfig, contact_policy: ContactPolicy) -> Desk:
    """A desk from parts already in memory."""
    channels, offers = set(catalogue.config.channels), set(catalogue.config.offers)
    _known("priors.reach", set(config.priors.reach), channels)
    _known("priors.lift", set(config.priors.lift), channels | offers)
    check_moments(config.capacities, _moments(catalogue))
    known_names("budgets", config.budgets, MONEY)
    return Desk(catalogue, config, contact_policy, policy_version(catalogue, config, contact_policy))


def policy_version(catalogue: ActionCatalogue, config: DecisionConfig, contact_policy: ContactPolicy) -> str:
    """A short hash of everything that decides beside the model; comments and order of keys do not count.

    The order of channels, offers and moments does count: ties between actions go by it.
    """
    decision = config.model_dump(mode="json")
    # What is not configured leaves the version, and with it every draw, as it was before it could be.
    decision = {name: part for name, part in decision.items() if name != "segments" or part}
    parts = {
        "actions": catalogue.config.model_dump(mode="json"),
        "order": list(catalogue.names()),
        "decision": decision,
        "contact_policy": contact_policy.to_json(),
    }
    return sha256(canonical_json(parts)).hexdigest()[:16]


def _moments(catalogue: ActionCatalogue) -> dict[str, set[str]]:
    """The moments in which each channel has an action."""
    moments: dict[str, set[str]] = {channel: set() for channel in catalogue.channels}
    for action in catalogue.actions:
        if not action.is_wait:
            moments[action.channel].add(action.moment)
    return moments


def _known(section: str, found: set[str], needed: set[str]) -> None:
    if found - needed:
        raise ConfigError(
            f"decision.yaml, {section}: found {sorted(found - needed)}, needed names from actions.yaml: "
            f"{sorted(needed)}"
        )
