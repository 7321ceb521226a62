"""``training.yaml``: labels, sampling, splits, models and promotion gates, as frozen models."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, NonNegativeInt, PositiveInt

from domain.config import load_section
from domain.errors import ConfigError
from training.tuning.config import TuningConfig

Opponent = Literal["champion", "ladder", "tuned_ladder", "constant", "random"]


class LabelConfig(BaseModel, frozen=True, extra="forbid"):
    """What the response model learns: paid at all, paid at least a share of the amount due, or nothing overdue left."""

    horizon_days: PositiveInt = 30
    kind: Literal["any", "share", "cure"] = "any"
    min_share_paid: float = Field(default=0.0, ge=0, le=1)


class SamplingConfig(BaseModel, frozen=True, extra="forbid"):
    """At which moments an account is looked at; ``max_rows`` bounds the payment model's rows over the portfolio."""

    as_of: Literal["auto", "decisions", "periodic", "both"] = "auto"
    every_days: PositiveInt = 30
    max_per_account: PositiveInt = 12
    max_rows: PositiveInt = 150_000


class SplitsConfig(BaseModel, frozen=True, extra="forbid"):
    """Shares of rows, latest last; ``unseen_share`` of the debtors stay out of training and validation altogether."""

    by: Literal["time"] = "time"
    valid_share: float = Field(default=0.15, gt=0, lt=0.5)
    test_share: float = Field(default=0.15, gt=0, lt=0.5)
    unseen_share: float = Field(default=0.1, ge=0, lt=0.5)


class ModelConfig(BaseModel, frozen=True, extra="forbid"):
    """Size and speed of the boosters; the same seed and data give the same model, whatever the threads.

    A leaf rests on ``min_rows_per_leaf`` at least, which rare outcomes and few agreements scale; ``l2`` shrinks it;
    ``feature_share`` of the features are looked at for a tree. ``monotone`` holds the payment model to the declared
    directions of the features, by LightGBM's method of that name.
    """

    seed: NonNegativeInt = 0
    threads: PositiveInt = 2
    max_leaves: int = Field(default=31, ge=2, le=1024)
    max_depth: int = Field(default=6, ge=1, le=64)
    learning_rate: float = Field(default=0.08, gt=0, le=1)
    max_rounds: PositiveInt = 250
    min_rows_per_leaf: PositiveInt = 100
    l2: float = Field(default=5.0, ge=0)
    feature_share: float = Field(default=0.7, gt=0, le=1)
    monotone: Literal["off", "basic", "intermediate", "advanced"] = "off"


class ContinuingConfig(BaseModel, frozen=True, extra="forbid"):
    """How many decisions after this one ``funnel_q`` takes to follow its own policy, before the log's does again."""

    steps: NonNegativeInt = 4


class ResponseConfig(BaseModel, frozen=True, extra="forbid"):
    """Which learner answers "what would happen under this action", from at most ``max_rows`` logged decisions."""

    learner: Literal["hurdle", "funnel", "funnel_blend", "funnel_q"] = "funnel_blend"
    max_rows: PositiveInt = 250_000
    continuing: ContinuingConfig = ContinuingConfig()

    @property
    def looks_ahead(self) -> bool:
        """Whether the learner asks what follows on a decision."""
        return self.learner == "funnel_q" and self.continuing.steps > 0


class GatesConfig(BaseModel, frozen=True, extra="forbid"):
    """What a version must reach before it becomes champion; measured on the explained horizon's test rows.

    ``max_critical_features`` bounds the critical findings about the training matrix (``features.quality``); ``null``
    takes any number. Where logged decisions are given, the version's policy is compared with those of others:
    ``not_worse_than`` names the opponents to whom an established loss stops it, ``better_than`` those whom it must
    have beaten, so that a verdict which is not established stops it too.

    ``max_seed_auc_range`` bounds how far AUC moves with the seed alone; ``max_group_gap`` and ``max_arm_gap`` the mean
    distance of payment and probability in a protected group, and in an arm or a policy version, beyond its 95 %
    interval, where a group has ``min_group_debtors``; ``max_bundle_mib`` the size of the bundle, and ``max_score_ms``
    the median time of one score on the promoting machine. ``null`` tells without stopping.
    """

    max_ece: float = Field(default=0.03, gt=0, le=1)
    min_auc_over_days_past_due: float = Field(default=0.0, ge=-1, le=1)
    max_critical_features: NonNegativeInt | None = 0
    max_seed_auc_range: float | None = Field(default=0.05, ge=0, le=1)
    max_group_gap: float | None = Field(default=0.05, ge=0, le=1)
    max_arm_gap: float | None = Field(default=0.05, ge=0, le=1)
    min_group_debtors: PositiveInt = 100
    max_bundle_mib: float | None = Field(default=128, gt=0)
    max_score_ms: float | None = Field(default=50, gt=0)
    not_worse_than: tuple[Opponent, ...] = ("champion", "ladder")
    better_than: tuple[Opponent, ...] = ()


class CacheConfig(BaseModel, frozen=True, extra="forbid"):
    """How much room the finished steps of trainings may take; what was used least recently is removed first."""

    max_gib: float = Field(default=4.0, gt=0)


class DistributedConfig(BaseModel, frozen=True, extra="forbid"):
    """With more rows of the payment model than ``above_rows``, workers grow its boosters, where some are given.

    Those are other boosters than one process grows, and their number enters the model's hash.
    """

    above_rows: PositiveInt = 5_000_000


class TrainingConfig(BaseModel, frozen=True, extra="forbid"):
    """The whole of ``training.yaml``.

    ``seeds`` is how many other seeds are tried on the same data, for the report to tell what moves with them; 0 saves
    their time. It changes no model, and neither does ``cache``.
    """

    label: LabelConfig = LabelConfig()
    posting_lag_days: NonNegativeInt = 3
    sampling: SamplingConfig = SamplingConfig()
    splits: SplitsConfig = SplitsConfig()
    model: ModelConfig = ModelConfig()
    response: ResponseConfig = ResponseConfig()
    gates: GatesConfig = GatesConfig()
    seeds: NonNegativeInt = 3
    cache: CacheConfig = CacheConfig()
    distributed: DistributedConfig = DistributedConfig()
    tuning: TuningConfig = TuningConfig()


def load_training_config(path: Path) -> TrainingConfig:
    """Read ``training.yaml``.

    Raises
    ------
    ConfigError : an unknown key or a wrong value
    """
    config = load_section(path, TrainingConfig)
    if config.label.kind == "share" and config.label.min_share_paid == 0:
        raise ConfigError(f"{path}: label.kind 'share' needs min_share_paid above 0, such as 0.5; found 0")
    return config
