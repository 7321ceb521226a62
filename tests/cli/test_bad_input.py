"""Every kind of bad input: a clear error that names what was found and what was needed; exit code 1, or 2 for usage."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

AS_OF = "2026-03-02T12:00:00Z"


@pytest.fixture
def broken(project, tmp_path):
    """A copy of the data as CSV for the tables that a test breaks."""
    shutil.copytree(project / "data", tmp_path / "data", ignore=shutil.ignore_patterns("truth"))
    shutil.copytree(project / "configs", tmp_path / "configs")

    def change(table, edit):
        path = tmp_path / "data" / f"{table}.parquet"
        frame = edit(pd.read_parquet(path))
        path.unlink()
        if frame is not None:
            for name in frame.columns:
                if str(frame[name].dtype).startswith("datetime"):
                    frame[name] = frame[name].map(lambda at: "" if pd.isna(at) else at.isoformat())
            frame.to_csv(tmp_path / "data" / f"{table}.csv", index=False)
        return tmp_path

    return change


def first(frame, column, value):
    frame[column] = frame[column].astype(object)
    frame.loc[frame.index[0], column] = value
    return frame


def twice(frame, **changed):
    return pd.concat([frame, frame.head(1).assign(**changed)], ignore_index=True)


CRITICAL = {
    "a missing table": ("payments", lambda _: None, "payments"),
    "a missing column": ("debts", lambda frame: frame.drop(columns="due_on"), "due_on"),
    "an empty file": ("debts", lambda frame: frame.head(0).iloc[:, :0], "debts"),
    "a wrong type": ("payments", lambda frame: first(frame, "amount", "a lot"), "amount"),
    "a missing amount": ("payments", lambda frame: first(frame, "amount", ""), "amount"),
    "NaN in an amount": ("payments", lambda frame: first(frame, "amount", "NaN"), "amount"),
    "a time without offset": (
        "payments",
        lambda frame: first(frame, "occurred_at", "2024-01-01T10:00:00"),
        "occurred_at",
    ),
    "the same id with other content": ("payments", lambda frame: twice(frame, amount=123456.0), "payment_id"),
    "an action_prob of nothing": ("decisions", lambda frame: first(frame, "action_prob", 0.0), "action_prob"),
    "an account that is not there": ("debts", lambda frame: first(frame, "account_id", "nobody"), "account_id"),
    "a debt of less than nothing": ("debts", lambda frame: first(frame, "amount", -5.0), "amount"),
}


@pytest.mark.parametrize("kind", CRITICAL)
def test_a_critical_finding_is_named_and_stops_training(kind, acerto, broken):
    table, edit, named = CRITICAL[kind]
    folder = broken(table, edit)
    found = acerto("validate", "--data", "data", folder=folder)
    assert found.code == 1
    assert "CRITICAL" in found.out
    assert table in found.out
    assert named in found.out
    stopped = acerto("train", "--data", "data", folder=folder)
    assert stopped.code == 1
    assert table in stopped.err
    assert "Traceback" not in stopped.err


def test_identical_rows_count_once_and_are_told(acerto, broken):
    found = acerto("validate", "--data", "data", folder=broken("payments", twice))
    assert found.code == 0
    assert "payments" in found.out.split("NOTE")[-1]


def test_an_unknown_channel_is_told_and_counts_as_other(acerto, broken):
    found = acerto("validate", "--data", "data", folder=broken("contacts", lambda f: first(f, "channel", "pigeon")))
    assert found.code == 0
    assert "contacts.channel" in found.out


@pytest.mark.parametrize(
    "arguments, code, told",
    [
        (("decide", "--data", "data", "--as-of", "2001-01-01T00:00:00Z", "--out", "x.csv"), 1, "before all history"),
        (("decide", "--data", "data", "--as-of", "2026-03-02T12:00:00", "--out", "x.csv"), 2, "offset"),
        (("decide", "--data", "data", "--as-of", AS_OF, "--out", "x.xlsx"), 1, ".parquet or .csv"),
        (("decide", "--data", "data", "--as-of", AS_OF, "--out", "x.csv", "--model", "99"), 1, "no version 99"),
        (("decide", "--data", "data", "--as-of", AS_OF, "--out", "x.csv", "--accounts", "no.csv"), 1, "no.csv"),
        (("decide", "--data", "nowhere", "--as-of", AS_OF, "--out", "x.csv"), 1, "nowhere"),
        (("promote", "--force"), 2, "--why"),
        (("promote", "--version", "77"), 1, "77"),
        (("report", "--out", "r", "--locale", "fr"), 2, "pt-BR"),
        (("serve", "--insecure", "--host", "0.0.0.0"), 2, "--insecure"),
        (("features", "--data", "data"), 2, "--as-of"),
        (("simulate", "--accounts", "many", "--out", "x"), 2, "integer"),
    ],
)
def test_a_wrong_call_says_what_was_needed(acerto, arguments, code, told):
    result = acerto(*arguments)
    assert (result.code, "Traceback" in result.err) == (code, False)
    assert told in result.err


def test_an_unknown_account_is_named(acerto, project):
    (project / "list.csv").write_text("account_id\nnobody\n", encoding="utf-8")
    result = acerto("decide", "--data", "data", "--as-of", AS_OF, "--out", "x.csv", "--accounts", "list.csv")
    assert result.code == 1
    assert "nobody" in result.err


def test_an_unknown_key_of_a_configuration_is_refused_with_the_nearest_known_one(acerto, project, tmp_path):
    shutil.copytree(project / "configs", tmp_path / "configs")
    path = tmp_path / "configs/decision.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("currency:", "curency:"), encoding="utf-8")
    result = acerto("decide", "--data", project / "data", "--as-of", AS_OF, "--out", "x.csv", folder=tmp_path)
    assert result.code == 1
    assert "did you mean 'currency'?" in result.err
