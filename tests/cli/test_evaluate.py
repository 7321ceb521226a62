"""``acerto evaluate``: the shape of its answer, its exit codes, and when it says nothing."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

ACTIONS = np.array(["wait/none/any", "sms/none/morning", "email/none/morning"])


@pytest.fixture
def log(tmp_path):
    """Half waits; an SMS brings 5 more. ``pi_sms`` always sends one, ``pi_never`` what was never sent."""
    rng = np.random.default_rng(0)
    action = rng.choice(3, p=[0.5, 0.25, 0.25], size=3_000)
    frame = pd.DataFrame(
        {
            "decision_id": np.arange(3_000),
            "debtor_id": np.arange(3_000) // 2,
            "action": ACTIONS[action],
            "action_prob": np.array([0.5, 0.25, 0.25])[action],
            "reward": 5.0 * (action == 1) + rng.normal(size=3_000),
            "pi_sms": (action == 1).astype(float),
            "pi_email": (action == 2).astype(float),
        }
    )

    def write(**changed):
        path = tmp_path / "log.parquet"
        frame.assign(**changed).to_parquet(path)
        return path

    return write


def test_the_answer_has_the_shape_of_the_contract(acerto, log):
    result = acerto("evaluate", "--log", log(), "--json")
    found = json.loads(result.out)["policies"]["sms"]
    assert result.code == 0
    assert set(found) >= {"ips", "snips", "dr", "ess", "max_weight", "verdict"}
    assert all(set(found[name]) >= {"value", "low", "high"} for name in ("ips", "snips", "dr"))


def test_a_better_policy_is_called_better_and_a_worse_one_worse(acerto, log):
    policies = json.loads(acerto("evaluate", "--log", log(), "--json").out)["policies"]
    assert (policies["sms"]["verdict"], policies["email"]["verdict"]) == ("better", "worse")


def test_lacking_support_is_exit_code_1_and_no_value(acerto, log):
    result = acerto("evaluate", "--log", log(pi_sms=0.0), "--json")
    found = json.loads(result.out)["policies"]["sms"]
    assert (result.code, found["verdict"]) == (1, "no_support")
    assert not {"ips", "snips", "dr", "mdr", "uplift"} & set(found)
    assert "no_support" in result.err


def test_lacking_support_is_told_to_people_too(acerto, log):
    result = acerto("evaluate", "--log", log(pi_sms=0.0))
    assert result.code == 1
    assert "no_support" in result.out
    assert "Traceback" not in result.err


def test_a_verdict_that_is_not_established_is_exit_code_0_with_its_figures(acerto, log):
    noise = np.random.default_rng(1).normal(size=3_000)
    result = acerto("evaluate", "--log", log(reward=noise), "--json")
    found = json.loads(result.out)["policies"]["sms"]
    assert (result.code, found["verdict"]) == (0, "not_established")
    assert found["more_decisions"] > 0
    assert found["dr"]["low"] < found["dr"]["value"] < found["dr"]["high"]


def test_estimated_probabilities_mark_every_figure_and_the_verdict(acerto, log):
    told = json.loads(acerto("evaluate", "--log", log(), "--estimate-action-prob", "--json").out)
    found = told["policies"]["sms"]
    assert told["estimated_action_prob"]
    assert all(found[name]["estimated_action_prob"] for name in ("ips", "snips", "dr", "uplift"))
    assert found["verdict"] == "better (estimated action_prob)"


def test_a_clip_is_named_at_every_figure(acerto, log):
    found = json.loads(acerto("evaluate", "--log", log(), "--clip", 3, "--json").out)["policies"]["sms"]
    assert all(found[name]["clip"] == 3 for name in ("ips", "snips", "dr"))
    assert found["max_weight"] == 3


def test_missing_probabilities_are_never_estimated_unasked(acerto, log, tmp_path):
    frame = pd.read_parquet(log()).drop(columns="action_prob")
    frame.to_csv(tmp_path / "bare.csv", index=False)
    assert acerto("evaluate", "--log", tmp_path / "bare.csv").code == 1
    assert acerto("evaluate", "--log", tmp_path / "bare.csv", "--estimate-action-prob").code == 0


@pytest.mark.parametrize(
    "arguments, told",
    [
        ((), "--log FILE, or --data DIR"),
        (("--log", "x.csv", "--data", "data"), "pi_<name>"),
        (("--log", "x.csv", "--model", "champion"), "pi_<name>"),
        (("--log", "x.csv", "--horizon-days", "30"), "holds its rewards"),
        (("--data", "data", "--estimate-action-prob"), "carry action_prob"),
        (("--log", "x.csv", "--clip", "0"), "above 0"),
        (("--data", "data", "--from", "2026-01-01"), "offset"),
    ],
)
def test_a_wrong_call_is_a_usage_error(acerto, arguments, told):
    result = acerto("evaluate", *arguments)
    assert result.code == 2
    assert told in " ".join(result.err.replace("│", " ").split())


def test_canonical_data_value_the_model_and_what_it_must_beat(acerto):
    result = acerto("evaluate", "--data", "data", "--horizon-days", 60, "--json")
    told = json.loads(result.out)
    assert result.code == 0
    assert set(told["policies"]) == {"model", "ladder", "tuned_ladder", "constant", "random", "wait"}
    assert told["horizon_days"] == 60
    assert told["left_out"]["immature"] > 0


def test_a_model_that_has_seen_the_decisions_is_said_to_look_too_good(acerto):
    told = json.loads(acerto("evaluate", "--data", "data", "--horizon-days", 60, "--json").out)
    assert any("trained when" in notice for notice in told["notices"])


@pytest.fixture
def plain(project, tmp_path):
    """The decisions of the project as a plain table without policies."""
    found = pd.read_parquet(project / "data/decisions.parquet")
    found["action"] = found["channel"] + "/" + found["offer"] + "/" + found["moment"]
    found["reward"] = np.random.default_rng(0).normal(size=len(found))
    columns = ["decision_id", "account_id", "decided_at", "action", "action_prob", "reward", "eligible"]

    def write(name, **changed):
        frame = found[columns].assign(**changed)
        if name.endswith(".csv"):
            frame["decided_at"] = [at if isinstance(at, str) else at.isoformat() for at in frame["decided_at"]]
            frame["eligible"] = ["|".join(names) for names in frame["eligible"]]
            frame.to_csv(tmp_path / name, index=False)
        else:
            frame.to_parquet(tmp_path / name)
        return tmp_path / name

    return write


def test_a_model_stands_in_for_the_columns_of_a_policy(acerto, plain):
    found = []
    for name in ("log.csv", "log.parquet"):
        result = acerto("evaluate", "--log", plain(name), "--data", "data", "--model", "champion", "--json")
        assert result.code == 0
        found.append(json.loads(result.out)["policies"])
    assert list(found[0]) == ["model"]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "changed, told",
    [
        ({"account_id": "nobody"}, "accounts that the data do not hold"),
        ({"decided_at": "2026-01-01T00:00:00"}, "RFC 3339 with an offset"),
    ],
)
def test_a_row_that_no_model_can_be_asked_about_is_refused(acerto, plain, changed, told):
    result = acerto("evaluate", "--log", plain("log.csv", **changed), "--data", "data", "--model", "champion")
    assert result.code == 1
    assert told in result.err


def test_a_log_too_short_for_the_horizon_is_refused(acerto):
    result = acerto("evaluate", "--data", "data", "--horizon-days", 2_000)
    assert result.code == 1
    assert "valued over 2000 days" in result.err


def test_data_without_decisions_are_refused(acerto, project, tmp_path):
    for name in ("accounts", "debts", "payments"):
        (tmp_path / f"{name}.parquet").write_bytes((project / f"data/{name}.parquet").read_bytes())
    result = acerto("evaluate", "--data", tmp_path)
    assert result.code == 1
    assert "no decisions table" in result.err


@pytest.fixture(params=[".parquet", ".csv"])
def decided(acerto, project, tmp_path, request):
    """The project's data with what `decide` wrote for a day some months ago in the place of the decisions table."""
    for path in (project / "data").glob("*.parquet"):
        if path.stem != "decisions":
            (tmp_path / path.name).symlink_to(path)
    out = tmp_path / f"decisions{request.param}"
    asked = ("--data", "data", "--as-of", "2025-11-03T12:00:00Z", "--out", out, "--log-probs")
    assert acerto("decide", *asked).code == 0
    return tmp_path


