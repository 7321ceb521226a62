"""The desk: what decides beside the model, read from ``configs/`` at decision time and hashed into a policy version."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

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
    _known("capacities", set(config.capacities), channels)
    return Desk(catalogue, config, contact_policy, policy_version(catalogue, config, contact_policy))


def policy_version(catalogue: ActionCatalogue, config: DecisionConfig, contact_policy: ContactPolicy) -> str:
    """A short hash of everything that decides beside the model; comments and order of keys do not count.

    The order of channels, offers and moments does count: ties between actions go by it.
    """
    parts = {
        "actions": catalogue.config.model_dump(mode="json"),
        "order": list(catalogue.names()),
        "decision": config.model_dump(mode="json"),
        "contact_policy": contact_policy.to_json(),
    }
    return sha256(canonical_json(parts)).hexdigest()[:16]


def _known(section: str, found: set[str], needed: set[str]) -> None:
    if found - needed:
        raise ConfigError(
            f"decision.yaml, {section}: found {sorted(found - needed)}, needed names from actions.yaml: "
            f"{sorted(needed)}"
        )
