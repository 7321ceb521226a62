"""One training run on a small made-up portfolio, looked at from every side, and a second one to compare it with."""

import copy
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_figures import unsure

from decisioning.bundle import read_bundle
from decisioning.desk import load_desk
from decisioning.integrity import manifest_of, read_files, seal_of, write_files
from domain.clock import from_us
from domain.errors import AcertoError, BundleError, NotEnoughDataError
from domain.tables import Tables
from features.schema import FeatureSchema
from features.spine import Spine
from training import registry
from training.config import GatesConfig
from training.dataset import PaymentRows
from training.evaluation import Rows
from training.matrix import inspect
from training.ope.estimators import Estimate
from training.ope.opponents import Compared, Comparison
from training.pipeline import TrainingResult, train
from training.promoting.measured import evaluation_gates
from training.promotion import promote, read_comparison
from training.reporting.held_out_files import ROWS
from training.reporting.lights import WORSE
from training.reporting.paired import FILE as PAIRED
from training.reporting.policy import load_policy
from training.reporting.report import write_report as write
from training.tracking import client_of

POLICY = load_policy(Path("configs"))


def write_report(folder: Path, out: Path, **named: Any) -> Path:
    """By the policy of the repository."""
    return write(folder, out, policy=POLICY, **named)


SETTINGS = "model: {threads: 1, max_rounds: 12, max_leaves: 7}\nsampling: {max_rows: 3000}\n"
OPEN = GatesConfig(max_ece=1.0, min_auc_over_days_past_due=-1.0)


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("configs")
    for name in ("actions.yaml", "features.yaml"):
        (folder / name).write_bytes((Path("configs") / name).read_bytes())
    (folder / "training.yaml").write_text(SETTINGS, encoding="utf-8")
    (folder / "decision.yaml").write_text("horizon_days: [7, 30]\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> registry.Tracking:
    return registry.Tracking(root=tmp_path_factory.mktemp("registry") / "mlruns")


@pytest.fixture(scope="module")
def trained(portfolio: Tables, configs: Path, tracking: registry.Tracking) -> TrainingResult:
    return train(portfolio, configs=configs, until=None, name="first", tracking=tracking)


@pytest.fixture(scope="module")
def shuffled(portfolio: Tables, configs: Path, tracking: registry.Tracking, trained: TrainingResult) -> TrainingResult:
    """The same data with the rows of every table in another order, registered second."""
    rng = np.random.default_rng(1)
    columns = {}
    for name, table in portfolio.columns.items():
        order = rng.permutation(portfolio.rows(name))
        columns[name] = {c: v[order] if isinstance(v, np.ndarray) else v.take(order) for c, v in table.items()}
    return train(Tables(columns), configs=configs, until=None, name="second", tracking=tracking)


def test_training_twice_gives_the_same_model_whatever_the_order_of_rows(
    trained: TrainingResult, shuffled: TrainingResult
) -> None:
    assert trained.bundle.model_hash == shuffled.bundle.model_hash
    assert trained.evaluation == shuffled.evaluation


def test_versions_count_up_and_the_last_is_the_challenger(
    trained: TrainingResult, shuffled: TrainingResult, tracking: registry.Tracking
) -> None:
    assert (trained.version, shuffled.version) == ("1", "2")
    assert registry.challenger(tracking) == "2"


def test_before_any_training_there_is_nothing_to_resolve(tmp_path: Path) -> None:
    tracking = registry.Tracking(root=tmp_path)
    with pytest.raises(BundleError, match="acerto train"):
        registry.resolve("champion", tracking)


@pytest.mark.parametrize("path", [Path.absolute, lambda path: path.relative_to(path.parents[1])])
def test_a_bundle_is_found_by_its_folder_even_that_of_a_version(
    shuffled: TrainingResult, tracking: registry.Tracking, monkeypatch: pytest.MonkeyPatch, path: Callable[[Path], Path]
) -> None:
    folder = tracking.bundles / shuffled.version
    monkeypatch.chdir(folder.parents[1])
    found, note = registry.resolve(str(path(folder)), tracking)
    assert (found.resolve(), note) == (folder.resolve(), None)


def test_a_folder_that_is_no_bundle_is_none_of_the_versions(
    trained: TrainingResult, tracking: registry.Tracking, tmp_path: Path
) -> None:
    with pytest.raises(BundleError, match="needed champion, challenger, a version or a bundle's folder"):
        registry.resolve(str(tmp_path / "nowhere"), tracking)


def test_champions_come_and_go_back(
    trained: TrainingResult, shuffled: TrainingResult, tracking: registry.Tracking
) -> None:
    folder, note = registry.resolve("champion", tracking)
    assert folder.name == "2" and note is not None and "challenger" in note
    promote(tracking, version="1", gates=OPEN)
    promoted = promote(tracking, version=None, gates=OPEN)
    assert (promoted.version, promoted.previous, registry.resolve("champion", tracking)[0].name) == ("2", "1", "2")
    assert registry.roll_back(tracking) == ("2", "1")
    pointer = json.loads((tracking.root / "aliases" / "champion.json").read_text())
    assert (pointer["version"], pointer["bundle"]) == ("1", "bundles/1")
    with pytest.raises(BundleError, match="earlier one"):
        registry.roll_back(tracking)


def test_a_bundle_other_than_the_registered_one_is_not_promoted(
    shuffled: TrainingResult, tracking: registry.Tracking, tmp_path: Path
) -> None:
    bundle = tracking.bundles / "2"
    kept = bundle.rename(tmp_path / "kept")
    shutil.copytree(kept, bundle)
    manifest = json.loads((bundle / "manifest.json").read_text()) | {"model_hash": "0" * 64}
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    try:
        with pytest.raises(BundleError, match="registered was"):
            registry.move_champion("2", tracking, signed=registry.Signed("a test", "forged"))
    finally:
        shutil.rmtree(bundle)
        kept.rename(bundle)


def test_a_version_that_is_rolled_back_to_keeps_the_seal_of_its_promotion(
    shuffled: TrainingResult, tracking: registry.Tracking
) -> None:
    for version in ("1", "2"):
        promote(tracking, version=version, gates=OPEN)
    manifest = tracking.bundles / "1" / "manifest.json"
    before = manifest.read_text()
    manifest.write_text(json.dumps(json.loads(before) | {"trained_at": "2027-01-01T00:00:00Z"}))
    try:
        registry.roll_back(tracking)
        pointer = json.loads((tracking.root / "aliases" / "champion.json").read_text())
        assert pointer["seal"] != seal_of(manifest_of(tracking.bundles / "1"))
    finally:
        manifest.write_text(before)
    assert pointer["seal"] == seal_of(manifest_of(tracking.bundles / "1"))


def test_a_rollback_is_served_though_the_tracking_store_cannot_be_told(
    shuffled: TrainingResult, tracking: registry.Tracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("1", "2"):
        promote(tracking, version=version, gates=OPEN)

    def fail(*args: object, **keys: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(registry, "_record_champion", fail)
    with pytest.raises(BundleError, match="version 1 is served again"):
        registry.roll_back(tracking)
    assert registry.champions(tracking)[-1] == "1"


def test_the_alias_carries_the_seal_of_what_was_promoted(trained: TrainingResult, tracking: registry.Tracking) -> None:
    for alias in (tracking.root / "aliases").iterdir():
        pointer = json.loads(alias.read_text())
        assert pointer["seal"] == read_bundle(tracking.root / pointer["bundle"]).seal


def test_gates_stop_a_version_unless_somebody_says_why(trained: TrainingResult, tracking: registry.Tracking) -> None:
    strict = GatesConfig(max_ece=1e-9)
    with pytest.raises(AcertoError, match="--force --why"):
        promote(tracking, version="1", gates=strict)
    assert promote(tracking, version="1", gates=strict, why="a rehearsal").forced


def test_the_bundle_holds_a_response_model_of_the_whole_log(trained: TrainingResult) -> None:
    bundle = read_bundle(trained.bundle.folder)
    assert bundle.response is not None
    assert trained.evaluation["response"]["heads"]["pay"]["rows"] > 5_000
    assert set(bundle.response.heads) == set(trained.evaluation["response"]["heads"])


def test_a_log_without_agreements_has_a_hurdle_and_the_evaluation_says_why(trained: TrainingResult) -> None:
    told = trained.evaluation["response"]
    assert (told["learner"], "agreements, needed 1000 and 100" in told["fell_back"]) == ("hurdle", True)


def test_late_money_is_alike_after_every_action(trained: TrainingResult) -> None:
    golden = read_bundle(trained.bundle.folder).golden["outcomes"]
    assert all(len(set(row)) == 1 for row in golden["late"])
    assert any(len(set(row)) > 1 for row in golden["p_pay"])


def test_nothing_later_than_the_cut_changes_the_model(portfolio: Tables, configs: Path, tmp_path: Path) -> None:
    decided = portfolio.ints("decisions", "decided_at")
    until = from_us(int(np.quantile(decided, 0.8)))
    tracking = registry.Tracking(root=tmp_path / "mlruns")
    early = portfolio.ints("payments", "recorded_at") < int(until.timestamp() * 1e6)
    cut = {c: v[early] if isinstance(v, np.ndarray) else v.take(np.flatnonzero(early))
           for c, v in portfolio.columns["payments"].items()}  # fmt: skip
    hashes = {
        train(tables, configs=configs, until=until, name=None, tracking=tracking).bundle.model_hash
        for tables in (portfolio, Tables({**portfolio.columns, "payments": cut}))
    }
    assert len(hashes) == 1


def test_without_decisions_the_payment_model_trains_and_the_response_model_is_refused(
    portfolio: Tables, configs: Path, tmp_path: Path
) -> None:
    bare = Tables({name: portfolio.columns[name] for name in ("accounts", "debts", "payments")})
    result = train(bare, configs=configs, until=None, name=None, tracking=registry.Tracking(root=tmp_path / "mlruns"))
    assert result.bundle.response is None
    assert "decisions" in result.evaluation["response"]["refused"]


def test_every_horizon_is_asked_whether_it_follows_the_declared_directions(trained: TrainingResult) -> None:
    declared = {feature.name: feature.direction for feature in trained.bundle.schema.features if feature.direction}
    for horizon in trained.evaluation["horizons"].values():
        found = horizon["directions"]["by_feature"]
        assert found and all(declared[one["feature"]] == one["direction"] for one in found)


def test_every_horizon_tells_how_well_it_orders_the_rows_that_it_was_grown_on(trained: TrainingResult) -> None:
    told = [horizon["training"] for horizon in trained.evaluation["horizons"].values()]
    assert [(0.5 < one["auc"] <= 1.0, one["rows"]) for one in told] == [
        (True, horizon["rows"]["train"]) for horizon in trained.evaluation["horizons"].values()
    ]


@pytest.mark.parametrize("locale, line", [("pt-BR", "Sentido esperado: "), ("en", "Expected direction: ")])
def test_the_report_says_in_one_line_whether_directions_are_kept(
    trained: TrainingResult, tmp_path: Path, locale: str, line: str
) -> None:
    page = write_report(trained.bundle.folder, tmp_path, locale=locale).read_text(encoding="utf-8")
    assert page.count(line) == 1


@pytest.mark.parametrize("locale", ["pt-BR", "en"])
def test_the_report_needs_no_network_and_tells_every_section(
    trained: TrainingResult, tmp_path: Path, locale: str
) -> None:
    page = write_report(trained.bundle.folder, tmp_path, locale=locale).read_text(encoding="utf-8")
    assert page.count("<h2>") == 28 and "http:" not in page and "https:" not in page and "<script" not in page
    numbers = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert numbers["evaluation"]["horizons"]["30"]["metrics"]["auc"]["value"] is not None


def test_every_figure_of_the_report_has_rows_and_interval_or_says_why_not(
    trained: TrainingResult, tmp_path: Path
) -> None:
    write_report(trained.bundle.folder, tmp_path, desk=load_desk(Path("configs")))
    assert unsure(json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("locale, title", [("pt-BR", "A quem o contato compensa"), ("en", "Whom contacting pays for")])
def test_the_report_tells_whom_contacting_pays_for(
    trained: TrainingResult, tmp_path: Path, locale: str, title: str
) -> None:
    page = write_report(trained.bundle.folder, tmp_path, locale=locale, desk=load_desk(Path("configs")))
    told = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["targeting"]
    assert f"<h2>{title}</h2>" in page.read_text(encoding="utf-8")
    assert sum(band["accounts"] for band in told["bands"]) == told["rows"] > 0


@pytest.fixture
def compared(trained: TrainingResult, tracking: registry.Tracking) -> Iterator[dict[str, Any]]:
    """A comparison kept with the first version, for as long as a test lasts."""
    found = Compared(
        (Comparison("ladder", "not_established", Estimate(1.5, se=1.8)), Comparison("random", "no_support")),
        (), decisions=1_234, days=90,
    )  # fmt: skip
    path = registry.keep_comparison(trained.version, found.as_json(), tracking)
    yield found.as_json()
    path.unlink()


def test_a_comparison_is_kept_beside_the_bundle_and_leaves_it_whole(
    trained: TrainingResult, compared: dict[str, Any]
) -> None:
    kept = read_comparison(trained.bundle.folder)
    assert kept is not None
    assert {name: kept[name] for name in compared} == compared
    assert read_bundle(trained.bundle.folder).model_hash == trained.bundle.model_hash


def test_another_machine_fetches_the_comparison_with_its_bundle(
    trained: TrainingResult, compared: dict[str, Any], tracking: registry.Tracking, tmp_path: Path
) -> None:
    elsewhere = registry.Tracking(root=tmp_path / "mlruns", uri=tracking.address)
    kept = read_comparison(registry.bundle_of(trained.version, elsewhere))
    assert kept is not None and kept["opponents"] == compared["opponents"]


@pytest.mark.parametrize(
    "locale, verdict, gain", [("pt-BR", "não estabelecido", "1,50"), ("en", "not established", "1.50")]
)
def test_the_report_tells_the_verdicts_against_other_policies(
    trained: TrainingResult, compared: dict[str, Any], tmp_path: Path, locale: str, verdict: str, gain: str
) -> None:
    page = write_report(trained.bundle.folder, tmp_path, locale=locale).read_text(encoding="utf-8")
    rows = [row for row in page.splitlines() if verdict in row and row.startswith("<tr>") and gain in row]
    assert len(rows) == 1
    numbers = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert numbers["opponents"]["opponents"] == compared["opponents"]


def test_a_report_of_a_version_that_was_never_compared_says_how_to_compare_it(
    trained: TrainingResult, tmp_path: Path
) -> None:
    page = write_report(trained.bundle.folder, tmp_path, locale="en").read_text(encoding="utf-8")
    assert "acerto promote --data DIR" in page.split("<h2>Against other policies</h2>")[1].split("<h2>")[0]


def test_the_bundle_keeps_a_reference_for_every_feature(trained: TrainingResult) -> None:
    bundle = read_bundle(trained.bundle.folder)
    assert bundle.reference is not None
    assert tuple(sorted(bundle.reference.features)) == tuple(sorted(bundle.schema.names))
    assert bundle.reference.rows == trained.evaluation["sampling"]["rows"]


def test_the_bundle_keeps_how_the_scores_of_each_horizon_were_distributed(trained: TrainingResult) -> None:
    bundle = trained.bundle
    assert bundle.scores is not None
    assert list(bundle.scores.features) == [f"{days}d" for days in bundle.payment.horizons]
    assert 0 < bundle.scores.rows < trained.evaluation["sampling"]["rows"]


def test_a_policy_that_lost_to_the_ladder_is_not_promoted(trained: TrainingResult, tracking: registry.Tracking) -> None:
    with pytest.raises(AcertoError, match="value against ladder: found worse"):
        promote(tracking, version="1", gates=OPEN, comparisons=(Comparison("ladder", "worse"),))


def test_constant_features_and_duplicates_are_named_in_the_evaluation(trained: TrainingResult) -> None:
    found = trained.evaluation["features"]
    # No payment of the portfolio is ever reversed, and no debt of it bears interest.
    assert "reversals_count_365d" in found["constant"]
    assert found["duplicates"]["principal_cents"] == "balance_cents"


def test_critical_findings_about_features_stop_a_promotion(trained: TrainingResult) -> None:
    evaluation = copy.deepcopy(trained.evaluation)
    evaluation["features"]["counts"]["critical"] = 1
    gate = next(gate for gate in evaluation_gates(evaluation, OPEN) if "features" in gate.name)
    assert not gate.met


def test_without_a_bound_any_number_of_critical_findings_passes(trained: TrainingResult) -> None:
    anything = GatesConfig(max_critical_features=None)
    assert not [gate for gate in evaluation_gates(trained.evaluation, anything) if "features" in gate.name]


def test_a_version_of_before_features_were_judged_has_no_gate_on_them(trained: TrainingResult) -> None:
    evaluation = copy.deepcopy(trained.evaluation)
    del evaluation["features"]["counts"]
    assert not [gate for gate in evaluation_gates(evaluation, OPEN) if "features" in gate.name]


def test_a_matrix_in_which_nothing_varies_is_refused() -> None:
    schema = FeatureSchema(("balance_cents", "open_debts"), {}, {})
    flat = np.zeros(5, dtype=np.int64)
    rows = PaymentRows(
        Spine(flat.astype(np.int32), flat), np.ones((5, 2)), schema,
        Rows(flat, flat.astype(np.int32), flat > 0, flat.astype(float), flat), "periodic",
    )  # fmt: skip
    with pytest.raises(NotEnoughDataError, match="found 2 features of 2 with one value"):
        inspect(rows, schema)


@pytest.fixture(scope="module")
def told(trained: TrainingResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report in Portuguese, without decisions."""
    return write_report(trained.bundle.folder, tmp_path_factory.mktemp("told"), desk=load_desk(Path("configs"))).parent


def numbers_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return found


def test_every_light_of_the_policy_stands_in_the_report(told: Path) -> None:
    assert set(numbers_of(told)["lights"]) == set(WORSE)


def test_sections_about_the_model_are_there_after_training(told: Path) -> None:
    there = {one["code"] for one in numbers_of(told)["sections"] if one["available"]}
    assert {"split", "calibration", "stability", "segments", "importance", "local", "robustness"} <= there


def test_contributions_add_up_in_every_row_of_the_report(told: Path) -> None:
    found = numbers_of(told)["lights"]["SHAP_ADDITIVITY"]
    assert (found["light"], found["value"] <= 1e-8) == ("green", True)


def test_a_section_without_evidence_says_why(told: Path) -> None:
    found = {one["code"]: one["missing"] for one in numbers_of(told)["sections"]}
    assert (found["challenger"], found["decision_fairness"]) == ("no_champion", "no_decided")


def test_the_page_is_small_enough_to_send(told: Path) -> None:
    assert (told / "report.html").stat().st_size <= 5_000_000


def test_the_same_report_is_the_same_three_files(trained: TrainingResult, told: Path, tmp_path: Path) -> None:
    write_report(trained.bundle.folder, tmp_path, desk=load_desk(Path("configs")))
    assert all((tmp_path / name).read_bytes() == (told / name).read_bytes()
               for name in ("report.html", "report.pdf", "report.json"))  # fmt: skip


def test_every_picture_has_a_text_and_every_wide_table_is_reached_by_keyboard(told: Path) -> None:
    page = (told / "report.html").read_text(encoding="utf-8")
    assert page.count("<img ") == len(re.findall(r'<img alt="[^"]{20,}"', page)) > 15
    assert page.count('<div class="wide"') == page.count('tabindex="0"') == page.count("<table>")


def test_the_rows_that_are_kept_name_nobody(trained: TrainingResult) -> None:
    kept = np.load(trained.bundle.folder / "evaluation" / ROWS, allow_pickle=False)
    assert {kept[name].dtype.kind for name in kept.files} <= {"f", "i", "b"}
    assert sorted(set(kept["debtor"].tolist())) == list(range(len(set(kept["debtor"].tolist()))))


def test_a_bundle_of_before_rows_were_kept_still_gives_a_report(trained: TrainingResult, tmp_path: Path) -> None:
    manifest, contents = read_files(trained.bundle.folder)
    left = {name: content for name, content in contents.items() if "report_" not in name}
    write_files(
        tmp_path / "old", left, identity={name: manifest[name] for name in ("version", "trained_at", "model_hash")}
    )
    write_report(tmp_path / "old", tmp_path / "out")
    found = numbers_of(tmp_path / "out")["lights"]
    assert {found[code]["reason"] for code in ("STABILITY_SCORE", "SEGMENT_ORDER", "SPLIT_LEAK")} == {"old_bundle"}


def test_the_next_version_is_compared_with_the_champion_on_the_same_rows(
    portfolio: Tables, configs: Path, tmp_path: Path
) -> None:
    tracking = registry.Tracking(root=tmp_path / "mlruns")
    for name in ("champion", "next"):
        found = train(portfolio, configs=configs, until=None, name=name, tracking=tracking)
        registry.move_champion("1", tracking, signed=registry.Signed("a test", "a test"))
    write_report(found.bundle.folder, tmp_path / "out")
    section = next(one for one in numbers_of(tmp_path / "out")["sections"] if one["code"] == "challenger")
    assert section["available"] and section["lights"][0]["reason"] == "champion_has_seen"
    kept = json.loads((tracking.bundles / "2" / "evaluation" / PAIRED).read_text(encoding="utf-8"))
    assert (kept["model_hash"], kept["rows_of"]) == (manifest_of(tracking.bundles / "1")["model_hash"], "all")
    assert kept["metrics"]["auc"]["difference"] == section["tables"]["paired"][0]["auc_gain"]["value"]


@pytest.fixture(scope="module")
def run(trained: TrainingResult, tracking: registry.Tracking) -> Any:
    """The run of the first version, as the tracking store keeps it."""
    with client_of(tracking) as client:
        return client.get_run(client.get_model_version("acerto", trained.version).run_id)


def test_the_run_keeps_the_configurations_as_they_were(
    run: Any, configs: Path, tracking: registry.Tracking, tmp_path: Path
) -> None:
    with client_of(tracking) as client:
        kept = Path(client.download_artifacts(run.info.run_id, "configs", str(tmp_path)))
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == {
        path.name: path.read_bytes() for path in configs.iterdir()
    }


def test_the_run_keeps_pictures_and_the_whole_bundle(run: Any, tracking: registry.Tracking) -> None:
    with client_of(tracking) as client:
        found = {one.path for part in ("plots", "bundle") for one in client.list_artifacts(run.info.run_id, part)}
    assert {"plots/gains.png", "plots/reliability.png", "bundle/manifest.json"} <= found


def test_every_metric_of_the_run_lies_in_its_interval(run: Any) -> None:
    metrics = run.data.metrics
    assert metrics["auc_30d_low"] <= metrics["auc_30d"] <= metrics["auc_30d_high"]


def test_the_run_says_what_it_was_made_of(run: Any, trained: TrainingResult) -> None:
    assert run.data.params["model_hash"] == trained.bundle.model_hash
    assert run.data.params["data_sha256"] == trained.evaluation["data"]["sha256"]


def test_the_run_says_how_long_each_step_took(run: Any) -> None:
    assert {
        "wall_s/fit payment models",
        "cpu_s/fit payment models",
        "wall_s/write the bundle",
    } <= run.data.metrics.keys()


def test_the_gain_of_all_features_is_one_and_the_strongest_comes_first(trained: TrainingResult) -> None:
    path = trained.bundle.folder / "evaluation/importance.json"
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    moved = [one["mean_abs_shap"] for one in features]
    assert sum(one["gain_share"] for one in features) == pytest.approx(1)
    assert moved == sorted(moved, reverse=True) and moved[0] > 0
    assert {one["feature"] for one in features} == set(trained.bundle.schema.names)
