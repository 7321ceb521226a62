"""Which features a model was trained on: names in order, categories, and a fingerprint that both sides compare."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from domain.balance_entries import Int32s
from domain.clock import MISSING
from domain.coded import Coded
from domain.errors import FeatureSchemaMismatchError
from features.calendar import CALENDAR
from features.catalogue import CATALOGUE, INGREDIENTS
from features.config import Attribute as Declared
from features.definitions import Attribute, Calendar, Difference, Feature, Rate, Ratio, Standing, Surplus
from features.derived import DerivedPlan, derived_plan
from features.encoding import Encoded
from features.plan import Plan, compile_plan
from features.standing import STANDING

VERSION = 2
_WHOLE_DEBTOR = "siblings"


class SchemaPlan(NamedTuple):
    """How the columns are computed: positions in ``FeatureSchema.computed``, by the kind of their rule."""

    windowed: Plan
    standing: Int32s
    calendar_from: Int32s
    calendar_to: Int32s
    attributes: tuple[tuple[int, Attribute], ...]
    derived: DerivedPlan


@dataclass(frozen=True)
class FeatureSchema:
    """Features in model order.

    ``categories`` holds, for each categorical feature, the values whose positions are its codes; a value that training
    did not see is missing. ``attributes`` are the declared columns that may enter a model. ``priors`` are mean and
    strength of each smoothed rate, and the usual rates of each surplus by channel, as fitted in training.
    """

    names: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    attributes: Mapping[str, Declared]
    priors: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

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
    def tables(self) -> frozenset[str]:
        """The tables that any feature is made of."""
        return frozenset(table for feature in self.features for table in (feature.table, *feature.tables))

    @cached_property
    def computed(self) -> tuple[Feature, ...]:
        """The features, and after them the ingredients that they are made of."""
        known = {feature.name: feature for feature in (*declared_features(self.attributes), *INGREDIENTS)}
        wanted = dict.fromkeys(self.names)
        for feature in self.features:
            wanted |= dict.fromkeys(parts_of(feature))
        return tuple(known[name] for name in wanted)

    @cached_property
    def plan(self) -> SchemaPlan:
        """The declarations compiled to arrays."""
        rules = [(place, feature.rule) for place, feature in enumerate(self.computed)]
        index = {feature.name: place for place, feature in enumerate(self.computed)}
        standing = np.full(len(STANDING), -1, dtype=np.int32)
        for place, rule in rules:
            if isinstance(rule, Standing):
                standing[STANDING.index(rule.column)] = place
        calendar = [(CALENDAR.index(rule.part), place) for place, rule in rules if isinstance(rule, Calendar)]
        parts = np.array(calendar, dtype=np.int32).reshape(len(calendar), 2).T
        return SchemaPlan(
            windowed=compile_plan(self.computed),
            standing=standing,
            calendar_from=parts[0],
            calendar_to=parts[1],
            attributes=tuple((place, rule) for place, rule in rules if isinstance(rule, Attribute)),
            derived=derived_plan(self.computed, index=index, priors=self.priors),
        )

    @cached_property
    def category_index(self) -> dict[str, dict[str, int]]:
        """Codes of the values of each categorical attribute, by its column."""
        return {name: {value: code for code, value in enumerate(values)} for name, values in self.categories.items()}

    @cached_property
    def categorical(self) -> tuple[int, ...]:
        """Column positions of categorical features."""
        return tuple(self.index[name] for name in self.names if name in self.categories)

    @cached_property
    def directions(self) -> tuple[int, ...]:
        """The defensible sign of each feature's effect on ``p_pay``, 0 where there is none."""
        return tuple(feature.direction for feature in self.features)

    @cached_property
    def _absences(self) -> dict[tuple[frozenset[str], bool], Int32s]:
        return {}

    def absent(self, present: frozenset[str], *, whole_debtors: bool) -> Int32s:
        """Computed columns that cannot be known: their table is not there, or accounts of the debtor may be missing."""
        key = present, whole_debtors
        if key not in self._absences:
            places = [
                place
                for place, feature in enumerate(self.computed)
                if not {feature.table, *feature.tables} <= present
                or (feature.family == _WHOLE_DEBTOR and not whole_debtors)
            ]
            self._absences[key] = np.array(places, dtype=np.int32)
        return self._absences[key]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over everything that decides a feature's value; equal fingerprints mean equal matrices."""
        rules = [f"{feature.name}={feature.rule!r}" for feature in self.computed]
        priors = {name: list(prior) for name, prior in sorted(self.priors.items())}
        categories = {name: list(values) for name, values in sorted(self.categories.items())}
        body = json.dumps([VERSION, rules, categories, priors])
        return hashlib.sha256(body.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """For the model bundle."""
        return {
            "version": VERSION,
            "names": list(self.names),
            "categories": {name: list(values) for name, values in self.categories.items()},
            "attributes": {name: declared.model_dump() for name, declared in self.attributes.items()},
            "priors": {name: list(prior) for name, prior in self.priors.items()},
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
        priors = {name: tuple(float(value) for value in prior) for name, prior in raw.get("priors", {}).items()}
        categories = {name: tuple(values) for name, values in raw["categories"].items()}
        schema = cls(tuple(raw["names"]), categories, attributes, priors)
        if schema.fingerprint != raw["fingerprint"]:
            raise FeatureSchemaMismatchError(
                f"found the feature schema {schema.fingerprint[:12]}, needed {raw['fingerprint'][:12]}: a feature of "
                "that name is computed differently now; register a model trained on the current catalogue"
            )
        return schema


def parts_of(feature: Feature) -> tuple[str, ...]:
    """Names of the features that a derived one is made of."""
    rule = feature.rule
    if isinstance(rule, Surplus):
        return tuple(name for table in (rule.received, rule.attempts) for names in table for name in names)
    return (rule.numerator, rule.denominator) if isinstance(rule, Ratio | Rate | Difference) else ()


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
        family="account",
    )


@dataclass(frozen=True, slots=True)
class Facts:
    """What a schema depends on in the tables, few enough to be gathered part by part from tables of any size.

    ``present`` are the tables that are there, be they empty; ``filled`` the columns of ``accounts`` that hold a value
    somewhere; ``texts`` the distinct values of its categorical columns.
    """

    present: frozenset[str]
    filled: frozenset[str]
    texts: Mapping[str, Sequence[str]]


def account_rules(attributes: Mapping[str, Declared]) -> tuple[Attribute, ...]:
    """The rules of features that stand in a column of ``accounts``: what ``Facts`` must know of."""
    return tuple(one.rule for one in declared_features(attributes) if isinstance(one.rule, Attribute))


def facts_of(encoded: Encoded, *, attributes: Mapping[str, Declared]) -> Facts:
    """The facts of ledgers that are in memory."""
    accounts = encoded.tables.columns["accounts"]
    rules = [rule for rule in account_rules(attributes) if rule.column in accounts]
    texts = {rule.column: encoded.tables.text("accounts", rule.column).values for rule in rules if rule.categorical}
    return Facts(encoded.present, frozenset(rule.column for rule in rules if _filled(encoded, rule)), texts)


def schema_of(facts: Facts, *, attributes: Mapping[str, Declared]) -> FeatureSchema:
    """The features that such tables can give.

    A feature whose table is absent is left out; so is an attribute that is nowhere filled, and whatever is built on it.
    """
    candidates = {feature.name: feature for feature in (*declared_features(attributes), *INGREDIENTS)}

    def usable(feature: Feature) -> bool:
        if isinstance(feature.rule, Attribute):
            return feature.rule.column in facts.filled
        if not {feature.table, *feature.tables} <= facts.present:
            return False
        return all(usable(candidates[name]) for name in parts_of(feature))

    kept = [feature for feature in declared_features(attributes) if usable(feature)]
    categories = {feature.name: feature.categories for feature in kept if feature.categories}
    for feature in kept:
        if isinstance(feature.rule, Attribute) and feature.rule.categorical:
            categories[feature.name] = tuple(sorted(facts.texts[feature.rule.column]))
    return FeatureSchema(tuple(feature.name for feature in kept), categories, dict(attributes))


def fit_schema(encoded: Encoded, *, attributes: Mapping[str, Declared]) -> FeatureSchema:
    """The features that these tables can give, with the categories that they hold."""
    return schema_of(facts_of(encoded, attributes=attributes), attributes=attributes)


def _filled(encoded: Encoded, rule: Attribute) -> bool:
    if rule.categorical:
        return bool((encoded.tables.text("accounts", rule.column).codes >= 0).any())
    data = encoded.tables.columns["accounts"][rule.column]
    assert not isinstance(data, Coded)
    return bool((data != MISSING).any()) if data.dtype.kind == "i" else not bool(np.isnan(data).all())


def missing_tables(schema: FeatureSchema, present: Sequence[str] | frozenset[str]) -> tuple[str, ...]:
    """Tables the schema was trained with which are absent now; their features are missing values."""
    return tuple(sorted(schema.tables - set(present)))
