"""Defects of data, planted in the canonical tables of a simulated portfolio: what data gates have to catch.

Each ``Defect`` names what must catch it: findings of validation (``table:code``) or declared expectations
(``table.name``), any of them. Most change frames; a few damage files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

Draw = np.random.Generator
Frames = dict[str, pd.DataFrame]
RECENT = pd.Timedelta(days=60)


class World:
    """The clean tables of a directory; ``frame`` gives a copy that may be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tables = tuple(path.stem for path in sorted(folder.glob("*.parquet")))
        self._frames: Frames = {}

    def frame(self, table: str) -> pd.DataFrame:
        """One table."""
        if table not in self._frames:
            self._frames[table] = pq.read_table(self.folder / f"{table}.parquet").to_pandas()
        return self._frames[table].copy()

    @property
    def end(self) -> pd.Timestamp:
        """The latest payment."""
        return self.frame("payments")["occurred_at"].max()


@dataclass(frozen=True)
class Defect:
    """One kind: how it is planted, how bad it is, and what must catch it; ``leak`` ones show in features alone."""

    name: str
    severity: str
    caught_by: tuple[str, ...]
    plant: Callable[[World, Draw], Frames] | None = None
    damage: Callable[[Path, Draw], None] | None = None
    leak: bool = False


DEFECTS: list[Defect] = []


def defect(name: str, severity: str, *caught_by: str, leak: bool = False):
    """Registers a plant: of frames."""

    def register(plant: Callable[[World, Draw], Frames]) -> Callable[[World, Draw], Frames]:
        DEFECTS.append(Defect(name, severity, caught_by, plant=plant, leak=leak))
        return plant

    return register


def damage(name: str, severity: str, *caught_by: str):
    """Registers a plant: of files."""

    def register(done: Callable[[Path, Draw], None]) -> Callable[[Path, Draw], None]:
        DEFECTS.append(Defect(name, severity, caught_by, damage=done))
        return done

    return register


def some(frame: pd.DataFrame, share: float, rng: Draw) -> np.ndarray:
    """A mask of a share of the rows, at least one."""
    mask = rng.random(len(frame)) < share
    mask[int(rng.integers(len(frame)))] = True
    return mask


def recent(frame: pd.DataFrame, world: World) -> pd.Series:
    """Rows of the last two months of the data."""
    return frame["occurred_at"] > world.end - RECENT


def largest_creditor(world: World, rng: Draw) -> pd.Index:
    """Accounts of one of the three largest creditors."""
    accounts = world.frame("accounts")
    creditor = accounts["creditor"].value_counts().index[int(rng.integers(3))]
    return pd.Index(accounts.loc[accounts["creditor"] == creditor, "account_id"])


def under_new_ids(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """The same rows under ids of their own."""
    return frame.assign(**{column: "again-" + frame[column].astype(str)})


# --- files ---------------------------------------------------------------------------------------------------------


@damage("table not delivered", "critical", "payments:missing_table")
def _(folder, _rng):
    (folder / "payments.parquet").unlink()


@damage("Parquet file cut off", "critical", "debts:unreadable")
def _(folder, rng):
    path = folder / "debts.parquet"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * rng.uniform(0.2, 0.95))])


@damage("CSV file cut off within a line", "major", "payments:unreadable", "payments:wrong_type", "payments:no_offset",
        "payments:missing_value", "payments.file_whole")  # fmt: skip
def _(folder, rng):
    text = as_csv(folder, "payments").read_text(encoding="utf-8")
    at = int(len(text) * rng.uniform(0.5, 0.95))
    while text[at - 1] == "\n":
        at += 1
    (folder / "payments.csv").write_text(text[:at], encoding="utf-8")


@damage("file of no bytes", "critical", "accounts:unreadable")
def _(folder, _rng):
    (folder / "accounts.parquet").write_bytes(b"")


@damage("text that is not UTF-8", "critical", "accounts:unreadable")
def _(folder, _rng):
    path = as_csv(folder, "accounts")
    path.write_bytes(path.read_bytes().replace(b"formal", "formação".encode("latin-1")))


def as_csv(folder: Path, table: str) -> Path:
    """A table as CSV in the place of its Parquet file."""
    frame = pq.read_table(folder / f"{table}.parquet").to_pandas()
    (folder / f"{table}.parquet").unlink()
    for name in frame:
        if isinstance(frame[name].dtype, pd.DatetimeTZDtype):
            frame[name] = frame[name].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    frame.to_csv(folder / f"{table}.csv", index=False)
    return folder / f"{table}.csv"


# --- columns and types ---------------------------------------------------------------------------------------------


@defect("compulsory table without rows", "critical", "debts:no_rows")
def _(world, _rng):
    return {"debts": world.frame("debts").iloc[:0]}


@defect("compulsory column missing", "critical", "payments:missing_column")
def _(world, _rng):
    return {"payments": world.frame("payments").drop(columns="amount")}


@defect("decimal comma", "critical", "payments:wrong_type")
def _(world, _rng):
    frame = world.frame("payments")
    return {"payments": frame.assign(amount=frame["amount"].map(lambda value: f"{value:.2f}".replace(".", ",")))}


@defect("words among numbers", "critical", "debts:wrong_type")
def _(world, rng):
    frame = world.frame("debts")
    texts = frame["amount"].map(str).where(~some(frame, 0.01, rng), "n/d")
    return {"debts": frame.assign(amount=texts)}


@defect("times without offset", "critical", "payments:no_offset")
def _(world, _rng):
    frame = world.frame("payments")
    return {"payments": frame.assign(occurred_at=frame["occurred_at"].dt.tz_localize(None))}


