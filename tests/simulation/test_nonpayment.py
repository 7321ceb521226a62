from __future__ import annotations

import duckdb
import numpy as np
import pytest

from decisioning.nonpayment import profile, profile_reasons
from domain.clock import to_us
from features.batch import compute_many
from features.encoding import encode
from features.schema import fit_schema
from features.spine import every_account
from features.tables import read_tables
from simulation import assumptions

NORMAL_999 = 3.29
"""Two-sided, so that a score without any signal passes once in two thousand worlds."""
KINDS = ("forgetful", "poor", "unable", "owes")


@pytest.fixture(scope="module")
def judged(world):
    """Scores and reasons of every account at the end of the data, and which kind each truly is."""
    encoded = encode(read_tables(world.folder, attributes={}), attributes={})
    schema = fit_schema(encoded, attributes={})
    values = compute_many(encoded, every_account(len(encoded.account_ids), as_of_us=to_us(assumptions.END)), schema)
    found = profile(values, schema)
    with duckdb.connect() as connection:
        columns = connection.execute(
            f"""SELECT account_id, quantile_cont(able, 0.25) OVER () > able OR in_hardship AS poor,
                       quantile_cont(forget, 0.75) OVER () <= forget AND NOT poor AS forgetful,
                       quantile_cont(forget, 0.5) OVER () > forget AND poor AS unable, balance > 0 AS owes
                FROM '{world.folder}/truth/accounts.parquet'"""
        ).fetchnumpy()
    place = {name: row for row, name in enumerate(columns["account_id"].tolist())}
    order = [place[name] for name in encoded.account_ids]
    said = profile_reasons(found, values, schema, locale="en")
    codes = np.array([reasons[0].code if reasons else "" for reasons in said])
    return found, codes, {kind: np.asarray(columns[kind], dtype=bool)[order] for kind in KINDS}


def lower_auc(score, positive, negative):
    """The lower end of the interval of an AUC, by DeLong's variance (1988, eq. 5)."""
    above, below = score[positive][:, None], score[negative][None, :]
    wins = (above > below) + 0.5 * (above == below)
    deviation = np.sqrt(wins.mean(axis=1).var(ddof=1) / len(above) + wins.mean(axis=0).var(ddof=1) / below.shape[1])
    return wins.mean() - NORMAL_999 * deviation


def test_the_scores_part_who_forgets_from_who_cannot_pay(judged):
    found, _, truth = judged
    gap = found.forgets - found.unable
    assert lower_auc(gap, truth["owes"] & truth["forgetful"], truth["owes"] & truth["unable"]) > 0.5


@pytest.mark.parametrize(("code", "kind"), [("FORGETS", "forgetful"), ("UNABLE", "poor")])
def test_a_kind_is_said_more_often_of_those_who_are_it_than_of_all_others(judged, code, kind):
    _, codes, truth = judged
    said = (codes == code).astype(float)
    assert lower_auc(said, truth["owes"] & truth[kind], truth["owes"] & ~truth[kind]) > 0.5
