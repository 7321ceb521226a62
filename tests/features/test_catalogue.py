from __future__ import annotations

import math
from pathlib import Path

import pytest
from strategies import random_rows, tables_of

from domain.errors import FeatureSchemaMismatchError
from features.catalogue import CATALOGUE, INGREDIENTS, reason_text
from features.config import Attribute, FeaturesConfig
from features.definitions import Windowed
from features.docs import features_page
from features.encoding import encode
from features.schema import FeatureSchema, declared_features, fit_schema, missing_tables, parts_of
from features.wording import say_value

ROOT = Path(__file__).parents[2]
NAMES = {feature.name for feature in CATALOGUE}


def schema_of(rows, attributes=None) -> FeatureSchema:
    declared = attributes or {}
    return fit_schema(encode(tables_of(rows), attributes=declared), attributes=declared)


def test_there_are_at_least_a_hundred_features_and_no_name_twice():
    assert len(CATALOGUE) >= 100
    assert len(NAMES) == len(CATALOGUE)


def test_the_page_of_features_is_the_one_the_catalogue_gives():
    assert (ROOT / "docs" / "features.md").read_text(encoding="utf-8") == features_page()


@pytest.mark.parametrize("feature", CATALOGUE, ids=lambda feature: feature.name)
def test_every_feature_can_be_said_in_both_languages_with_and_without_a_value(feature):
    for value in (0.0, 1.0, math.nan) if feature.words else (0.0, 1.0, 1234.5, math.nan):
        said = {locale: reason_text(feature, value, locale=locale) for locale in ("pt-BR", "en")}
        assert all(text and "{" not in text for text in said.values())
        assert said["pt-BR"] != said["en"]


@pytest.mark.parametrize("feature", CATALOGUE, ids=lambda feature: feature.name)
def test_the_name_of_a_windowed_feature_tells_its_aggregate_and_window(feature):
    if isinstance(feature.rule, Windowed):
        window = f"_{feature.rule.window.label}" if feature.rule.window.label else ""
        assert feature.name.endswith(f"_{feature.rule.aggregate}{window}")


def test_what_a_feature_is_made_of_is_in_the_catalogue():
    for feature in CATALOGUE:
        assert set(parts_of(feature)) <= NAMES | {one.name for one in INGREDIENTS}


def test_no_protected_attribute_becomes_a_feature():
    attributes = {
        "income": Attribute(kind="numeric"),
        "gender": Attribute(kind="categorical", protected=True),
        "birth_year": Attribute(kind="numeric", protected=True),
    }
    names = {feature.name for feature in declared_features(attributes)}
    assert "income" in names
    assert not names & {"gender", "birth_year"}


def test_birth_year_cannot_be_declared_unprotected():
    with pytest.raises(ValueError, match="birth_year is protected"):
        FeaturesConfig.model_validate({"attributes": {"birth_year": {"kind": "numeric"}}})


def test_a_schema_survives_the_bundle():
    schema = schema_of(random_rows(3))
    again = FeatureSchema.from_json(schema.to_json())
    assert (again.names, again.fingerprint, again.categorical) == (schema.names, schema.fingerprint, schema.categorical)


def test_a_schema_with_a_feature_that_is_no_more_is_refused_by_name():
    raw = schema_of(random_rows(3)).to_json()
    raw["names"].append("moon_phase")
    with pytest.raises(FeatureSchemaMismatchError, match="moon_phase"):
        FeatureSchema.from_json(raw)


def test_a_schema_whose_features_are_computed_differently_is_refused():
    raw = schema_of(random_rows(3)).to_json()
    raw["fingerprint"] = "0" * 64
    with pytest.raises(FeatureSchemaMismatchError, match="computed differently"):
        FeatureSchema.from_json(raw)


def test_features_of_absent_tables_are_left_out_and_told_later():
    rows = random_rows(3)
    full = schema_of(rows)
    few = schema_of({table: rows[table] for table in ("accounts", "debts", "payments")})
    assert not any(name.startswith(("contacts_", "responses_", "promises_")) for name in few.names)
    assert missing_tables(full, {"accounts", "debts", "payments"}) == (
        "contacts",
        "debt_events",
        "holds",
        "promises",
        "responses",
    )


@pytest.mark.parametrize(
    "value, unit, locale, said",
    [
        (123456.0, "cents", "pt-BR", "R$ 1.234,56"),
        (123456.0, "cents", "en", "R$ 1,234.56"),
        (1.0, "days", "pt-BR", "1 dia"),
        (12.4, "days", "en", "12 days"),
        (0.256, "share", "pt-BR", "25,6%"),
        (1.0, "flag", "pt-BR", "sim"),
        (float("nan"), "count", "pt-BR", "sem informação"),
    ],
)
def test_values_are_said_as_people_read_them(value, unit, locale, said):
    assert say_value(value, unit, locale=locale) == said
