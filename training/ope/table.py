"""A plain table of logged decisions, CSV or Parquet, as a log and the policies to evaluate on it (contract §4).

==================  =================================================================================================
``decision_id``     one row per decision
``action``          the logged action, ``channel/offer/moment`` or any name
``action_prob``     the probability with which it was chosen, in (0, 1]
``reward``          what came of it
``pi_<name>``       probability that policy *name* gives to the logged action, in [0, 1]; one or more
``debtor_id``       optional: rows of one debtor are one cluster; without it each row stands alone
``eligible``        optional: the actions that could be chosen, a list or texts joined by ``|``
``x_<covariate>``   optional numbers: what the outcome model of DR reads
``q``,              optional, together: expected reward of the logged action, and under policy *name*, from a model of
``q_<name>``        one's own that was not fitted on these rows; they take the place of ours
``channel_prob``,   optional, together: probability with which the logging policy, and policy *name*, choose the logged
``channel_pi_…``    action's channel; they give DR on the channel marginal
==================  =================================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from domain.errors import DataError, NotEnoughDataError
from training.ope.estimators import Floats, Int64s, Log, Target
from training.ope.outcome import cross_fitted, folds_of

_COMPULSORY = ("decision_id", "action", "action_prob", "reward")
_PI, _X, _Q, _CHANNEL_PI = "pi_", "x_", "q_", "channel_pi_"


@dataclass(frozen=True, slots=True)
class PlainLog:
    """A table as read: the log, ``action`` codes (n,), covariates (n, k), and the columns of numbers by name."""

    log: Log
    action: Int64s
    covariates: Floats
    numbers: Mapping[str, Floats]

    @property
    def policies(self) -> tuple[str, ...]:
        """Names of the evaluated policies, in the order of the file."""
        return tuple(name.removeprefix(_PI) for name in self.numbers if name.startswith(_PI))

    def targets(self) -> dict[str, Target]:
        """The policies with their outcome model, the given one or one fitted here across folds of debtors."""
        base = (
            None
            if self._has_outcome_model
            else cross_fitted(self.covariates, self.log.reward, folds_of(self.log.cluster))
        )
        found = {}
        for name in self.policies:
            q_logged, q_target = (self.numbers["q"], self.numbers[_Q + name]) if base is None else (base, base)
            weight = self._channel_weight(name)
            found[name] = Target(self.numbers[_PI + name], q_logged, q_target, weight)
        return found

    @property
    def _has_outcome_model(self) -> bool:
        return "q" in self.numbers and all(_Q + name in self.numbers for name in self.policies)

    def _channel_weight(self, name: str) -> Floats | None:
        of_policy = self.numbers.get(_CHANNEL_PI + name)
        return None if of_policy is None else of_policy / self.numbers["channel_prob"]

    @property
    def outcome_model(self) -> str:
        """What q of DR is, in a few words."""
        if self._has_outcome_model:
            return "given in the table (q and q_<policy>)"
        if self.covariates.shape[1]:
            return f"ridge on {self.covariates.shape[1]} covariates (x_…), cross-fitted by debtor, blind to the action"
        return "mean reward of the other folds: the table has no covariates (x_…)"


def read_log(path: Path, *, action_prob: bool = True, policies: bool = True) -> PlainLog:
    """Read and check a table.

    Parameters
    ----------
    action_prob : whether the column is needed; without it every row stands at 1 until probabilities are estimated
    policies : whether a column ``pi_<name>`` is needed

    Raises
    ------
    DataError : the file cannot be read, a column is missing, or a value is none that can be evaluated; what, how often
        and what was needed
    """
    with closing(duckdb.connect()) as connection:
        columns = open_log(connection, path)
        _check_columns(columns, path, action_prob=action_prob, policies=policies)
        _check_texts(connection, columns, path)
        numbers = _numbers(connection, columns, path, action_prob=action_prob)
        cluster = _codes(connection, "debtor_id" if "debtor_id" in columns else "decision_id")
        action = _codes(connection, "action")
    probabilities = numbers.pop("action_prob", np.ones(len(action)))
    covariates = [values for name, values in numbers.items() if name.startswith(_X)]
    matrix = np.column_stack(covariates) if covariates else np.zeros((len(action), 0))
    return PlainLog(Log(probabilities, numbers.pop("reward"), cluster), action, matrix, numbers)


def open_log(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """Make the file the table ``log``, in the order of its rows, and name its columns.

    Raises
    ------
    DataError : there is no such table, it cannot be read, or it has no rows
    """
    if not path.is_file() or path.suffix not in {".csv", ".parquet"}:
        raise DataError(f"found no table {path}, needed a .csv or .parquet file of logged decisions")
    reader = "read_parquet($path)" if path.suffix == ".parquet" else "read_csv($path, all_varchar=true, header=true)"
    try:
        connection.execute(f"CREATE TABLE log AS SELECT * FROM {reader}", {"path": str(path)})
    except duckdb.Error as error:
        raise DataError(f"{path.name}: cannot be read as a table with one header; write it again") from error
    columns = [str(row[0]) for row in connection.execute("DESCRIBE log").fetchall()]
    if not _count(connection, "true"):
        raise DataError(f"{path.name}: found no rows, needed logged decisions")
    return columns


def _check_columns(columns: list[str], path: Path, *, action_prob: bool, policies: bool) -> None:
    needed = [name for name in _COMPULSORY if action_prob or name != "action_prob"]
    missing = [name for name in needed if name not in columns]
    named = [name.removeprefix(_PI) for name in columns if name.startswith(_PI)]
    if policies and not any(named):
        missing.append("pi_<name>, the evaluated policy's probability of the logged action")
    given = {name.removeprefix(_Q) for name in columns if name.startswith(_Q)}
    if "q" in columns or given:
        missing += [name for name in ("q", *(_Q + policy for policy in named)) if name not in columns]
    if any(name.startswith(_CHANNEL_PI) for name in columns) and "channel_prob" not in columns:
        missing.append("channel_prob")
    if missing:
        raise DataError(f"{path.name}: found no column {', '.join(missing)}; found {', '.join(columns)}")


def _check_texts(connection: duckdb.DuckDBPyConnection, columns: list[str], path: Path) -> None:
    names = [name for name in ("decision_id", "action", "debtor_id") if name in columns]
    for name in names:
        empty = _count(connection, f"{name} IS NULL OR CAST({name} AS VARCHAR) = ''")
        if empty:
            raise DataError(f"{path.name}: found {empty} rows without {name}, needed one in every row")
    twice = connection.execute("SELECT count(*) - count(DISTINCT decision_id) FROM log").fetchall()[0][0]
    if twice:
        raise DataError(f"{path.name}: found {twice} rows that repeat a decision_id, needed one row per decision")
    if "eligible" in columns:
        kind = str(connection.execute("SELECT typeof(eligible) FROM log LIMIT 1").fetchall()[0][0])
        actions = "eligible" if kind.endswith("[]") else "string_split(CAST(eligible AS VARCHAR), '|')"
        outside = _count(connection, f"NOT list_contains({actions}, action)")
        if outside:
            raise DataError(
                f"{path.name}: found {outside} rows whose action is not in their eligible list, needed the actions "
                "that could be chosen, the chosen one among them; no_support for what the log could not choose"
            )


def _numbers(
    connection: duckdb.DuckDBPyConnection, columns: list[str], path: Path, *, action_prob: bool
) -> dict[str, Floats]:
    """Every column of numbers; covariates may be missing, nothing else may."""
    prefixes = (_PI, _X, _Q, _CHANNEL_PI)
    single = {"reward", "q", "channel_prob"} | ({"action_prob"} if action_prob else set())
    names = [name for name in columns if name in single or name.startswith(prefixes)]
    found = {}
    for name in names:
        quoted = '"' + name.replace('"', '""') + '"'
        wrong = _count(connection, f"TRY_CAST({quoted} AS DOUBLE) IS NULL AND CAST({quoted} AS VARCHAR) != ''")
        if wrong:
            raise DataError(f"{path.name}: found {wrong} rows of {name} that are no number, needed numbers")
        query = f"SELECT coalesce(TRY_CAST({quoted} AS DOUBLE), 'NaN'::DOUBLE) AS value FROM log"
        values: Floats = np.asarray(connection.execute(query).fetchnumpy()["value"], dtype=np.float64)
        _check_number(name, values, path)
        found[name] = values
    _check_zero(found, path)
    for name in [name for name in found if name in {"action_prob", "channel_prob"}]:
        _refuse(name, found[name], (found[name] > 0) & (found[name] <= 1), path, needed="probabilities in (0, 1]")
    return found


def _check_number(name: str, values: Floats, path: Path) -> None:
    if name.startswith(_X):
        _refuse(name, values, ~np.isinf(values), path, needed="finite numbers, or nothing where it is not known")
        return
    _refuse(name, values, np.isfinite(values), path, needed="a finite number in every row")
    if name.startswith((_PI, _CHANNEL_PI)):
        _refuse(name, values, (values >= 0) & (values <= 1), path, needed="probabilities in [0, 1]")


def _check_zero(found: Mapping[str, Floats], path: Path) -> None:
    """A policy that gives mass to an action of probability 0 has no support there, and the row is none of a log."""
    if "action_prob" not in found:
        return
    never = found["action_prob"] == 0.0
    masses = [values > 0 for name, values in found.items() if name.startswith(_PI)]
    asked = never & np.any(masses, axis=0) if masses else never
    if asked.any():
        raise NotEnoughDataError(
            f"no_support: {path.name} has {int(asked.sum())} rows with action_prob 0 to which a policy gives mass; "
            "needed actions that the logging policy could choose"
        )


def _refuse(name: str, values: Floats, good: Any, path: Path, *, needed: str) -> None:
    wrong = int((~np.asarray(good)).sum())
    if wrong:
        raise DataError(f"{path.name}: found {wrong} of {len(values)} rows with another {name}, needed {needed}")


def _codes(connection: duckdb.DuckDBPyConnection, name: str) -> Int64s:
    """(n,) codes from 0 in the order of the texts, so that folds do not depend on the order of rows."""
    query = f"SELECT dense_rank() OVER (ORDER BY CAST({name} AS VARCHAR)) - 1 AS code FROM log ORDER BY rowid"
    return np.asarray(connection.execute(query).fetchnumpy()["code"], dtype=np.int64)


def _count(connection: duckdb.DuckDBPyConnection, condition: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM log WHERE {condition}").fetchall()[0][0])