@defect("compulsory values missing", "critical", "debts:missing_value")
def _(world, rng):
    frame = world.frame("debts")
    return {"debts": frame.assign(due_on=frame["due_on"].where(~some(frame, 0.01, rng), None))}


@defect("link column lost", "major", "payments.filled")
def _(world, _rng):
    return {"payments": world.frame("payments").drop(columns="debt_id")}


@defect("link column lost lately", "major", "payments.filled_steadily")
def _(world, _rng):
    frame = world.frame("payments")
    return {"payments": frame.assign(debt_id=frame["debt_id"].where(~recent(frame, world), None))}


@defect("a fifth of the creditors lost", "major", "accounts.filled")
def _(world, rng):
    frame = world.frame("accounts")
    return {"accounts": frame.assign(creditor=frame["creditor"].where(~some(frame, 0.2, rng), None))}


# --- identity and references ---------------------------------------------------------------------------------------


@defect("rows loaded twice", "major", "payments.not_repeated")
def _(world, rng):
    frame = world.frame("payments")
    return {"payments": pd.concat([frame, frame[some(frame, 0.05, rng)]])}


@defect("rows loaded twice under new ids", "major", "payments.not_double")
def _(world, rng):
    frame = world.frame("payments")
    return {"payments": pd.concat([frame, under_new_ids(frame[some(frame, 0.1, rng)], "payment_id")])}


@defect("one id, two contents", "critical", "payments:conflicting_identity")
def _(world, rng):
    frame = world.frame("payments")
    twice = frame[some(frame, 0.005, rng)]
    return {"payments": pd.concat([frame, twice.assign(amount=twice["amount"] + 1)])}


@defect("accounts missing", "critical", "payments:orphan_account", "debts:orphan_account")
def _(world, rng):
    frame = world.frame("accounts")
    return {"accounts": frame[~some(frame, 0.02, rng)]}


@defect("payments of unknown debts", "major", "payments.debts_known")
def _(world, rng):
    frame = world.frame("payments")
    return {"payments": frame.assign(debt_id=frame["debt_id"].where(~some(frame, 0.05, rng), "d-unknown"))}


@defect("payments joined to others' debts", "major", "payments.debts_own")
def _(world, rng):
    frame = world.frame("payments")
    moved = some(frame, 0.1, rng)
    debts = frame["debt_id"].to_numpy().copy()
    debts[moved] = rng.permutation(debts[moved])
    return {"payments": frame.assign(debt_id=debts)}


@defect("responses to unknown contacts", "major", "responses.contacts_known")
def _(world, rng):
    frame = world.frame("responses")
    lost = some(frame, 0.05, rng) & frame["contact_id"].notna()
    return {"responses": frame.assign(contact_id=frame["contact_id"].where(~lost, "c-unknown"))}


@defect("choices beside others' lists", "major", "decisions.chosen_is_eligible")
def _(world, rng):
    frame = world.frame("decisions")
    lists = frame["eligible"].to_numpy()
    return {"decisions": frame.assign(eligible=pd.Series(list(rng.permutation(lists)), index=frame.index))}


# --- codes ---------------------------------------------------------------------------------------------------------


@defect("channels in capitals", "major", "contacts.channels_known")
def _(world, _rng):
    frame = world.frame("contacts")
    return {"contacts": frame.assign(channel=frame["channel"].str.upper())}


@defect("channel takes another's name lately", "major", "contacts.mix_steady")
def _(world, _rng):
    frame = world.frame("contacts")
    moved = recent(frame, world) & frame["channel"].isin(["sms", "agent_call"])
    return {"contacts": frame.assign(channel=frame["channel"].where(~moved, "portal"))}


@defect("methods renamed", "major", "payments.vocabulary_kept")
def _(world, _rng):
    frame = world.frame("payments")
    return {"payments": frame.assign(method=frame["method"].replace({"pix": "transf. instantânea"}))}


@defect("attribute recoded", "major", "accounts.vocabulary_kept")
def _(world, _rng):
    frame = world.frame("accounts")
    codes = {value: str(place) for place, value in enumerate(sorted(frame["employment"].dropna().unique()))}
    return {"accounts": frame.assign(employment=frame["employment"].map(codes))}


@defect("regions without country", "major", "accounts.regions_known")
def _(world, _rng):
    frame = world.frame("accounts")
    return {"accounts": frame.assign(region=frame["region"].str.removeprefix("BR-"), timezone=None)}


@defect("response codes unknown", "major", "responses.codes_known")
def _(world, rng):
    frame = world.frame("responses")
    return {"responses": frame.assign(kind=frame["kind"].where(~some(frame, 0.05, rng), "ok"))}


@defect("response codes merged", "major", "responses.mix_kept")
def _(world, _rng):
    frame = world.frame("responses")
    return {"responses": frame.assign(kind=frame["kind"].replace({"read": "delivered", "clicked": "delivered"}))}


@defect("holds nobody knows", "critical", "holds:unknown_code")
def _(world, rng):
    frame = world.frame("holds")
    return {"holds": frame.assign(kind=frame["kind"].where(~some(frame, 0.05, rng), "suspenso"))}


@defect("money under unknown codes", "critical", "debt_events:unknown_code")
def _(world, _rng):
    frame = world.frame("debt_events")
    return {"debt_events": frame.assign(kind=frame["kind"].replace({"discount": "desconto", "correction": "acerto"}))}


@defect("probabilities in percent", "critical", "decisions:not_a_probability")
def _(world, _rng):
    frame = world.frame("decisions")
    return {"decisions": frame.assign(action_prob=frame["action_prob"] * 100)}


@defect("probabilities filled in", "minor", "decisions.chances_vary")
def _(world, _rng):
    return {"decisions": world.frame("decisions").assign(action_prob=1.0)}
