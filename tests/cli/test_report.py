"""The report of a run with its tables: groups, control arms, files."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from report_figures import unsure

AS_OF = "2026-03-02T12:00:00Z"


@pytest.fixture(scope="module")
def written(project, acerto_in):
    """The folder of a report on a run with its tables, its numbers, and the rows of the run."""
    assert acerto_in(project, "decide", "--data", "data", "--as-of", AS_OF, "--out", "grouped.parquet") == 0
    asked = ("report", "--decisions", "grouped.parquet", "--data", "data", "--out", "grouped")
    assert acerto_in(project, *asked) == 0
    numbers = json.loads((project / "grouped/report.json").read_text(encoding="utf-8"))
    return project / "grouped", numbers, pd.read_parquet(project / "grouped.parquet")


def table_of(numbers, section, name):
    return next(one for one in numbers["sections"] if one["code"] == section)["tables"][name]


def test_every_decision_is_in_one_group_of_each_protected_attribute(written):
    _, numbers, rows = written
    told = pd.DataFrame(table_of(numbers, "decision_fairness", "decided_groups"))
    assert set(told.groupby("attribute")["decisions"].sum()) == {len(rows)}


def test_arms_are_counted_as_they_stand_in_the_file(written):
    _, numbers, rows = written
    told = {one["arm"]: one["decisions"] for one in table_of(numbers, "decision_controls", "arm_shares")}
    assert told == rows["arm"].value_counts().to_dict()


def test_no_account_is_named_in_any_of_the_files(written):
    folder, _, rows = written
    texts = [(folder / name).read_text(encoding="utf-8") for name in ("report.html", "report.json")]
    assert not [
        name for name in rows["account_id"] if any(f'"{name}"' in text or f">{name}<" in text for text in texts)
    ]


def test_the_pdf_is_one(written):
    assert (written[0] / "report.pdf").read_bytes().startswith(b"%PDF-")


def test_the_command_tells_lights_to_machines(acerto):
    told = json.loads(acerto("report", "--out", "lights", "--json").out)
    assert set(told["lights"].values()) <= {"green", "amber", "red", "not_available"}


def test_tables_of_other_accounts_are_refused(acerto, acerto_in, project, written):
    assert acerto_in(project, "simulate", "--accounts", 500, "--seed", 8, "--out", "others") == 0
    (project / "others/accounts.parquet").unlink()
    accounts = pd.read_parquet(project / "data/accounts.parquet").head(100)
    accounts.to_parquet(project / "others/accounts.parquet")
    found = acerto("report", "--decisions", "grouped.parquet", "--data", "others", "--out", "refused")
    assert (found.code, "acerto decide --data" in found.err) == (1, True)


def test_every_figure_has_rows_and_interval_or_says_why_not(written):
    assert unsure(written[1]) == []


def test_another_seed_is_told_by_metrics_accounts_and_decisions(written):
    told = next(one for one in written[1]["sections"] if one["code"] == "seeds")["tables"]
    assert [row["seed_number"] for row in told["seed_metrics"]] == ["0", "+1", "+2", "+3"]
    assert told["seed_scores"][0]["mean_deviation"]["value"] > 0
    assert 0 <= told["seed_choices"][0]["action_changed"]["value"] <= 1


def test_fewer_who_pay_lower_rate_and_money_and_leave_the_score_as_it_is(written):
    scores, money = (
        {row["scenario"]: row for row in table_of(written[1], "economy", name)}
        for name in ("scenario_scores", "scenario_money")
    )
    found = scores["Pagam menos"]
    assert (found["p_change"]["value"], found["crossed"]["value"]) == (0.0, 0.0)
    assert found["stress_gap"]["high"] < 0 and money["Pagam menos"]["value_change"]["high"] < 0
