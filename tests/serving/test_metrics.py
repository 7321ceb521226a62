"""What the metrics say, held to what was answered; each test looks at what a counter rose by."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from counted import Rise, value
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Counter, Gauge, Histogram, Summary

from decisioning.bundle import BundleParts, ModelBundle, read_bundle, write_bundle
from domain.errors import StoreError
from features.reference import fit_numbers, fit_reference
from serving import metrics
from serving.access.keyring import KeyRing
from serving.app import create_app
from serving.engine import Engine, load_engine
from serving.fallbacks import CODES, fell_back
from serving.settings import Limits, Settings
from serving.store import Store
from serving.tallies import Tallies
from serving.tally import LATEST, Tally

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"


@pytest.fixture(scope="module")
def scored(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    """The small bundle as training writes it now: with what its matrix and its scores looked like."""
    small = read_bundle(bundle)
    values = np.random.default_rng(5).normal(size=(4_000, len(small.schema.names))) * 100
    values[:, -1] = 0.0
    values[::4, 1] = np.nan
    p_pay = small.payment.predict(values)
    columns = {f"{days}d": p_pay[:, place] for place, days in enumerate(small.payment.horizons)}
    parts = BundleParts(
        version="9", trained_at=small.trained_at, schema=small.schema, payment=small.payment, response=None,
        settings=small.settings, golden_values=values[:5], reference=fit_reference(values, small.schema),
        scores=fit_numbers(columns, units=len(values)),
    )  # fmt: skip
    return write_bundle(tmp_path_factory.mktemp("scored") / "9", parts)


@pytest.fixture(scope="module")
def tallies() -> Tallies:
    return Tallies()


@pytest.fixture(scope="module")
def watched(serve: Any, schemas: Any, scored: ModelBundle, tallies: Tallies, tmp_path_factory: Any) -> Iterator[Any]:
    """The service with a store, over the bundle that knows its scores."""
    engine = load_engine(Settings(bundle=scored.folder, configs=CONFIGS), tallies=tallies)
    url = f"sqlite:///{tmp_path_factory.mktemp('watched')}/acerto.db"
    app = create_app(schemas, load=lambda: engine, open_store=lambda: Store.open(url), tallies=tallies)
    with serve(app) as client:
        yield client.wait_until_ready()


def test_rows_and_nulls_of_a_feature_are_those_of_the_accounts_scored(watched: Any, ask: Any, ledger: Any) -> None:
    watched.get("/metrics")
    rows, nulls = (Rise(f"acerto_feature_{kind}_total", feature="income") for kind in ("rows", "nulls"))
    without = ledger("a2", account={"region": "BR-SP"})
    assert watched.post("/v1/scores", json=ask(ledger("a1"), without)).status_code == 200
    watched.get("/metrics")
    assert (rows(), nulls()) == (2, 1)


def test_the_warm_up_counts_as_nothing_scored(serve: Any, schemas: Any, scored: ModelBundle) -> None:
    own = Tallies()
    rows = Rise("acerto_feature_rows_total", feature="income")
    with serve(
        create_app(
            schemas, load=lambda: load_engine(Settings(bundle=scored.folder, configs=CONFIGS), tallies=own), tallies=own
        )
    ) as client:
        client.wait_until_ready().get("/metrics")
    assert rows() == 0


@pytest.mark.parametrize("path", ["/v1/scores", "/v1/decisions"])
def test_a_score_is_counted_in_the_bin_of_training_that_it_falls_in(
    watched: Any, ask: Any, scored: ModelBundle, path: str
) -> None:
    assert scored.scores is not None
    watched.get("/metrics")
    before = {number: value("acerto_scores_total", horizon="60d", bin=str(number)) for number in range(1, 11)}
    answer = watched.post(path, json=ask()).json()[path.rpartition("/")[2]][0]
    watched.get("/metrics")
    rose = [n for n in before if value("acerto_scores_total", horizon="60d", bin=str(n)) == before[n] + 1]
    edges = scored.scores.features["60d"].edges
    assert rose == [1 + sum(answer["p_pay"]["60d"] > edge for edge in edges)]


def test_null_shares_of_training_and_bins_of_its_scores_are_told(watched: Any, ask: Any) -> None:
    watched.post("/v1/scores", json=ask())
    watched.get("/metrics")
    shares = [value("acerto_scores_training_share", horizon="30d", bin=str(number)) for number in range(1, 11)]
    assert sum(shares) == pytest.approx(1.0)
    assert value("acerto_feature_null_share_training", feature="balance_cents") == 0.25


def psi(tally: Tally, values: np.ndarray) -> float:
    tally.add(values, tally.bundle.payment.predict(values))
    tally.tell()
    return value("acerto_scores_psi", horizon="30d")


def like_training(rows: int, names: int) -> np.ndarray:
    values = np.random.default_rng(6).normal(size=(rows, names)) * 100
    values[:, -1] = 0.0
    return values


def test_the_psi_is_small_where_accounts_are_those_of_training_and_large_where_they_are_not(
    scored: ModelBundle,
) -> None:
    values = like_training(LATEST, len(scored.schema.names))
    same = psi(Tally(scored), values)
    values[:, 0] = np.abs(values[:, 0])
    shifted = psi(Tally(scored), values)
    assert same < 0.1
    assert shifted > 0.25


def test_before_there_are_enough_accounts_the_psi_is_not_told(scored: ModelBundle) -> None:
    tally = Tally(scored)
    tally.take_over(None)
    assert psi(tally, like_training(LATEST - 1, len(scored.schema.names))) == 0
    assert psi(tally, like_training(1, len(scored.schema.names))) > 0


def test_the_psi_is_over_the_latest_accounts_alone(scored: ModelBundle) -> None:
    tally, values = Tally(scored), like_training(LATEST, len(scored.schema.names))
    shifted = values.copy()
    shifted[:, 0] = np.abs(shifted[:, 0])
    psi(tally, shifted)
    assert psi(tally, values) == psi(Tally(scored), values)


@given(parts=st.lists(st.integers(0, 40), max_size=6))
def test_nothing_is_lost_or_counted_twice_however_accounts_come(scored: ModelBundle, parts: list[int]) -> None:
    rows, bins = Rise("acerto_feature_rows_total", feature="income"), sum_of_scores()
    tally = Tally(scored)
    for count in parts:
        values = like_training(count, len(scored.schema.names))
        if count:
            tally.add(values, scored.payment.predict(values))
        tally.tell()
    assert (rows(), sum_of_scores() - bins) == (sum(parts), sum(parts))


def sum_of_scores() -> float:
    return sum(value("acerto_scores_total", horizon="30d", bin=str(number)) for number in range(1, 11))


def test_a_bundle_of_before_is_served_without_the_distribution_of_its_scores(engine: Engine) -> None:
    assert engine.bundle.scores is None
    before = sum_of_scores()
    tally = Tally(engine.bundle)
    tally.take_over(None)
    values = like_training(LATEST, len(engine.bundle.schema.names))
    tally.add(values, engine.bundle.payment.predict(values))
    assert tally.tell()
    assert sum_of_scores() == before


def test_after_a_swap_the_shares_of_the_model_before_are_gone(scored: ModelBundle, engine: Engine) -> None:
    tally = Tally(scored)
    tally.take_over(None)
    assert value("acerto_scores_training_share", horizon="30d", bin="1") > 0
    Tally(engine.bundle).take_over(tally)
    assert value("acerto_scores_training_share", horizon="30d", bin="1") == 0


def test_refusals_are_counted_by_rule_version_and_code_of_the_policy(watched: Any, ask: Any) -> None:
    answer = watched.post("/v1/decisions", json=ask()).json()["decisions"][0]
    one = answer["refusals"][0]
    labels = {name: one[name] for name in ("rule", "version", "code")}
    alike = sum({name: other[name] for name in labels} == labels for other in answer["refusals"])
    rose = Rise("acerto_rule_refusals_total", **labels)
    watched.post("/v1/decisions", json=ask())
    assert rose() == alike


def test_a_request_that_waits_for_its_turn_is_timed(watched: Any, ask: Any) -> None:
    waited = Rise("acerto_queue_seconds_count")
    watched.post("/v1/scores", json=ask())
    assert waited() == 1
    assert value("acerto_queue_waiting") == 0


def test_requests_sent_away_are_counted_by_what_there_was_too_little_of(
    serve: Any, schemas: Any, brain: Any, ask: Any
) -> None:
    full, late = (Rise("acerto_shed_total", reason=reason) for reason in ("full", "deadline"))
    with serve(create_app(schemas, load=lambda: brain, limits=Limits(threads=0, large_threads=0, queue=0))) as client:
        assert client.wait_until_ready().post("/v1/scores", json=ask()).status_code == 503
    with serve(create_app(schemas, load=lambda: brain, limits=Limits(threads=0, queue=1, deadline_s=0.01))) as client:
        assert client.wait_until_ready().post("/v1/scores", json=ask()).status_code == 503
    assert (full(), late()) == (1, 1)


def test_repeats_of_a_key_are_counted_by_what_came_of_them(watched: Any, ask: Any) -> None:
    rises = [Rise("acerto_once_total", result=result) for result in ("answered", "replayed", "other_request")]
    for request in (ask(), ask(), ask(explain="none")):
        watched.post("/v1/decisions", json=request, headers={"Idempotency-Key": "counted"})
    assert [rose() for rose in rises] == [1, 1, 1]


def test_open_reviews_are_those_without_an_outcome_whatever_their_text_says(watched: Any, ask: Any) -> None:
    decision_id = watched.post("/v1/decisions", json=ask()).json()["decisions"][0]["decision_id"]
    said = []
    for review in (
        {"kind": "request", "by": "debtor", "text": '"kind":"outcome"'},
        {"kind": "request", "by": "debtor", "reason": "again"},
        {"kind": "outcome", "by": "agent", "outcome": "upheld", "text": '{"kind":"request"} %_'},
    ):
        watched.post(f"/v1/decisions/{decision_id}/review", json=review)
        watched.get("/metrics")
        said.append(value("acerto_reviews_open"))
    assert said == [1, 2, 1]


def test_permits_are_counted_with_what_changed(watched: Any, ask: Any, ledger: Any) -> None:
    decision_id = watched.post("/v1/decisions", json=ask()).json()["decisions"][0]["decision_id"]
    asked = {"at": "2027-01-01T00:00:00Z", "permits": [{"decision_id": decision_id}], "accounts": [ledger()]}
    refused = Rise("acerto_permits_total", allowed="no")
    expired = Rise("acerto_permit_changes_total", code="EXPIRED", refuses="yes")
    assert watched.post("/v1/permits", json=asked).status_code == 200
    assert (refused(), expired()) == (1, 1)


def test_each_account_without_a_learned_response_counts_as_answered_by_priors(
    watched: Any, ask: Any, ledger: Any
) -> None:
    watched.get("/metrics")
    priors, assumed = (
        Rise("acerto_fallbacks_total", code="priors"),
        Rise("acerto_fallbacks_total", code="table_assumed"),
    )
    bare = {name: part for name, part in ledger("a2").items() if name != "payments"}
    watched.post("/v1/scores", json=ask(ledger("a1"), bare))
    watched.get("/metrics")
    assert (priors(), assumed()) == (2, 1)


def test_a_decision_that_nothing_keeps_is_counted(client: Any, ask: Any) -> None:
    kept = Rise("acerto_fallbacks_total", code="not_kept")
    client.post("/v1/decisions", json=ask(commit=False))
    client.post("/v1/decisions", json=ask())
    assert kept() == 1


def test_keys_that_cannot_be_read_again_are_counted_while_they_are_kept() -> None:
    moments = iter([0.0] * 3 + [5.0] * 3 + [500.0] * 3)
    reads = iter([{}])

    def read() -> Any:
        try:
            return next(reads)
        except StopIteration:
            raise StoreError("gone") from None

    ring, rose = KeyRing(read, clock=lambda: next(moments)), Rise("acerto_fallbacks_total", code="keys_kept")
    for _ in range(3):
        ring.renew()
    assert rose() == 1


def test_a_fallback_has_one_of_the_codes_that_are_written_down() -> None:
    with pytest.raises(KeyError, match="needed one of"):
        fell_back("something")


def test_the_metrics_of_the_store_are_told_though_it_fails(watched: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: Store) -> int:
        raise StoreError("gone")

    monkeypatch.setattr(Store, "reviews_open", gone)
    assert watched.get("/metrics").status_code == 200


def test_no_label_is_a_text_of_a_request(watched: Any, ask: Any, ledger: Any) -> None:
    planted = ledger("canary-7781", account={"region": "canary-7782", "employment": "canary-7783"})
    planted["contacts"] = [{"channel": "canary-7784", "occurred_at": "2026-01-20T10:00:00Z"}]
    assert watched.post("/v1/decisions", json=ask(planted)).status_code == 200
    watched.get("/v1/decisions/canary-7785?canary-7786=1", headers={"Idempotency-Key": "canary-7787"})
    assert "canary-778" not in watched.get("/metrics").text


MULTIPROCESS = """
import os, signal, sys
from pathlib import Path
from serving import metrics

