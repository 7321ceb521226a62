"""What only all shards together tell, against the same counts over all tables at once."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
from canonical_files import write_files
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import AS_OF_US, examples, random_rows

from decisioning.batch.whole import totals, unknown_accounts
from decisioning.contact_policy.kinds import DailyVolume
from decisioning.restrictions.contacts import _count, day_of, volume_key
from domain.clock import US_PER_DAY
from features.encoding import encode
from features.shards import prepare
from features.tables import read_tables


def rule(**more: Any) -> DailyVolume:
    said = {"pt-BR": "Basta por hoje.", "en": "Enough for today."}
    told = {"id": "full", "kind": "daily_volume", "max_contacts": 3, "legal_basis": "ours", "source": "ours"}
    return DailyVolume.model_validate({"wording": said, "examples": [], **told, **more})


RULES = (rule(), rule(channels=["sms", "agent_call"]), rule(except_channels=["sms"], timezone="UTC"))


def busy_day(seed: int) -> dict[str, list[dict[str, Any]]]:
    """Ledgers with contacts of today, some of them moved to other accounts later or told twice."""
    rng = np.random.default_rng(seed)
    rows = random_rows(seed, accounts=6)
    names = [account["account_id"] for account in rows["accounts"]] + ["nobody"]
    some = rows["contacts"][:30]
    today = [
        one
        | {"contact_id": f"t{place}", "occurred_at": AS_OF_US - int(rng.integers(1, US_PER_DAY)), "recorded_at": None}
        for place, one in enumerate(some)
    ]
    for one in today:
        one["recorded_at"] = one["occurred_at"] + int(rng.integers(0, 2)) * 1_000_000
    moved = [
        one | {"account_id": names[rng.integers(len(names))], "recorded_at": one["recorded_at"] + 5_000_000}
        for one in today
        if rng.random() < 0.3
    ]
    rows["contacts"] = [*rows["contacts"], *today, *moved, *today[:2]]
    return rows


@settings(max_examples=examples(15), deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_shards=st.integers(1, 5))
def test_the_contacts_of_a_day_are_counted_once_wherever_their_rows_lie(seed: int, n_shards: int) -> None:
    desk: Any = SimpleNamespace(contact_policy=SimpleNamespace(rules=RULES))
    with TemporaryDirectory() as name:
        data = write_files(Path(name) / "data", busy_day(seed))
        prepare(data, Path(name) / "shards", attributes={}, fingerprint="", n_shards=n_shards)
        found = totals(Path(name) / "shards", n_shards, desk, AS_OF_US)
        encoded = encode(read_tables(data, attributes={}), attributes={})
    expected = [_count(encoded, one, day_of(one, AS_OF_US)[0], AS_OF_US) for one in RULES]
    assert found == tuple((volume_key(one, AS_OF_US), count) for one, count in zip(RULES, expected, strict=True))
    assert max(expected) > 0


def test_ids_that_are_no_accounts_are_named_in_their_order(tmp_path: Path) -> None:
    rows = random_rows(1, accounts=6)
    prepare(write_files(tmp_path / "data", rows), tmp_path / "shards", attributes={}, fingerprint="", n_shards=2)
    known = rows["accounts"][0]["account_id"]
    assert unknown_accounts(tmp_path / "shards", 2, ["zoe", known, "adam"]) == ["zoe", "adam"]
