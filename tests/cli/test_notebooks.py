from __future__ import annotations

import pytest

pytest.importorskip("ipykernel", reason="needs ipykernel and nbclient: pip install -e .[dev]")
pytest.importorskip("nbclient", reason="needs nbclient: pip install -e .[dev]")

from notebook_runs import NOTEBOOKS, ROOT, complaints, executed, outputs, read


@pytest.fixture(scope="module")
def reasons(project):
    """The notebook on report and reasons, run where somebody has data and a champion of their own."""
    return executed(ROOT / "notebooks/report_and_reasons.ipynb", project)


@pytest.fixture(scope="module")
def promoted(project):
    """The notebook from tables to a promoted model, run beside data and settings of somebody."""
    before = sorted(path.name for path in (project / "mlruns/bundles").iterdir())
    found = executed(ROOT / "notebooks/train_and_promote.ipynb", project)
    assert sorted(path.name for path in (project / "mlruns/bundles").iterdir()) == before
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_kept_without_outputs(path):
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert cells and not [cell for cell in cells if cell.outputs or cell.execution_count is not None]


def test_report_and_reasons_runs_without_a_warning(reasons):
    assert complaints(reasons) == []


def test_report_and_reasons_draws_calibration_the_value_curve_and_contributions(reasons):
    assert sum("image/png" in output.get("data", {}) for output in outputs(reasons)) == 3


def test_report_and_reasons_finds_the_contributions_of_shap(reasons):
    texts = [output.get("text", "") for output in outputs(reasons)]
    assert any(text.startswith("largest difference of 2") for text in texts)


def test_train_and_promote_runs_without_a_warning_and_changes_no_registry_of_its_reader(promoted):
    assert complaints(promoted) == []


def test_train_and_promote_measures_both_models_and_names_the_version(promoted):
    told = [output.get("data", {}).get("text/html", "") for output in outputs(promoted)]
    texts = [output.get("text", "") for output in outputs(promoted)]
    assert any("PaymentClassifier" in one and "logistic regression" in one for one in told)
    assert any(one.startswith("version 1, model ") for one in texts)


def test_train_and_promote_ends_with_a_champion_that_was_forced_past_its_gates_or_met_them(promoted):
    told = [output.get("data", {}).get("text/html", "") for output in outputs(promoted)]
    assert any("<td>promoted</td>" in one or "<td>forced</td>" in one for one in told)
