"""Which features a model was trained on: names in order, categories, and a fingerprint that both sides compare."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from domain.clock import MISSING
from domain.errors import FeatureSchemaMismatchError
from domain.tables import Coded
from features.catalogue import CATALOGUE
from features.config import Attribute as Declared
from features.definitions import Attribute, Feature, Ratio
from features.encoding import Encoded

VERSION = 1


@dataclass(frozen=True)
class FeatureSchema:
    """Features in model order.

    ``categories`` holds, for each categorical feature, the values whose positions are its codes; a value that training
    did not see is missing. ``attributes`` are the declared columns that may enter a model.
    """

    names: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    attributes: Mapping[str, Declared]

    @cached_property
    def index(self) -> dict[str, int]:
        """Column position of each feature."""
        return {name: position for position, name in enumerate(self.names)}

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """The declarations, in column order."""
        known = {feature.name: feature for feature in declared_features(self.attributes)}
        return tuple(known[name] for name in self.names)

    @cached_property
    def categorical(self) -> tuple[int, ...]:
        """Column positions of categorical features."""
        return tuple(self.index[name] for name in self.names if name in self.categories)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over everything that decides a feature's value; equal fingerprints mean equal matrices."""
        rules = [f"{feature.name}={feature.rule!r}" for feature in self.features]
        body = json.dumps([VERSION, rules, {name: list(values) for name, values in sorted(self.categories.items())}])
        return hashlib.sha256(body.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """For the model bundle."""
        return {
            "version": VERSION,
            "names": list(self.names),
            "categories": {name: list(values) for name, values in self.categories.items()},
            "attributes": {name: declared.model_dump() for name, declared in self.attributes.items()},
            "fingerprint": self.fingerprint,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> FeatureSchema:
        """The schema of a bundle, compared with what this build computes.

        Raises
        ------
        FeatureSchemaMismatchError : a feature is unknown here, or is computed differently
        """
        attributes = {name: Declared.model_validate(declared) for name, declared in raw["attributes"].items()}
        known = {feature.name for feature in declared_features(attributes)}
        missing = sorted(set(raw["names"]) - known)
        if missing:
            raise FeatureSchemaMismatchError(
                f"the model needs {missing[:5]} ({len(missing)} features), which this build does not compute; "
                "restore them in features/catalogue.py, or register a model trained on the current catalogue"
            )
        schema = cls(tuple(raw["names"]), {k: tuple(v) for k, v in raw["categories"].items()}, attributes)
        if schema.fingerprint != raw["fingerprint"]:
            raise FeatureSchemaMismatchError(
                f"found the feature schema {schema.fingerprint[:12]}, needed {raw['fingerprint'][:12]}: a feature of "
                "that name is computed differently now; register a model trained on the current catalogue"
            )
        return schema


def declared_features(attributes: Mapping[str, Declared]) -> tuple[Feature, ...]:
    """The catalogue and one feature for each attribute that may enter a model."""
    extra = [
        _attribute_feature(name, declared) for name, declared in sorted(attributes.items()) if not declared.protected
    ]
    return (*CATALOGUE, *extra)


def _attribute_feature(name: str, declared: Declared) -> Feature:
    categorical = declared.kind == "categorical"
    return Feature(
        name=name,
        rule=Attribute(name, categorical=categorical),
        unit="code" if categorical else "number",
        description=f"The declared attribute {name} of the account",
        reason_pt=f"O dado cadastral «{name}» pesa na estimativa" + ("" if categorical else ": {value}"),
        reason_en=f"The attribute {name} weighs in the estimate" + ("" if categorical else ": {value}"),
        group=name,
    )


@dataclass(frozen=True, slots=True)
class Facts:
    """What a schema depends on in the tables, few enough to be gathered part by part from tables of any size.

    ``present`` are the tables that are there, be they empty; ``filled`` the columns of ``accounts`` that hold a value
    somewhere; ``texts`` the distinct values of its categorical columns.
    """

    present: frozenset[str]
    filled: frozenset[str]
    texts: Mapping[str, tuple[str, ...]]


def account_rules(attributes: Mapping[str, Declared]) -> tuple[Attribute, ...]:
    """The rules of features that stand in a column of ``accounts``: what ``Facts`` must know of."""
    return tuple(f.rule for f in declared_features(attributes) if isinstance(f.rule, Attribute))


def facts_of(encoded: Encoded, *, attributes: Mapping[str, Declared]) -> Facts:
    """The facts of tables in one piece."""
    tables, rules = encoded.tables, account_rules(attributes)
    there = [rule for rule in rules if rule.column in tables.columns["accounts"]]
    texts = {rule.column: tables.text("accounts", rule.column).values for rule in there if rule.categorical}
    return Facts(encoded.present, frozenset(rule.column for rule in there if _filled(encoded, rule)), texts)


def fit_schema(encoded: Encoded, *, attributes: Mapping[str, Declared]) -> FeatureSchema:
    """The features that these tables can give, with the categories that they hold."""
    return schema_of(facts_of(encoded, attributes=attributes), attributes=attributes)


def schema_of(facts: Facts, *, attributes: Mapping[str, Declared]) -> FeatureSchema:
    """The features that tables with these facts can give, with the categories that they hold.

    A feature whose table is absent is left out; so is an attribute that is nowhere filled, and whatever is built on it.
    """
    kept: dict[str, Feature] = {}
    for feature in declared_features(attributes):
        if isinstance(feature.rule, Ratio):
            usable = feature.rule.numerator in kept and feature.rule.denominator in kept
        elif isinstance(feature.rule, Attribute):
            usable = feature.rule.column in facts.filled
        else:
            usable = feature.table in facts.present
        if usable:
            kept[feature.name] = feature
    categories = {
        name: tuple(sorted(facts.texts[feature.rule.column]))
        for name, feature in kept.items()
        if isinstance(feature.rule, Attribute) and feature.rule.categorical
    }
    return FeatureSchema(tuple(kept), categories, dict(attributes))


def _filled(encoded: Encoded, rule: Attribute) -> bool:
    if rule.categorical:
        return bool((encoded.tables.text("accounts", rule.column).codes >= 0).any())
    data = encoded.tables.columns["accounts"][rule.column]
    assert not isinstance(data, Coded)
    return bool((data != MISSING).any()) if data.dtype.kind == "i" else not bool(np.isnan(data).all())


def missing_tables(schema: FeatureSchema, present: Sequence[str] | frozenset[str]) -> tuple[str, ...]:
    """Tables the schema was trained with which are absent now; their features are missing values."""
    return tuple(sorted({feature.table for feature in schema.features} - set(present)))
