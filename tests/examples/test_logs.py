"""The converters of real logs: what they write can be evaluated, and gives away nothing."""

# ruff: noqa: E501  (rows of the source files, as wide as they are)

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from example_scripts import load

from domain.config import load_section
from features.config import FeaturesConfig
from features.tables import read_tables
from training.ope.table import read_log
from training.ope.verdict import evaluate

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("ACERTO_DATA", ROOT / ".." / "shared" / "data"))
OBP = os.environ.get("ACERTO_OBP", "")


def figures(path: Path, policy: str):
    plain = read_log(path)
    return evaluate(plain.log, plain.targets()).policies[policy].figures


def needs(folder: str) -> Path:
    if not (DATA / folder).is_dir():
        pytest.skip(f"{DATA / folder} is not there; set ACERTO_DATA to the folder of the real data sets")
    return DATA / folder


@pytest.fixture
def customers() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 1_200
    visit = rng.integers(0, 2, n)
    return pd.DataFrame(
        {
            "recency": rng.integers(1, 13, n), "history_segment": "1) $0 - $100", "history": rng.gamma(2.0, 50.0, n).round(2),
            "mens": rng.integers(0, 2, n), "womens": rng.integers(0, 2, n), "zip_code": rng.choice(["Rural", "Urban"], n),
            "newbie": rng.integers(0, 2, n), "channel": rng.choice(["Web", "Phone"], n),
            "segment": rng.choice(["Mens E-Mail", "Womens E-Mail", "No E-Mail"], n),
            "visit": visit, "conversion": visit, "spend": 10.0 * visit,
        }
    )  # fmt: skip


def test_what_the_judging_half_did_has_no_part_in_the_learned_policy(customers: pd.DataFrame) -> None:
    hillstrom = load("hillstrom")
    log = hillstrom.held_out_log(customers, "visit", seed=0)
    changed = customers.copy()
    changed.loc[log["decision_id"], "visit"] = 1 - changed.loc[log["decision_id"], "visit"]
    again = hillstrom.held_out_log(changed, "visit", seed=0)
    assert log.filter(like="pi_").equals(again.filter(like="pi_"))


def test_a_constant_arm_is_worth_the_mean_of_those_who_got_it(customers: pd.DataFrame, tmp_path: Path) -> None:
    customers.to_csv(tmp_path / "hillstrom.csv", index=False)
    load("hillstrom").convert(tmp_path, tmp_path / "out", seeds=(0,))
    log = pd.read_parquet(tmp_path / "out" / "visit_0.parquet")
    found = figures(tmp_path / "out" / "visit_0.parquet", "mens")
    assert found.snips.value == pytest.approx(log.loc[log["action"] == "mens", "reward"].mean())


def test_on_hillstrom_the_learned_policy_does_not_beat_the_best_arm_beyond_noise(tmp_path: Path) -> None:
    load("hillstrom").convert(needs("hillstrom"), tmp_path, seeds=(0,))
    plain = read_log(tmp_path / "visit_0.parquet")
    gain = evaluate(plain.log, plain.targets()).policies
    assert gain["learned"].figures.dr.low < gain["best_arm"].figures.dr.high


BANDIT_RANDOM = """,timestamp,item_id,position,click,propensity_score,user_feature_0
0,2019-11-24 00:00:34.762830+00:00,0,1,1,0.5,a
1,2019-11-24 00:00:35.762830+00:00,1,1,0,0.5,a
2,2019-11-24 00:00:36.762830+00:00,0,2,0,0.5,b
3,2019-11-24 00:00:37.762830+00:00,1,2,1,0.5,b
"""
BANDIT_BTS = """,timestamp,item_id,position,click,propensity_score,user_feature_0
0,2019-11-24 00:00:34.762830+00:00,0,1,1,0.8,a
1,2019-11-24 00:00:35.762830+00:00,0,1,0,0.9,a
2,2019-11-24 00:00:36.762830+00:00,0,1,0,0.7,a
3,2019-11-24 00:00:37.762830+00:00,1,1,0,0.3,b
4,2019-11-24 00:00:38.762830+00:00,1,2,0,0.4,b
"""
ITEMS = ",item_id,item_feature_0\n0,0,0.1\n1,1,0.2\n"


