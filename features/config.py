"""``features.yaml``: which columns of ``accounts`` are attributes, and which of them no model may see."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, model_validator

from domain.tables import TABLES


class Attribute(BaseModel, frozen=True, extra="forbid"):
    """One declared column of ``accounts``; a protected one never reaches a model."""

    kind: Literal["numeric", "categorical"]
    protected: bool = False


ALWAYS_PROTECTED = {"birth_year": Attribute(kind="numeric", protected=True)}


class FeaturesConfig(BaseModel, frozen=True, extra="forbid"):
    """The whole file; ``birth_year`` is protected whatever it says."""

    attributes: dict[str, Attribute] = {}

    @model_validator(mode="after")
    def _leaves_canonical_columns_alone(self) -> Self:
        taken = {column.name for column in TABLES["accounts"].columns} - {"birth_year"}
        clash = sorted(taken & self.attributes.keys())
        if clash:
            raise ValueError(f"{clash} are canonical columns of accounts and need no declaration; take them out")
        birth_year = self.attributes.get("birth_year")
        if birth_year is not None and not birth_year.protected:
            raise ValueError("birth_year is protected by law and policy; declare it with protected: true")
        return self