def test_what_decide_wrote_is_a_log_on_which_its_own_policy_is_worth_what_was_logged(acerto, decided):
    result = acerto("evaluate", "--data", decided, "--horizon-days", 60, "--json")
    assert result.code == 0
    told = json.loads(result.out)
    model = told["policies"]["model"]
    assert model["ess"] == pytest.approx(told["rows"])
    assert model["ips"]["value"] == pytest.approx(told["logged"]["value"])


def test_what_decide_wrote_tells_support_and_probabilities_of_channels(acerto, decided):
    told = json.loads(acerto("evaluate", "--data", decided, "--horizon-days", 60, "--json").out)
    model = told["policies"]["model"]
    assert (model["unsupported_share"], model["unsupported_share_is_estimated"]) == (0.0, False)
    assert model["mdr"]["value"] == pytest.approx(model["dr"]["value"])


def test_what_decide_wrote_counts_its_hold_out_apart(acerto, decided):
    files = {".parquet": pd.read_parquet, ".csv": pd.read_csv}
    path = next(path for path in decided.glob("decisions*") if path.suffix in files and "." not in path.stem)
    held_out = int((files[path.suffix](path)["arm"] == "holdout").sum())
    told = json.loads(acerto("evaluate", "--data", decided, "--horizon-days", 60, "--json").out)
    assert held_out > 0
    assert told["left_out"]["holdout"] == held_out
