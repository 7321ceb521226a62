"""A simulated portfolio in the figures that the trade publishes: ``python -m simulation.figures DIR``."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from domain.tables import TABLES

_TABLES = tuple(TABLES)
_QUERIES = {
    "bills paid by their due day, %": """
        SELECT round(100 * avg(coalesce(paid <= due_on, false)::INT), 1) FROM bills
        WHERE due_on < DATE '2025-09-01'""",
    "bills still unpaid 30, 90 days later, %": """
        SELECT round(100 * avg(coalesce(paid > due_on + 30, true)::INT), 1),
               round(100 * avg(coalesce(paid > due_on + 90, true)::INT), 1) FROM bills
        WHERE due_on < DATE '2025-09-01'""",
    "struck off within 60 days of the bureau listing, %": """
        SELECT round(100 * avg(coalesce(until < occurred_at + INTERVAL 60 DAY, false)::INT), 1) FROM (
            SELECT kind, occurred_at, lead(occurred_at) OVER (PARTITION BY account_id ORDER BY occurred_at) AS until
            FROM debt_events WHERE kind IN ('bureau_listed', 'bureau_removed'))
        WHERE kind = 'bureau_listed' AND occurred_at < TIMESTAMPTZ '2025-12-20 00:00:00Z'""",
    "accounts overdue, over 90 days overdue when the data end, %": """
        SELECT round(100 * avg((overdue > 0)::INT), 1),
               round(100 * avg((overdue > 0 AND days_past_due > 90)::INT), 1)
        FROM read_parquet(dir('truth/accounts'))""",
    "mean, median amount overdue, R$": """
        SELECT round(avg(overdue)), round(median(overdue))
        FROM read_parquet(dir('truth/accounts')) WHERE overdue > 0""",
    "decided contacts carried out, %": """
        SELECT round(100 * count(c.contact_id) / count(*), 1) FROM decisions d LEFT JOIN contacts c USING (decision_id)
        WHERE d.channel <> 'wait'""",
    "payments posted more than a day later, reversed, %": """
        SELECT round(100 * avg((recorded_at > occurred_at + INTERVAL 1 DAY)::INT), 1),
               round(100 * avg((amount < 0)::INT), 2) FROM payments""",
    "attempts that are read (email, whatsapp), reach the right party (agent_call, voice_bot), %": """
        SELECT round(100 * avg(hit) FILTER (WHERE channel = 'email'), 1),
               round(100 * avg(hit) FILTER (WHERE channel = 'whatsapp'), 1),
               round(100 * avg(hit) FILTER (WHERE channel = 'agent_call'), 1),
               round(100 * avg(hit) FILTER (WHERE channel = 'voice_bot'), 1)
        FROM (SELECT c.channel, coalesce(bool_or(r.kind IN ('read', 'right_party')), false)::INT AS hit
              FROM contacts c LEFT JOIN responses r USING (contact_id) GROUP BY c.contact_id, c.channel)""",
    "promises kept; agreements in instalments broken, %": """
        SELECT round(100 * avg((outcome = 'kept')::INT) FILTER (WHERE kind = 'promise'), 1),
               round(100 * avg((outcome = 'broken')::INT) FILTER (WHERE instalments > 1), 1)
        FROM promises WHERE outcome IS NOT NULL""",
    "instalments 1, 2, 3 of an agreement never paid, %": """
        SELECT round(100 * avg(lost) FILTER (WHERE n = 1), 1), round(100 * avg(lost) FILTER (WHERE n = 2), 1),
               round(100 * avg(lost) FILTER (WHERE n = 3), 1)
        FROM (SELECT row_number() OVER (PARTITION BY d.promise_id ORDER BY due_on) AS n, due_on,
                     (y.debt_id IS NULL)::INT AS lost
              FROM debts d LEFT JOIN (SELECT DISTINCT debt_id FROM payments) y USING (debt_id)
              WHERE d.promise_id IS NOT NULL) WHERE due_on < DATE '2026-02-01'""",
    "complaints, opt-outs per 10,000 attempts": """
        SELECT round(1e4 * count(*) FILTER (WHERE kind = 'complained') / (SELECT count(*) FROM contacts), 1),
               round(1e4 * count(*) FILTER (WHERE kind = 'opted_out') / (SELECT count(*) FROM contacts), 1)
        FROM responses""",
    "true value per owing account: wait, uniform choice, ladder, best with hindsight, R$": """
        SELECT round(avg(wait), 2), round(avg(uniform), 2), round(avg(ladder), 2), round(avg(best), 2) FROM worth""",
    "the same, accounts overdue": """
        SELECT round(avg(wait), 2), round(avg(uniform), 2), round(avg(ladder), 2), round(avg(best), 2) FROM worth
        WHERE overdue > 0""",
}
_VIEWS = """
    CREATE VIEW bills AS SELECT d.due_on, min(y.occurred_at)::DATE AS paid FROM debts d LEFT JOIN payments y
        ON y.account_id = d.account_id AND y.amount > 0 AND (y.debt_id = d.debt_id OR y.debt_id IS NULL
            AND y.occurred_at > d.occurred_at AND y.amount BETWEEN d.amount AND 1.03 * d.amount)
        WHERE d.promise_id IS NULL GROUP BY d.debt_id, d.due_on;
    CREATE VIEW worth AS SELECT a.overdue, max(expected_net_value) AS best, avg(expected_net_value) AS uniform,
        max(expected_net_value) FILTER (WHERE action = 'wait/none/any') AS wait,
        max(expected_net_value) FILTER (WHERE action = ladder_action) AS ladder
        FROM read_parquet(dir('truth/values')) v JOIN read_parquet(dir('truth/accounts')) a USING (account_id)
        GROUP BY account_id, a.overdue;
"""


def figures(data: Path) -> dict[str, tuple[float, ...]]:
    """Every figure by its name; rows of the tables first."""
    found: dict[str, tuple[float, ...]] = {}
    with duckdb.connect() as connection:
        connection.execute(f"SET TimeZone = 'UTC'; CREATE MACRO dir(name) AS '{data}/' || name || '.parquet'")
        for table in _TABLES:
            connection.execute(f"CREATE VIEW {table} AS FROM read_parquet('{data}/{table}.parquet')")
            found[f"rows of {table}"] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0]
        connection.execute(_VIEWS)
        for name, query in _QUERIES.items():
            found[name] = connection.execute(query).fetchall()[0]
    return found


if __name__ == "__main__":
    for figure, values in figures(Path(sys.argv[1])).items():
        sys.stdout.write(f"{figure}: {', '.join(f'{value:,}' for value in values)}\n")
