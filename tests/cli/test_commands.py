from __future__ import annotations

import json

import pandas as pd

AS_OF = "2026-03-02T12:00:00Z"
CONTRACT_COLUMNS = {
    "decision_id", "account_id", "decided_at", "action", "channel", "offer", "moment", "action_prob", "arm", "p_pay_7d",
    "p_pay_30d", "p_pay_60d", "p_pay_90d", "expected_recovered", "expected_cost", "p_complaint", "expected_net_value",
    "incremental_net_value", "runner_up", "debt_ids", "amount_due", "offer_amount", "discount_amount",
    "instalment_amount", "not_before", "valid_until", "reasons", "refusals", "model_version", "policy_version",
    "schema_fingerprint",
}  # fmt: skip


def test_training_twice_on_the_same_data_gives_the_same_model_hash(acerto):
    hashes = {json.loads(acerto("train", "--data", "data", "--json").out)["model_hash"] for _ in range(2)}
    assert len(hashes) == 1


def test_deciding_twice_gives_the_same_rows(acerto, project):
    for name in ("one.csv", "two.csv"):
        assert acerto("decide", "--data", "data", "--as-of", AS_OF, "--out", name).code == 0
    assert (project / "one.csv").read_bytes() == (project / "two.csv").read_bytes()


def test_a_decision_file_has_the_columns_of_the_contract_and_one_row_per_account(acerto, project):
    assert acerto("decide", "--data", "data", "--as-of", AS_OF, "--out", "d.parquet").code == 0
    rows = pd.read_parquet(project / "d.parquet")
    assert set(rows.columns) >= CONTRACT_COLUMNS
    assert rows["account_id"].is_unique
    assert rows["action_prob"].between(0, 1, inclusive="right").all()
    assert (rows["p_pay_7d"] <= rows["p_pay_30d"]).all()
    assert (rows["p_pay_30d"] <= rows["p_pay_90d"]).all()
    assert not rows["channel"].eq("protest").any()


def test_listed_accounts_alone_are_decided_on(acerto, project):
    ids = sorted(pd.read_parquet(project / "data/accounts.parquet")["account_id"].unique())[:3]
    (project / "some.csv").write_text("account_id\n" + "\n".join(ids) + "\n", encoding="utf-8")
    result = acerto("decide", "--data", "data", "--as-of", AS_OF, "--out", "s.csv", "--accounts", "some.csv")
    assert result.code == 0
    assert pd.read_csv(project / "s.csv")["account_id"].tolist() == ids


def test_the_feature_matrix_is_written_with_one_row_per_account(acerto, project):
    assert acerto("features", "--data", "data", "--as-of", AS_OF, "--out", "matrix.parquet").code == 0
    matrix = pd.read_parquet(project / "matrix.parquet")
    assert matrix["account_id"].is_unique
    assert "birth_year" not in matrix.columns
    assert matrix.shape[1] > 100


def test_a_rollback_needs_an_earlier_champion_and_then_returns_to_it(acerto):
    json.loads(acerto("train", "--data", "data", "--json").out)
    promoted = json.loads(acerto("promote", "--force", "--why", "a test", "--json").out)
    back = json.loads(acerto("rollback", "--json").out)
    assert back == {"version": promoted["previous"], "previous": promoted["version"]}


def test_a_promotion_with_decisions_tells_a_verdict_against_every_opponent(acerto):
    arguments = ("--force", "--why", "a test", "--data", "data", "--json")
    told = json.loads(acerto("promote", *arguments).out)["compared"]
    assert {"ladder", "tuned_ladder", "constant", "random"} <= set(told["opponents"])


def test_a_promotion_without_decisions_says_that_nothing_was_compared(acerto):
    told = json.loads(acerto("promote", "--force", "--why", "a test", "--json").out)["compared"]
    assert (told["opponents"], "--data" in told["notices"][0]) == ({}, True)


def test_the_report_is_written_in_both_languages(acerto, project):
    for locale, word in (("pt-BR", "Calibra"), ("en", "Calibration")):
        assert acerto("report", "--out", f"report-{locale}", "--locale", locale).code == 0
        page = (project / f"report-{locale}" / "report.html").read_text(encoding="utf-8")
        assert word in page
        assert "<script src" not in page
        json.loads((project / f"report-{locale}" / "report.json").read_text(encoding="utf-8"))


def test_the_json_of_a_command_is_alone_on_stdout(acerto):
    assert json.loads(acerto("validate", "--data", "data", "--json").out)["usable"] is True
    matrix = acerto("features", "--data", "data", "--as-of", AS_OF, "--out", "m.csv", "--json")
    assert len(json.loads(matrix.out)["features"]) > 60
    assert json.loads(acerto("report", "--out", "r", "--json").out)["html"].endswith("report.html")


def test_the_quality_of_a_moment_is_told_against_the_champions_training(acerto):
    told = json.loads(acerto("features", "--quality", "--data", "data", "--as-of", AS_OF, "--json").out)
    assert {feature["name"] for feature in told["features"]} >= {"balance_cents", "days_past_due"}
    assert all(feature["stability"]["expected"] >= 0 for feature in told["features"])


def test_the_quality_table_is_printed_and_the_command_ends_well_whatever_it_finds(acerto):
    result = acerto("features", "--quality", "--data", "data", "--as-of", AS_OF)
    assert result.code == 0
    assert "by chance" in result.out
