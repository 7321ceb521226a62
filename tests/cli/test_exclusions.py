from __future__ import annotations

import json

import pandas as pd
import pytest

AS_OF = "2026-03-02T12:00:00Z"


@pytest.fixture(scope="module")
def run(project, acerto_in):
    """The folder of one run with its decisions, the rows, and the figures beside them."""
    assert acerto_in(project, "decide", "--data", "data", "--as-of", AS_OF, "--out", "told.parquet") == 0
    figures = json.loads((project / "told.parquet.funnel.json").read_text(encoding="utf-8"))
    return project, pd.read_parquet(project / "told.parquet"), figures


def stages(funnel):
    return {stage["name"]: (stage["accounts"], stage["pairs"]) for stage in funnel["stages"]}


def test_the_funnel_begins_with_every_account_and_ends_with_those_that_are_contacted(run):
    _, rows, figures = run
    told = stages(figures["total"])
    assert told["candidates"] == (len(rows), len(rows) * figures["actions"])
    assert told["chosen"] == ((rows["channel"] != "wait").sum(),) * 2


def test_a_rules_pairs_are_those_of_the_rows(run):
    _, rows, figures = run
    written = pd.DataFrame([refusal for found in rows["refusals"] for refusal in found])
    counted = written.groupby(["rule", "code"]).size().to_dict()
    assert {(one["rule"], one["code"]): one["pairs"] for one in figures["rules"]} == counted


def test_segments_go_by_what_decisions_and_tables_tell(run):
    _, rows, figures = run
    assert set(figures["segments"]) == {"days_past_due", "region", "product", "p_pay_30d", "amount_due"}
    assert all(
        sum(stages(one)["candidates"][0] for one in parts) == len(rows) for parts in figures["segments"].values()
    )


def test_the_summary_tells_funnel_and_rules_in_words_and_as_json(acerto, run):
    options = ("decide", "--data", "data", "--as-of", AS_OF, "--out", "again.parquet")
    said = acerto(*options)
    assert "from candidates to choices" in said.out and "exclusion rate by rule" in said.out
    told = json.loads(acerto(*options, "--json").out)["funnel"]
    assert told == run[2] | {"decisions_sha256": None}


def test_deciding_twice_tells_the_same_figures(acerto, run):
    acerto("decide", "--data", "data", "--as-of", AS_OF, "--out", "told_again.parquet")
    assert (run[0] / "told_again.parquet.funnel.json").read_bytes() == (
        run[0] / "told.parquet.funnel.json"
    ).read_bytes()


@pytest.mark.parametrize(
    "locale, title, rule, wait",
    [
        ("pt-BR", "Funil das decisões", "Não há consentimento para este canal.", "Contas sem ação além de aguardar"),
        ("en", "Decision funnel", "There is no consent for this channel.", "Accounts with no action but wait"),
    ],
)
def test_the_report_tells_the_funnel_with_the_wording_of_rules(acerto, run, locale, title, rule, wait):
    folder = run[0] / f"funnel-{locale}"
    assert acerto("report", "--decisions", "told.parquet", "--out", folder.name, "--locale", locale).code == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert f"<h2>{title}</h2>" in page and rule in page and wait in page
    assert json.loads((folder / "report.json").read_text(encoding="utf-8"))["decision_funnel"] == run[2]


@pytest.mark.parametrize("locale, title", [("pt-BR", "Funil das decisões"), ("en", "Decision funnel")])
def test_a_report_without_decisions_says_how_to_get_the_funnel(acerto, run, locale, title):
    folder = run[0] / f"bare-{locale}"
    assert acerto("report", "--out", folder.name, "--locale", locale).code == 0
    section = (folder / "report.html").read_text(encoding="utf-8").split(f"<h2>{title}</h2>")[1].split("<h2>")[0]
    assert "acerto report --decisions" in section and "<table>" not in section
    assert json.loads((folder / "report.json").read_text(encoding="utf-8"))["decision_funnel"]["missing"] == "decisions"


def test_the_report_says_when_another_version_decided(acerto, run):
    json.loads(acerto("train", "--data", "data", "--json").out)
    assert acerto("report", "--decisions", "told.parquet", "--model", "challenger", "--out", "other").code == 0
    assert "Atenção: as decisões são da versão" in (run[0] / "other/report.html").read_text(encoding="utf-8")


def test_a_report_on_decisions_without_figures_is_refused(acerto, run):
    (run[0] / "bare.csv").write_text("account_id\n", encoding="utf-8")
    result = acerto("report", "--decisions", "bare.csv", "--out", "nowhere")
    assert (result.code, "bare.csv.funnel.json" in result.err) == (1, True)