@pytest.fixture
def bandit(tmp_path: Path) -> Path:
    for policy, text in (("random", BANDIT_RANDOM), ("bts", BANDIT_BTS)):
        folder = tmp_path / policy / "all"
        folder.mkdir(parents=True)
        (folder / "all.csv").write_text(text)
        (folder / "item_context.csv").write_text(ITEMS)
    load("open_bandit").convert(tmp_path, tmp_path / "out", campaigns=("all",))
    return tmp_path / "out"


def test_a_policy_that_looks_at_nobody_is_its_share_of_the_items_in_a_position(bandit: Path) -> None:
    log = pd.read_parquet(bandit / "all_random.parquet")
    assert log["pi_bts"].tolist() == [0.75, 0.25, 0.0, 1.0]


def test_ips_is_that_of_obp(bandit: Path) -> None:
    log = pd.read_parquet(bandit / "all_bts.parquet")
    weight = log["pi_random"] / log["action_prob"]
    assert figures(bandit / "all_bts.parquet", "random").ips.value == pytest.approx((weight * log["reward"]).mean())


def test_snips_is_that_of_obp(bandit: Path) -> None:
    log = pd.read_parquet(bandit / "all_bts.parquet")
    weight = log["pi_random"] / log["action_prob"]
    expected = (weight * log["reward"] / weight.mean()).mean()
    assert figures(bandit / "all_bts.parquet", "random").snips.value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("campaign", "ips", "snips"),
    [("all", 0.00503537, 0.00525307), ("men", 0.00565627, 0.00573986), ("women", 0.00580569, 0.00583304)],
)
def test_the_sample_gives_what_obp_itself_computes(campaign: str, ips: float, snips: float, tmp_path: Path) -> None:
    if not OBP:
        pytest.skip("set ACERTO_OBP to the wheel of obp 0.4.1, which carries the Open Bandit sample")
    load("open_bandit").convert(Path(OBP), tmp_path, campaigns=(campaign,))
    found = figures(tmp_path / f"{campaign}_random.parquet", "bts")
    assert (found.ips.value, found.snips.value) == pytest.approx((ips, snips), abs=1e-7)


OFFERS = """customer_id,offer_received_time,offer_id,offer_type,reward,difficulty,duration,ch_web,ch_email,ch_mobile,ch_social,age,days_registered,income,gender,offer_completed,offer_completed_time
c1,0,o1,discount,2,10,168,1,1,1,0,40.0,198,57000.0,M,1.0,54.0
c2,0,o2,informational,0,0,72,0,1,1,1,55.0,198,64000.0,missing,0.0,-1.0
c1,504,o3,discount,5,20,240,1,1,0,0,40.0,198,57000.0,M,1.0,600.0
"""
PROFILE = """{"gender": "M", "age": 40, "id": "c1", "became_member_on": "20180109", "income": 57000}
{"gender": null, "age": 118, "id": "c2", "became_member_on": "20180109", "income": null}
"""


@pytest.fixture
def offers(tmp_path: Path) -> Path:
    with gzip.open(tmp_path / "offer_events.csv.gz", "wt") as file:
        file.write(OFFERS)
    (tmp_path / "profile.json").write_text(PROFILE)
    load("starbucks_offers").convert(tmp_path, tmp_path / "out")
    return tmp_path / "out"


def test_whoever_got_no_offer_in_a_wave_is_a_decision_to_wait(offers: Path) -> None:
    decisions = pd.read_parquet(offers / "decisions.parquet").set_index("decision_id")
    assert decisions.loc["c2-504", ["channel", "offer", "action_prob"]].tolist() == ["wait", "none", 0.25]


