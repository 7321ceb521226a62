"""The configuration files that training reads, as models and as the bytes that they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from decisioning.config import DecisionConfig
from domain.actions import ActionCatalogue, ActionsConfig
from domain.config import load_section
from features.config import FeaturesConfig
from training.config import ModelConfig, TrainingConfig, load_training_config

FILES = ("actions.yaml", "decision.yaml", "features.yaml", "training.yaml")


@dataclass(frozen=True)
class Configs:
    """The configuration files that training reads; ``files`` are their bytes by name, where they came from files."""

    training: TrainingConfig
    decision: DecisionConfig
    features: FeaturesConfig
    catalogue: ActionCatalogue
    files: Mapping[str, bytes] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Configs:
        """Read them from a folder; each problem is a ``ConfigError``."""
        return cls(
            training=load_training_config(folder / "training.yaml"),
            decision=load_section(folder / "decision.yaml", DecisionConfig),
            features=load_section(folder / "features.yaml", FeaturesConfig),
            catalogue=ActionCatalogue(load_section(folder / "actions.yaml", ActionsConfig)),
            files={name: (folder / name).read_bytes() for name in FILES if (folder / name).is_file()},
        )

    def label(self) -> dict[str, Any]:
        """What the models learn, in words and settings."""
        return {
            "payment": (
                "a payment in [as_of, as_of + horizon) on any debt of the account, not reversed within the window"
            ),
            "response": self.training.label.model_dump(),
            "posting_lag_days": self.training.posting_lag_days,
            "value_horizon_days": self.decision.value_horizon_days,
            "currency": self.decision.currency,
        }

    def that_decide_the_model(self) -> dict[str, Any]:
        """Training settings that a model's hash depends on: not threads, gates, other seeds, cache and workers."""
        training = self.training.model_dump(mode="json")
        training["model"].pop("threads")
        # Settings that came later are named where they were changed, so that hashes of before are still found.
        for name in ("min_rows_per_leaf", "l2", "feature_share"):
            if training["model"][name] == ModelConfig.model_fields[name].default:
                training["model"].pop(name)
        if not self.training.tuning.enabled:
            training.pop("tuning")
        training.pop("gates")
        training.pop("seeds")
        training.pop("cache")
        # What it led to stands in the settings of the bundle.
        training.pop("distributed")
        return training