metrics.FEATURE_ROWS.labels("income").inc(3)
metrics.PSI.labels("30d").set(float(sys.argv[1]))
metrics.IN_FLIGHT.inc()
metrics.REVIEWS_OPEN.set(4)
if sys.argv[2] == "tell":
    sys.stdout.write(metrics.exposition().decode())
else:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def in_a_process(folder: Path, psi: float, then: str) -> str:
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", MULTIPROCESS, str(psi), then]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False).stdout


def test_of_a_killed_worker_the_counts_stay_and_what_it_was_at_goes(tmp_path: Path) -> None:
    in_a_process(tmp_path, 0.9, "die")
    told = in_a_process(tmp_path, 0.1, "tell")
    assert 'acerto_feature_rows_total{feature="income"} 6.0' in told
    assert 'acerto_scores_psi{horizon="30d"} 0.1' in told
    assert "acerto_in_flight 1.0" in told
    assert "acerto_reviews_open 4.0" in told


def documented() -> dict[str, str]:
    """The metrics of the table in docs/operating.md, with their labels."""
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(acerto_\w+?)(?:\{([\w,]+)\})?` \|", text, flags=re.MULTILINE)
    return dict(rows)


def declared() -> dict[str, str]:
    """The metrics that the service has, with their labels."""
    found = {}
    for metric in (one for one in vars(metrics).values() if isinstance(one, Counter | Gauge | Histogram | Summary)):
        [family] = metric.describe()
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = ",".join(metric._labelnames)
    return found


def test_the_table_of_the_documents_has_every_metric_with_its_labels_and_no_other() -> None:
    assert documented() == declared()


@pytest.mark.parametrize("code", CODES)
def test_the_documents_say_what_each_fallback_is(code: str) -> None:
    assert f"`{code}`" in (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