def test_what_is_owed_does_not_give_away_the_draw(offers: Path) -> None:
    debts = pd.read_parquet(offers / "debts.parquet")
    assert len(debts[["amount", "due_on", "occurred_at"]].drop_duplicates()) == 2  # one per wave


def test_debts_are_known_before_their_draw(offers: Path) -> None:
    debts = pd.read_parquet(offers / "debts.parquet").set_index("debt_id")["recorded_at"]
    drawn = pd.read_parquet(offers / "decisions.parquet").set_index("decision_id")["decided_at"]
    assert (debts < drawn).all()


def test_a_completion_pays_what_the_offer_asked_for(offers: Path) -> None:
    payments = pd.read_parquet(offers / "payments.parquet").set_index("debt_id")["amount"].astype(float)
    assert payments.to_dict() == {"c1-0": 10.0, "c1-504": 20.0}


def test_a_completion_forgives_what_it_does_not_pay(offers: Path) -> None:
    events = pd.read_parquet(offers / "debt_events.parquet").set_index("debt_id")
    assert (events.loc["c1-0", "kind"], float(events.loc["c1-0", "amount"])) == ("discount", -10.0)


def test_age_118_is_missing(offers: Path) -> None:
    assert pd.read_parquet(offers / "accounts.parquet").set_index("account_id")["birth_year"].isna().to_dict() == {
        "c1": False,
        "c2": True,
    }


def test_a_reward_is_charged_where_it_is_earned(offers: Path) -> None:
    log = pd.read_parquet(offers / "net_of_rewards.parquet").set_index("account_id")["reward"]
    assert log.to_dict() == {"c1": 15.0, "c2": 0.0}


def test_starbucks_offers_convert_to_tables_that_can_be_read(tmp_path: Path) -> None:
    rows = load("starbucks_offers").convert(needs("starbucks_offers"), tmp_path)
    config = load_section(ROOT / "examples" / "configs" / "starbucks_offers" / "features.yaml", FeaturesConfig)
    assert read_tables(tmp_path, attributes=config.attributes).rows("decisions") == rows["decisions"] == 102_000


def test_every_offer_of_the_starbucks_configuration_is_logged(tmp_path: Path) -> None:
    from domain.actions import ActionCatalogue, ActionsConfig

    load("starbucks_offers").convert(needs("starbucks_offers"), tmp_path)
    folder = ROOT / "examples" / "configs" / "starbucks_offers"
    catalogue = ActionCatalogue(load_section(folder / "actions.yaml", ActionsConfig))
    logged = pd.read_parquet(tmp_path / "decisions.parquet")
    found = set(logged["channel"] + "/" + logged["offer"])
    assert found == {f"{action.channel}/{action.offer}" for action in catalogue.actions}


@pytest.mark.parametrize("name", ["hillstrom", "open_bandit", "starbucks_offers"])
def test_a_log_without_its_files_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="needed"):
        load(name).convert(tmp_path, tmp_path / "out")


def test_offers_that_teach_were_answered_before_the_first_that_judges() -> None:
    load("at_issue")
    day = 86_400_000_000
    as_of_us = np.repeat(np.array([0, 7, 14, 21]) * day, 50)
    split = load("at_offer")._split(as_of_us, np.tile(np.arange(50, dtype=np.int32), 4), from_us=21 * day, gap_days=10)
    assert as_of_us[np.concatenate([split.train, split.valid])].max() + 10 * day <= as_of_us[split.test].min()


def test_no_row_judges_what_it_taught() -> None:
    load("at_issue")
    as_of_us = np.arange(200) * 3_600_000_000
    split = load("at_offer")._split(as_of_us, np.arange(200, dtype=np.int32), from_us=int(as_of_us[100]), gap_days=0)
    parts = [split.train, split.valid, split.test]
    assert len(np.unique(np.concatenate(parts))) == sum(len(part) for part in parts)
